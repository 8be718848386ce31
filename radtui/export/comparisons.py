"""`comparisons.csv`: one row per rated comparison and rater, one value per cell."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from pathlib import Path

from radtui.export.columns import (
    PACE,
    answer_columns,
    arms_columns,
    corrected_columns,
    is_paired,
    paired_columns,
    schema_of,
)
from radtui.export.csv_text import CsvCells, cell, csv_line
from radtui.export.files import whole_file
from radtui.measures.pace import pace_mark
from radtui.measures.scheme import Scheme
from radtui.measures.text import word_count
from radtui.records import Case, Comparison, Rating, Study
from radtui.store.database import same_moment
from radtui.study.schemes import Survey, survey, table_rows
from radtui.study.study import Review, rated, stored_review

PREFERENCE_LABELS = {
    -2: "{earlier} much better", -1: "{earlier} slightly better", 0: "equal",
    1: "{later} slightly better", 2: "{later} much better",
}  # fmt: skip
CASES_KEPT = 512  # whose cells are held at once, so that memory stays flat


def columns(review: Review, seen: Survey) -> list[str]:
    """The header of a study's table, whose rows were surveyed."""
    scheme, arms = review.scheme, review.study.arm_names
    if not is_paired(review.study):
        return arms_columns(scheme, arms)
    return paired_columns(scheme, arms, seen.corrected, seen.paced)


def rows(
    db: sqlite3.Connection, review: Review, seen: Survey, beside: Sequence[str] = ()
) -> Iterator[dict[str, object]]:
    """The rated comparisons of a study as column -> value; None where nothing was answered.

    Ratings that answer another scheme's questions have no columns here and are left out: see `study.schemes`.

    Args:
        db: The database.
        review: What is told.
        seen: Its survey.
        beside: Columns after those of the header: `chain`.
    """
    answers = answer_columns(review.scheme, review.study.arm_names)
    corrected = corrected_columns(review.study.arm_names)
    about = _paired_row if is_paired(review.study) else _arms_row
    header = [*columns(review, seen), *beside]
    everywhere = _everywhere(review)
    for rating, case, pair in rated(db, review, table_rows(review)):
        row = {**everywhere, **about(review, case, pair, rating.shown), **_judged(review, rating)}
        row.update(zip(answers, map(rating.answers.get, answers.values()), strict=True))
        row.update(zip(corrected, map(rating.corrections.get, corrected.values()), strict=True))
        yield dict(zip(header, map(row.__getitem__, header), strict=True))


def write_csv(db: sqlite3.Connection, study: Study, scheme: Scheme, out: Path, raw: bool = False) -> int:
    """Write `comparisons.csv`, whole or not at all; returns the number of rows.

    Cells that a spreadsheet would run get a leading quote, which importing takes off exactly; `raw` leaves it out,
    and says so in `export_schema`.

    Raises:
        UserError: the file cannot be written.
    """
    with same_moment(db):
        review = stored_review(db, study, scheme)
        return write_review_csv(db, review, survey(review), out, raw)


def write_review_csv(
    db: sqlite3.Connection, review: Review, seen: Survey, out: Path, raw: bool = False
) -> int:
    """Write `comparisons.csv` of a review that was read and surveyed; see `write_csv`."""
    header = columns(review, seen)
    lines, written = _CsvLines(review, header, raw), 0
    with whole_file(out) as file:
        file.write(csv_line(cell(name, raw) for name in header))
        for rating, case, pair in rated(db, review, table_rows(review)):
            file.write(lines.line(rating, case, pair))
            written += 1
    return written


class _CsvLines:
    """The same rows as lines of CSV: what a case and its two texts say is put into cells once for all its readers.

    Args:
        review: What is told.
        header: The columns.
        raw: As in `write_csv`.
    """

    def __init__(self, review: Review, header: Sequence[str], raw: bool) -> None:
        arms = review.study.arm_names
        self._review, self._cells = review, CsvCells(raw)
        self._places = places = {name: at for at, name in enumerate(header)}
        answers, corrected = answer_columns(review.scheme, arms), corrected_columns(arms)
        self._answers = {key: places[column] for column, key in answers.items() if column in places}
        self._corrected = {arm: places[column] for column, arm in corrected.items() if column in places}
        self._about = _paired_row if is_paired(review.study) else _arms_row
        self._everywhere = [""] * len(header)
        self._put(self._everywhere, _everywhere(review) | {"export_schema": schema_of(review.study, raw)})
        self._known: dict[tuple[int, tuple[str, str]], list[str]] = {}  # case and arms -> their cells
        stored = [name for name in AS_STORED if name in places]
        self._stored = attrgetter(*stored)
        self._stored_at = [places[name] for name in stored]
        self._made = [(places[name], make) for name, make in MADE.items() if name in places]

    def line(self, rating: Rating, case: Case, pair: Comparison) -> str:
        """One row with its line feed."""
        cells, key = self._cells, (case.id, rating.shown)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= CASES_KEPT:
                self._known.clear()
            known = self._known[key] = self._everywhere.copy()
            self._put(known, self._about(self._review, case, pair, rating.shown))
        line, answered_at = known.copy(), self._answers
        for at, value in zip(self._stored_at, self._stored(rating), strict=True):
            line[at] = cells[value]
        for at, make in self._made:
            line[at] = cells.text(make(self._review, rating))
        for name, answer in rating.answers.items():
            if name in answered_at:
                line[answered_at[name]] = cells[answer]
        for arm, text in rating.corrections.items():
            if arm in self._corrected:
                line[self._corrected[arm]] = cells[text]
        return ",".join(line) + "\n"

    def _put(self, line: list[str], values: Mapping[str, object]) -> None:
        """Write values that have a column into a row's cells."""
        places, text = self._places, self._cells.text
        for name, value in values.items():
            at = places.get(name)
            if at is not None:
                line[at] = text(value)


