"""Images in real pixels at 120 x 40 cells: how near they come to the windowed original, and what a pan costs.

python -m tests.bench.terminal_pixels [OUT]    without OUT, into assets/benchmarks/terminal_pixels.json

A child process shows the radiograph of `terminal_image` in a Textual app; this process is its terminal, answers like
one of each kind, draws what comes (`tests.tui.pixel_terminal`) and compares that with the view as it is windowed.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from radtui.imaging import decode, pyramid, view
from radtui.imaging.cells import Blocks, half_blocks, quadrants
from radtui.imaging.render import render_px
from radtui.imaging.view import View
from tests.bench.pseudo_terminal import Terminal
from tests.bench.terminal_image import LINK_HZ, LINK_KEYS, LINK_MBIT, child_command, radiograph
from tests.tui.pixel_terminal import PixelTerminal

COLUMNS, ROWS, CELL_PX = 120, 41, (10, 20)  # forty rows of image and one of caption
ZOOM_KEYS, PANS = 4, 6
ANSWERS = {
    "kitty, cells": "\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.36.2)\x1b\\\x1b[6;20;10t\x1b[?62c",
    "kitty, placed": "\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.26.5)\x1b\\\x1b[6;20;10t\x1b[?62c",
    "sixel, 256 colours": "\x1bP>|XTerm(379)\x1b\\\x1b[6;20;10t\x1b[?1;0;256S\x1b[?62;4c",
    "sixel, 16 colours": "\x1bP>|XTerm(379)\x1b\\\x1b[6;20;10t\x1b[?1;0;16S\x1b[?62;4c",
    "half blocks": "\x1b[?62c",
}
"""What a terminal of each kind answers."""


def original(stack: pyramid.Pyramid) -> np.ndarray:
    """The windowed view that each way is to show."""
    width, height = COLUMNS * CELL_PX[0], (ROWS - 1) * CELL_PX[1]
    port = view.Viewport(width, height)
    look = view.settled(stack, View(), port)
    for _ in range(ZOOM_KEYS):
        look = view.settled(stack, view.zoomed(look, view.ZOOM_STEP), port)
    return render_px(stack, look, width, height)


def psnr(picture: np.ndarray, wanted: np.ndarray) -> float | None:
    """Peak signal to noise ratio in dB, None where they are equal."""
    error = float(np.mean((picture.astype(np.float64) - wanted) ** 2))
    return None if error == 0 else round(10 * float(np.log10(255**2 / error)), 1)


def of_blocks(wanted: np.ndarray, blocks: Blocks) -> np.ndarray:
    """The original through half blocks or quadrants, enlarged to its pixels again."""
    across, down = blocks.pixels
    size = COLUMNS * across, (ROWS - 1) * down
    small = np.asarray(Image.fromarray(wanted).resize(size, Image.Resampling.BOX))
    cells = half_blocks(small) if blocks is Blocks.HALF else quadrants(small)
    assert cells.ink is not None and cells.paper is not None
    bits = cells.glyph[..., None] >> np.arange(4) & 1  # upper left, upper right, lower left, lower right
    parts = np.where(bits.astype(bool), cells.ink[..., None], cells.paper[..., None])
    height, width = cells.ink.shape
    quarters = parts.reshape(height, width, 2, 2).transpose(0, 2, 1, 3).reshape(2 * height, 2 * width)
    return quarters.repeat(CELL_PX[1] // 2, axis=0).repeat(CELL_PX[0] // 2, axis=1)


def opened(command: list[str], kind: str) -> tuple[Terminal, PixelTerminal]:
    """An app with its image zoomed in, on a terminal of some kind."""
    terminal, screen = (
        Terminal(command, COLUMNS, ROWS, {"RADTUI_PIXELS": ""}),
        PixelTerminal(COLUMNS, ROWS, CELL_PX),
    )
    got = b""
    while b"\x1b[c" not in got:
        got += terminal.read(0.1)
    os.write(terminal.fd, ANSWERS[kind].encode())
    got += terminal.settle()
    for _ in range(ZOOM_KEYS):
        got += terminal.press("+", quiet_s=0.4).text
    screen.feed(got + terminal.settle(3.0))
    return terminal, screen


def measured(command: list[str], kind: str, wanted: np.ndarray) -> dict[str, Any]:
    """Nearness to the original, and bytes and milliseconds of single pans."""
    terminal, screen = opened(command, kind)
    with terminal:
        picture = screen.picture(0, 0, COLUMNS, ROWS - 1)
        answers = [terminal.press("\x1b[C" if n % 2 else "\x1b[D", quiet_s=0.5) for n in range(PANS)]
    sizes = [len(answer.text) / 1024 for answer in answers]
    return {
        "psnr_db": psnr(picture, wanted) if (picture >= 0).all() else None,
        "exact": bool((picture == wanted).all()),
        "pan": {
            "median_ms": round(statistics.median(answer.ms for answer in answers), 1),
            "kib": round(statistics.median(sizes), 1),
            "kib_compressed": round(statistics.median(len(zlib.compress(a.text)) / 1024 for a in answers), 1),
        },
    }


def behind_link(command: list[str], kind: str) -> dict[str, float]:
    """A single pan, and a key held for a second, behind a slow link."""
    terminal, _ = opened(command, kind)
    with terminal:
        single = _drained(terminal, ["\x1b[D"])
        held = _drained(terminal, ["\x1b[C" if n < LINK_KEYS / 2 else "\x1b[D" for n in range(LINK_KEYS)])
    return {
        "pan_ms": round(single[0]), "pan_kib": round(single[1] / 1024),
        "held_behind_ms": round(held[0]), "held_kib": round(held[1] / 1024),
    }  # fmt: skip


def _drained(terminal: Terminal, keys: list[str]) -> tuple[float, int]:
    """Milliseconds from the last key to the last byte, and the bytes, at the link's pace."""
    bytes_per_s, start = LINK_MBIT * 1e6 / 8, time.perf_counter()
    allowance, got, pressed = 0.0, 0, 0
    before = last_byte = last_key = start
    while pressed < len(keys) or time.perf_counter() - max(last_byte, last_key) < 1.0:
        now = time.perf_counter()
        allowance, before = min(allowance + (now - before) * bytes_per_s, 16384), now
        if pressed < len(keys) and now >= start + pressed / LINK_HZ:
            terminal.write(keys[pressed])
            pressed, last_key = pressed + 1, now
        part = terminal.read(0.001, int(allowance)) if allowance > 2048 else b""
        if part:
            allowance, got, last_byte = allowance - len(part), got + len(part), time.perf_counter()
        elif allowance <= 2048:
            time.sleep(0.001)
    return (last_byte - last_key) * 1e3, got


