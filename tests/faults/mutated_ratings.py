"""Exports of ratings that somebody has changed: each is taken in whole, or refused in one sentence."""

from __future__ import annotations

import copy
import json
import math
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from radtui.export.comparisons import write_csv
from radtui.export.import_ratings import import_ratings
from radtui.export.jsonl import write_jsonl
from radtui.paths import DataDir
from radtui.records import UserError
from radtui.store import ratings, studies
from radtui.store.database import connect
from radtui.study import edits
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
from radtui.study.study import read_review
from tests.faults.folder import build
from tests.faults.harness import RATER, Facts

STRANGE: tuple[object, ...] = (
    None, True, False, 0, -1, 1, 2, 3, 6, 99, -99, 10**6, 2**63, -(2**63) - 1, 10**400, 0.5, math.nan, math.inf,
    -math.inf, 1e308, "", " ", "base", "tuned", "nobody", "\ud800", "\0", "x" * 5000, [], {}, [1], {"a": 1}, 
    "2026-01-01", "1", "normal",
)  # fmt: skip
RANGES = {"acceptability": (1, 5), "checked": (0, 1), "accepted": (0, 1), "error": (0, 10**4), "dim": (-2, 2)}


def mutated_ratings(scratch: Path, rounds: int) -> Facts:
    """Values of exported ratings are changed: no answer that nobody can have given comes in, or a sentence says why."""
    data = build(scratch / "data", pairs=3)
    lines, table = _exported(data, scratch)
    with closing(sqlite3.connect(data.database)) as db:
        for name in ("ratings", "assignments", "reveals"):
            db.execute(f"DELETE FROM {name}")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA journal_mode=DELETE")
    chance, taken, refused = random.Random(12), 0, 0
    for number in range(rounds):
        target = DataDir(scratch / "target")
        target.root.mkdir(exist_ok=True)
        for left in target.root.glob("radtui.db*"):
            left.unlink()
        shutil.copy(data.database, target.database)
        file = scratch / ("changed.csv" if number % 4 == 3 else "changed.jsonl")
        file.write_bytes(changed_table(table, chance) if number % 4 == 3 else changed_lines(lines, chance))
        with closing(connect(target)) as db:
            try:
                taken += import_ratings(db, file, default_scheme()).added > 0
            except UserError as error:
                refused += 1
                assert "\n" not in str(error).strip()
            check_rows(db)
    assert taken and refused
    return {"changed files": rounds, "taken in": taken, "refused in a sentence": refused, "out of range": 0}


def _exported(data: DataDir, scratch: Path) -> tuple[list[dict[str, object]], bytes]:
    """Ratings of every kind of answer, as JSON lines and as a table."""
    with closing(connect(data)) as db:
        study, *_ = studies.all_studies(db)
        scheme = default_scheme()
        session = ReviewSession(db, read_sitting(db, study.id, RATER, scheme))
        session.start()
        for level in (0, 4, 2):
            session.answer(lambda rating, level=level: edits.preferred(rating, scheme, level))
            session.answer(lambda rating: edits.accepted(rating, "base", 3))
            session.answer(lambda rating: edits.counted(rating, "tuned", scheme.errors[0].id, True, by=2))
            session.answer(lambda rating: edits.noted(rating, "a note"), judges=False)
            session.reveal()
            session.next_unrated()
        session.undo()
        review = read_review(db, study, scheme)
        write_jsonl(db, review, scratch / "r.jsonl")
        write_csv(db, study, scheme, scratch / "c.csv")
    lines = [json.loads(line) for line in (scratch / "r.jsonl").read_text(encoding="utf-8").splitlines()]
    return lines, (scratch / "c.csv").read_bytes()


def changed_lines(lines: list[dict[str, object]], chance: random.Random) -> bytes:
    """Lines with one to three things changed: a value, a name, a whole part, or bytes."""
    changed = copy.deepcopy(lines)
    for _ in range(chance.choice((1, 1, 2, 3))):
        change(chance.choice(changed), chance)
    text = "\n".join(json.dumps(line) for line in changed).encode()
    return with_other_bytes(text, chance) if chance.random() < 0.1 else text


def change(node: object, chance: random.Random) -> None:
    """Walk down to anywhere, and change what is there."""
    while True:
        keys = (
            list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
        )
        if not keys:
            return
        key = chance.choice(keys)
        below = node[key]  # type: ignore[index]
        if isinstance(below, dict | list) and below and chance.random() < 0.8:
            node = below
            continue
        what = chance.random()
        if what < 0.1:
            del node[key]  # type: ignore[attr-defined]
        elif what < 0.2 and isinstance(node, dict):
            node[str(chance.choice(STRANGE))] = node.pop(key)
        else:
            node[key] = chance.choice(STRANGE)  # type: ignore[index]
        return


def changed_table(table: bytes, chance: random.Random) -> bytes:
    """A table with some cells or bytes changed."""
    if chance.random() < 0.2:
        return with_other_bytes(table, chance)
    first, *rest = table.split(b"\r\n") if b"\r\n" in table else table.split(b"\n")
    at = chance.randrange(len(rest))
    cells = rest[at].split(b",")
    for _ in range(chance.choice((1, 2))):
        strange = str(chance.choice(STRANGE)).encode("utf-8", "replace")
        cells[chance.randrange(len(cells))] = strange
    rest[at] = b",".join(cells)
    return b"\r\n".join([first, *rest])


def with_other_bytes(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 3))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def check_rows(db: sqlite3.Connection) -> None:
    """Each stored answer is one that somebody can have given."""
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    is_time: Callable[[float], bool] = lambda value: math.isfinite(value) and 0 <= value < 1e12  # noqa: E731
    for study in studies.all_studies(db):
        for rater in ratings.raters(db, study.id):
            assert rater.strip()
            for row in ratings.history(db, study.id, rater):
                assert row.preference is None or -2 <= row.preference <= 2
                assert {*row.shown} <= {*study.arm_names, ""} and row.occasion in (0, 1) and row.pair >= 0
                assert is_time(row.active_s) and is_time(row.wall_s) and is_time(row.rated_at)
                for key, value in row.answers.items():
                    low, high = RANGES[key.partition(".")[0]]
                    assert low <= value <= high, (key, value)
