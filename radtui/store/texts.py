"""What arms say of cases: work lists, and texts, none of which is written twice.

A text is known by case, model, weights, adapter, how images were shown, rendered prompt, decoding and sample number.
`arm_texts` says which job and arm it belongs to; its ids are what readers with a cursor go by.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from radtui.records import Description
from radtui.store import arms
from radtui.store.database import READ_CHUNK, writing

COLUMNS = (
    "id, text_id, job_id, case_id, arm, step, text, prompt, decoding, tokens, seconds, truncated, reasoning"
)
IN_ORDER = "ORDER BY cases.split DESC, cases.position"
KEY = "case_id = ? AND prompt_id = ? AND model = ? AND weights = ? AND adapter = ? AND images = ? AND decoding = ?"


@dataclass(frozen=True, slots=True)
class NewText:
    """A text on its way into the store; its arm says with what it was written."""

    case_id: int
    arm_id: int
    prompt: str  # as rendered for the model
    text: str
    tokens: int
    seconds: float
    truncated: bool
    step: int | None = None
    reasoning: str = ""


def add(db: sqlite3.Connection, job_id: int | None, batch: Sequence[NewText], at: float | None = None) -> int:
    """Commit a job's texts (or with None those of no job); one that the job has stays as it is.

    Args:
        db: The database.
        job_id: The job, or None.
        batch: The texts.
        at: When they were written, Unix seconds; None for now.

    Returns:
        How many are new to the job.
    """
    now = time.time() if at is None else at
    known_arms = {arm_id: arms.get(db, arm_id) for arm_id in {new.arm_id for new in batch}}
    added = 0
    with writing(db):
        prompt_ids = _prompt_ids(db, {new.prompt for new in batch})
        for new in batch:
            arm = known_arms[new.arm_id]
            adapter = (
                arm.adapter if new.step is None else f"{arm.adapter}, step {new.step}".removeprefix(", ")
            )
            key = (
                new.case_id,
                prompt_ids[new.prompt],
                arm.model,
                arm.weights,
                adapter,
                arm.images,
                arm.decoding,
            )
            db.execute(
                "INSERT INTO texts (case_id, prompt_id, model, weights, adapter, images, decoding, sample, text,"
                " reasoning, tokens, seconds, truncated, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*key, arm.sample, new.text, new.reasoning, new.tokens, new.seconds, new.truncated, now),
            )
            text_id = _text_id(db, key, arm.sample)
            added += _link(db, job_id, new.arm_id, new.case_id, new.step, text_id)
    return added


def _text_id(db: sqlite3.Connection, key: tuple[object, ...], sample: int) -> int | None:
    row = db.execute(f"SELECT id FROM texts WHERE {KEY} AND sample = ?", (*key, sample)).fetchone()
    return int(row[0]) if row else None


def _link(
    db: sqlite3.Connection,
    job_id: int | None,
    arm_id: int,
    case_id: int,
    step: int | None,
    text_id: int | None,
) -> int:
    return db.execute(
        "INSERT INTO arm_texts (job_id, arm_id, case_id, step, text_id) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (job_id, arm_id, case_id, step, text_id),
    ).rowcount


def _prompt_ids(db: sqlite3.Connection, prompts: Iterable[str]) -> dict[str, int]:
    ids = {}
    for prompt in prompts:
        db.execute("INSERT INTO prompts (text) VALUES (?) ON CONFLICT DO NOTHING", (prompt,))
        ids[prompt] = int(db.execute("SELECT id FROM prompts WHERE text = ?", (prompt,)).fetchone()[0])
    return ids


def reuse(db: sqlite3.Connection, job_id: int, arm_id: int, prompts: Mapping[int, str]) -> list[int]:
    """Give a job the texts that are there already under its arm's model, adapter, decoding and sample number.

    Args:
        db: The database.
        job_id: The job that would write them.
        arm_id: One of its arms.
        prompts: Case id -> the prompt as rendered for it.

    Returns:
        Ids of the cases that need no new text.
    """
    reused = []
    with writing(db):
        for case_id, text_id in _same_texts(db, arm_id, prompts):
            _link(db, job_id, arm_id, case_id, None, text_id)
            reused.append(case_id)
    return reused


def reusable(db: sqlite3.Connection, arm_id: int, prompts: Mapping[int, str]) -> list[int]:
    """Ids of the cases that `reuse` would give a text, in the order of the prompts."""
    return [case_id for case_id, _ in _same_texts(db, arm_id, prompts)]


def _same_texts(db: sqlite3.Connection, arm_id: int, prompts: Mapping[int, str]) -> Iterator[tuple[int, int]]:
    """Cases with the texts that are there under an arm's model, adapter, decoding and sample number."""
    arm = arms.get(db, arm_id)
    prompt_ids = dict.fromkeys(prompts.values(), None)
    for prompt in prompt_ids:
        row = db.execute("SELECT id FROM prompts WHERE text = ?", (prompt,)).fetchone()
        prompt_ids[prompt] = row[0] if row else None
    for case_id, prompt in prompts.items():
        key = (case_id, prompt_ids[prompt], arm.model, arm.weights, arm.adapter, arm.images, arm.decoding)
        text_id = _text_id(db, key, arm.sample)
        if text_id is not None:
            yield case_id, text_id