def run() -> dict[str, Any]:
    """All kinds of terminals, one after the other."""
    results: dict[str, Any] = {
        "what": "an image in a running app on a pseudo-terminal: PSNR against the windowed original, cost of a pan",
        "cells": f"{COLUMNS}x{ROWS - 1} of {CELL_PX[0]}x{CELL_PX[1]} px", "image": "2048x2048, 16 bit",
        "load_average_before": round(os.getloadavg()[0], 2),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "radiograph.png"
        Image.fromarray(radiograph()).save(path, compress_level=1)
        command = child_command("radtui", path)
        wanted = original(pyramid.build(decode.decode(path.read_bytes())))
        results["blocks_psnr_db"] = {
            str(blocks): psnr(of_blocks(wanted, blocks), wanted) for blocks in (Blocks.HALF, Blocks.QUADRANT)
        }
        for kind in ANSWERS:
            sys.stderr.write(f"{kind}\n")
            found = measured(command, kind, wanted)
            if kind == "half blocks":
                del found["psnr_db"], found["exact"]  # of text, which `blocks_psnr_db` tells
            results[kind] = found | {f"behind {LINK_MBIT} Mbit/s": behind_link(command, kind)}
    results["load_average_after"] = round(os.getloadavg()[0], 2)
    return results


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "assets/benchmarks/terminal_pixels.json")
    out.write_text(json.dumps(run(), indent=2) + "\n", encoding="utf-8")
