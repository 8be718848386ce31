"""Folders of many drawn radiographs with a table of reports, for the benchmark of sizes."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import random
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.bench.terminal_app import caption

PLAIN_IMAGES = 3_000  # what the plain loop takes at most
_BLUR_PX = 64


def make_folder(folder: Path, count: int, side_px: int) -> None:
    """Draw images that all differ, with a caption, a patient and a finding each; every fifth is in split test."""
    folder.mkdir(parents=True)
    texts = random.Random(1)
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("file_name", "text", "patient_id", "split", "examination"))
        for n in range(count):
            patient, split = f"P{n // 2:06d}", "test" if n // 2 % 5 == 0 else "train"
            table.writerow((_name(n), caption(texts), patient, split, ("chest PA", "hip")[n % 7 == 0]))
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores) as pool:
        list(
            pool.map(
                _draw,
                [folder] * cores,
                [range(core, count, cores) for core in range(cores)],
                [side_px] * cores,
            )
        )


def _name(n: int) -> str:
    return f"{n:06d}.png"


def _draw(folder: Path, numbers: range, side_px: int) -> None:
    """Draw some of the images: noise from another place of one sheet, and a disc."""
    noise = np.random.default_rng(1).normal(0, 12, (side_px + _BLUR_PX, side_px + _BLUR_PX))
    y, x = np.mgrid[0:side_px, 0:side_px]
    for n in numbers:
        down, across = n % _BLUR_PX, n // _BLUR_PX % _BLUR_PX
        cy, cx = np.random.default_rng(n).uniform(0.25, 0.75, 2) * side_px
        disc = ((x - cx) ** 2 + (y - cy) ** 2) < (side_px / 8) ** 2
        grey = 60 + noise[down : down + side_px, across : across + side_px] + 140 * disc
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(folder / _name(n))


def plain_loop(folder: Path) -> dict[str, Any]:
    """Images per second of one core that only decodes with Pillow and hashes with SHA-256, over the same files.

    The same on all cores at once says what the machine gives at its most: cores may share what they calculate with.
    """
    files = list(islice(sorted(folder.glob("*.png")), PLAIN_IMAGES))
    spent_s, spent_cpu_s = _plain(files)
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_plain, [files[:20]] * cores))  # they have started
        together = list(pool.map(_plain, [files[core::cores] for core in range(cores)]))
    return {
        "images": len(files), "images_per_s": round(len(files) / spent_s, 1),
        "images_per_cpu_s": round(len(files) / spent_cpu_s, 1),
        "all_cores_images_per_s": round(len(files) / max(wall_s for wall_s, _ in together), 1),
    }  # fmt: skip


def _plain(files: list[Path]) -> tuple[float, float]:
    """Seconds of the clock and of the processor for some files."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    for file in files:
        data = file.read_bytes()
        hashlib.sha256(data).hexdigest()
        Image.open(io.BytesIO(data)).load()
    return time.perf_counter() - began_s, time.process_time() - began_cpu_s
