"""Questions about single images and their answers: events of an ask job, and nothing of any study.

A job has its questions numbered by `step`. An event `ask` holds the question, `piece` what has come of an answer so
far, and `answer` the whole of it, in place of its pieces. All hold JSON. None is a row of `texts`, so that no study,
export or statistic can take one for a description.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

from radtui.records import Job, JobKind, JobState, StopRequest
from radtui.store import jobs
from radtui.store.database import writing

ASK, PIECE, ANSWER = "ask", "piece", "answer"
LATEST = 50  # questions about one image that are shown


@dataclass(frozen=True, slots=True)
class NewAsk:
    """A question on its way to a worker.

    `images` are names of content: of a stored image its sha256; a file's picture lies in the job's folder by it.
    """

    question: str
    images: tuple[str, ...]
    name: str  # for people: of a case its own, of a file its size alone
    case_id: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one arm says, whole or as far as it has come."""

    arm: str
    text: str = ""
    tokens: int = 0
    seconds: float = 0.0
    whole: bool = False
    truncated: bool = False
    reasoning: str = ""
    prompt: str = ""
    decoding: str = ""

    @property
    def tokens_per_s(self) -> float | None:
        """How fast it was written; None before that can be told."""
        return self.tokens / self.seconds if self.tokens > 1 and self.seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Ask:
    """A question with its answers; `error` says why there is none, or only a part."""

    job_id: int
    number: int
    asked_at: float
    question: str
    images: tuple[str, ...]
    name: str
    case_id: int | None
    arms: tuple[str, ...]
    model: str
    answers: dict[str, Answer] = field(default_factory=dict)
    waits: bool = False  # for a worker that is, or will be, at work
    error: str = ""


def add(db: sqlite3.Connection, job_id: int, asked: NewAsk) -> int | None:
    """Hand a question to a job that is at work or about to be.

    Returns:
        Its number in the job; None where the job takes no more, and another one is needed.
    """
    now = time.time()
    with writing(db):
        row = db.execute(
            f"UPDATE jobs SET total_steps = total_steps + 1 WHERE id = ? AND state IN {jobs.LIVE}"
            " AND stop_requested = '' RETURNING total_steps",
            (job_id,),
        ).fetchone()
        if row is None:
            return None
        _event(db, job_id, int(row[0]), 0.0, ASK, {**asdict(asked), "asked_at": now})
    return int(row[0])


def next_open(db: sqlite3.Connection, job_id: int) -> tuple[int, NewAsk] | None:
    """The oldest question of a job without an answer, with its number."""
    row = db.execute(
        "SELECT step, text FROM events WHERE job_id = ?1 AND kind = ?2"
        " AND step > (SELECT step FROM jobs WHERE id = ?1) ORDER BY id LIMIT 1",
        (job_id, ASK),
    ).fetchone()
    if row is None:
        return None
    values = json.loads(row[1])
    return int(row[0]), NewAsk(values["question"], tuple(values["images"]), values["name"], values["case_id"])


def has_open(db: sqlite3.Connection, job_id: int) -> bool:
    """Whether a job has questions without an answer."""
    return next_open(db, job_id) is not None


def add_piece(
    db: sqlite3.Connection,
    job_id: int,
    number: int,
    arm: str,
    place: int,
    text: str,
    tokens: int,
    seconds: float,
) -> StopRequest:
    """Write how an answer goes on, with the worker's heartbeat, in one transaction.

    Args:
        db: The worker's connection.
        job_id: An ask job.
        number: The question's.
        arm: Who answers.
        place: Letters of the answer that stay; what was behind them is replaced.
        text: What comes there.
        tokens: Of the answer so far.
        seconds: Since its beginning, s.

    Returns:
        What is asked of the worker.
    """
    with writing(db):
        values = {"arm": arm, "place": place, "text": text, "tokens": tokens, "seconds": seconds}
        _event(db, job_id, number, seconds, PIECE, values)
        row = db.execute(
            "UPDATE jobs SET heartbeat_at = ? WHERE id = ? RETURNING stop_requested", (time.time(), job_id)
        ).fetchone()
    return StopRequest(row[0])


def answer(db: sqlite3.Connection, job_id: int, number: int, written: Answer) -> None:
    """Write an arm's whole answer, in place of its pieces."""
    with writing(db):
        db.execute(
            "DELETE FROM events WHERE job_id = ? AND step = ? AND kind = ? AND json_extract(text, '$.arm') = ?",
            (job_id, number, PIECE, written.arm),
        )
        _event(db, job_id, number, written.seconds, ANSWER, asdict(written))


def finish(db: sqlite3.Connection, job_id: int, number: int, error: str = "") -> None:
    """Say that nothing more comes to a question: it is answered, or cannot be and why."""
    with writing(db):
        if error:
            _event(db, job_id, number, 0.0, ANSWER, {"error": error})
        db.execute(
            "UPDATE jobs SET step = max(step, ?), heartbeat_at = ? WHERE id = ?",
            (number, time.time(), job_id),
        )


def say(db: sqlite3.Connection, job_id: int, message: str | None) -> StopRequest:
    """Write a heartbeat, and what the worker is doing unless that is None; returns what is asked of it."""
    row = db.execute(
        "UPDATE jobs SET heartbeat_at = ?, message = coalesce(?, message) WHERE id = ? RETURNING stop_requested",
        (time.time(), message, job_id),
    ).fetchone()
    return StopRequest(row[0])


