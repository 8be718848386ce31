"""What grows with a data set's size, and how much: import, preview, first frame, search, filter, next unrated.

    python -m tests.bench.scale assets/benchmarks/scale.json

Imports 2,000, 20,000 and 100,000 cases of 64 px and 3,000 of 512 px, and opens the app on each; ten minutes or so on
two cores, which should have nothing else to do: the result names the load average. `--sizes 2000` takes part of it;
`--missing` goes on where a run was broken off: what was measured of each size is written as soon as it is there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from radtui.paths import DataDir
from radtui.records import Arm, ArmKind, JobKind, JobState
from radtui.settings import GenerateSettings
from radtui.store import arms, cases, jobs, ratings, studies, texts
from radtui.store.cases import CaseQuery
from radtui.store.database import connect
from radtui.study import edits
from radtui.study.blinding import later_left
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
from tests.bench.pseudo_terminal import Terminal
from tests.bench.scale_files import make_folder, plain_loop
from tests.bench.scale_import import imported, preview
from tests.bench.scale_readme import table
from tests.bench.terminal import at, judged, load, machine, versions
from tests.bench.terminal_app import COLUMNS, IMAGE_BYTES, ROWS, SEARCHES, app_command, first_frame

OUT = Path("assets/benchmarks/scale.json")
SIZES = (2_000, 20_000, 100_000)
SIDE_PX = 64
LARGE = (3_000, 512)  # cases, px: images that cost what images cost
TIMES = 5
RATER = "bench"
RATED = 500
SHARE = 0.75  # of what as many cores as there are do in the plain loop
FIRST_PICTURE_S = 3.0
GROWTH = {
    "again_s": "import.again_s", "peak_mib": "import.worker_peak_mib", "preview_s": "preview.first_picture_s",
    "preview_cpu_s": "preview.cpu_s", "preview_peak_mib": "preview.peak_mib",
    "first_frame_ms": "first_frame.median_ms", "first_frame_cpu_ms": "first_frame.cpu_ms",
    "first_image_ms": "first_image.median_ms", "first_image_cpu_ms": "first_image.cpu_ms",
    "search_ms": "search.slowest_ms", "filter_ms": "filter.slowest_ms",
    "review_opens_ms": "review.opens_ms", "next_unrated_ms": "review.next_unrated_ms",
}  # fmt: skip


def main() -> None:
    """Measure and write; what another run has measured of other sizes stays."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=OUT, help="JSON file to write")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), help="cases of 64 px")
    parser.add_argument("--missing", action="store_true", help="leave out sizes that the file has already")
    parser.add_argument("--no-large", action="store_true", help="leave out the images of 512 px")
    options = parser.parse_args()
    wanted = [(size, SIDE_PX) for size in options.sizes] + ([] if options.no_large else [LARGE])
    runs: dict[str, Any] = {}
    if options.out.exists():
        runs = json.loads(options.out.read_text(encoding="utf-8")).get("runs", {})
    for count, side_px in wanted:
        if options.missing and f"{count}x{side_px}px" in runs:
            continue
        with tempfile.TemporaryDirectory(prefix="radtui-bench-") as name:
            runs[f"{count}x{side_px}px"] = measure(Path(name), count, side_px)
        _write(options.out, runs)
    print(table(json.loads(options.out.read_text(encoding="utf-8"))))


def _write(out: Path, runs: dict[str, Any]) -> None:
    ordered = {name: runs[name] for name in sorted(runs, key=lambda name: (_side_px(name), _count(name)))}
    results: dict[str, Any] = {
        "what": "import in images per second beside a plain loop of one core (Pillow's decode and SHA-256) over the"
        " same files; peak memory in MiB; milliseconds of the app on a pseudo-terminal and of its queries",
        "machine": machine(), "versions": versions(), "runs": ordered, "growth": growth(ordered),
        "promised": promised(ordered),
    }  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for name, verdict in results["promised"].items():
        print(
            f"{'met   ' if verdict['met'] else 'MISSED'} {name}: {verdict['measured']} of {verdict['limit']}"
        )


def growth(runs: dict[str, Any]) -> dict[str, Any]:
    """Each figure of the largest data set as a multiple of the smallest one's, beside the multiple of cases."""
    small = [name for name in runs if _side_px(name) == SIDE_PX]
    if len(small) < 2:
        return {}
    first, last = small[0], small[-1]
    result: dict[str, Any] = {"from": first, "to": last, "cases": round(_count(last) / _count(first), 1)}
    for name, path in GROWTH.items():
        before, after = at(runs[first], path), at(runs[last], path)
        result[name] = round(after / before, 2) if before and after else None
    return result


def promised(runs: dict[str, Any]) -> dict[str, Any]:
    """What was promised, with what was measured."""
    result = {}
    for name, run in runs.items():
        if _side_px(name) == LARGE[1]:
            result[f"{name}.import, of the plain loop on all cores"] = judged(
                run["import"]["share_of_plain_on_all_cores"], SHARE, "at least"
            )
        result[f"{name}.preview.first_picture_s"] = judged(run["preview"]["first_picture_s"], FIRST_PICTURE_S)
    return result


def _count(name: str) -> int:
    return int(name.partition("x")[0])


def _side_px(name: str) -> int:
    return int(name.partition("x")[2].removesuffix("px"))


