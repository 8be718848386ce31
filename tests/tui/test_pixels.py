"""Images in real pixels in a running app, on a pseudo-terminal that draws what it is told: see `pixel_terminal`."""

from __future__ import annotations

import fcntl
import io
import os
import re
import shutil
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from textual.geometry import Region

from radtui.imaging import decode, pyramid, view
from radtui.imaging.render import render_px
from radtui.imaging.view import View
from radtui.tui.pixels.parts import overlaps, tiles, without
from radtui.tui.pixels.support import NOT_THROUGH_TMUX, PixelSupport, chosen
from tests.bench.pseudo_terminal import Terminal
from tests.bench.terminal_image import child_command
from tests.tui.pixel_terminal import PLACEHOLDER, PixelTerminal

COLUMNS, ROWS, CELL_PX = 60, 21, (10, 20)  # twenty rows of image and one of caption
NAMES = {"cells": "kitty(0.36.2)", "placed": "kitty(0.26.5)", "sixel": "XTerm(379)", "blocks": "VTE(7600)"}


def answer(way: str) -> bytes:
    """What a terminal of some kind answers to all questions."""
    kitty = "\x1b_Gi=31;OK\x1b\\" if way in ("cells", "placed") else ""
    attributes = "\x1b[?62;4c" if way == "sixel" else "\x1b[?62c"
    cell = f"\x1b[6;{CELL_PX[1]};{CELL_PX[0]}t"
    return f"{kitty}\x1bP>|{NAMES[way]}\x1b\\{cell}\x1b[?1;0;256S{attributes}".encode()


class Watched:
    """An app on a pseudo-terminal whose output is drawn."""

    def __init__(self, terminal: Terminal, screen: PixelTerminal) -> None:
        self.terminal, self.screen, self.got = terminal, screen, b""

    def read_until(self, condition: Callable[[], object], limit_s: float = 20.0) -> None:
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, (
                f"it never came; unread: {self.screen._rest[:80]!r}; last: {self.got[-200:]!r}"
            )
            part = self.terminal.read(0.1)
            self.got += part
            self.screen.feed(part)

    def settle(self, quiet_s: float = 0.5) -> None:
        part = self.terminal.settle(quiet_s=quiet_s)
        self.got += part
        self.screen.feed(part)

    def text(self) -> str:
        return "\n".join("".join(cell.text[0] for cell in row) for row in self.screen.cells)

    def picture(self) -> np.ndarray:
        return self.screen.picture(0, 0, COLUMNS, ROWS - 1)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    y, x = np.mgrid[0:300, 0:420].astype(np.float32)
    values = 90 + 60 * np.sin(x / 23) + 40 * np.cos(y / 17) + np.random.default_rng(0).normal(0, 9, x.shape)
    out = io.BytesIO()
    Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(out, "PNG")
    path = tmp_path / "image.png"
    path.write_bytes(out.getvalue())
    return path


@contextmanager
def running(command: list[str], way: str, env: dict[str, str] | None = None) -> Iterator[Watched]:
    with Terminal(command, COLUMNS, ROWS, {"RADTUI_PIXELS": "", **(env or {})}) as terminal:
        watched = Watched(terminal, PixelTerminal(COLUMNS, ROWS, CELL_PX))
        watched.read_until(lambda: b"\x1b[c" in watched.got)
        os.write(terminal.fd, answer(way))
        watched.read_until(lambda: re.search(r"zoom [0-9.]+ %", watched.text()))
        watched.settle()
        yield watched


def expected(image: Path, look: View = View()) -> np.ndarray:  # noqa: B008
    """The pixels of the view as they are windowed, before any terminal."""
    stack = pyramid.build(decode.decode(image.read_bytes()))
    width, height = COLUMNS * CELL_PX[0], (ROWS - 1) * CELL_PX[1]
    settled = view.settled(stack, look, view.Viewport(width, height))
    return render_px(stack, settled, width, height)


