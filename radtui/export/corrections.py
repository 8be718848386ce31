"""`corrections.csv`: every text that a reader corrected or took as it is, with the words changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from radtui.export.comparisons import time_text
from radtui.export.csv_text import write_table
from radtui.measures.word_changes import words_changed
from radtui.study.correcting import is_taken_as_is
from radtui.study.study import Review, rated

SCHEMA = "radtui-corrections-1"
COLUMNS = (
    "export_schema", "study_id", "job_id", "case_id", "dataset", "split", "image_path", "image_sha256", "question",
    "reference", "arm", "rater", "occasion", "read_alone", "accepted", "text", "corrected_text", "words_changed",
    "blinded", "active_seconds", "rated_at",
)  # fmt: skip


def correction_rows(db: sqlite3.Connection, review: Review) -> Iterator[dict[str, object]]:
    """One row a text and reader, in the order they were last changed.

    `words_changed` is the edit distance in words, 0 where the text was accepted; the seconds of a comparison are those
    of both its texts.
    """
    for rating, case, pair in rated(db, review):
        for arm in (arm for arm in rating.shown if arm):
            accepted = is_taken_as_is(rating, arm)
            if arm not in rating.corrections and not accepted:
                continue
            written = pair.by(arm).text
            corrected = rating.corrections.get(arm, "")
            yield {
                "export_schema": SCHEMA, "study_id": review.study.id, "job_id": review.study.job_id,
                "case_id": case.id, "dataset": case.dataset, "split": case.split, "image_path": case.source_key,
                "image_sha256": case.first.sha256, "question": case.question, "reference": case.reference, "arm": arm,
                "rater": rating.rater, "occasion": rating.occasion, "read_alone": not rating.earlier_arm,
                "accepted": accepted, "text": written, "corrected_text": corrected,
                "words_changed": words_changed(written, corrected) if corrected else 0, "blinded": rating.blinded,
                "active_seconds": round(rating.active_s, 1), "rated_at": time_text(rating.rated_at),
            }  # fmt: skip


def write_corrections(db: sqlite3.Connection, review: Review, out: Path, raw: bool = False) -> int:
    """Write `corrections.csv`, whole or not at all; returns the number of rows.

    Raises:
        UserError: The file cannot be written.
    """
    rows = ([row[name] for name in COLUMNS] for row in correction_rows(db, review))
    return write_table(out, COLUMNS, rows, raw)
