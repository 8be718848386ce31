"""Ratings without loss: one JSON line per rated comparison and rater, with texts as they are and the whole history."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from radtui.export.chains import Links, link_fields, links_of
from radtui.export.columns import acceptability_columns, is_paired
from radtui.export.files import whole_file
from radtui.measures.pace import pace_mark
from radtui.records import Case, Comparison, Description, Rating, Study
from radtui.store import ratings
from radtui.study.study import Review, ShowingKey, rated, showing_key

JSONL_SCHEMA = "radtui-ratings-1"  # of a job's base and tuned
ARMS_JSONL_SCHEMA = "radtui-ratings-2"  # of any arms


def schema_of(study: Study) -> str:
    """Name and version of the form that a study's lines have."""
    return JSONL_SCHEMA if is_paired(study) else ARMS_JSONL_SCHEMA


def write_jsonl(db: sqlite3.Connection, review: Review, out: Path) -> int:
    """Write one line per comparison and rater, whole file or none; returns the number of lines.

    `rating` is what counts now; `history` holds every snapshot of that pair, oldest first, whose ids are those of this
    data folder.

    Raises:
        UserError: The file cannot be written.
    """
    histories: dict[ShowingKey, list[Rating]] = {}
    names = sorted({rating.rater for rating in review.ratings})
    newest = {showing_key(rating): rating.id for rating in review.ratings}
    links: dict[str, Links] = {}
    for name in names:
        rows = ratings.history(db, review.study.id, name)
        for snapshot in rows:
            histories.setdefault(showing_key(snapshot), []).append(snapshot)
        # A rater may have gone on since the review was read.
        links[name] = links_of(rows, (row.id for row in rows if row.id <= newest.get(showing_key(row), 0)))
    seen = {
        shown: {name: ratings.revealed(db, review.study.id, name, shown) for name in names}
        for shown in ("arms", "reference")
    }
    written = 0
    with whole_file(out) as file:
        for line in _lines(db, review, histories, seen, links):
            # ASCII escapes keep what UTF-8 cannot hold, and control characters, whatever reads the file.
            file.write(json.dumps(line) + "\n")
            written += 1
    return written


def _lines(
    db: sqlite3.Connection,
    review: Review,
    histories: dict[ShowingKey, list[Rating]],
    seen: dict[str, dict[str, dict[int, float]]],
    links: dict[str, Links],
) -> Iterator[dict[str, object]]:
    for rating, case, pair in rated(db, review):
        paired = is_paired(review.study) and bool(rating.earlier_arm)  # a text read by itself is no pair
        about, snapshot = (_paired, _paired_snapshot) if paired else (_arms, _snapshot)
        place = review.assigned.get(showing_key(rating))
        reference_seen = seen["reference"][rating.rater].get(rating.case_id)
        line = about(review, case, pair) | {
            "rater": rating.rater,
            "occasion": rating.occasion,
            "role": review.role(rating),
            "sort_key": place.sort_key if place else None,
            "assigned_left": place.left_arm if place else None,
            "revealed_at": seen["arms"][rating.rater].get(rating.case_id),
            "rating": snapshot(rating, review.study),
            "history": [
                snapshot(row, review.study) | link_fields(row, links[rating.rater])
                for row in histories[showing_key(rating)]
                if row.id <= rating.id  # a rater may have gone on since the review was read
            ],
        }
        if not paired:
            line["pair"] = rating.pair
        if mark := pace_mark(rating):
            line["pace"] = mark
        yield line | ({"reference_seen_at": reference_seen} if reference_seen is not None else {})


def _paired(review: Review, case: Case, pair: Comparison) -> dict[str, object]:
    """A line of a job's base and tuned, and of its third arm where it has one."""
    settings, base = review.settings, pair.by("base")
    third: dict[str, object] = {}
    for arm in review.study.arm_names[2:]:
        third |= {
            f"{arm}_adapter": review.further_adapters.get(arm, ""),
            arm: _description(pair.by(arm)),
        }
    return third | {
        "export_schema": JSONL_SCHEMA, "job_id": review.study.job_id, "study_id": review.study.id,
        "job": review.study.name, "image_id": case.id, **_case(case), "prompt": base.prompt,
        "base_model": settings.get("model", ""), "adapter": settings.get("adapter", ""),
        "decoding": base.decoding, "base": _description(base), "tuned": _description(pair.by("tuned")),
    }  # fmt: skip


def _arms(review: Review, case: Case, pair: Comparison) -> dict[str, object]:
    study = review.study
    return {
        "export_schema": ARMS_JSONL_SCHEMA, "study_id": study.id, "study": study.name, "arms": list(study.arm_names),
        "case_id": case.id, **_case(case), "question": case.question,
        "images": [{"sha256": image.sha256, "name": image.name, "role": image.role} for image in case.images],
        "texts": {
            arm: {"prompt": text.prompt, "decoding": text.decoding, **_description(text)}
            for arm, text in pair.texts.items()
        },
    }  # fmt: skip


def _case(case: Case) -> dict[str, object]:
    return {
        "dataset": case.dataset, "split": case.split, "image_path": case.source_key,
        "image_sha256": case.first.sha256, "reference": case.reference, "examination": case.examination,
        "truth": [asdict(truth) for truth in case.truth],
    }  # fmt: skip


def _description(written: Description) -> dict[str, object]:
    return {
        "text": written.text, "tokens": written.tokens, "seconds": written.seconds, "truncated": written.truncated,
    }  # fmt: skip


IN_LINE = ("study_id", "case_id", "rater", "occasion", "pair")
"""What a snapshot's line says already."""
TEXT_IDS = ("earlier_text_id", "later_text_id")


def _snapshot(rating: Rating, study: Study) -> dict[str, object]:
    """All of a rating but what its line says already."""
    del study
    return {name: value for name, value in asdict(rating).items() if name not in IN_LINE}


def _paired_snapshot(rating: Rating, study: Study) -> dict[str, object]:
    """A rating in the words of a job's base and tuned, as scripts read them since the first release.

    Acceptability has a field for each text, and the side is said by who stood there; ids of texts, corrections
    and the chain are there where a rating has them.
    """
    arms = study.arm_names
    acceptability = acceptability_columns(arms)
    facts = asdict(rating)
    answers = {key: value for key, value in rating.answers.items() if key not in acceptability.values()}
    kept = ("id", "scheme", "scheme_hash", "preference", "both_bad")
    later = ("note", "flagged", "skipped", "blinded")
    row = {name: facts[name] for name in kept}
    row |= {column: rating.answers.get(key) for column, key in list(acceptability.items())[:2]}
    row |= {"answers": answers} | {name: facts[name] for name in later}
    row |= {"shown_left": rating.left_arm}
    row |= {name: facts[name] for name in ("active_s", "wall_s", "rated_at", "undoes")}
    if len(arms) > 2:
        row |= {"shown_right": rating.right_arm}
        row |= {column: rating.answers.get(key) for column, key in list(acceptability.items())[2:]}
    row |= {name: facts[name] for name in TEXT_IDS if facts[name] is not None}
    row |= {"corrections": rating.corrections} if rating.corrections else {}
    return row | ({"chain": rating.chain} if rating.chain else {})
