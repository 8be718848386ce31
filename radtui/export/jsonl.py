"""Ratings without loss: one JSON line per rated comparison and rater, with texts as they are and the whole history."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from radtui.export.chains import Chain
from radtui.export.columns import acceptability_columns, is_paired
from radtui.export.files import whole_file
from radtui.measures.pace import pace_mark
from radtui.records import Case, Comparison, Description, Rating, Study
from radtui.store import ratings, showings
from radtui.store.database import same_moment
from radtui.study.study import CHUNK, Review, rated, showing_key

JSONL_SCHEMA = "radtui-ratings-1"  # of a job's base and tuned
ARMS_JSONL_SCHEMA = "radtui-ratings-2"  # of any arms


def schema_of(study: Study) -> str:
    """Name and version of the form that a study's lines have."""
    return JSONL_SCHEMA if is_paired(study) else ARMS_JSONL_SCHEMA


def write_jsonl(db: sqlite3.Connection, review: Review, out: Path) -> int:
    """Write one line per comparison and rater, whole file or none; returns the number of lines.

    `rating` is what counts now; `history` holds every snapshot of that pair, oldest first, whose ids are those of this
    data folder. Ratings, their histories and their places are read some hundred at a time.

    Raises:
        UserError: The file cannot be written.
    """
    written = 0
    with whole_file(out) as file, same_moment(db):
        for line in _lines(db, review):
            # ASCII escapes keep what UTF-8 cannot hold, and control characters, whatever reads the file.
            file.write(json.dumps(line) + "\n")
            written += 1
    return written


def _lines(db: sqlite3.Connection, review: Review) -> Iterator[dict[str, object]]:
    study = review.study
    current: dict[str, array[int]] = {}
    for rating in review.ratings:
        current.setdefault(rating.rater, array("q")).append(rating.id)
    chains = {name: _chain(db, study.id, name, ids) for name, ids in current.items()}
    seen = {
        shown: {name: ratings.revealed(db, study.id, name, shown) for name in current}
        for shown in ("arms", "reference")
    }
    waiting = rated(db, review)
    while chunk := list(islice(waiting, CHUNK)):
        keys = [showing_key(rating) for rating, _, _ in chunk]
        places = showings.places(db, study.id, keys)
        histories = _histories(db, study.id, [rating for rating, _, _ in chunk])
        fields: dict[int, dict[str, object]] = {}
        for name, chain in chains.items():
            fields |= chain.fields([row for own in histories.values() for row in own if row.rater == name])
        for (rating, case, pair), key in zip(chunk, keys, strict=True):
            paired = is_paired(study) and bool(rating.earlier_arm)  # a text read by itself is no pair
            about, snapshot = (_paired, _paired_snapshot) if paired else (_arms, _snapshot)
            place = places.get(key)
            reference_seen = seen["reference"][rating.rater].get(rating.case_id)
            line = about(review, case, pair) | {
                "rater": rating.rater,
                "occasion": rating.occasion,
                "role": place.role if place else review.role(rating),
                "sort_key": place.sort_key if place else None,
                "assigned_left": place.left_arm if place else None,
                "revealed_at": seen["arms"][rating.rater].get(rating.case_id),
                "rating": snapshot(rating, study),
                "history": [snapshot(row, study) | fields.get(row.id, {}) for row in histories[key]],
            }
            if not paired:
                line["pair"] = rating.pair
            if mark := pace_mark(rating):
                line["pace"] = mark
            yield line | ({"reference_seen_at": reference_seen} if reference_seen is not None else {})


def _histories(
    db: sqlite3.Connection, study_id: int, rows: Sequence[Rating]
) -> dict[showings.Showing, list[Rating]]:
    """The snapshots of ratings' showings up to these; a rater may have gone on since the review was read."""
    newest = {showing_key(rating): rating.id for rating in rows}
    histories: dict[showings.Showing, list[Rating]] = {showing: [] for showing in newest}
    for snapshot in showings.snapshots(db, study_id, list(newest)):
        if snapshot.id <= newest[showing_key(snapshot)]:
            histories[showing_key(snapshot)].append(snapshot)
    return histories


def _chain(db: sqlite3.Connection, study_id: int, name: str, current: array[int]) -> Chain:
    """One reader's chain, of which the histories of the ratings with the ids `current` go into the file."""
    counting = set(current)
    left_out: list[int] = []
    of_showing, inside = None, False
    for showing, row_id in showings.ids_by_showing(db, study_id, name):
        inside = (inside and showing == of_showing) or row_id in counting
        of_showing = showing
        if not inside:
            left_out.append(row_id)
    return Chain(showings.ids(db, study_id, name), left_out, lambda ids: showings.links(db, ids))


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
