"""The app itself on a pty: first frame, search, gallery, what it writes when idle, and keys while a job trains."""

from __future__ import annotations

import fcntl
import os
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from radtui.paths import DataDir
from radtui.records import JobKind, JobState, NewCase, NewCaseImage, StopRequest
from radtui.settings import TrainSettings
from radtui.store import cases, jobs
from radtui.store.cases import CaseQuery, KeptCase, Probe
from radtui.store.database import connect
from tests import blobs
from tests.bench.pseudo_terminal import Terminal

COLUMNS, ROWS = 200, 60
CAPTIONS = 100_000
SEARCHES = (
    "pneumothorax left",
    "effusion",
    "lung nodule upper",
    "hip fracture",
    "no focal conso",
    "radiograph",
    "c",
)
BAR, CURSOR = b"radtui", "▌".encode()
IMAGE_BYTES = 8_000  # an image of this size takes more in any form, and the bars of a tick take less
# Two pages down, the end, two up, the start.
PAGES = ("\x1b[6~", "\x1b[6~", "\x1b[F", "\x1b[5~", "\x1b[5~", "\x1b[H")
IDLE_S = 10.0
KEYS_EACH = 250
PAUSE_S = (0.03, 0.12)  # between keys, so that they meet the app at any moment of its ticks


def app_command(data: DataDir) -> list[str]:
    """The command that opens the app."""
    return [sys.executable, "-m", "radtui.cli", "--data-dir", str(data.root), "--rater", "bench"]


def first_frame(data: DataDir, times: int) -> dict[str, float]:
    """Milliseconds from the start of the process to its first complete frame with text."""
    found, cpu = [], []
    for _ in range(times):
        with Terminal(app_command(data), COLUMNS, ROWS) as terminal:
            found.append((terminal.until(_has_bar) - terminal.started) * 1e3)
            cpu.append(terminal.cpu_s() * 1e3)
            terminal.settle(quiet_s=0.3)
    median, spent = statistics.median(found), statistics.median(cpu)
    return {"median_ms": round(median), "max_ms": round(max(found)), "cpu_ms": round(spent)}


def start_up(folder: Path, radiograph: Path, times: int) -> dict[str, Any]:
    """First frames with nothing imported, with images, and with a training job on show."""
    empty, with_images = DataDir(folder / "empty").create(), library(folder / "few", radiograph, 200)
    with closing(connect(empty, create=True)):
        pass  # tables are made once for a data folder, not at each start
    trained = library(folder / "trained", radiograph, 200)
    with closing(connect(trained)) as db:
        job = jobs.create(db, JobKind.TRAIN, "bench", "bench", {"dataset": "bench"})
        jobs.begin(db, job.id, os.getpid())
    trained.job(job.id).mkdir(parents=True, exist_ok=True)
    # As its worker holds it: without, the job would be taken for lost.
    with trained.lock(job.id).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return {
            "welcome": first_frame(empty, times), "data": first_frame(with_images, times),
            "train": first_frame(trained, times),
        }  # fmt: skip


def idle(folder: Path, radiograph: Path) -> dict[str, Any]:
    """Bytes that the app writes while nothing happens."""
    with Terminal(app_command(library(folder / "idle", radiograph, 200)), COLUMNS, ROWS) as terminal:
        terminal.settle(quiet_s=2.0)
        cpu_s, start, count = terminal.cpu_s(), time.perf_counter(), 0
        while time.perf_counter() - start < IDLE_S:
            count += len(terminal.read(0.1))
        return {"seconds": IDLE_S, "bytes": count, "cpu_share": round((terminal.cpu_s() - cpu_s) / IDLE_S, 3)}


def library(folder: Path, radiograph: Path, count: int) -> DataDir:
    """A data folder in which `count` images with captions share the bytes of one radiograph."""
    data = DataDir(folder).create()
    connect(data, create=True).close()  # before the images: a folder that has lost its database is refused
    content = radiograph.read_bytes()
    sha256 = blobs.keep(data, content)
    rng, probe = random.Random(1), Probe(sha256, "PNG", 2048, 2048, "I;16")
    with closing(connect(data, create=True)) as db:
        cases.ensure_dataset(db, "bench", "drawn")
        for start in range(0, count, 5_000):
            batch = [
                KeptCase(
                    NewCase(
                        "train" if n % 5 else "test", f"image-{n:06d}.png", (NewCaseImage(),), caption(rng),
                        examination="chest PA",
                    ),
                    (probe,),
                )
                for n in range(start, min(count, start + 5_000))
            ]  # fmt: skip
            cases.add(db, "bench", batch)
    return data


def caption(rng: random.Random) -> str:
    """Two or three sentences of a radiology report, about 25 words."""
    parts = [
        rng.choice(("Chest radiograph", "AP view of the chest", "Lateral view of the hip", "Axial CT of the head")),
        rng.choice(("shows", "demonstrates", "reveals")),
        rng.choice(("a small", "a large", "a moderate", "a subtle", "no")),
        rng.choice(("right", "left", "bilateral")),
        rng.choice(("pleural effusion", "pneumothorax", "lung nodule", "fracture", "consolidation", "opacity", "mass")),
        rng.choice(("in the upper lobe.", "in the lower lobe.", "at the base.", "near the hilum.")),
    ]  # fmt: skip
    ends = (
        "No focal consolidation.", "The heart is of normal size.", "Compared with the study before, unchanged.",
        "Degenerative changes of the spine.", "A tube ends above the carina.",
    )  # fmt: skip
    return " ".join([*parts, *rng.sample(ends, 2)])


