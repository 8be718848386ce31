"""`comparisons.csv`: one row per image and rater, one value per cell."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from radtui.export.csv_text import cell, csv_line
from radtui.export.files import whole_file
from radtui.measures.scheme import Scheme, dimension_answer, error_answer
from radtui.measures.text import word_count
from radtui.records import TWO_VARIANTS, Comparison, Image, Job, Rating, Variant
from radtui.study.schemes import of_scheme
from radtui.study.study import Review, rated, read_review

EXPORT_SCHEMA = "radtui-comparisons-1"
RAW_SCHEMA = EXPORT_SCHEMA + "-raw"  # texts without the guard, so that nothing is taken off them on import
PREFERENCE_LABELS = {
    -2: "{earlier} much better", -1: "{earlier} slightly better", 0: "equal",
    1: "{later} slightly better", 2: "{later} much better",
}  # fmt: skip
SEVERITIES = (("sig", True), ("insig", False))


def columns(scheme: Scheme, variants: Sequence[Variant] = TWO_VARIANTS) -> list[str]:
    """The header for a scheme: its dimensions and error categories are columns of their own.

    A third variant has its columns after all others; `preference` and dimensions are then towards the later of
    the two variants shown.
    """
    third = [*_third_columns(scheme)] if Variant.DPO in variants else []
    answers = answer_columns(scheme)
    return [
        "export_schema", "job_id", "image_id", "dataset", "split", "image_path", "image_sha256", "reference",
        "prompt", "base_model", "adapter", "decoding", "base_text", "tuned_text", "rater", "preference",
        "preference_label", "both_bad", "shown_left", "blinded", "base_acceptability", "tuned_acceptability",
        *answers,
        "base_words", "tuned_words", "flagged", "skipped", "note", "active_seconds", "wall_seconds", "rated_at",
        "occasion", "scheme", "scheme_hash", "role", *third,
    ]  # fmt: skip


def answer_columns(scheme: Scheme) -> dict[str, str]:
    """Column -> key of `Rating.answers`: `dim_correctness` -> `dim.correctness`, in the header's order."""
    found = {f"dim_{dimension.id}": dimension_answer(dimension.id) for dimension in scheme.dimensions}
    for variant in TWO_VARIANTS:
        found |= _error_columns(scheme, variant)
    return found


def third_answer_columns(scheme: Scheme) -> dict[str, str]:
    """As `answer_columns`, of the third variant's errors."""
    return _error_columns(scheme, Variant.DPO)


def _error_columns(scheme: Scheme, variant: Variant) -> dict[str, str]:
    return {
        f"{variant}_{short}_{category.id}_{category.slug}": error_answer(
            variant, category.id, significant=significant
        )
        for short, significant in SEVERITIES
        for category in scheme.errors
    }


def _third_columns(scheme: Scheme) -> list[str]:
    return [
        "shown_right",
        "dpo_adapter",
        "dpo_text",
        "dpo_words",
        "dpo_acceptability",
        *third_answer_columns(scheme),
    ]


def rows(db: sqlite3.Connection, review: Review) -> Iterator[dict[str, object]]:
    """The rated comparisons of a job as column -> value; None where nothing was answered.

    Ratings that answer another scheme's questions have no columns here and are left out: see `study.schemes`.
    """
    answers = answer_columns(review.scheme)
    if Variant.DPO in review.variants:
        answers |= third_answer_columns(review.scheme)
    for rating, image, pair in rated(db, of_scheme(review)):
        given = {column: rating.answers.get(key) for column, key in answers.items()}
        yield _row(review, image, pair, rating) | given


def write_csv(
    db: sqlite3.Connection, job: Job, scheme: Scheme, out: Path, rater: str = "", raw: bool = False
) -> int:
    """Write `comparisons.csv`, whole or not at all; returns the number of rows.

    Cells that a spreadsheet would run get a leading quote, which importing takes off exactly; `raw` leaves it out,
    and says so in `export_schema`.

    Raises:
        UserError: the file cannot be written.
    """
    return write_review_csv(db, read_review(db, job, scheme, rater), out, raw)


def write_review_csv(db: sqlite3.Connection, review: Review, out: Path, raw: bool = False) -> int:
    """Write `comparisons.csv` of a review that was read; see `write_csv`."""
    written = 0
    header = columns(review.scheme, review.variants)
    with whole_file(out) as file:
        file.write(csv_line(header))
        for row in rows(db, review):
            if raw:
                row["export_schema"] = RAW_SCHEMA
            file.write(csv_line(cell(row[name], raw) for name in header))
            written += 1
    return written


def time_text(seconds: float) -> str:
    """Unix seconds as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _row(review: Review, image: Image, pair: Comparison, rating: Rating) -> dict[str, object]:
    job = review.job
    row: dict[str, object] = {
        "export_schema": EXPORT_SCHEMA, "job_id": job.id, "image_id": image.id, "dataset": image.dataset,
        "split": image.split, "image_path": image.source_key, "image_sha256": image.sha256,
        "reference": image.reference, "prompt": pair.base.prompt, "base_model": job.settings.get("model", ""),
        "adapter": job.settings.get("adapter", ""), "decoding": pair.base.decoding,
        "base_text": pair.base.text, "tuned_text": pair.tuned.text, "rater": rating.rater,
        "preference": rating.preference, "preference_label": _label(rating), "both_bad": rating.both_bad,
        "shown_left": rating.shown_left, "blinded": rating.blinded,
        "base_acceptability": rating.base_acceptability, "tuned_acceptability": rating.tuned_acceptability,
        "base_words": word_count(pair.base.text), "tuned_words": word_count(pair.tuned.text),
        "flagged": rating.flagged, "skipped": rating.skipped, "note": rating.note,
        "active_seconds": round(rating.active_s, 1), "wall_seconds": round(rating.wall_s, 1),
        "rated_at": time_text(rating.rated_at),
        "occasion": rating.occasion, "scheme": rating.scheme, "scheme_hash": rating.scheme_hash,
        "role": review.role(rating),
    }  # fmt: skip
    if Variant.DPO in review.variants:
        text = pair.dpo.text if pair.dpo else ""
        row |= {
            "shown_right": rating.shown_right, "dpo_adapter": job.settings.get("dpo_adapter", ""),
            "dpo_text": text, "dpo_words": word_count(text), "dpo_acceptability": rating.dpo_acceptability,
        }  # fmt: skip
    return row


def _label(rating: Rating) -> str:
    if rating.both_bad:
        return "both bad"
    if rating.preference is None:
        return "skipped" if rating.skipped else ""
    earlier, later = rating.shown
    return PREFERENCE_LABELS[rating.preference].format(earlier=earlier, later=later)
