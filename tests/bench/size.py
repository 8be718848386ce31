"""Statistics, exports and scores at size, beside an older radtui on the same rows.

    python -m tests.bench.size OLD_CHECKOUT assets/benchmarks/size.json

Makes a database of schema 4 with 101,450 ratings of nine readers, and 4,800 texts of a second job, runs the older
radtui's commands on it, has this one bring a copy up to date, and runs its own. Takes some minutes on two cores. Times
are of whole commands, start of Python included; memory is the most that a command held. Both are compiled beforehand,
as an installed package is.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from radtui.demo.captions import caption
from radtui.demo.cases import deal

REPOSITORY = Path(__file__).parents[2]
READERS, RATINGS = [f"reader {n}" for n in range(9)], 101_450
SCORED_CASES = 2_400  # of two texts each
TARGETS = {"stats_s": 2.0, "export_rows_per_s": 20_000, "score_s": 6.0}
DIMENSIONS = ("correctness", "specificity", "clinical_focus", "conciseness", "terminology")
SEED = 4


def main() -> None:
    """Make the rows, run both, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        before, after = Path(name) / "before", Path(name) / "after"
        _empty(before, asked.old)
        with closing(sqlite3.connect(before / "radtui.db")) as db:
            _fill(db)
        shutil.copytree(before, after)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(name) / "compiled")
        _run(REPOSITORY, after, "jobs", "list")  # brings it up to date
        for checkout, folder in ((asked.old, before), (REPOSITORY, after)):
            _run(checkout, folder, "score", "--job", "2", "--json")
            _run(checkout, folder, "stats", "--job", "1", "--json")
        rows = [
            {"radtui": label, **_figures(checkout, folder, Path(name), asked.repeats)}
            for label, checkout, folder in (("before", asked.old, before), ("now", REPOSITORY, after))
        ]
    now = rows[1]
    result = {
        "what": "stats of 101,450 ratings of nine readers, export of the same, score of 4,800 texts; whole commands",
        "when": datetime.now(UTC).isoformat(timespec="seconds"), "cores": os.cpu_count(), "targets": TARGETS,
        "load_at_end": os.getloadavg()[0], "rows": rows,
        "passed": now["stats_s"] <= TARGETS["stats_s"] and now["score_s"] <= TARGETS["score_s"]
        and now["export_rows_per_s"] >= TARGETS["export_rows_per_s"],
    }  # fmt: skip
    asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rows, indent=1))


def _empty(folder: Path, old: Path) -> None:
    folder.mkdir()
    made = "import sys, pathlib; from radtui.paths import DataDir; from radtui.store.database import connect;"
    subprocess.run(
        [sys.executable, "-P", "-c", f"{made} connect(DataDir(pathlib.Path({str(folder)!r})))"],
        env={**os.environ, "PYTHONPATH": str(old)}, check=True,
    )  # fmt: skip