def searches(data: DataDir, times: int) -> dict[str, Any]:
    """Milliseconds for the ids of all hits, best first, for each of `SEARCHES`."""
    found: dict[str, Any] = {}
    with closing(connect(data, create=True)) as db:
        for words in SEARCHES:
            spent, hits = [], 0
            for _ in range(times):
                start = time.perf_counter()
                hits = len(cases.find(db, CaseQuery("bench", search=words)))
                spent.append((time.perf_counter() - start) * 1e3)
            found[words] = {
                "hits": hits,
                "median_ms": round(statistics.median(spent), 1),
                "max_ms": round(max(spent), 1),
            }
    return found


def large_library(folder: Path, radiograph: Path, times: int) -> dict[str, Any]:
    """A data set of 100,000 images: search in the store, then pages of the list and of the gallery in the app."""
    data = library(folder / "large", radiograph, CAPTIONS)
    results: dict[str, Any] = {"captions": CAPTIONS, "search": searches(data, times)}
    with Terminal(app_command(data), COLUMNS, ROWS) as terminal:
        terminal.settle(quiet_s=1.5)
        results["list_page"] = _paints(terminal, lambda n: PAGES[n % len(PAGES)], _has_cursor, 30)
        terminal.settle()
        terminal.press("b")
        terminal.settle()
        results["gallery_page"] = _paints(terminal, lambda n: PAGES[n % len(PAGES)], _has_cursor, 30)
    return results


def _has_bar(frame: bytes) -> bool:
    return BAR in frame


def _has_cursor(frame: bytes) -> bool:
    return CURSOR in frame


def _is_image(frame: bytes) -> bool:
    return len(frame) > IMAGE_BYTES


def _paints(
    terminal: Terminal, key: Callable[[int], str], is_answer: Callable[[bytes], object], count: int
) -> dict[str, float]:
    """Milliseconds from keys to the complete frame that answers each one."""
    rng, spent = random.Random(2), []
    for n in range(count):
        start = time.perf_counter()
        terminal.write(key(n))
        spent.append((terminal.until(is_answer) - start) * 1e3)
        end = time.perf_counter() + rng.uniform(*PAUSE_S)
        while time.perf_counter() < end:
            terminal.read(0.005)
    spent.sort()
    share = {name: round(spent[min(len(spent) - 1, int(len(spent) * at))], 1) for name, at in
             (("median_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99))}  # fmt: skip
    return {"keys": len(spent), **share, "max_ms": round(spent[-1], 1)}


def while_training(folder: Path, radiograph: Path) -> dict[str, Any]:
    """Key to paint in the app while a job of it trains a tiny Mllama on all cores.

    Answers are told by the list's cursor and by the image's size, so that a frame that only counts the job's
    progress is not taken for one.
    """
    from tests.worker.conftest import fill, train_settings, write_mllama

    data = DataDir(folder / "training").create()
    fill(data, train=64, test=8)
    library(data.root, radiograph, 2_000)  # the newer data set is the one on show
    os.environ["OMP_NUM_THREADS"] = str(os.cpu_count())
    settings = train_settings(
        write_mllama(folder / "mllama"), max_steps=1_000_000, batch_size=16, eval_every=200, checkpoint_every=0,
        watch_images=0, loader_workers=1,
    )  # fmt: skip
    with closing(connect(data, create=True)) as db, training(data, db, settings) as worker:
        before_s, began, step = _cpu_s(worker), time.perf_counter(), _step(db)
        results = _keys_in_the_app(data)
        took_s = time.perf_counter() - began
        cores, steps = (_cpu_s(worker) - before_s) / took_s, (_step(db) - step) / took_s
    return {**results, "job_cores": round(cores, 2), "job_steps_per_s": round(steps, 1)}


@contextmanager
def training(data: DataDir, db: sqlite3.Connection, settings: TrainSettings) -> Iterator[list[Any]]:
    """Train, from the fifth step on; yields the job's processes, and stops it in the end.

    Raises:
        RuntimeError: it did not come to a fifth step.
    """
    import psutil

    from radtui.jobs import stop, submit_train

    job = submit_train(data, db, settings)
    while _step(db) < 5:
        now = jobs.must_get(db, job.id)
        if not now.state.live:
            raise RuntimeError(f"the job did not train: {now.error}")
        time.sleep(0.5)
    worker = psutil.Process(jobs.must_get(db, job.id).pid)
    try:
        yield [worker, *worker.children(recursive=True)]
    finally:
        stop(data, db, job.id, StopRequest.NOW)
        while jobs.must_get(db, job.id).state is JobState.RUNNING and worker.is_running():
            time.sleep(0.2)


def _step(db: sqlite3.Connection) -> int:
    """How far the newest training job is."""
    job = jobs.newest(db, JobKind.TRAIN)
    return job.step if job else 0


def _keys_in_the_app(data: DataDir) -> dict[str, Any]:
    with Terminal(app_command(data), COLUMNS, ROWS) as terminal:
        terminal.until(_has_bar)
        terminal.press("d")  # a running job opens its own screen
        terminal.settle(quiet_s=0.6, limit_s=6)
        terminal.press("\x1b[H")
        rows = _paints(terminal, lambda n: "\x1b[B", _has_cursor, KEYS_EACH)
        terminal.settle(quiet_s=0.6, limit_s=6)
        terminal.press("\r")  # to the image
        for _ in range(4):
            terminal.press("+")
        keys = ("\x1b[C", "\x1b[D", "]", "[", "+", "-")
        image = _paints(terminal, lambda n: keys[n % len(keys)], _is_image, KEYS_EACH)
    return {"list": rows, "image": image}


def _cpu_s(processes: list[Any]) -> float:
    total = 0.0
    for process in processes:
        if process.is_running():
            times = process.cpu_times()
            total += times.user + times.system
    return total
