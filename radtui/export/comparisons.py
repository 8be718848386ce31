"""`comparisons.csv`: one row per rated comparison and rater, one value per cell."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
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
from radtui.study.study import Review, rated, read_review

PREFERENCE_LABELS = {
    -2: "{earlier} much better", -1: "{earlier} slightly better", 0: "equal",
    1: "{later} slightly better", 2: "{later} much better",
}  # fmt: skip


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
        row = {**everywhere, **about(review, case, pair, rating), **_judged(review, rating)}
        row.update(zip(answers, map(rating.answers.get, answers.values()), strict=True))
        row.update(zip(corrected, map(rating.corrections.get, corrected.values()), strict=True))
        yield dict(zip(header, map(row.__getitem__, header), strict=True))


def write_csv(
    db: sqlite3.Connection, study: Study, scheme: Scheme, out: Path, rater: str = "", raw: bool = False
) -> int:
    """Write `comparisons.csv`, whole or not at all; returns the number of rows.

    Cells that a spreadsheet would run get a leading quote, which importing takes off exactly; `raw` leaves it out,
    and says so in `export_schema`.

    Raises:
        UserError: the file cannot be written.
    """
    with same_moment(db):
        review = read_review(db, study, scheme, rater, places=False, held=False)
        return write_review_csv(db, review, survey(review), out, raw)


def write_review_csv(
    db: sqlite3.Connection, review: Review, seen: Survey, out: Path, raw: bool = False
) -> int:
    """Write `comparisons.csv` of a review that was read and surveyed; see `write_csv`."""
    written, cells = 0, CsvCells(raw)
    header, schema = columns(review, seen), schema_of(review.study, raw)
    with whole_file(out) as file:
        file.write(csv_line(cell(name, raw) for name in header))
        for row in rows(db, review, seen):
            row["export_schema"] = schema
            file.write(cells.row(row.values()))
            written += 1
    return written


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


def _judged(review: Review, rating: Rating) -> dict[str, object]:
    """What is said of a rating whatever the arms are."""
    return {
        "rater": rating.rater, "preference": rating.preference,
        "preference_label": _label(rating), "both_bad": rating.both_bad, "blinded": rating.blinded,
        "flagged": rating.flagged, "skipped": rating.skipped, "note": rating.note,
        "active_seconds": round(rating.active_s, 1), "wall_seconds": round(rating.wall_s, 1),
        "rated_at": time_text(rating.rated_at), "occasion": rating.occasion, "scheme": rating.scheme,
        "scheme_hash": rating.scheme_hash, "role": review.role(rating), "chain": rating.chain, PACE: pace_mark(rating),
    }  # fmt: skip


def _paired_row(review: Review, case: Case, pair: Comparison, rating: Rating) -> dict[str, object]:
    """A row of a job's base and tuned, and of its third arm where it has one."""
    base = pair.by("base")
    row: dict[str, object] = {
        "image_id": case.id, "dataset": case.dataset, "split": case.split,
        "image_path": case.source_key, "image_sha256": case.first.sha256, "reference": case.reference,
        "prompt": base.prompt, "decoding": base.decoding,
        "shown_left": rating.left_arm, "shown_right": rating.right_arm,
    }  # fmt: skip
    for arm, written in pair.texts.items():
        text = written.text
        row[f"{arm}_text"], row[f"{arm}_words"] = text, _words_in(text)
    return row


def _arms_row(review: Review, case: Case, pair: Comparison, rating: Rating) -> dict[str, object]:
    """A row that names the two arms it compares; a text read alone is the later one."""
    row: dict[str, object] = {
        "study_id": review.study.id, "study": review.study.name, "case_id": case.id, "dataset": case.dataset,
        "split": case.split, "image_path": case.source_key, "image_sha256": case.first.sha256,
        "question": case.question, "reference": case.reference, "earlier_arm": rating.earlier_arm,
        "later_arm": rating.later_arm, "left_arm": rating.left_arm, "right_arm": rating.right_arm,
        "pair": rating.pair,
    }  # fmt: skip
    for place, arm in zip(("earlier", "later"), rating.shown, strict=True):
        written = pair.texts.get(arm)
        row |= {
            f"{place}_text": written.text if written else "",
            f"{place}_words": _words_in(written.text) if written else None,
            f"{place}_prompt": written.prompt if written else "",
            f"{place}_decoding": written.decoding if written else "",
        }
    return row


def _label(rating: Rating) -> str:
    if rating.both_bad:
        return "both bad"
    if rating.preference is None:
        return "skipped" if rating.skipped else ""
    earlier, later = rating.shown
    return PREFERENCE_LABELS[rating.preference].format(earlier=earlier, later=later)