def psnr(picture: np.ndarray, wanted: np.ndarray) -> float:
    """In dB; infinite for equal ones. What was not drawn counts as black."""
    error = np.mean((np.maximum(picture, 0).astype(np.float64) - wanted) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize("way", ["cells", "placed"])
def test_kitty_shows_exactly_the_windowed_pixels(image, way):
    with running(child_command("radtui", image), way) as app:
        assert psnr(app.picture(), expected(image)) == float("inf")
        assert (PLACEHOLDER in app.text()) == (way == "cells")
        assert len(app.screen.images) == 1


def test_sixels_show_them_within_a_step_of_grey(image):
    with running(child_command("radtui", image), "sixel") as app:
        assert psnr(app.picture(), expected(image)) > 45
        assert not app.screen.images and PLACEHOLDER not in app.text()


def test_a_terminal_without_pixels_gets_half_blocks(image):
    with running(child_command("radtui", image), "blocks") as app:
        assert "▀" in app.text() and b"\x1b_Ga=t" not in app.got and b"\x1bP0;1" not in app.got


@pytest.mark.parametrize("way", ["cells", "placed", "sixel"])
def test_keys_zoom_move_and_window_as_in_half_blocks_and_old_images_go(image, way):
    with running(child_command("radtui", image), way) as app:
        for key in ("+", "+", "\x1b[C", "]", "i"):
            os.write(app.terminal.fd, key.encode())
            app.settle()
        stack = pyramid.build(decode.decode(image.read_bytes()))
        port = view.Viewport(COLUMNS * CELL_PX[0], (ROWS - 1) * CELL_PX[1])
        look = view.settled(stack, View(), port)
        for _ in range(2):
            look = view.settled(stack, view.zoomed(look, view.ZOOM_STEP), port)
        look = view.panned(stack, look, port, view.PAN_STEP, 0)
        look = view.levelled(stack, look, -1)
        wanted = expected(image, View(look.centre, look.zoom, look.window, invert=True))
        assert psnr(app.picture(), wanted) > (45 if way == "sixel" else 90)
        assert len(app.screen.images) == (0 if way == "sixel" else 1)
        assert app.screen.most_images <= 2


@pytest.mark.parametrize("way", ["cells", "placed", "sixel"])
def test_a_held_key_ends_in_the_fine_image(image, way):
    with running(child_command("radtui", image), way) as app:
        os.write(app.terminal.fd, b"+" * 3)
        app.settle()
        app.got = b""
        for _ in range(12):
            os.write(app.terminal.fd, b"\x1b[C")
            time.sleep(0.03)
        app.settle(1.0)
        held = app.picture()
        os.write(app.terminal.fd, b"h")
        app.settle()
        os.write(app.terminal.fd, b"h")
        app.settle()
        assert psnr(app.picture(), held.clip(0)) > 45
        assert len(app.screen.images) <= 1


@pytest.mark.parametrize("way", ["cells", "placed", "sixel"])
def test_a_message_over_the_image_is_not_drawn_over_and_leaves_no_hole(image, way):
    with running(child_command("radtui", image), way) as app:
        os.write(app.terminal.fd, b"Z")  # to half blocks, which a message says
        app.read_until(lambda: "half blocks" in app.text())
        os.write(app.terminal.fd, b"Z")  # and back, with that message still there
        app.read_until(lambda: "real pixels" in app.text())
        app.settle(0.2)  # the message is there for five seconds, and what is drawn beside it comes at once
        row = next(y for y, line in enumerate(app.text().splitlines()) if "real pixels" in line)
        column = app.text().splitlines()[row].index("real pixels")
        message = app.screen.picture(column, row, 11, 1)
        assert (message == -1).all()  # letters, and no pixel of the image among them
        app.read_until(lambda: "real pixels" not in app.text() and "half blocks" not in app.text())
        app.settle(1.0)
        assert psnr(app.picture(), expected(image)) > (45 if way == "sixel" else 90)


def test_the_environment_and_the_key_choose():
    assert chosen({"RADTUI_PIXELS": "Sixel"}) == "sixel" and chosen({"RADTUI_PIXELS": "x"}) == "auto"
    support = PixelSupport()
    assert support.switch({"TMUX": "x"}) == NOT_THROUGH_TMUX and "outside screen" in support.switch(
        {"STY": "1"}
    )
    assert "no pixel graphics" in support.switch({})


def test_what_is_asked_for_is_what_is_drawn(image):
    with running(child_command("radtui", image), "cells", {"RADTUI_PIXELS": "blocks"}) as app:
        assert "▀" in app.text() and not app.screen.images
        os.write(app.terminal.fd, b"Z")
        app.read_until(lambda: PLACEHOLDER in app.text())


def test_parts_that_nothing_lies_over():
    whole, cover = Region(0, 0, 10, 6), Region(4, 2, 3, 2)
    parts = without(whole, cover)
    assert sum(part.area for part in parts) == 60 - 6
    assert not any(part.overlaps(cover) for part in parts)
    assert without(whole, Region(20, 0, 5, 5)) == [whole] and without(whole, whole) == []
    assert overlaps([whole], [Region(8, 4, 9, 9)]) == [Region(8, 4, 2, 2)]
    cut = tiles(Region(3, 1, 10, 6), 4, 5)
    assert sum(part.area for part in cut) == 60 and max(part.width for part in cut) == 4


def test_image_numbers_name_colours_that_reach_the_terminal():
    support = PixelSupport()
    numbers = [support.image_id(True) for _ in range(3)]
    assert len(set(numbers)) == 3 and all(0 < number < 2**24 for number in numbers)
    assert all(support.image_id(False) & 0xFFFF00 == 0 and support.image_id(False) >> 24 for _ in range(600))


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
@pytest.mark.parametrize("passthrough", ["on", "off"])
def test_through_tmux_where_it_lets_commands_through(image, tmp_path, passthrough):
    config, server = tmp_path / "tmux.conf", f"radtui-pixels-{os.getpid()}-{passthrough}"
    config.write_text(
        f"set -g status off\nset -g allow-passthrough {passthrough}\nset -g default-terminal tmux-256color\n"
        "set -sg escape-time 0\nset -as terminal-features ',*:RGB'\n"
    )
    inner = " ".join(child_command("radtui", image))
    command = ["tmux", "-L", server, "-f", str(config), "new-session", inner]
    terminal = Terminal(command, COLUMNS, ROWS, {"RADTUI_PIXELS": ""})
    fcntl.ioctl(
        terminal.fd, termios.TIOCSWINSZ,
        struct.pack("HHHH", ROWS, COLUMNS, COLUMNS * CELL_PX[0], ROWS * CELL_PX[1]),
    )  # fmt: skip
    app = Watched(terminal, PixelTerminal(COLUMNS, ROWS, CELL_PX))
    try:
        with terminal:
            app.read_until(lambda: re.search(r"zoom [0-9.]+ %", app.text()))
            if passthrough == "off":
                app.settle(1.5)
                assert b"\x1b_G" not in app.got and "▀" in app.text()
                return
            app.read_until(lambda: b"\x1b_Gi=31" in app.got)
            os.write(terminal.fd, b"\x1b_Gi=31;OK\x1b\\")
            app.read_until(lambda: PLACEHOLDER in app.text())
            # What tmux dropped while it drew its window is sent again. It names no size of a cell to all programs.
            app.read_until(lambda: psnr(app.picture(), expected(image)) > 40)
    finally:
        subprocess.run(["tmux", "-L", server, "kill-server"], check=False, capture_output=True)
