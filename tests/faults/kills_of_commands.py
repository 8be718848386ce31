"""SIGKILL while a command writes: exports, reports, backups, and a database that is brought up to date."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import sqlite3
from pathlib import Path

from radtui.paths import DataDir
from radtui.store.schema_version import SCHEMA_VERSION
from tests.faults.folder import build
from tests.faults.harness import (
    Facts,
    forked,
    forked_and_killed,
    forked_took_s,
    load_commands,
    moment,
    radtui,
    rating,
    rows,
    told_until,
)
from tests.unit.old_databases import SCHEMAS, old_database

COUNTED = ("jobs", "metrics", "ratings", "assignments")


def kills_of_commands(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at random moments of exports, reports and backups: files are whole or as before, nothing is left over."""
    data, chance = build(scratch / "data"), random.Random(3)
    told_until(rating(data), 0.5)
    out = scratch / "out"
    out.mkdir()
    load_commands()
    commands = [
        ["export", "--out", out / "c.csv"], ["export", "--format", "jsonl", "--out", out / "r.jsonl"],
        ["export", "--format", "parquet", "--out", out / "c.parquet"], ["report", "1", "--out", out / "r.html"],
        ["plot", "1", "--out", out / "p.svg"], ["backup", out / "backup"],
    ]  # fmt: skip
    commands = [command for command in commands if radtui(data, *command)[0] == 0]
    whole_s = {number: forked_took_s(data, command) for number, command in enumerate(commands)}
    at_work = 0
    for number in range(rounds):
        which = number % len(commands)
        at_work += forked_and_killed(data, commands[which], moment(chance, whole_s[which]))
        assert (out / "c.csv").read_text(encoding="utf-8").count("\n") > 1
        for line in (out / "r.jsonl").read_text(encoding="utf-8").splitlines():
            json.loads(line)
        assert (out / "r.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
        rows(data)
        rows(DataDir(out / "backup"))
    for command in commands:
        assert forked(data, *command)[0] == 0
    left = [path.name for path in out.rglob(".*")]
    assert not left, left
    return {"kills": rounds, "still at work": at_work, "damaged": 0, "left over": 0}


def kills_of_migrations(scratch: Path, rounds: int) -> Facts:
    """SIGKILL while a database of an older schema is brought up to date: it is opened with all its rows afterwards."""
    chance, at_work = random.Random(6), 0
    call = ["jobs", "list"]
    load_commands()
    whole_s = forked_took_s(old_database(SCHEMAS[0], scratch / "first"), call)
    for number in range(rounds):
        data = old_database(SCHEMAS[number % len(SCHEMAS)], scratch / str(number))
        counted = [n for n in COUNTED if n != "assignments"]
        with contextlib.closing(sqlite3.connect(data.database)) as db:
            before = [db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in counted]
        at_work += forked_and_killed(data, call, moment(chance, whole_s))
        code, printed = forked(data, *call)
        assert code == 0, printed
        rows(data)
        with contextlib.closing(sqlite3.connect(data.database)) as db:
            assert db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
            after = [db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in counted]
        assert before == after, (before, after)
        assert not list(data.root.glob(".*.part"))
        shutil.rmtree(data.root)
    return {"kills": rounds, "still at work": at_work, "rows lost": 0}
