"""A simulated power cut: what was not synced is gone."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
from pathlib import Path

from radtui.paths import DataDir
from tests.faults.folder import build
from tests.faults.harness import (
    CLI,
    LIMIT_S,
    Facts,
    forked,
    killed_after,
    moment,
    radtui,
    rating,
    rows,
    times,
    told_until,
    took_s,
)
from tests.faults.power import PowerCut
from tests.unit.old_databases import SCHEMAS, old_database

ENDS_EVERY = 4  # cuts, after the end of what the power is cut of


def power_cuts_while_rating(scratch: Path, rounds: int) -> Facts:
    """The power goes at random moments of rating: what was called saved was synced."""
    chance, answers = random.Random(2), 0
    for number in range(rounds):
        data = build(scratch / str(number) / "data", pairs=4)
        cut = PowerCut(data.root, scratch / str(number))
        saved = times(told_until(rating(data, cut.environment), chance.uniform(0, 0.2)), "saved")
        cut.happens()
        missing = set(saved) - set(rows(data))
        assert not missing, f"{len(missing)} of {len(saved)} answers"
        answers += len(saved)
        shutil.rmtree(scratch / str(number))
    return {"cuts": rounds, "answers": answers, "lost": 0}


def power_cuts_of_commands(scratch: Path, rounds: int) -> Facts:
    """The power goes while a backup or an export is written: it is whole or as before, and no rating is gone."""
    chance, at_work, finished = random.Random(9), 0, 0
    pattern = build(scratch / "pattern" / "data")
    told_until(rating(pattern), 0.3)
    expected = rows(pattern)  # also moves the log into the file
    commands: tuple[tuple[str, ...], ...] = (
        ("backup", "copy"),
        ("export", "--format", "jsonl", "--out", "r.jsonl"),
    )
    whole_s = {
        name: took_s([*CLI, "--data-dir", pattern.root, name, *rest[:-1], scratch / "whole" / rest[-1]])
        for name, *rest in commands
        if not (scratch / "whole").mkdir(exist_ok=True)
    }
    for number in range(rounds):
        place = scratch / str(number)
        shutil.copytree(pattern.root, place / "all" / "data")
        data = DataDir(place / "all" / "data")
        name, *rest = commands[number % 2]
        cut = PowerCut(place / "all", place / "notes")
        target = place / "all" / rest[-1]
        command = [*CLI, "--data-dir", data.root, name, *rest[:-1], target]
        is_to_end = number % ENDS_EVERY == 0  # what was said to be done is all there afterwards
        after_s = LIMIT_S if is_to_end else moment(chance, whole_s[name])
        at_work += killed_after(command, after_s, cut.environment)
        cut.happens()
        assert rows(data) == expected
        assert target.exists() or not is_to_end, f"{name} was done, and nothing of it is there"
        if (target / "radtui.db").exists():
            assert rows(DataDir(target)) == expected
            assert not is_to_end or forked(DataDir(target), "check")[0] == 0, "images of the backup are gone"
            finished += is_to_end
        if target.is_file():
            assert all(json.loads(line) for line in target.read_text(encoding="utf-8").splitlines())
        shutil.rmtree(place)
    return {
        "cuts": rounds,
        "still at work": at_work,
        "whole backups": finished,
        "damaged": 0,
        "ratings lost": 0,
    }


def power_cuts_of_migrations(scratch: Path, rounds: int) -> Facts:
    """The power goes while an older database is brought up to date: it is opened afterwards, with all its ratings."""
    chance, at_work, call = random.Random(10), 0, ["jobs", "list"]
    whole_s = took_s([*CLI, "--data-dir", old_database(SCHEMAS[0], scratch / "first").root, *call])
    for number in range(rounds):
        data = old_database(SCHEMAS[number % len(SCHEMAS)], scratch / str(number) / "data")
        with contextlib.closing(sqlite3.connect(data.database)) as db:
            before = db.execute("SELECT count(*) FROM ratings").fetchone()
        cut = PowerCut(data.root, scratch / str(number) / "notes")
        at_work += killed_after(
            [*CLI, "--data-dir", data.root, *call], moment(chance, whole_s), cut.environment
        )
        cut.happens()
        code, printed = radtui(data, *call)
        assert code == 0, printed
        assert len(rows(data)) == before[0]
        shutil.rmtree(scratch / str(number))
    return {"cuts": rounds, "still at work": at_work, "ratings lost": 0}
