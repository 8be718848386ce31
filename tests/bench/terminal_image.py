"""An image on a pty: radtui's viewer beside rich-pixels, textual-image, chafa and timg.

A child process shows one image of 2048 x 2048 values of 16 bits at 200 x 60 cells in a Textual app; this process is its
terminal, writes keys and waits for the last byte of each answer. All widgets are fed by the same pyramid with
pictures already windowed and resized, so that only putting pixels on the screen differs.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tests.bench.pseudo_terminal import FRAME_END, Answer, Terminal

COLUMNS, ROWS = 200, 61  # 60 rows of image and one of caption
SIDE_PX = 2048
ZOOM_KEYS = 4  # pressed before measuring, so that there is something to pan to
KEYS = {"pan": ("\x1b[C", "\x1b[D"), "zoom": ("+", "-"), "window": ("]", "[")}
LINK_MBIT, LINK_KEYS, LINK_HZ = 10, 30, 30
WIDGETS = {
    "radtui": "textual",
    "rich-pixels": "rich_pixels",
    "textual-image": "textual_image",
    "chafa.py": "chafa",
}
COMMANDS = {
    "chafa": ["chafa", "-f", "symbols", "-c", "full", "--symbols", "vhalf", "-s", f"{COLUMNS}x{ROWS - 1}"],
    "timg": ["timg", "-p", "half", f"-g{COLUMNS}x{ROWS - 1}"],
}


def radiograph() -> np.ndarray:
    """Twelve bits of smooth anatomy with quantum noise, (2048, 2048) uint16; noise is what costs bytes."""
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(np.float32) / SIDE_PX
    values = 2600 - 2800 * ((x - 0.5) ** 2 + (y - 0.55) ** 2)
    for centre in (0.3, 0.7):
        values -= 1300 * np.exp(-(((x - centre) / 0.14) ** 4 + ((y - 0.5) / 0.3) ** 4))
    values += 260 * np.sin(70 * y + 6 * (x - 0.5) ** 2) * (np.abs(x - 0.5) > 0.05)
    values += np.random.default_rng(0).normal(0, 35, values.shape)
    return np.clip(values, 0, 4095).astype(np.uint16)


def child_command(widget: str, image: Path) -> list[str]:
    """The command that runs one of the apps."""
    return [sys.executable, "-m", "tests.bench.terminal_image", widget, str(image)]


def opened(command: list[str]) -> Terminal:
    """An app with its image zoomed in."""
    terminal = Terminal(command, COLUMNS, ROWS)
    terminal.settle()
    for _ in range(ZOOM_KEYS):
        terminal.press("+")
    return terminal


def measure(command: list[str], keys: int) -> dict[str, dict[str, float]]:
    """Press each kind of key a number of times, there and back.

    The kinds take turns: what else the machine does in these seconds meets all of them alike.
    """
    answers: dict[str, list[Answer]] = {kind: [] for kind in KEYS}
    with opened(command) as terminal:
        for n in range(keys):
            for kind, pair in KEYS.items():
                answers[kind].append(terminal.press(pair[n % 2]))
    return {kind: _summed(found) for kind, found in answers.items()}


def _summed(answers: list[Answer]) -> dict[str, float]:
    times = [answer.ms for answer in answers]
    return {
        "median_ms": round(statistics.median(times), 2),
        "max_ms": round(max(times), 2),
        "kib": round(statistics.median(len(answer.text) for answer in answers) / 1024, 1),
        "kib_compressed": round(
            statistics.median(len(zlib.compress(answer.text)) for answer in answers) / 1024, 1
        ),
    }


def behind_slow_link(command: list[str]) -> dict[str, float]:
    """Hold a pan key for a second behind 10 Mbit/s; how long frames go on after the last key."""
    with opened(command) as terminal:
        bytes_per_s, start = LINK_MBIT * 1e6 / 8, time.perf_counter()
        got = pressed = frames = 0
        last_byte = last_key = start
        while pressed < LINK_KEYS or time.perf_counter() - max(last_byte, last_key) < 1.0:
            now = time.perf_counter()
            if pressed < LINK_KEYS and now >= start + pressed / LINK_HZ:
                terminal.write(KEYS["pan"][0 if pressed < LINK_KEYS / 2 else 1])
                pressed, last_key = pressed + 1, now
            allowed = int((now - start) * bytes_per_s) - got
            if allowed <= 2048:
                time.sleep(0.001)
                continue
            part = terminal.read(0.002, min(allowed, 16384))
            got, frames = got + len(part), frames + part.count(FRAME_END)
            if part:
                last_byte = time.perf_counter()
            else:  # an idle link saves nothing up
                got = max(got, int((time.perf_counter() - start) * bytes_per_s))
    return {"behind_ms": round((last_byte - last_key) * 1e3), "frames": frames}


def in_tmux(command: list[str], folder: Path, server: str) -> list[str]:
    """Wrap a command in a tmux of its own that passes 24-bit colour on."""
    config = folder / "tmux.conf"
    config.write_text(
        "set -g status off\nset -as terminal-features ',*:RGB'\nset -g default-terminal tmux-256color\n"
        "set -sg escape-time 0\n"
    )
    return ["tmux", "-L", server, "-f", str(config), "new-session", " ".join(command)]


def command_case(name: str, small: Path, keys: int) -> dict[str, Any]:
    """One process a frame, as these programs are used: the picture is as small as it is drawn already."""
    if not shutil.which(name):
        return {"skipped": f"{name} is not installed"}
    times, size = [], 0
    for _ in range(keys):
        start = time.perf_counter()
        size = len(subprocess.run([*COMMANDS[name], str(small)], capture_output=True, check=True).stdout)
        times.append((time.perf_counter() - start) * 1e3)
    return {"frame": {"median_ms": round(statistics.median(times), 2), "kib": round(size / 1024, 1)}}


def run(folder: Path, keys: int) -> dict[str, Any]:
    """All image cases, with a reason for each peer that cannot take part.

    Args:
        folder: Where files may be written.
        keys: Presses of each kind.
    """
    from PIL import Image

    from radtui.imaging.thumbnail import thumbnail

    image, small = folder / "radiograph.png", folder / "small.png"
    Image.fromarray(radiograph()).save(image, compress_level=1)
    thumbnail(image.read_bytes(), COLUMNS, 2 * (ROWS - 1)).save(small)
    commands = {name: child_command(name, image) for name in WIDGETS}
    there = [name for name, module in WIDGETS.items() if importlib.util.find_spec(module)]
    results: dict[str, Any] = {"cells": f"{COLUMNS}x{ROWS - 1}", "image": f"{SIDE_PX}x{SIDE_PX}, 16 bit"}
    results["pty"] = {
        name: measure(commands[name], keys) if name in there else {"skipped": f"{name} is not installed"}
        for name in WIDGETS
    } | {name: command_case(name, small, keys) for name in COMMANDS}
    rivals = ["radtui", *(name for name in ("rich-pixels",) if name in there)]
    if shutil.which("tmux"):
        server = f"radtui-bench-{os.getpid()}"
        results["tmux"] = {
            name: measure(in_tmux(commands[name], folder, f"{server}-{name}"), keys) for name in rivals
        }
        for name in rivals:
            subprocess.run(
                ["tmux", "-L", f"{server}-{name}", "kill-server"], check=False, capture_output=True
            )
    else:
        results["tmux"] = {"skipped": "tmux is not installed"}
    results[f"held key behind {LINK_MBIT} Mbit/s"] = {
        name: behind_slow_link(commands[name]) for name in rivals
    }
    return results


def run_child(widget: str, image: Path) -> None:
    """Be the app under test."""
    from textual.app import ComposeResult

    from radtui.tui.pixels.app import PixelApp
    from radtui.tui.widgets.image_view import ImageView

    class Ours(PixelApp):
        ENABLE_COMMAND_PALETTE = False

        def compose(self) -> ComposeResult:
            yield ImageView()

        def on_mount(self) -> None:
            self.query_one(ImageView).focus()
            self.query_one(ImageView).show("image", image.read_bytes)

    (Ours if widget == "radtui" else peer_app(image, *PEERS[widget]()))().run()


def _rich_pixels() -> tuple[Callable[[], Any], Callable[[Any, Any], None]]:
    from rich_pixels import Pixels
    from textual.widgets import Static

    return Static, lambda widget, picture: widget.update(Pixels.from_image(picture))


def _textual_image() -> tuple[Callable[[], Any], Callable[[Any, Any], None]]:
    from textual_image.widget import HalfcellImage

    def make() -> Any:
        widget = HalfcellImage()
        widget.styles.width, widget.styles.height = COLUMNS, ROWS - 1
        return widget

    return make, lambda widget, picture: setattr(widget, "image", picture)


def _chafa_py() -> tuple[Callable[[], Any], Callable[[Any, Any], None]]:
    import chafa
    from rich.text import Text
    from textual.widgets import Static

    @cache
    def canvas() -> Any:
        config = chafa.CanvasConfig()
        config.width, config.height = COLUMNS, ROWS - 1
        config.cell_width, config.cell_height = 10, 20
        config.canvas_mode = chafa.CanvasMode.CHAFA_CANVAS_MODE_TRUECOLOR
        symbols = chafa.SymbolMap()
        symbols.add_by_tags(chafa.SymbolTags.CHAFA_SYMBOL_TAG_BLOCK)
        config.set_symbol_map(symbols)
        return chafa.Canvas(config)

    def show(widget: Any, picture: Any) -> None:
        px = picture.tobytes()
        stride = picture.width * 3
        canvas().draw_all_pixels(chafa.PixelType.CHAFA_PIXEL_RGB8, px, picture.width, picture.height, stride)
        widget.update(Text.from_ansi(canvas().print().decode()))

    return Static, show


PEERS: dict[str, Callable[[], tuple[Callable[[], Any], Callable[[Any, Any], None]]]] = {
    "rich-pixels": _rich_pixels, "textual-image": _textual_image, "chafa.py": _chafa_py,
}  # fmt: skip


def peer_app(image: Path, make: Callable[[], Any], show: Callable[[Any, Any], None]) -> type:
    """The same view and keys, drawn by another package's widget."""
    from PIL import Image
    from textual.app import App, ComposeResult
    from textual.binding import Binding

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
            self.shown = make()
            yield self.shown

        def on_mount(self) -> None:
            self.redraw(self.look)

        def redraw(self, look: view.View) -> None:
            self.look = view.settled(self.stack, look, self.port)
            px = render_px(self.stack, self.look, self.port.width_px, self.port.height_px)
            show(self.shown, Image.fromarray(px).convert("RGB"))

        def action_pan(self, share: float) -> None:
            self.redraw(view.panned(self.stack, self.look, self.port, share, 0))

        def action_zoom(self, factor: float) -> None:
            self.redraw(view.zoomed(self.look, factor))

        def action_level(self, steps: float) -> None:
            self.redraw(view.levelled(self.stack, self.look, steps))

    return Theirs


if __name__ == "__main__":
    run_child(sys.argv[1], Path(sys.argv[2]))
