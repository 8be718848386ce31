"""A CSV of rated comparisons held against itself and its manifest: rows that contradict themselves or each other.

Rows of a CSV have no links: an answer changed to another that is possible shows in the file's digest alone.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from radtui.export import columns
from radtui.export.comparisons import PREFERENCE_LABELS
from radtui.export.formula_quote import unquote_formula
from radtui.export.manifest import Seal, seal_of
from radtui.measures.text import word_count
from radtui.records import UserError

MEANING = (
    "This proves that a file is as its manifest says, not who wrote them: whoever writes a new manifest can make one"
    " that fits. Rows of a CSV have no links; radtui export --format jsonl writes rows that have."
)
SHOWN = 50  # sentences; --json has all
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FORMS = {f"{form}{raw}" for form in (columns.SCHEMA, columns.ARMS_SCHEMA) for raw in ("", columns.RAW)}
_FIXED = ("export_schema", "image_sha256", "reference", "rater", "preference", "preference_label", "both_bad",
          "skipped", "rated_at", "occasion")  # fmt: skip
_FIXED_PAIRED = ("job_id", "image_id", "base_text", "tuned_text", "shown_left")
_FIXED_ARMS = ("study_id", "case_id", "pair", "earlier_arm", "later_arm", "earlier_text", "later_text")


@dataclass(frozen=True, slots=True)
class VerifiedTable:
    """What a look at a CSV gave; `problems` has a sentence for each row that is wrong."""

    rows: int
    readers: tuple[tuple[str, int], ...]
    problems: tuple[str, ...]
    seal: Seal | None  # None where no manifest lies beside it

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "whole": not self.problems, "rows": self.rows, "readers": dict(self.readers),
            "manifest": self.seal.state if self.seal is not None else None, "problems": list(self.problems),
            "meaning": MEANING,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """For people."""
        sentences = ["Not whole:", *shortened(self.problems)] if self.problems else []
        if self.seal is None:
            sentences.append(
                f"No manifest lies beside it: {self.rows:,} rows were held against themselves and each other alone."
            )
        elif not self.seal.differs:
            sentences.append(f"Whole: {self.rows:,} rows. {self.seal.words}")
        if self.readers:
            sentences.append(f"Rows by reader: {', '.join(f'{name} {n:,}' for name, n in self.readers)}.")
        return [*sentences, MEANING]


def shortened(problems: tuple[str, ...]) -> list[str]:
    """The first sentences, and how many more there are."""
    more = [f"... and {len(problems) - SHOWN:,} more: --json lists all."] if len(problems) > SHOWN else []
    return [*problems[:SHOWN], *more]


def verify_table(path: Path) -> VerifiedTable:
    """Check a `comparisons.csv`.

    Raises:
        UserError: It is none.
        OSError: It cannot be read.
    """
    problems: list[str] = []
    readers: Counter[str] = Counter()
    table = _Table()
    before = csv.field_size_limit(sys.maxsize)  # the process's own: a text may be longer than 128 KiB
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = _header(path, next(reader, []), problems)
            number = 0
            try:
                for number, cells in enumerate(reader, 1):
                    if len(cells) != len(header):
                        problems.append(
                            f"row {number}: it has {len(cells)} cells where the header has {len(header)}."
                        )
                        continue
                    row = dict(zip(header, cells, strict=True))
                    readers[row.get("rater", "")] += 1
                    problems += [f"row {number}{_whose(row)}: {why}" for why in table.wrong(number, row)]
            except csv.Error as error:
                problems.append(f"row {number + 1}: it is cut off, or no CSV ({error}).")
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"{path} is no CSV in UTF-8 ({error}), as a spreadsheet may have saved it: name the file as radtui"
            " exported it."
        ) from error
    finally:
        csv.field_size_limit(before)
    seal = seal_of(path)
    if seal is not None and seal.differs:
        problems.append(seal.words)
    return VerifiedTable(readers.total(), tuple(sorted(readers.items())), tuple(problems), seal)


def _header(path: Path, header: list[str], problems: list[str]) -> list[str]:
    """The header, with what is wrong with it told.

    Raises:
        UserError: It is none of a table of rated comparisons.
    """
    if len(header) == 1 and (sign := next((sign for sign in (";", "\t") if sign in header[0]), "")):
        name = "semicolons" if sign == ";" else "tabs"
        raise UserError(
            f"{path} has {name} between its cells, as a spreadsheet saved it: name the file as radtui exported it."
        )
    if len({"export_schema", "rater", "preference", "image_sha256", "rated_at"} & {*header}) < 3:
        raise UserError(f"{path} is no comparisons.csv; verify takes that, or a JSONL that radtui exported.")
    more = _FIXED_ARMS if "earlier_arm" in header or "study_id" in header else _FIXED_PAIRED
    missing = [name for name in (*_FIXED, *more) if name not in header]
    twice = [name for name, count in Counter(header).items() if count > 1]
    if missing:
        problems.append(f"header: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing.")
    if twice:
        problems.append(f"header: {', '.join(twice)} {'is' if len(twice) == 1 else 'are'} there twice.")
    return header


def _whose(row: dict[str, str]) -> str:
    case = row.get("image_id") or row.get("case_id")
    return f", {row['rater']} on case {case}" if row.get("rater") and case else ""


class _Table:
    """The rows so far, to hold each against those before it."""

    def __init__(self) -> None:
        self._form = ""
        self._known: dict[tuple[str, ...], int] = {}  # which comparison and reader -> row
        self._about: dict[tuple[str, ...], tuple[int, str]] = {}  # what a row is about -> row, value

    def wrong(self, number: int, row: dict[str, str]) -> Iterator[str]:
        """What is wrong with a row, a sentence each."""
        form = row.get("export_schema", "")
        self._form = self._form or form
        if form not in _FORMS or form != self._form:
            yield f"its form is {form!r}."
        cells = (
            {name: unquote_formula(value) for name, value in row.items()}
            if not form.endswith(columns.RAW)
            else row
        )
        study = cells.get("job_id") or cells.get("study_id", "")
        case = cells.get("image_id") or cells.get("case_id", "")
        place = (study, case, *(cells.get(name, "") for name in ("rater", "occasion", "pair")))
        first = self._known.setdefault(place, number)
        if first != number:
            yield f"it is there twice, row {first} is of the same comparison and reader."
        yield from _own(cells)
        for what, value in _facts(cells).items():
            at, known = self._about.setdefault((study, case, what), (number, value))
            if known != value:
                yield f"its {what} is not that of row {at}."


def _facts(cells: dict[str, str]) -> dict[str, str]:
    """What all rows about one case say alike."""
    facts = {name: cells[name] for name in ("image_sha256", "reference", "split") if name in cells}
    if "earlier_arm" in cells:
        return facts | {
            f"text of {cells[f'{place}_arm']}": cells.get(f"{place}_text", "")
            for place in ("earlier", "later")
            if cells.get(f"{place}_arm")
        }
    texts = [name for name in cells if name.endswith("_text") and not name.endswith("_corrected_text")]
    return facts | {f"text of {name.removesuffix('_text')}": cells[name] for name in texts}


def _own(cells: dict[str, str]) -> Iterator[str]:
    """What a row says that cannot be, or that contradicts itself."""
    if "image_sha256" in cells and not _SHA256.fullmatch(cells["image_sha256"]):
        yield "its image_sha256 is none."
    if "rated_at" in cells:
        try:
            datetime.fromisoformat(cells["rated_at"])
        except ValueError:
            yield f"its rated_at is {cells['rated_at']!r}, no time as radtui writes it."
    for name in [name for name in cells if name.endswith("_words")]:
        text = cells.get(f"{name.removesuffix('_words')}_text")
        if text is not None and cells[name] and cells[name] != str(word_count(text)):
            yield f"its {name} is {cells[name]}, and the text has {word_count(text)}."
    if {"preference", "preference_label", "both_bad", "skipped"} <= cells.keys():
        label = _label(cells)
        if label is None:
            yield f"its preference is {cells['preference']!r}, which is none."
        elif label != cells["preference_label"]:
            yield f"its preference_label is {cells['preference_label']!r} where the preference says {label!r}."


def _label(cells: dict[str, str]) -> str | None:
    """The words of a row's preference; None where that is none."""
    if cells["both_bad"] == "1":
        return "both bad"
    if not cells["preference"]:
        return "skipped" if cells["skipped"] == "1" else ""
    words = {str(value): text for value, text in PREFERENCE_LABELS.items()}.get(cells["preference"])
    return (
        None if words is None else words.format(**dict(zip(("earlier", "later"), _arms(cells), strict=True)))
    )


def _arms(cells: dict[str, str]) -> tuple[str, str]:
    """The two arms that a row compares, in the study's order."""
    if "earlier_arm" in cells:
        return cells["earlier_arm"], cells.get("later_arm", "")
    order = columns.PAIRED[-1]
    if cells.get("shown_right"):
        shown = sorted(
            (cells.get("shown_left", ""), cells["shown_right"]), key=lambda arm: (arm not in order, arm)
        )
        shown = [arm for arm in order if arm in shown] or shown
        return shown[0], shown[-1]
    return order[0], order[1]
