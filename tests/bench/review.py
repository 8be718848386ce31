"""Rating in the app on a pseudo-terminal, with 100,000 ratings of several raters stored: key to next pair, whole.

    python -m tests.bench.review assets/benchmarks/review.json

Takes five minutes, or one with `--keys 60`, on two cores, which should have nothing else to do: the result names the
load average.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from radtui.paths import DataDir
from radtui.records import Arm, ArmKind, JobKind, JobState, NewCase, NewCaseImage, Rating, Study
from radtui.settings import GenerateSettings
from radtui.store import arms, cases, jobs, ratings, studies, texts
from radtui.store.cases import CaseQuery, KeptCase, Probe
from radtui.store.database import connect
from radtui.study import edits
from radtui.study.blinding import later_left
from radtui.study.queue import shown_order
from radtui.study.scheme_file import default_scheme
from tests import blobs
from tests.bench.pseudo_terminal import FRAME_END, QUIET_S, Terminal
from tests.bench.terminal import at, judged, load, machine, versions
from tests.bench.terminal_app import caption

SIZES = ((200, 60), (80, 24))
IMAGES, RATERS, SNAPSHOTS = 2_400, 8, 5  # eight raters who are done, a ninth half way: over 100,000 rows
SIDES_PX = (1024, 832)  # width and height; 8 bits, noisy, so that decoding costs what it costs
SEED = 7
RATER = "bench"
KEYS = "12345 0"
PACED_S = (0.25, 0.6)  # from one pair on the screen to the next key; nobody reads two texts in less
MARK = re.compile(rb"study (\d{6})")  # both texts of a pair begin with its number
LIMITS = {
    f"{columns}x{rows}.paced.{part}.p99_ms": 50 for columns, rows in SIZES for part in ("texts", "whole")
}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="JSON file to write")
    parser.add_argument("--keys", type=int, default=250, help="answers a size and pace")
    options = parser.parse_args()
    results: dict[str, Any] = {
        "what": "milliseconds from an answer's key until both texts of the next pair are on a pseudo-terminal (texts),"
        " and until the last byte of everything, its image included (whole)",
        "at": datetime.now(UTC).isoformat(timespec="minutes"), "machine": machine(), "versions": versions(),
        "load_average": {"before": load()},
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="radtui-bench-") as name:
        data = DataDir(Path(name)).create()
        results["stored"] = fill(data)
        os.sync()  # else the first answer's sync waits for all that was just filled in
        for columns, rows in SIZES:
            results[f"{columns}x{rows}"] = measure(data, columns, rows, options.keys)
        results["pairs_by_keys"] = counted(data, 2 * len(SIZES) * options.keys)
    results["load_average"]["after"] = load()
    results["promised"] = {path: judged(at(results, path), limit) for path, limit in LIMITS.items()}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for name, said in results["promised"].items():
        print(f"{'met   ' if said['met'] else 'MISSED'} {name}: {said['measured']} of {said['limit']}")


def fill(data: DataDir) -> dict[str, int]:
    """One generation job with `IMAGES` pairs and the work of nine raters; returns what is stored."""
    with closing(connect(data, create=True)) as db:
        cases.ensure_dataset(db, "bench", "drawn")
        cases.add(db, "bench", list(_drawn(data)))
        ids = cases.find(db, CaseQuery("bench", "test"))
        settings = GenerateSettings(dataset="bench", model="bench", adapter="adapter").to_dict()
        job = jobs.create(db, JobKind.GENERATE, "bench", "bench", settings, case_ids=ids)
        rng = random.Random(SEED)
        names = ("base", "tuned")
        made = arms.give_job(
            db, job.id,
            [Arm(0, name, ArmKind.MODEL, "bench", "adapter" * (name == "tuned"), decoding="greedy") for name in names],
        )  # fmt: skip
        study = studies.open_for_job(db, job)
        texts.add(
            db, job.id,
            [texts.NewText(case_id, arm.id, "Describe.", f"study {case_id:06d} {caption(rng)} {caption(rng)}", 40,
                           0.2, False)
             for case_id in ids for arm in made],
        )  # fmt: skip
        jobs.end(db, job.id, JobState.DONE)
        seed = int(str(settings.get("seed", 0)))
        for number in range(RATERS):
            ratings.restore(db, _work(study, ids, f"rater {number}", seed, number))
        order = shown_order(study.id, study.draw_id, ids, RATER, seed, default_scheme().protocol)
        first = list(dict.fromkeys(pair.case_id for pair in order[: IMAGES // 2] if not pair.occasion))
        ratings.restore(db, _work(study, first, RATER, seed, RATERS))
        stored = db.execute("SELECT count(*), count(DISTINCT rater) FROM ratings").fetchone()
    return {"images": len(ids), "ratings": stored[0], "raters": stored[1]}


def _drawn(data: DataDir) -> Iterator[KeptCase]:
    """Images of a few contents, each a file and a decoding of its own."""
    width_px, height_px = SIDES_PX
    y, x = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
    contents = []
    for n in range(8):
        grey = (
            90 + 60 * np.sin(x / (40 + n)) * np.cos(y / 55) + np.random.default_rng(n).normal(0, 12, x.shape)
        )
        out = io.BytesIO()
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(out, "PNG", compress_level=1)
        contents.append(out.getvalue())
    for n in range(IMAGES):
        content = contents[n % len(contents)] + f"image {n}".encode()  # readers stop at the end mark before
        sha256 = blobs.keep(data, content)
        case = NewCase(
            "test", f"image-{n:06d}.png", (NewCaseImage(),), caption(random.Random(n)), examination="chest PA"
        )
        yield KeptCase(case, (Probe(sha256, "PNG", width_px, height_px, "L"),))


def _work(study: Study, case_ids: list[int], rater: str, seed: int, number: int) -> Iterator[Rating]:
    """What a careful rater leaves: both texts' acceptability, an error, a note, then the preference."""
    scheme, rng = default_scheme(), random.Random(number)
    row_id = number * 1_000_000
    for case_id in case_ids:
        left = later_left(study.draw_id, case_id, rater, 0, seed)
        row = edits.blank(edits.Pair(study.id, case_id), rater, scheme, "base", "tuned", left)
        row = replace(row, rated_at=1_760_000_000.0 + row_id, active_s=20.0, wall_s=30.0)
        steps = [
            lambda r: edits.accepted(r, "base", rng.randint(1, 5)),
            lambda r: edits.accepted(r, "tuned", rng.randint(1, 5)),
            lambda r: edits.counted(r, rng.choice(("base", "tuned")), str(rng.randint(1, 7)), rng.random() < 0.3, 1),
            lambda r: edits.noted(r, "look again" if rng.random() < 0.1 else ""),
            lambda r: edits.preferred(r, scheme, rng.randrange(5)),
        ]  # fmt: skip
        for step in steps[:SNAPSHOTS]:
            row_id += 1
            row = replace(step(row), id=row_id)
            yield row


