"""`comparisons.csv`: one row per image and rater, one value per cell."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from radtui.export.files import whole_file
from radtui.export.guard import guard
from radtui.records import Comparison, Image, Job, Rating, Variant
from radtui.review.scheme import Scheme, dimension_answer, error_answer
from radtui.review.text import word_count
from radtui.store import descriptions, images, ratings

EXPORT_SCHEMA = "radtui-comparisons-1"
PREFERENCE_LABELS = {
    -2: "base much better", -1: "base slightly better", 0: "equal",
    1: "tuned slightly better", 2: "tuned much better",
}  # fmt: skip
SEVERITIES = (("sig", True), ("insig", False))


def columns(scheme: Scheme) -> list[str]:
    """The header for a scheme: its dimensions and error categories are columns of their own."""
    errors = [
        f"{variant}_{short}_{category.id}_{category.slug}"
        for variant in Variant
        for short, _ in SEVERITIES
        for category in scheme.errors
    ]
    return [
        "export_schema", "job_id", "image_id", "dataset", "split", "image_path", "image_sha256", "reference",
        "prompt", "base_model", "adapter", "decoding", "base_text", "tuned_text", "rater", "preference",
        "preference_label", "both_bad", "shown_left", "blinded", "base_acceptability", "tuned_acceptability",
        *(f"dim_{dimension.id}" for dimension in scheme.dimensions), *errors,
        "base_words", "tuned_words", "flagged", "skipped", "note", "active_seconds", "wall_seconds", "rated_at",
        "occasion", "scheme", "scheme_hash",
    ]  # fmt: skip


def rows(db: sqlite3.Connection, job: Job, scheme: Scheme, rater: str = "") -> Iterator[dict[str, object]]:
    """The rated comparisons of a job as column -> value; None where nothing was answered."""
    for rating in ratings.current(db, job.id, rater):
        pair = descriptions.comparison(db, job.id, rating.image_id)
        image = images.get(db, rating.image_id)
        if pair is not None and image is not None:
            yield _row(job, image, pair, rating, scheme)


def write_csv(
    db: sqlite3.Connection, job: Job, scheme: Scheme, out: Path, rater: str = "", raw: bool = False
) -> int:
    """Write `comparisons.csv`, whole or not at all; returns the number of rows.

    Cells that a spreadsheet would run get a leading quote, which importing takes off exactly; `raw` leaves it out.

    Raises:
        UserError: the file cannot be written.
    """
    written = 0
    with whole_file(out) as file:
        writer = csv.writer(file, lineterminator="\n")
        header = columns(scheme)
        writer.writerow(header)
        for row in rows(db, job, scheme, rater):
            writer.writerow([_cell(row[name], raw) for name in header])
            written += 1
    return written


def _row(job: Job, image: Image, pair: Comparison, rating: Rating, scheme: Scheme) -> dict[str, object]:
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
        "rated_at": datetime.fromtimestamp(rating.rated_at, UTC).isoformat(timespec="milliseconds"),
        "occasion": rating.occasion, "scheme": rating.scheme, "scheme_hash": rating.scheme_hash,
    }  # fmt: skip
    for dimension in scheme.dimensions:
        row[f"dim_{dimension.id}"] = rating.answers.get(dimension_answer(dimension.id))
    for variant in Variant:
        for short, significant in SEVERITIES:
            for category in scheme.errors:
                key = error_answer(variant, category.id, significant=significant)
                row[f"{variant}_{short}_{category.id}_{category.slug}"] = rating.answers.get(key)
    return row


def _label(rating: Rating) -> str:
    if rating.both_bad:
        return "both bad"
    if rating.preference is None:
        return "skipped" if rating.skipped else ""
    return PREFERENCE_LABELS[rating.preference]


def _cell(value: object, raw: bool) -> str:
    """A value as text: empty for no answer, 1 and 0 for yes and no; only texts can be risky."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    return str(value) if raw else guard(str(value))