def _fill(db: sqlite3.Connection) -> None:
    """Rows of both jobs, as the older radtui writes them."""
    random_numbers = random.Random(SEED)
    rated_cases = -(-RATINGS // len(READERS))
    drawn = [
        (case, caption(random_numbers, case.examination, case.truth)) for case in deal(SEED, "test", 3000)
    ]
    db.execute("INSERT INTO datasets VALUES ('drawn', 'drawn', 0)")
    settings = json.dumps({"dataset": "drawn", "split": "test", "seed": 1, "model": "tiny", "adapter": "a"})
    for job_id, cases in ((1, rated_cases), (2, SCORED_CASES)):
        db.execute(
            "INSERT INTO jobs (id, kind, state, name, dataset, settings, created_at) VALUES (?, 'generate', 'done', ?,"
            " 'drawn', ?, ?)", (job_id, f"job {job_id}", settings, job_id),
        )  # fmt: skip
        first = 100_000 * job_id
        db.executemany("INSERT INTO images VALUES (?, 'drawn', ?, ?, ?, ?, 'PNG', 64, 64, 'L', ?, ?, '{}', '', 0)", [
            (first + n, f"test{job_id}", n, f"image-{n}", f"{first + n:064x}", drawn[n % len(drawn)][1],
             drawn[n % len(drawn)][0].examination) for n in range(cases)
        ])  # fmt: skip
        db.executemany("INSERT INTO truths VALUES (?, 0, ?, ?, ?, '')", [
            (first + n, truth.finding, truth.side, truth.zone)
            for n in range(cases) for truth in [drawn[n % len(drawn)][0].truth]
        ])  # fmt: skip
        db.executemany("INSERT INTO work VALUES (?, ?)", [(job_id, first + n) for n in range(cases)])
        db.executemany(
            "INSERT INTO descriptions (job_id, image_id, variant, text, prompt, decoding, tokens, seconds, truncated,"
            " created_at) VALUES (?, ?, ?, ?, 'Describe.', 'greedy', 40, 1.0, 0, 0)", [
                (job_id, first + n, variant,
                 f"{drawn[(n if variant == 'tuned' and n % 3 else n * 7 + 1) % len(drawn)][1]} Image {n} of {variant}.")
                for n in range(cases) for variant in ("base", "tuned")
            ],
        )  # fmt: skip
    shown = "INSERT INTO assignments VALUES (1, ?, ?, 0, 'normal', ?, ?, ?)"
    rated = (
        "INSERT INTO ratings (job_id, image_id, rater, occasion, scheme, scheme_hash, preference, both_bad,"
        " base_acceptability, tuned_acceptability, answers, note, flagged, skipped, blinded, shown_left, shown_right,"
        " active_s, wall_s, rated_at)"
        " VALUES (1, ?, ?, 0, 'radtui-default', ?, ?, ?, ?, ?, ?, '', 0, 0, 1, ?, ?, 9, 9, ?)"
    )
    for image_id, reader, left, right, values in _ratings(random_numbers, rated_cases):
        db.execute(shown, (image_id, reader, left, f"{random_numbers.random():.12f}", right))
        db.execute(rated, (image_id, reader, *values[:-1], left, right, values[-1]))
    db.commit()


def _ratings(numbers: random.Random, cases: int) -> Iterator[tuple[int, str, str, str, tuple[object, ...]]]:
    scheme = "d934dc7f64f43e55f3979a18891bffdfd02b4c0fd04d443430732bc66428eb2c"
    left = RATINGS
    for n in range(cases):
        effect = numbers.gauss(0.4, 1)
        for reader in READERS:
            if not left:
                return
            left -= 1
            preference = max(-2, min(2, round(effect + numbers.gauss(0, 1))))
            both_bad = numbers.random() < 0.03
            answers = {f"dim.{name}": numbers.randint(-2, 2) for name in DIMENSIONS}
            if numbers.random() < 0.3:
                answers[f"error.base.{numbers.randint(1, 7)}.significant"] = numbers.randint(1, 2)
            if numbers.random() < 0.2:
                answers[f"error.tuned.{numbers.randint(1, 7)}.insignificant"] = 1
            sides = ("base", "tuned") if numbers.random() < 0.5 else ("tuned", "base")
            values = (scheme, None if both_bad else preference, both_bad, numbers.randint(1, 5), numbers.randint(1, 5),
                      json.dumps(answers), 1e9 + n)  # fmt: skip
            yield 100_000 + n, reader, *sides, values


def _figures(checkout: Path, folder: Path, place: Path, repeats: int) -> dict[str, float]:
    out = place / f"{folder.name}.csv"
    commands = {
        "stats": ("stats", "--job", "1"),
        "export": ("export", "--job", "1", "--out", str(out)),
        "score": ("score", "--job", "2"),
    }
    figures: dict[str, float] = {}
    for name, command in commands.items():
        runs = [_run(checkout, folder, *command) for _ in range(repeats)]
        figures[f"{name}_s"], figures[f"{name}_cpu_s"], figures[f"{name}_mib"] = (
            round(min(run[at] for run in runs), 2) for at in range(3)
        )
    with out.open(encoding="utf-8") as file:
        rows = sum(1 for _ in file) - 1  # captions are of one line
    figures |= {"export_rows": rows, "export_rows_per_s": round(rows / figures["export_s"])}
    return figures


def _run(checkout: Path, folder: Path, *command: str) -> tuple[float, float, float]:
    """Wall and CPU seconds of a command, and the MiB that it held at most."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "radtui.cli", "--data-dir", str(folder), *command],
        env={**os.environ, "PYTHONPATH": str(checkout)}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    if status:
        raise SystemExit(f"{' '.join(command)} of {checkout} ended with {os.waitstatus_to_exitcode(status)}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
