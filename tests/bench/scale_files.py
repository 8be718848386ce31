"""Folders of many drawn radiographs with a table of reports, for the benchmark of sizes."""

from __future__ import annotations

import csv
import hashlib
import io
import random
import time
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
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 12, (side_px + _BLUR_PX, side_px + _BLUR_PX))
    y, x = np.mgrid[0:side_px, 0:side_px]
    texts = random.Random(1)
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("file_name", "text", "patient_id", "split", "examination"))
        for n in range(count):
            down, across = n % _BLUR_PX, n // _BLUR_PX % _BLUR_PX
            cy, cx = rng.uniform(0.25, 0.75, 2) * side_px
            disc = ((x - cx) ** 2 + (y - cy) ** 2) < (side_px / 8) ** 2
            grey = 60 + noise[down : down + side_px, across : across + side_px] + 140 * disc
            name = f"{n:06d}.png"
            Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(folder / name)
            patient, split = f"P{n // 2:06d}", "test" if n // 2 % 5 == 0 else "train"
            table.writerow((name, caption(texts), patient, split, ("chest PA", "hip")[n % 7 == 0]))


def plain_loop(folder: Path) -> dict[str, Any]:
    """Images per second of one core that only decodes with Pillow and hashes with SHA-256, over the same files."""
    files = list(islice(sorted(folder.glob("*.png")), PLAIN_IMAGES))
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    for file in files:
        data = file.read_bytes()
        hashlib.sha256(data).hexdigest()
        Image.open(io.BytesIO(data)).load()
    spent_s, spent_cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    return {
        "images": len(files), "images_per_s": round(len(files) / spent_s, 1),
        "images_per_cpu_s": round(len(files) / spent_cpu_s, 1),
    }  # fmt: skip
