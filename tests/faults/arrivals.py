"""Cases come, come again and change while somebody rates."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

from tests.conftest import drawn_png
from tests.faults.folder import build
from tests.faults.harness import Facts, radtui, rating, rows, times, told_until

FIRST, MORE = 6, 4  # images before anybody rates, and of each import after
DATASET = "drawn"  # that of the rated pairs
ELSEWHERE = (
    "SELECT count(*) FROM ratings r WHERE NOT EXISTS (SELECT 1 FROM arm_texts x WHERE x.case_id = r.case_id"
    " AND x.text_id = r.earlier_text_id) OR NOT EXISTS (SELECT 1 FROM arm_texts x WHERE x.case_id = r.case_id"
    " AND x.text_id = r.later_text_id)"
)


def cases_arriving(scratch: Path, rounds: int) -> Facts:
    """Imports bring new, equal and changed cases while somebody rates: each answer is of the texts that were shown."""
    source, saved = scratch / "source", 0
    source.mkdir()
    data = build(scratch / "data", pairs=12)
    with contextlib.closing(sqlite3.connect(data.database)) as db:
        before = db.execute("SELECT id, source_key FROM cases ORDER BY id").fetchall()
    names = 0
    for number in range(rounds):
        process = rating(data, None, "--per-s", "40")
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        names += _grown(source, number, names)
        code, printed = radtui(data, "import", source, "--name", DATASET, "--split", "test")
        assert code == 0, printed
        lines += told_until(process, 0.2)
        told, stored = times(lines, "saved"), rows(data)
        assert told and set(told) <= set(stored) and len(stored) == len(set(stored))
        saved += len(told)
        with contextlib.closing(sqlite3.connect(data.database)) as db:
            assert db.execute(ELSEWHERE).fetchone() == (0,), "an answer is of texts that are not of its case"
            after = db.execute("SELECT id, source_key FROM cases ORDER BY id").fetchall()
            doubled = db.execute(
                "SELECT count(*) - count(DISTINCT source_key) FROM cases WHERE dataset = ?", (DATASET,)
            )
            assert doubled.fetchone() == (0,)
        assert after[: len(before)] == before and len(after) > len(before)
        before = after
    shutil.rmtree(source)
    return {"times": rounds, "cases that came": len(before) - 12, "saved": saved, "lost": 0}


def _grown(source: Path, number: int, names: int) -> int:
    """Add images whose bytes are those of rated cases, and change the references of some; how many were added."""
    for n in range(MORE):
        (source / f"again-{names + n:03d}.png").write_bytes(drawn_png(n))  # the same bytes under another name
    for n in range(3):
        (source / f"test-{n:03d}.png").write_bytes(drawn_png(n))
        (source / f"test-{n:03d}.txt").write_text(f"Reference {number} of {n}.")
    return MORE
