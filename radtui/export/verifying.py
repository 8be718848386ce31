"""An export held against its links and its manifest: each row's link is computed anew, and follows the one before it.

Links cover what a reader answered, not the texts and images it was about: those are held against each other, line by
line, and the whole file against the digest in its manifest, where one lies beside it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from radtui.export.manifest import Seal, seal_of
from radtui.export.rating_checks import WRONG
from radtui.export.rating_files import IncomingRating, jsonl_row
from radtui.export.verifying_tables import VerifiedTable, shortened, verify_table
from radtui.plural import many
from radtui.records import Rating, UserError
from radtui.store.ratings import link

LINK_FIELDS = ("chain_before", "left_out_before", "left_out_after", "chain_ends")
MEANING = (
    "This proves that the rows agree with each other, not who wrote them: whoever makes new links, or leaves a whole"
    " reader out, can make a file that is whole."
)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at an export's chains gave; `problems` has a sentence for each row or link that is wrong."""

    rows: int
    unchained: int  # rows from before there were chains
    left_out: int  # rows that the export names by their links alone
    chains: int  # of a study and a reader each
    problems: tuple[str, ...]
    readers: tuple[tuple[str, int], ...] = ()  # each with their rows
    seal: Seal | None = None  # None where no manifest lies beside it

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "whole": not self.problems, "rows": self.rows, "chains": self.chains, "unchained": self.unchained,
            "left_out": self.left_out, "readers": dict(self.readers),
            "manifest": self.seal.state if self.seal is not None else None, "problems": list(self.problems),
            "meaning": MEANING,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """For people."""
        chained = self.rows - self.unchained
        if self.problems:
            first = "Not whole:"
        elif chained:
            first = f"Whole: {many(chained, 'row')} in {many(self.chains, 'chain')}, one for each study and reader."
        elif self.rows:
            first = "Nothing to check: no row has a link."
        else:
            first = "Nothing to check: it holds no row."
        sentences = [first, *shortened(self.problems)]
        if self.readers:
            sentences.append(f"Rows by reader: {', '.join(f'{name} {n:,}' for name, n in self.readers)}.")
        if self.left_out:
            rows = many(self.left_out, "row is", "rows are")
            sentences.append(f"{rows} not in this export and named by their links alone.")
        if self.unchained:
            rows = many(self.unchained, "row is", "rows are")
            sentences.append(f"{rows} unchained, from before there were chains.")
        return [*sentences, *([self.seal.words] if self.seal is not None else []), MEANING]


class _Row(NamedTuple):
    """One row of a history with what its line says of its link."""

    line: int
    rating: Rating  # with its link, as the file says
    fields: dict[str, Any]
    last: bool  # of its line
    as_counted: bool  # what the line gives as the rating that counts is this row
    study: tuple[int, str]  # id and name: two data folders may have a study of one number

    @property
    def name(self) -> str:
        """As a sentence names it."""
        return f"line {self.line}, row {self.rating.id} of {self.rating.rater} on case {self.rating.case_id}"


def verify_export(path: Path) -> Verified | VerifiedTable:
    """Check an export: the chains of a JSONL, or what a CSV's rows say of themselves.

    Raises:
        UserError: It cannot be read, or is no export of ratings.
    """
    try:
        with path.open("rb") as file:
            first = file.read(3).removeprefix(b"\xef\xbb\xbf")
        if path.suffix.lower() == ".csv" or first.startswith((b"exp", b'"')):
            return verify_table(path)
        return _verify_lines(path)
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}; name a file that radtui exported.") from error