def close(db: sqlite3.Connection, job_id: int, message: str, *, leave_open: bool = False) -> bool:
    """End a job that has nothing to answer: from then on it takes no question.

    Looked at and written in one transaction, so that no question falls between.

    Args:
        db: The worker's connection.
        job_id: An ask job.
        message: Why it ends.
        leave_open: End also with questions left, which then say so.

    Returns:
        False, with nothing changed, when a question has come meanwhile.
    """
    with writing(db):
        if not leave_open and has_open(db, job_id):
            return False
        db.execute(
            "UPDATE jobs SET state = 'done', message = ?, ended_at = ? WHERE id = ?",
            (message, time.time(), job_id),
        )
    return True


def get(db: sqlite3.Connection, job_id: int, number: int) -> Ask | None:
    """One question with what has come of its answers."""
    job = jobs.get(db, job_id)
    asks = _of_job(db, job, [number]) if job is not None else []
    return asks[0] if asks else None


def newest_of(db: sqlite3.Connection, job_id: int) -> Ask | None:
    """The newest question of a job."""
    row = db.execute("SELECT max(step) FROM events WHERE job_id = ? AND kind = ?", (job_id, ASK)).fetchone()
    return get(db, job_id, int(row[0])) if row and row[0] is not None else None


def of_images(db: sqlite3.Connection, images: Sequence[str]) -> list[Ask]:
    """Questions about the same images in the same order, newest first."""
    rows = db.execute(
        "SELECT e.job_id, e.step FROM events e JOIN jobs j ON j.id = e.job_id WHERE j.kind = ? AND e.kind = ?"
        " AND json_extract(e.text, '$.images') = json(?) ORDER BY e.id DESC LIMIT ?",
        (JobKind.ASK, ASK, json.dumps(list(images)), LATEST),
    ).fetchall()
    return [ask for job_id, number in rows if (ask := get(db, job_id, number)) is not None]


def images_like(db: sqlite3.Connection, digits: str) -> list[str]:
    """Stored images whose sha256 begins with some digits; at most two, since more are too many already."""
    rows = db.execute(
        "SELECT sha256 FROM images WHERE sha256 >= ?1 AND sha256 < ?1 || 'g' AND error = '' LIMIT 2",
        (digits,),
    )
    return [row[0] for row in rows]


def _of_job(db: sqlite3.Connection, job: Job, numbers: Sequence[int]) -> list[Ask]:
    marks = ",".join("?" * len(numbers))
    rows = db.execute(
        f"SELECT step, kind, text FROM events WHERE job_id = ? AND step IN ({marks}) AND kind IN (?, ?, ?) ORDER BY id",
        (job.id, *numbers, ASK, PIECE, ANSWER),
    )
    by_step: dict[int, Ask] = {}
    for step, kind, text in rows:
        values = json.loads(text)
        if kind == ASK:
            by_step[step] = _begun(job, step, values)
        elif step in by_step:
            by_step[step] = _with(by_step[step], kind, values)
    return [_ended(ask, job) for ask in by_step.values()]


def _begun(job: Job, number: int, values: dict[str, object]) -> Ask:
    settings = job.settings
    arms = ("base", "tuned") if settings.get("adapter") else ("base",)
    images, case_id = values["images"], values["case_id"]
    assert isinstance(images, list)
    return Ask(
        job.id, number, float(str(values["asked_at"])), str(values["question"]), tuple(images), str(values["name"]),
        case_id if isinstance(case_id, int) else None, arms, model_words(job),
        waits=job.state.live and number > job.step,
    )  # fmt: skip


def model_words(job: Job) -> str:
    """Which model an ask job asks, as people say it: "job 3", or a model's name."""
    trained = job.settings.get("train_job")
    return f"job {trained}" if trained else str(job.settings.get("model", "")).rstrip("/").rsplit("/", 1)[-1]


def _with(ask: Ask, kind: str, values: dict[str, object]) -> Ask:
    if "error" in values:
        return replace(ask, error=str(values["error"]))
    arm = str(values["arm"])
    if kind == ANSWER:
        written = Answer(**values)  # type: ignore[arg-type]  # as `answer` wrote it
    else:
        before = ask.answers.get(arm, Answer(arm)).text
        text = before[: int(str(values["place"]))] + str(values["text"])
        written = Answer(arm, text, int(str(values["tokens"])), float(str(values["seconds"])))
    return replace(ask, answers={**ask.answers, arm: written})


def _ended(ask: Ask, job: Job) -> Ask:
    """The question with the reason why it has no whole answer, where its job has ended without one."""
    whole = all(arm in ask.answers and ask.answers[arm].whole for arm in ask.arms)
    if whole or ask.error or ask.waits:
        return ask
    reason = job.error or job.message or f"its worker is {job.state}"
    if job.state is JobState.STOPPED:
        reason = "The worker was stopped"
    return replace(ask, error=f"Not answered to the end: {reason.rstrip('.')}. Ask again.")


def _event(
    db: sqlite3.Connection, job_id: int, number: int, elapsed_s: float, kind: str, values: dict[str, object]
) -> None:
    db.execute(
        "INSERT INTO events (job_id, step, elapsed_s, kind, text) VALUES (?, ?, ?, ?, ?)",
        (job_id, number, elapsed_s, kind, json.dumps(values)),
    )
