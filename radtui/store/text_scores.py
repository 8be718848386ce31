"""What packages of scores say of single texts, with the package, its version, its weights' revision and licence."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass

from radtui.records import ArmKind, Study
from radtui.store.database import READ_CHUNK, writing
from radtui.store.studies import PLACED


@dataclass(frozen=True, slots=True)
class Scorer:
    """One score as one version of a package computes it with one revision of its weights."""

    score: str  # its key among the measures' scores
    package: str
    version: str
    revision: str  # "StanfordAIMI/RRG_scorers@1f0c…", several with ", " between; "" where it reads no weights
    licence: str
    made_for: str  # "chest X-ray"; "" for any image


@dataclass(frozen=True, slots=True)
class TextScore:
    """What a scorer says of one text; `value` is None where the score is not defined for it."""

    text_id: int
    value: float | None
    detail: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class UnscoredText:
    """A text on its way to a scorer, with the reference that it is scored against."""

    text_id: int
    text: str
    reference: str


def scorer_id(db: sqlite3.Connection, scorer: Scorer) -> int:
    """The row of a scorer, made when it is new."""
    with writing(db):
        db.execute(
            "INSERT INTO scorers (score, package, version, revision, licence, made_for, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*astuple(scorer), time.time()),
        )
        row = db.execute(
            "SELECT id FROM scorers WHERE score = ? AND package = ? AND version = ? AND revision = ?",
            (scorer.score, scorer.package, scorer.version, scorer.revision),
        ).fetchone()
    return int(row[0])


def add(db: sqlite3.Connection, scores: Mapping[int, Iterable[TextScore]]) -> None:
    """Commit what scorers say of texts; a text that a scorer has scored keeps its value.

    Args:
        db: The database.
        scores: By the scorer's row.
    """
    with writing(db):
        db.executemany(
            "INSERT INTO text_scores (scorer_id, text_id, value, detail) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (scorer, each.text_id, each.value, json.dumps(each.detail) if each.detail is not None else "")
                for scorer, own in scores.items()
                for each in own
            ],
        )


def of_study(db: sqlite3.Connection, study: Study) -> list[UnscoredText]:
    """The texts of a study that have a reference to be scored against, each once; references themselves left out."""
    rows = db.execute(
        f"SELECT DISTINCT t.id, t.text, c.reference FROM {PLACED} JOIN texts t ON t.id = l.text_id"
        " JOIN cases c ON c.id = l.case_id JOIN arms a ON a.id = sa.arm_id"
        " WHERE sa.study_id = ? AND a.kind <> ? AND trim(c.reference) <> '' ORDER BY t.id",
        (study.id, ArmKind.REFERENCE),
    )
    return [UnscoredText(*row) for row in rows]


def scored_by(db: sqlite3.Connection, scorer: int) -> set[int]:
    """Ids of the texts that a scorer has scored."""
    return {row[0] for row in db.execute("SELECT text_id FROM text_scores WHERE scorer_id = ?", (scorer,))}


def of_texts(db: sqlite3.Connection, text_ids: Sequence[int]) -> dict[int, dict[str, TextScore]]:
    """Scores of texts, by text and score; of several versions of a scorer the newest one counts."""
    scores: dict[int, dict[str, TextScore]] = {}
    for start in range(0, len(text_ids), READ_CHUNK):
        chunk = text_ids[start : start + READ_CHUNK]
        rows = db.execute(
            "SELECT s.score, t.text_id, t.value, t.detail FROM text_scores t JOIN scorers s ON s.id = t.scorer_id"
            f" WHERE t.text_id IN ({','.join('?' * len(chunk))}) ORDER BY s.id",
            chunk,
        )
        for key, text_id, value, detail in rows:
            scores.setdefault(text_id, {})[key] = TextScore(
                text_id, value, json.loads(detail) if detail else None
            )
    return scores


def scorers(db: sqlite3.Connection, text_ids: Sequence[int]) -> dict[str, Scorer]:
    """The newest scorer of each score that any of the texts have."""
    newest: dict[str, tuple[int, Scorer]] = {}
    for start in range(0, len(text_ids), READ_CHUNK):
        chunk = text_ids[start : start + READ_CHUNK]
        rows = db.execute(
            "SELECT id, score, package, version, revision, licence, made_for FROM scorers WHERE id IN ("
            f" SELECT scorer_id FROM text_scores WHERE text_id IN ({','.join('?' * len(chunk))}))",
            chunk,
        )
        for row_id, *fields in rows:
            scorer = Scorer(*fields)
            if scorer.score not in newest or newest[scorer.score][0] < row_id:
                newest[scorer.score] = row_id, scorer
    return {key: scorer for key, (_, scorer) in sorted(newest.items())}
