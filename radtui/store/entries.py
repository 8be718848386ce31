"""What a worker says of its job, as entries that can be written to the database at once or to a file and read later.

An entry is a kind and plain values: what it does to the database is said here once, for a worker that writes rows
itself and for a collector that reads another machine's files. Ids of arms differ from database to database, so an
entry names an arm by its place among the job's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from radtui.records import Arm, ArmKind, JobKind, JobState
from radtui.store import arms, jobs, metrics, studies, texts
from radtui.store.texts import NewText

Facts = Mapping[str, Any]
"""An entry's values, as JSON holds them."""


def apply(db: sqlite3.Connection, job_id: int, kind: str, facts: Facts, at: float | None = None) -> Any:
    """Do to the database what an entry says.

    Args:
        db: The database.
        job_id: The job that the entry is of.
        kind: One of `KINDS`.
        facts: Its values.
        at: When it was said, Unix seconds; None for now.

    Returns:
        What the kind's function returns.

    Raises:
        KeyError: There is no such kind: a newer radtui wrote it.
    """
    return KINDS[kind](db, job_id, facts, at)


def arm_values(arm: Arm) -> dict[str, Any]:
    """An arm as an entry holds it."""
    return {name: value for name, value in asdict(arm).items() if name != "id"}


def text_values(text: NewText, place: int) -> dict[str, Any]:
    """A text as an entry holds it; `place` is its arm's among the job's."""
    return {**{name: value for name, value in asdict(text).items() if name != "arm_id"}, "arm": place}


def place_of(known: Sequence[Arm], arm_id: int) -> int:
    """The place of an arm among a job's. Raises KeyError where it is none of them."""
    for place, arm in enumerate(known):
        if arm.id == arm_id:
            return place
    raise KeyError(f"arm {arm_id} is none of the job's")


def _begin(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> None:
    jobs.begin(db, job_id, facts["pid"], at)


def _end(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> None:
    jobs.end(db, job_id, JobState(facts["state"]), facts["error"], at=at)


def _progress(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> object:
    step = facts["step"]
    if facts.get("counts_texts"):  # of several processes none knows how many the others have written
        step = max(step, min(texts.count(db, job_id), facts["total"]))
    return jobs.progress(db, job_id, step, facts["total"], facts["message"], at)


def _step(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> object:
    return metrics.log_step(
        db, job_id, facts["step"], facts["total"], facts["epoch"], facts["elapsed_s"], facts["values"], at
    )


def _event(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> None:
    metrics.add_event(db, job_id, facts["step"], facts["elapsed_s"], facts["kind"], facts["text"])


def _described(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> int:
    known = arms.of_job(db, job_id)
    batch = [
        NewText(arm_id=known[values["arm"]].id, **{k: v for k, v in values.items() if k != "arm"})
        for values in facts["texts"]
    ]
    return texts.add(db, job_id, batch, at)


def _reused(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> list[int]:
    prompts = {case_id: prompt for prompt, case_ids in facts["prompts"] for case_id in case_ids}
    return texts.reuse(db, job_id, arms.of_job(db, job_id)[facts["arm"]].id, prompts)


def _result(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> None:
    jobs.set_result(db, job_id, **facts)


def _drop(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> None:
    metrics.drop_after(db, job_id, facts["step"])
    if "series_end" in facts:
        metrics.drop_beginning(db, job_id, facts["step"], facts["series_end"], facts["text_start"])


def _again(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> None:
    jobs.begin_again(db, job_id, at)


def _arms(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> tuple[Arm, ...]:
    wanted = [Arm(id=0, **{**values, "kind": ArmKind(values["kind"])}) for values in facts["arms"]]
    return arms.give_job(db, job_id, wanted)


def _study(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> None:
    job = jobs.must_get(db, job_id)
    if job.kind is JobKind.GENERATE:
        studies.open_for_job(db, job)


def _work(db: sqlite3.Connection, job_id: int, facts: Facts, at: float | None) -> None:
    texts.ensure_work(db, job_id, facts["cases"])


Applies = Callable[[sqlite3.Connection, int, Facts, "float | None"], Any]
KINDS: dict[str, Applies] = {
    "begin": _begin,
    "again": _again,
    "end": _end,
    "progress": _progress,
    "step": _step,
    "event": _event,
    "described": _described,
    "reused": _reused,
    "result": _result,
    "drop": _drop,
    "arms": _arms,
    "study": _study,
    "work": _work,
}
"""What each kind of entry does."""
