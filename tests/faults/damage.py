"""Bytes of the database or of its log are flipped, or the log is cut short."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

from radtui.paths import DataDir
from tests.faults.folder import build
from tests.faults.harness import Facts, forked, rating, told_until

COMMANDS = (["stats"], ["jobs", "list"], ["check"], ["export", "--out", "c.csv"])


def damaged_database(scratch: Path, rounds: int) -> Facts:
    """Bytes of the database are flipped: each command works or says one sentence, never a traceback."""
    data, chance, refused = build(scratch / "data"), random.Random(4), 0
    told_until(rating(data), 0.2)
    with sqlite3.connect(data.database) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    good = data.database.read_bytes()
    for number in range(rounds):
        content = bytearray(good)
        for _ in range(chance.choice((1, 4, 40))):
            content[chance.randrange(len(content))] ^= 0xFF
        if number % 5 == 4:  # cut short instead
            content = content[: chance.randrange(len(content))]
        _drop_logs(data)
        data.database.write_bytes(content)
        refused += _said(data, COMMANDS[number % len(COMMANDS)])
    return {"databases": rounds, "sentences": refused, "tracebacks": 0}


def damaged_log(scratch: Path, rounds: int) -> Facts:
    """The write-ahead log is cut short or flipped: what came before is there, and each command works or says why."""
    data, chance, refused = build(scratch / "data"), random.Random(11), 0
    told_until(rating(data), 0.3)
    log = data.root / "radtui.db-wal"
    good, good_log = data.database.read_bytes(), log.read_bytes()
    assert good_log, "there is no log to damage"
    for number in range(rounds):
        content = bytearray(good_log)
        if number % 2:
            content = content[: chance.randrange(len(content))]
        else:
            for _ in range(chance.choice((1, 10, 100))):
                content[chance.randrange(len(content))] ^= 0xFF
        _drop_logs(data)
        data.database.write_bytes(good)
        log.write_bytes(content)
        refused += _said(data, COMMANDS[number % len(COMMANDS)])
    return {"logs": rounds, "sentences": refused, "tracebacks": 0}


def _drop_logs(data: DataDir) -> None:
    for log in data.root.glob("radtui.db-*"):
        log.unlink()


def _said(data: DataDir, words: list[str]) -> int:
    places = [data.root.parent / word if word.endswith(".csv") else word for word in words]
    code, printed = forked(data, *places)
    assert code in (0, 1) and b"Traceback" not in printed, printed
    if code and words != ["check"]:
        assert len(printed.decode(errors="replace").strip().splitlines()) <= 2, printed
    return code
