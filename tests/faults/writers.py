"""Many write at once."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

from radtui.store import metrics
from radtui.store.database import connect
from tests.faults.folder import build
from tests.faults.harness import REPOSITORY, Facts, app, rows, times, told_until

STEPS_PER_S = 50


def many_writers(scratch: Path, rounds: int) -> Facts:
    """Two apps, three raters and a worker at 50 steps a second, for some seconds: nothing is lost or doubled."""
    # More than are typed: past the last a key is asked about.
    data = build(scratch / "data", pairs=60 + rounds)
    raters = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.rate", str(data.root), name, "--per-s", "10"],
            stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
        )
        for name in ("ana", "ben", "cem")
    ]  # fmt: skip
    typed = {"dee": 0, "eve": 0}
    step_ms, steps = [], 0
    with contextlib.closing(connect(data)) as db, app(data, "dee") as dee, app(data, "eve") as eve:
        for terminal in (dee, eve):
            terminal.settle(quiet_s=0.5, first_s=20)
            terminal.press("r", quiet_s=0.5)
        start = time.monotonic()
        while (now := time.monotonic()) < start + rounds:
            began = time.perf_counter()
            steps += 1
            metrics.log_step(db, 1, steps, 10**6, 1.0, float(steps), {"loss": 1.0, "grad_norm": 1.0})
            step_ms.append((time.perf_counter() - began) * 1e3)
            if steps % STEPS_PER_S == 0:  # once a second
                for name, terminal in (("dee", dee), ("eve", eve)):
                    terminal.write("1245"[steps // STEPS_PER_S % 4])
                    typed[name] += 1
            for terminal in (dee, eve):
                terminal.read(0)
            time.sleep(max(0.0, start + steps / STEPS_PER_S - now))
        for terminal in (dee, eve):
            terminal.settle(quiet_s=1.0)
    lines = [line for process in raters for line in told_until(process, 0)]
    saved, stored = times(lines, "saved"), rows(data)
    assert len(stored) == len(set(stored)) and set(saved) <= set(stored)
    with contextlib.closing(connect(data)) as db:
        for name, count in typed.items():
            there = db.execute("SELECT count(*) FROM ratings WHERE rater = ?", (name,)).fetchone()[0]
            assert there == count, f"{name} typed {count} answers, {there} are there"
        assert db.execute(
            "SELECT count(*), count(DISTINCT step) FROM metrics WHERE name = 'loss'"
        ).fetchone()[:] == (steps, steps)
    took = sorted(float(line.split()[2]) for line in lines)
    step_ms.sort()
    return {
        "seconds": rounds, "answers": len(saved) + sum(typed.values()), "steps": steps, "lost": 0, "doubled": 0,
        "rating p50 ms": round(took[len(took) // 2], 1), "rating p99 ms": round(took[int(len(took) * 0.99)], 1),
        "step p50 ms": round(step_ms[steps // 2], 2), "step p99 ms": round(step_ms[int(steps * 0.99)], 1),
    }  # fmt: skip