def measure(data: DataDir, columns: int, rows: int, keys: int) -> dict[str, Any]:
    """Answers at a reader's pace, and each as soon as the pair before it is on the screen."""
    command = [sys.executable, "-m", "radtui.cli", "--data-dir", str(data.root), "--rater", RATER]
    with Terminal(command, columns, rows) as terminal:
        terminal.settle(quiet_s=1.5, first_s=25)
        terminal.write("d")  # it may have opened on Review, where this rater has pairs left
        terminal.settle(quiet_s=1.0)
        start = time.perf_counter()
        terminal.write("r")
        seen, opened = _next_pair(terminal, b"", start)
        terminal.settle(quiet_s=2.5)  # set up, and garbage collection told what stays
        rng = random.Random(SEED)
        results: dict[str, Any] = {"first_pair_ms": round(opened)}
        for name, pause_s in (("paced", PACED_S), ("at_once", (0.0, 0.0))):
            texts, whole = [], []
            for n in range(keys):
                start = time.perf_counter()
                terminal.write(KEYS[n % len(KEYS)])
                seen, ms = _next_pair(terminal, seen, start)
                texts.append(ms)
                last = start + ms / 1e3
                end = last + rng.uniform(*pause_s)
                while (now := time.perf_counter()) < end:
                    if terminal.read(0.005) and now < start + QUIET_S + ms / 1e3:
                        last = time.perf_counter()
                whole.append((last - start) * 1e3)
            results[name] = {"texts": summed(texts)}
            if pause_s[1]:
                results[name]["whole"] = summed(whole)
    return results


def _next_pair(terminal: Terminal, before: bytes, start: float) -> tuple[bytes, float]:
    """Read until both texts of another pair are there; its number, and milliseconds since `start`."""
    got, end = b"", start + 10
    while time.perf_counter() < end:
        *frames, rest = (got + terminal.read(0.01)).split(FRAME_END)
        marks = [mark for frame in frames for mark in MARK.findall(frame) if mark != before]
        if len(marks) >= 2:
            return marks[-1], (time.perf_counter() - start) * 1e3
        got = FRAME_END.join([*frames, rest]) if marks else rest
    raise TimeoutError("the next pair was not drawn within 10 s")


def summed(spent_ms: list[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile, and the most, in milliseconds."""
    spent = sorted(spent_ms)
    share = {name: round(spent[min(len(spent) - 1, int(len(spent) * part))], 1) for name, part in
             (("median_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99))}  # fmt: skip
    return {"keys": len(spent), **share, "max_ms": round(spent[-1], 1)}


def counted(data: DataDir, keys: int) -> dict[str, int]:
    """Keys that were pressed, and the rows they left: one each, none lost."""
    with closing(connect(data, create=True)) as db:
        row = db.execute(
            "SELECT count(*) FROM ratings WHERE rater = ? AND rated_at > 1770000000", (RATER,)
        ).fetchone()
    if row[0] != keys:
        raise RuntimeError(f"{keys} keys left {row[0]} ratings")
    return {"keys": keys, "ratings": row[0]}


if __name__ == "__main__":
    main()
