"""How long a key takes to become an image on a terminal: radtui's viewer and rich-pixels, side by side on a pty.

    python -m tests.bench.terminal_image results.json [--keys 15] [--tmux] [--link]

A child process runs a Textual app with one image of 2048 x 2048 values of 16 bits at 200 x 60 cells. This process
is its terminal: it writes a key and notes when the last byte of the answer arrives. Both apps are fed by the same
pyramid, so that only putting pixels on the screen differs.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import numpy as np

COLUMNS, ROWS = 200, 61  # 60 rows of image and one of caption
SIDE_PX = 2048
QUIET_S = 0.2  # an answer has ended when nothing came for so long
KEYS = {"pan": ("\x1b[C", "\x1b[D"), "zoom": ("+", "-"), "window": ("]", "[")}
LINK_MBIT, LINK_KEYS, LINK_HZ = 10, 30, 30
SYNC_QUERY, SYNC_ANSWER, FRAME_END = b"\x1b[?2026$p", b"\x1b[?2026;2$y", b"\x1b[?2026l"


def radiograph() -> np.ndarray:
    """Twelve bits of smooth anatomy with quantum noise, (2048, 2048) uint16; noise is what costs bytes."""
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(np.float32) / SIDE_PX
    values = 2600 - 2800 * ((x - 0.5) ** 2 + (y - 0.55) ** 2)
    for centre in (0.3, 0.7):
        values -= 1300 * np.exp(-(((x - centre) / 0.14) ** 4 + ((y - 0.5) / 0.3) ** 4))
    values += 260 * np.sin(70 * y + 6 * (x - 0.5) ** 2) * (np.abs(x - 0.5) > 0.05)
    values += np.random.default_rng(0).normal(0, 35, values.shape)
    return np.clip(values, 0, 4095).astype(np.uint16)


class Terminal:
    """A pseudo-terminal of 200 x 61 cells with a program in it."""

    def __init__(self, command: list[str]) -> None:
        env = {
            k: v for k, v in os.environ.items() if k not in ("TMUX", "STY", "COLUMNS", "LINES", "NO_COLOR")
        }
        env |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.execvpe(command[0], command, env)

    def read(self, wait_s: float, limit: int = 1 << 18) -> bytes:
        """Read what is there within `wait_s`, and answer what a terminal answers; b"" when nothing is."""
        if not select.select([self.fd], [], [], wait_s)[0]:
            return b""
        try:
            got = os.read(self.fd, limit)
        except OSError:  # the program has ended
            return b""
        if SYNC_QUERY in got:
            os.write(self.fd, SYNC_ANSWER)
        return got

    def settle(self, quiet_s: float = 1.0, limit_s: float = 30.0) -> bytes:
        """Read until nothing has come for a while."""
        got, start = b"", time.perf_counter()
        last = start
        while time.perf_counter() - last < quiet_s and time.perf_counter() - start < limit_s:
            part = self.read(0.05)
            if part:
                got, last = got + part, time.perf_counter()
        return got

    def press(self, key: str) -> tuple[float, bytes]:
        """Write a key; return milliseconds until the last byte of the answer, and the answer."""
        start = last = time.perf_counter()
        os.write(self.fd, key.encode())
        got = b""
        while time.perf_counter() - last < (QUIET_S if got else 3.0):
            part = self.read(0.01)
            if part:
                got, last = got + part, time.perf_counter()
        return (last - start) * 1e3, got

    def close(self) -> None:
        """End the program and wait for it."""
        try:
            os.kill(self.pid, signal.SIGTERM)
            time.sleep(0.2)
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def child_command(widget: str, image: Path) -> list[str]:
    """The command that runs one of the two apps."""
    return [sys.executable, "-m", "tests.bench.terminal_image", str(image), "--child", widget]


def measure(command: list[str], keys: int) -> dict[str, dict[str, float]]:
    """Press each kind of key a number of times, there and back, after zooming in."""
    terminal = Terminal(command)
    terminal.settle()
    for _ in range(4):
        terminal.press("+")
    results = {}
    for kind, pair in KEYS.items():
        answers = [terminal.press(pair[n % 2]) for n in range(keys)]
        times = [ms for ms, _ in answers]
        results[kind] = {
            "median_ms": round(statistics.median(times), 2),
            "max_ms": round(max(times), 2),
            "kib": round(statistics.median(len(got) for _, got in answers) / 1024, 1),
            "kib_compressed": round(
                statistics.median(len(zlib.compress(got)) for _, got in answers) / 1024, 1
            ),
        }
    terminal.close()
    return results


def behind_slow_link(command: list[str]) -> dict[str, float]:
    """Hold a pan key for a second behind 10 Mbit/s; return how long frames go on after the last key."""
    terminal = Terminal(command)
    terminal.settle()
    for _ in range(4):
        terminal.press("+")
    bytes_per_s, start = LINK_MBIT * 1e6 / 8, time.perf_counter()
    got = pressed = frames = 0
    last_byte = last_key = start
    while pressed < LINK_KEYS or time.perf_counter() - max(last_byte, last_key) < 1.0:
        now = time.perf_counter()
        if pressed < LINK_KEYS and now >= start + pressed / LINK_HZ:
            os.write(terminal.fd, KEYS["pan"][0 if pressed < LINK_KEYS / 2 else 1].encode())
            pressed, last_key = pressed + 1, now
        allowed = int((now - start) * bytes_per_s) - got
        if allowed > 2048:
            part = terminal.read(0.002, min(allowed, 16384))
            got, frames = got + len(part), frames + part.count(FRAME_END)
            last_byte = time.perf_counter() if part else last_byte
            if not part:  # an idle link saves nothing up
                start_of_idle = time.perf_counter()
                got = max(got, int((start_of_idle - start) * bytes_per_s))
        else:
            time.sleep(0.001)
    terminal.close()
    return {"behind_ms": round((last_byte - last_key) * 1e3), "frames": frames}


def in_tmux(command: list[str], folder: Path) -> list[str]:
    """Wrap a command in a tmux of its own that passes 24-bit colour on."""
    config = folder / "tmux.conf"
    config.write_text(
        "set -g status off\nset -as terminal-features ',*:RGB'\nset -g default-terminal tmux-256color\n"
        "set -sg escape-time 0\n"
    )
    return ["tmux", "-L", f"radtui-bench-{os.getpid()}", "-f", str(config), "new-session", " ".join(command)]


def run_child(widget: str, image: Path) -> None:
    """Be the app under test."""
    from textual.app import App, ComposeResult

    from radtui.tui.widgets.image_view import ImageView

    class Ours(App[None]):
        ENABLE_COMMAND_PALETTE = False

        def compose(self) -> ComposeResult:
            yield ImageView()

        def on_mount(self) -> None:
            self.query_one(ImageView).focus()
            self.query_one(ImageView).show("image", image.read_bytes)

    (Ours if widget == "radtui" else rich_pixels_app(image))().run()


def rich_pixels_app(image: Path) -> type:
    """The same view, drawn by rich-pixels in a Static: handed an image already resized and windowed."""
    from PIL import Image
    from rich_pixels import Pixels
    from textual.app import App, ComposeResult
    from textual.binding import Binding
    from textual.widgets import Static

    from radtui.imaging import decode, pyramid, view
    from radtui.imaging.render import render_px

    class Theirs(App[None]):
        ENABLE_COMMAND_PALETTE = False
        BINDINGS: ClassVar[list[Binding]] = [
            Binding("right", "pan(0.1)"), Binding("left", "pan(-0.1)"), Binding("plus", "zoom(1.25)"),
            Binding("minus", "zoom(0.8)"), Binding("right_square_bracket", "level(-1)"),
            Binding("left_square_bracket", "level(1)"),
        ]  # fmt: skip
        stack = pyramid.build(decode.decode(image.read_bytes()))
        look = view.View()
        port = view.Viewport(COLUMNS, 2 * (ROWS - 1))

        def compose(self) -> ComposeResult:
            yield Static()

        def on_mount(self) -> None:
            self.redraw(self.look)

        def redraw(self, look: view.View) -> None:
            self.look = view.settled(self.stack, look, self.port)
            px = render_px(self.stack, self.look, self.port.width_px, self.port.height_px)
            self.query_one(Static).update(Pixels.from_image(Image.fromarray(px).convert("RGB")))

        def action_pan(self, share: float) -> None:
            self.redraw(view.panned(self.stack, self.look, self.port, share, 0))

        def action_zoom(self, factor: float) -> None:
            self.redraw(view.zoomed(self.look, factor))

        def action_level(self, steps: float) -> None:
            self.redraw(view.levelled(self.stack, self.look, steps))

    return Theirs


def bench(keys: int, tmux: bool, link: bool) -> dict[str, object]:
    """Run everything asked for."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image = folder / "radiograph.png"
        Image.fromarray(radiograph()).save(image, compress_level=1)
        commands = {widget: child_command(widget, image) for widget in ("radtui", "rich-pixels")}
        results: dict[str, object] = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
            "versions": {"python": platform.python_version()}
            | {name: version(name) for name in ("textual", "pillow", "numpy", "rich-pixels")},
            "cells": f"{COLUMNS}x{ROWS - 1}",
            "image": f"{SIDE_PX}x{SIDE_PX}, 16 bit",
            "pty": {widget: measure(command, keys) for widget, command in commands.items()},
        }
        if tmux and shutil.which("tmux"):
            results["tmux"] = {w: measure(in_tmux(command, folder), keys) for w, command in commands.items()}
            subprocess.run(["tmux", "-L", f"radtui-bench-{os.getpid()}", "kill-server"], check=False)
        if link:
            results[f"held key behind {LINK_MBIT} Mbit/s"] = {
                w: behind_slow_link(c) for w, c in commands.items()
            }
    return results


def main() -> None:
    """Read the command line; be the child, or bench and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--keys", type=int, default=15)
    parser.add_argument("--tmux", action="store_true")
    parser.add_argument("--link", action="store_true")
    parser.add_argument("--child")
    options = parser.parse_args()
    if options.child:
        run_child(options.child, options.path)
        return
    results = bench(options.keys, options.tmux, options.link)
    options.path.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