def _verify_lines(path: Path) -> Verified:
    chains: dict[tuple[tuple[int, str], str], list[_Row]] = {}
    problems: list[str] = []
    newest: Counter[tuple[int, str]] = Counter()
    for row in _Lines(path, problems).rows():
        chains.setdefault((row.study, row.rating.rater), []).append(row)
        if not row.last:
            continue
        if row.rating.id < newest[row.study]:
            problems.append(f"{row.name}: its line was moved, it stands after a newer one.")
        if not row.as_counted:
            problems.append(f"{row.name}: the rating of its line is not the newest row of its history.")
        newest[row.study] = max(newest[row.study], row.rating.id)
    left_out = unchained = chained = 0
    readers: Counter[str] = Counter()
    for (_, reader), rows in chains.items():
        rows.sort(key=lambda row: row.rating.id)
        linked = [row for row in rows if row.rating.chain]
        readers[reader] += len(rows)
        unchained += len(rows) - len(linked)
        chained += bool(linked)
        left_out += sum(
            len(_named(row, name)) for row in linked for name in ("left_out_before", "left_out_after")
        )
        problems += _problems(rows)
    seal = seal_of(path)
    if seal is not None and seal.differs:
        problems.append(seal.words)
        seal = None
    return Verified(
        readers.total(), unchained, left_out, chained, tuple(problems), tuple(sorted(readers.items())), seal
    )


def _problems(rows: list[_Row]) -> Iterator[str]:
    """What is wrong with one reader's rows in a study, in the order of their ids."""
    link_before, seen = "", set[int]()
    for row in rows:
        if row.rating.id in seen:
            yield f"{row.name}: it is there twice."
            continue
        seen.add(row.rating.id)
        if not row.rating.chain:
            if link_before:
                yield f"{row.name}: it has no link, and the rows before it have."
            continue
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


class _Lines:
    """The lines of a JSONL, each read by itself: one that is wrong is named, and the others are read on.

    Args:
        path: The file.
        problems: Where a sentence for each line that is wrong goes.
    """

    def __init__(self, path: Path, problems: list[str]) -> None:
        self._path, self._problems = path, problems
        self._about: dict[tuple[object, ...], tuple[int, object]] = {}  # what a line is about -> line, value

    def rows(self) -> Iterator[_Row]:
        """The rows of all histories, line by line.

        Raises:
            UserError: No line is one of an export, or it is an older radtui's, without links.
        """
        known, wrong = 0, ""
        with self._path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                text = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
                if not text.strip():
                    continue
                try:
                    yield from self._line(number, json.loads(text.decode("utf-8")))
                    known += 1
                except json.JSONDecodeError as error:
                    wrong = wrong or str(error)
                    self._problems.append(f"line {number}: it is cut off, or no JSON ({error}).")
                except WRONG as error:  # a UnicodeDecodeError too
                    why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
                    wrong = wrong or why
                    self._problems.append(f"line {number}: it is no rating as radtui writes it ({why}).")
        if wrong and not known:
            raise UserError(
                f"{self._path} is no JSONL that radtui exported ({wrong}); write one with radtui export --format jsonl."
            )

    def _line(self, number: int, line: dict[str, Any]) -> list[_Row]:
        """The rows of a line. Raises one of `sound.WRONG` when it is none of an export."""
        incoming = jsonl_row(line)
        history, study_id = line["history"], line.get("study_id")
        counts = {name: value for name, value in history[-1].items() if name not in LINK_FIELDS}
        as_counted = line["rating"] == counts
        study = int(study_id or 0), str(line.get("job", line.get("study", "")))
        rows = []
        for snapshot, fields in zip(incoming.snapshots, history, strict=True):
            known = replace(snapshot, chain=str(fields.get("chain") or ""))
            known = replace(known, study_id=study_id or known.study_id)
            if known.chain and study_id is None:
                raise UserError(
                    f"{self._path} was written by an older radtui, without links; export it again."
                )
            rows.append(_Row(number, known, fields, fields is history[-1], as_counted, study))
        ids = [row.rating.id for row in rows]
        if ids != sorted(ids):
            self._problems.append(f"{rows[-1].name}: the rows of its history were moved.")
        self._compare(number, study, incoming, line)
        return rows

    def _compare(
        self, number: int, study: tuple[int, str], incoming: IncomingRating, line: dict[str, Any]
    ) -> None:
        """Hold what a line says of its case against the first line about that case: no link covers it."""
        about: dict[str, object] = {
            "image": incoming.sha256, "reference": line.get("reference"),
            **{f"text of {arm}": text for arm, text in incoming.texts.items()},
        }  # fmt: skip
        name = f"line {number}, {incoming.rater} on case {incoming.case_id}"
        for what, value in about.items():
            first, known = self._about.setdefault((study, incoming.case_id, what), (number, value))
            if known != value:
                self._problems.append(f"{name}: its {what} is not that of line {first}.")