def work_list(db: sqlite3.Connection, job_id: int) -> list[int]:
    """Case ids a generation job was asked to describe, in their data set's order."""
    rows = db.execute(
        f"SELECT case_id FROM work JOIN cases ON cases.id = case_id WHERE job_id = ? {IN_ORDER}", (job_id,)
    )
    return [row[0] for row in rows]


def ensure_work(db: sqlite3.Connection, job_id: int, case_ids: list[int]) -> None:
    """Give a job its work list unless it has one: a job queued behind an import cannot have it sooner."""
    with writing(db):
        if db.execute("SELECT 1 FROM work WHERE job_id = ? LIMIT 1", (job_id,)).fetchone() is None:
            db.executemany(
                "INSERT INTO work (job_id, case_id) VALUES (?, ?)",
                [(job_id, case_id) for case_id in case_ids],
            )


def missing(db: sqlite3.Connection, job_id: int, arm_id: int) -> list[int]:
    """Case ids of the work list of which the job has no text of this arm yet."""
    rows = db.execute(
        "SELECT case_id FROM work JOIN cases ON cases.id = case_id WHERE job_id = ? AND NOT EXISTS ("
        " SELECT 1 FROM arm_texts t WHERE coalesce(t.job_id, 0) = work.job_id AND t.case_id = work.case_id"
        f" AND t.arm_id = ? AND coalesce(t.step, -1) = -1) {IN_ORDER}",
        (job_id, arm_id),
    )
    return [row[0] for row in rows]


def count(db: sqlite3.Connection, job_id: int) -> int:
    """How many texts a generation job has."""
    row = db.execute("SELECT count(*) FROM arm_texts WHERE job_id = ? AND step IS NULL", (job_id,)).fetchone()
    return int(row[0])


def since(db: sqlite3.Connection, job_id: int, cursor: int, limit: int = 5_000) -> list[Description]:
    """Texts of a job with `id > cursor`, watched ones (with a step) included, oldest first."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM descriptions WHERE job_id = ? AND id > ? ORDER BY id LIMIT ?",
        (job_id, cursor, limit),
    )
    return [description(row) for row in rows]


def of_case(db: sqlite3.Connection, case_id: int) -> list[Description]:
    """Every finished text of a case, newest first, watched ones left out."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM descriptions WHERE case_id = ? AND step IS NULL AND job_id IS NOT NULL"
        " ORDER BY id DESC",
        (case_id,),
    )
    return [description(row) for row in rows]


def finished(db: sqlite3.Connection, job_id: int) -> list[Description]:
    """A generation job's texts, without watched ones, in order of writing."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM descriptions WHERE job_id = ? AND step IS NULL ORDER BY id", (job_id,)
    )
    return [description(row) for row in rows]


def of_arm(
    db: sqlite3.Connection, arm_id: int, job_id: int | None, case_ids: Sequence[int]
) -> dict[int, Description]:
    """One arm's texts of some cases, by case: those of a job, or with None those of no job."""
    texts: dict[int, Description] = {}
    for start in range(0, len(case_ids), READ_CHUNK):
        chunk = case_ids[start : start + READ_CHUNK]
        rows = db.execute(
            "SELECT l.id, l.text_id, l.job_id, l.case_id, a.name AS arm, l.step, t.text, p.text AS prompt, t.decoding,"
            " t.tokens, t.seconds, t.truncated, t.reasoning FROM arm_texts l JOIN texts t ON t.id = l.text_id"
            " JOIN arms a ON a.id = l.arm_id JOIN prompts p ON p.id = t.prompt_id"
            " WHERE coalesce(l.job_id, 0) = ? AND l.arm_id = ? AND coalesce(l.step, -1) = -1"
            f" AND l.case_id IN ({','.join('?' * len(chunk))})",
            (job_id or 0, arm_id, *chunk),
        )
        texts.update({row["case_id"]: description(row) for row in rows})
    return texts


def description(row: sqlite3.Row) -> Description:
    """A row of the view `descriptions` as a record."""
    fields = {name: row[name] for name in COLUMNS.split(", ")}
    fields["truncated"] = bool(fields["truncated"])
    return Description(**fields)