def time_text(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _everywhere(review: Review) -> dict[str, object]:
    """What stands in every row of a study."""
    same: dict[str, object] = {"export_schema": schema_of(review.study)}
    if is_paired(review.study):
        adapters = review.further_adapters
        same |= {
            "job_id": review.study.job_id,
            "base_model": review.settings.get("model", ""),
            "adapter": review.settings.get("adapter", ""),
        }
        same |= {f"{arm}_adapter": adapters.get(arm, "") for arm in review.study.arm_names}
    return same


_words_in = lru_cache(maxsize=4096)(word_count)  # a text stands in a row for each of its readers


@lru_cache(maxsize=1024)  # a study has some dozens
def _label(preference: int | None, both_bad: bool, skipped: bool, shown: tuple[str, str]) -> str:
    if both_bad:
        return "both bad"
    if preference is None:
        return "skipped" if skipped else ""
    earlier, later = shown
    return PREFERENCE_LABELS[preference].format(earlier=earlier, later=later)


# What is said of a rating whatever the arms are: its fields that are columns as they stand (none is a float), and what
# is made of it.
AS_STORED = (
    "pair", "rater", "preference", "both_bad", "blinded", "flagged", "skipped", "note", "occasion", "scheme",
    "scheme_hash", "chain",
)  # fmt: skip
MADE: dict[str, Callable[[Review, Rating], object]] = {
    "shown_left": lambda _, rating: rating.left_arm,
    "shown_right": lambda _, rating: rating.right_arm,
    "left_arm": lambda _, rating: rating.left_arm,
    "right_arm": lambda _, rating: rating.right_arm,
    "preference_label": lambda _, rating: _label(
        rating.preference, rating.both_bad, rating.skipped, rating.shown
    ),
    "active_seconds": lambda _, rating: round(rating.active_s, 1),
    "wall_seconds": lambda _, rating: round(rating.wall_s, 1),
    "rated_at": lambda _, rating: time_text(rating.rated_at),
    "role": lambda review, rating: review.role(rating),
    PACE: lambda _, rating: pace_mark(rating),
}


def _judged(review: Review, rating: Rating) -> dict[str, object]:
    stored = {name: getattr(rating, name) for name in AS_STORED}
    return stored | {name: make(review, rating) for name, make in MADE.items()}


def _paired_row(review: Review, case: Case, pair: Comparison, shown: tuple[str, str]) -> dict[str, object]:
    """What a row says of a job's base and tuned, and of its third arm where it has one, whoever rated."""
    del review, shown
    base = pair.by("base")
    row: dict[str, object] = {
        "image_id": case.id, "dataset": case.dataset, "split": case.split,
        "image_path": case.source_key, "image_sha256": case.first.sha256, "reference": case.reference,
        "prompt": base.prompt, "decoding": base.decoding,
    }  # fmt: skip
    for arm, written in pair.texts.items():
        text = written.text
        row[f"{arm}_text"], row[f"{arm}_words"] = text, _words_in(text)
    return row


def _arms_row(review: Review, case: Case, pair: Comparison, shown: tuple[str, str]) -> dict[str, object]:
    """What a row says of the two arms it compares, whoever rated; a text read alone is the later one."""
    row: dict[str, object] = {
        "study_id": review.study.id, "study": review.study.name, "case_id": case.id, "dataset": case.dataset,
        "split": case.split, "image_path": case.source_key, "image_sha256": case.first.sha256,
        "question": case.question, "reference": case.reference, "earlier_arm": shown[0], "later_arm": shown[1],
    }  # fmt: skip
    for place, arm in zip(("earlier", "later"), shown, strict=True):
        written = pair.texts.get(arm)
        row |= {
            f"{place}_text": written.text if written else "",
            f"{place}_words": _words_in(written.text) if written else None,
            f"{place}_prompt": written.prompt if written else "",
            f"{place}_decoding": written.decoding if written else "",
        }
    return row