def measure(folder: Path, count: int, side_px: int) -> dict[str, Any]:
    """Everything of one size."""
    source, data = folder / "images", DataDir(folder / "data")
    run: dict[str, Any] = {
        "cases": count, "side_px": side_px, "at": datetime.now(UTC).isoformat(timespec="minutes"),
    }  # fmt: skip

    def step(name: str, work: Callable[[], Any]) -> None:
        began_s = time.perf_counter()
        value = work()
        print(f"{count:,} x {side_px} px: {name}, {time.perf_counter() - began_s:.1f} s", flush=True)
        if value is not None:
            run[name] = value

    step("drawn", lambda: make_folder(source, count, side_px))
    run["mib"] = round(sum(file.stat().st_size for file in source.iterdir()) / 2**20, 1)
    os.sync()
    run["load_before"] = load()
    step("plain", lambda: plain_loop(source))
    step("preview", lambda: preview(source))
    step("import", lambda: imported(data, source, count, run["plain"]))
    step("first_frame", lambda: first_frame(data, TIMES))
    step("first_image", lambda: first_image(data))
    step("search", lambda: queries(data, {words: CaseQuery("bench", search=words) for words in SEARCHES}))
    step("filter", lambda: queries(data, _filters()))
    step("review", lambda: review(data))
    run["load_after"] = load()
    return run


def first_image(data: DataDir) -> dict[str, float]:
    """Milliseconds from the start of the process until the first image is drawn; the middle of a few starts."""
    spent, cpu = [], []
    for _ in range(TIMES):
        with Terminal(app_command(data), COLUMNS, ROWS) as terminal:
            spent.append((terminal.until(lambda frame: len(frame) > IMAGE_BYTES) - terminal.started) * 1e3)
            cpu.append(terminal.cpu_s() * 1e3)
            terminal.settle(quiet_s=0.3)
    return {"median_ms": round(statistics.median(spent)), "cpu_ms": round(statistics.median(cpu))}


def _filters() -> dict[str, CaseQuery]:
    return {
        "all": CaseQuery("bench"), "split": CaseQuery("bench", "test"),
        "examination": CaseQuery("bench", examination="hip"), "unreadable": CaseQuery("bench", unreadable=True),
        "unrated": CaseQuery("bench", rated=False), "by name": CaseQuery("bench", sort="name"),
        "by size": CaseQuery("bench", sort="size"),
    }  # fmt: skip


def queries(data: DataDir, wanted: dict[str, CaseQuery]) -> dict[str, Any]:
    """Milliseconds for the ids of all hits of each query, in the list's order."""
    result: dict[str, Any] = {}
    with closing(connect(data)) as db:
        for name, query in wanted.items():
            spent, hits = [], 0
            for _ in range(TIMES):
                began_s = time.perf_counter()
                hits = len(cases.find(db, query))
                spent.append((time.perf_counter() - began_s) * 1e3)
            result[name] = {"hits": hits, "median_ms": round(statistics.median(spent), 1)}
    result["slowest_ms"] = max(each["median_ms"] for each in result.values())
    return result


def review(data: DataDir) -> dict[str, float]:
    """Milliseconds to open a comparison of all cases, 500 of them rated, and to go to the next unrated."""
    scheme = default_scheme()
    with closing(connect(data)) as db:
        study_id = _compared(db)
        opened, following = [], []
        for _ in range(TIMES):
            began_s = time.perf_counter()
            session = ReviewSession(db, read_sitting(db, study_id, RATER, scheme))
            session.start()
            opened.append((time.perf_counter() - began_s) * 1e3)
            for _ in range(20):
                began_s = time.perf_counter()
                session.next_unrated()
                following.append((time.perf_counter() - began_s) * 1e3)
    return {
        "pairs": len(session.queue.pairs), "opens_ms": round(statistics.median(opened), 1),
        "next_unrated_ms": round(statistics.median(following), 2),
    }  # fmt: skip


def _compared(db: Any) -> int:
    """Two texts for each case, as a generation leaves them, and a rater who has begun; the study."""
    ids = cases.find(db, CaseQuery("bench"))
    settings = GenerateSettings(dataset="bench", model="bench", adapter="adapter").to_dict()
    job = jobs.create(db, JobKind.GENERATE, "bench", "bench", settings, case_ids=ids)
    made = arms.give_job(
        db, job.id, [Arm(0, name, ArmKind.MODEL, "bench", decoding="greedy") for name in ("base", "tuned")]
    )
    study = studies.open_for_job(db, job)
    for start in range(0, len(ids), 5_000):
        texts.add(db, job.id, [
            texts.NewText(case_id, arm.id, "Describe.", f"No acute finding, {case_id}.", 8, 0.2, False)
            for case_id in ids[start : start + 5_000] for arm in made
        ])  # fmt: skip
    jobs.end(db, job.id, JobState.DONE)
    ratings.restore(db, _rated(study, random.Random(1).sample(ids, min(RATED, len(ids) // 2))))
    return study.id


def _rated(study: Any, case_ids: list[int]) -> Iterator[Any]:
    scheme = default_scheme()
    for number, case_id in enumerate(case_ids, start=1):
        left = later_left(study.draw_id, case_id, RATER, 0, 0)
        row = edits.blank(edits.Pair(study.id, case_id), RATER, scheme, "base", "tuned", left)
        yield replace(edits.preferred(row, scheme, number % 5), id=number, rated_at=1_760_000_000.0 + number)


if __name__ == "__main__":
    if shutil.disk_usage(tempfile.gettempdir()).free < 4 * 2**30:
        sys.exit("4 GiB are needed for temporary files; set TMPDIR to a folder with more room.")
    main()
