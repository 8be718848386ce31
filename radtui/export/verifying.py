"""An export held against its chains: each row's link is computed anew, and each follows the one before it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from radtui.export.incoming import jsonl_row
from radtui.export.sound import WRONG
from radtui.records import Rating, UserError
from radtui.store.ratings import link

LINK_FIELDS = ("chain_before", "left_out_before", "left_out_after", "chain_ends")
MEANING = "This proves that the rows agree with each other, not who wrote them."


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at an export's chains gave; `problems` has a sentence for each row or link that is wrong."""

    rows: int
    unchained: int  # rows from before there were chains
    left_out: int  # rows that the export names by their links alone
    chains: int  # of a study and a reader each
    problems: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "whole": not self.problems, "rows": self.rows, "chains": self.chains, "unchained": self.unchained,
            "left_out": self.left_out, "problems": list(self.problems), "meaning": MEANING,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """For people."""
        chained = self.rows - self.unchained
        if self.problems:
            first = "Not whole:"
        elif chained:
            first = f"Whole: {chained:,} rows in {self.chains:,} chains, one for each study and reader."
        else:
            first = "Nothing to check: no row has a link."
        sentences = [first, *self.problems]
        if self.left_out:
            sentences.append(f"{self.left_out:,} rows are not in this export and named by their links alone.")
        if self.unchained:
            sentences.append(
                f"{self.unchained:,} rows are unchained: they are from before there were chains."
            )
        return [*sentences, MEANING]


class _Row(NamedTuple):
    """One row of a history with what its line says of its link."""

    line: int
    rating: Rating  # with its link, as the file says
    fields: dict[str, Any]
    last: bool  # of its line
    as_counted: bool  # what the line gives as the rating that counts is this row

    @property
    def name(self) -> str:
        """As a sentence names it."""
        return f"line {self.line}, row {self.rating.id} of {self.rating.rater} on case {self.rating.case_id}"


def verify_export(path: Path) -> Verified:
    """Check the chains of a JSONL export.

    Raises:
        UserError: It cannot be read, or is no such export.
    """
    chains: dict[tuple[int, str], list[_Row]] = {}
    problems: list[str] = []
    newest = 0
    for row in _rows(path):
        chains.setdefault((row.rating.study_id, row.rating.rater), []).append(row)
        if row.last and row.rating.id < newest:
            problems.append(f"{row.name}: its line was moved, it stands after a newer one.")
        if row.last and not row.as_counted:
            problems.append(f"{row.name}: the rating of its line is not the newest row of its history.")
        newest = max(newest, row.rating.id if row.last else 0)
    left_out = unchained = chained = 0
    for rows in chains.values():
        rows.sort(key=lambda row: row.rating.id)
        linked = [row for row in rows if row.rating.chain]
        unchained += len(rows) - len(linked)
        chained += bool(linked)
        left_out += sum(
            len(_named(row, name)) for row in linked for name in ("left_out_before", "left_out_after")
        )
        problems += _problems(rows)
    return Verified(sum(map(len, chains.values())), unchained, left_out, chained, tuple(problems))


def _problems(rows: list[_Row]) -> Iterator[str]:
    """What is wrong with one reader's rows in a study, in the order of their ids."""
    link_before, seen = "", set[int]()
    for row in rows:
        if not row.rating.chain:
            if link_before:
                yield f"{row.name}: it has no link, and the rows before it have."
            continue
        if row.rating.id in seen:
            yield f"{row.name}: it is there twice."
            continue
        seen.add(row.rating.id)
        before = str(row.fields.get("chain_before", ""))
        if link(before, row.rating) != row.rating.chain:
            yield f"{row.name}: it was changed, or its link was."
        expected = (_named(row, "left_out_before") or [link_before])[-1]
        if before != expected:
            yield f"{row.name}: the row before it was dropped or moved."
        link_before = row.rating.chain
    ends = [row for row in rows if row.fields.get("chain_ends")]
    last = next((row for row in reversed(rows) if row.rating.chain), None)
    if last is not None and (len(ends) != 1 or ends[0].rating.id != last.rating.id):
        yield f"{last.name}: rows after it were dropped, the chain does not end here."


def _named(row: _Row, name: str) -> list[str]:
    links = row.fields.get(name, [])
    return [str(each) for each in links] if isinstance(links, list) else []


def _rows(path: Path) -> Iterator[_Row]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, text in enumerate(file, 1):
                line = json.loads(text)
                incoming = jsonl_row(line)
                study_id, last = line.get("study_id"), line["history"][-1]
                counts = {name: value for name, value in last.items() if name not in LINK_FIELDS}
                for snapshot, fields in zip(incoming.snapshots, line["history"], strict=True):
                    known = replace(snapshot, chain=str(fields.get("chain") or ""))
                    known = replace(known, study_id=study_id or known.study_id)
                    if known.chain and study_id is None:
                        raise UserError(
                            f"{path} was written by an older radtui, without links; export it again."
                        )
                    yield _Row(number, known, fields, fields is last, line["rating"] == counts)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read {path}: {error}; name a JSONL that radtui exported.") from error
    except WRONG as error:
        raise UserError(
            f"{path} is no JSONL that radtui exported ({error}); write one with radtui export --format jsonl."
        ) from error
