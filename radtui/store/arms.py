"""Arms: where texts come from, each once, and which of them a job writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import astuple

from radtui.records import Arm, ArmKind
from radtui.store.database import writing

COLUMNS = "id, name, kind, model, weights, adapter, instruction, images, decoding, sample"
KEY = COLUMNS.removeprefix("id, ")


def keep(db: sqlite3.Connection, arm: Arm) -> Arm:
    """The stored arm that equals this one in all but its id, made where there is none."""
    with writing(db):
        return _keep(db, arm)


def _keep(db: sqlite3.Connection, arm: Arm) -> Arm:
    values = astuple(arm)[1:]
    db.execute(f"INSERT INTO arms ({KEY}) VALUES ({','.join('?' * 9)}) ON CONFLICT DO NOTHING", values)
    same = " AND ".join(f"{column} = ?" for column in KEY.split(", "))
    return _arm(db.execute(f"SELECT {COLUMNS} FROM arms WHERE {same}", values).fetchone())


def of_job(db: sqlite3.Connection, job_id: int) -> tuple[Arm, ...]:
    """The arms whose texts a job writes, in their order; none before its worker knows them."""
    rows = db.execute(
        f"SELECT {', '.join(f'a.{column}' for column in COLUMNS.split(', '))} FROM job_arms j"
        " JOIN arms a ON a.id = j.arm_id WHERE j.job_id = ? ORDER BY j.position",
        (job_id,),
    )
    return tuple(_arm(row) for row in rows)


def give_job(db: sqlite3.Connection, job_id: int, wanted: Iterable[Arm]) -> tuple[Arm, ...]:
    """Say what a job's arms are, once: a job that goes on keeps those it began with.

    Texts are linked to a job through its arms, so arms that changed between two attempts (another precision) would
    describe half of the cases twice.

    Args:
        db: The database.
        job_id: A job.
        wanted: In the order they were made, with names of their own; ids are not read.

    Returns:
        The job's arms with their ids, those of the first attempt where there was one.
    """
    known = of_job(db, job_id)
    if known:
        return known
    with writing(db):
        for position, arm in enumerate(wanted):
            db.execute("INSERT INTO job_arms VALUES (?, ?, ?)", (job_id, position, _keep(db, arm).id))
    return of_job(db, job_id)


def get(db: sqlite3.Connection, arm_id: int) -> Arm:
    """One arm. Raises KeyError when there is none."""
    row = db.execute(f"SELECT {COLUMNS} FROM arms WHERE id = ?", (arm_id,)).fetchone()
    if row is None:
        raise KeyError(f"no arm {arm_id}")
    return _arm(row)


def _arm(row: sqlite3.Row) -> Arm:
    fields = dict(row)
    fields["kind"] = ArmKind(fields["kind"])
    return Arm(**fields)
