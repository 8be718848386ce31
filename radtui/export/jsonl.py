"""Ratings without loss: one JSON line per rated comparison and rater, with texts as they are and the whole history."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from radtui.export.files import whole_file
from radtui.records import Comparison, Description, Image, Rating
from radtui.store import ratings
from radtui.study.study import Review, rated

JSONL_SCHEMA = "radtui-ratings-1"


def write_jsonl(db: sqlite3.Connection, review: Review, out: Path) -> int:
    """Write one line per comparison and rater, whole file or none; returns the number of lines.

    `rating` is what counts now; `history` holds every snapshot of that pair, oldest first, whose ids are those of this
    data folder.

    Raises:
        UserError: The file cannot be written.
    """
    histories: dict[tuple[int, str, int], list[Rating]] = {}
    for name in sorted({rating.rater for rating in review.ratings}):
        for snapshot in ratings.history(db, review.job.id, name):
            histories.setdefault((snapshot.image_id, name, snapshot.occasion), []).append(snapshot)
    revealed = {
        name: ratings.revealed(db, review.job.id, name) for name in {row.rater for row in review.ratings}
    }
    written = 0
    with whole_file(out) as file:
        for line in _lines(db, review, histories, revealed):
            # ASCII escapes keep what UTF-8 cannot hold, and control characters, whatever reads the file.
            file.write(json.dumps(line) + "\n")
            written += 1
    return written


def _lines(
    db: sqlite3.Connection,
    review: Review,
    histories: dict[tuple[int, str, int], list[Rating]],
    revealed: dict[str, dict[int, float]],
) -> Iterator[dict[str, object]]:
    for rating, image, pair in rated(db, review):
        place = review.assigned.get((rating.image_id, rating.rater, rating.occasion))
        yield _job(review, image, pair) | {
            "rater": rating.rater,
            "occasion": rating.occasion,
            "role": review.role(rating),
            "sort_key": place.sort_key if place else None,
            "assigned_left": place.shown_left.value if place else None,
            "revealed_at": revealed[rating.rater].get(rating.image_id),
            "rating": _snapshot(rating, pair),
            "history": [
                _snapshot(one, pair)
                for one in histories[rating.image_id, rating.rater, rating.occasion]
                if one.id <= rating.id  # a rater may have gone on since the review was read
            ],
        }


def _job(review: Review, image: Image, pair: Comparison) -> dict[str, object]:
    settings = review.job.settings
    third = (
        {"dpo_adapter": settings.get("dpo_adapter", ""), "dpo": _description(pair.dpo)} if pair.dpo else {}
    )
    return third | {
        "export_schema": JSONL_SCHEMA, "job_id": review.job.id, "job": review.job.name,
        "image_id": image.id, "dataset": image.dataset, "split": image.split, "image_path": image.source_key,
        "image_sha256": image.sha256, "reference": image.reference, "examination": image.examination,
        "truth": [asdict(truth) for truth in image.truth], "prompt": pair.base.prompt,
        "base_model": settings.get("model", ""), "adapter": settings.get("adapter", ""),
        "decoding": pair.base.decoding, "base": _description(pair.base), "tuned": _description(pair.tuned),
    }  # fmt: skip


def _description(written: Description) -> dict[str, object]:
    return {
        "text": written.text, "tokens": written.tokens, "seconds": written.seconds, "truncated": written.truncated,
    }  # fmt: skip


def _snapshot(rating: Rating, pair: Comparison) -> dict[str, object]:
    """All of a rating but what its line says already, and what only three variants leave open."""
    said = ["job_id", "image_id", "rater", "occasion"]
    if pair.dpo is None:
        said += ["shown_right", "dpo_acceptability"]
    return {name: value for name, value in asdict(rating).items() if name not in said}
