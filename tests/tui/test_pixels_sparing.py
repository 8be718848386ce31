"""What images in real pixels cost a terminal: what is sent while keys come fast, what lies over them, what is left."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.bench.pseudo_terminal import Terminal
from tests.bench.terminal_app import app_command
from tests.bench.terminal_image import child_command
from tests.tui import test_pixels
from tests.tui.pixel_terminal import PixelTerminal
from tests.tui.seeding import add_images
from tests.tui.test_pixels import CELL_PX, COLUMNS, ROWS, Watched, answer, running

RIGHT, LEFT, CTRL_Q = b"\x1b[C", b"\x1b[D", b"\x11"
WAYS = ["cells", "placed", "sixel"]
FINE_PX = (ROWS - 1) * CELL_PX[1], COLUMNS * CELL_PX[0]  # height and width of the whole view
HALF_PX = FINE_PX[0] // 2, FINE_PX[1] // 2
FEW = 6  # frames of twenty keys
SMALL_CELLS = (80, 24)

image = test_pixels.image


@pytest.mark.parametrize("way", WAYS)
def test_no_more_than_the_view_is_sent_and_little_of_it_while_a_key_repeats(image: Path, way: str) -> None:
    with running(child_command("radtui", image), way) as app:
        os.write(app.terminal.fd, b"++++")
        app.settle()
        app.screen.sent.clear()
        app.got = b""
        os.write(app.terminal.fd, RIGHT * 20)  # faster than any key repeats, however busy the machine is
        app.settle(1.0)
        sent, each = app.screen.sent, len(app.got) / max(1, len(app.screen.sent))
        # Keys that wait become one frame, the last of them fine.
        assert sent[-1] == FINE_PX and len(sent) <= FEW
        # Sixels enlarge by themselves.
        assert {*sent} <= ({FINE_PX} if way == "sixel" else {FINE_PX, HALF_PX})
        app.got = b""
        os.write(app.terminal.fd, LEFT)
        app.settle(1.0)
        assert app.screen.sent[len(sent) - 1 :][-1] == FINE_PX and each < len(app.got)  # one fine frame alone


@pytest.mark.parametrize("way", WAYS)
def test_nothing_stays_in_the_terminal_once_the_app_is_left(image: Path, way: str) -> None:
    with running(child_command("radtui", image), way) as app:
        os.write(app.terminal.fd, b"+")
        app.settle()
        assert bool(app.screen.images) == (way != "sixel")
        os.write(app.terminal.fd, CTRL_Q)
        app.read_until(lambda: b"\x1b[?1049l" in app.got)
        assert not app.screen.images and not app.screen.placed and not app.screen.virtual


@pytest.mark.parametrize("way", WAYS)
def test_a_sheet_over_the_film_hides_all_of_it_and_gives_it_back(data, db, way: str) -> None:
    add_images(data, db)
    with Terminal(app_command(data), *SMALL_CELLS, {"RADTUI_PIXELS": ""}) as terminal:
        app = Watched(terminal, PixelTerminal(*SMALL_CELLS, CELL_PX))

        def pixels() -> int:
            return int(np.count_nonzero(app.screen.picture(0, 0, *SMALL_CELLS) >= 0))

        app.read_until(lambda: b"\x1b[c" in app.got)
        os.write(terminal.fd, answer(way))
        app.read_until(pixels)
        app.settle()
        before, sent = pixels(), len(app.screen.sent)
        os.write(terminal.fd, b"?")
        app.read_until(lambda: "esc Close" in app.text())
        app.read_until(lambda: not pixels())
        os.write(terminal.fd, b"\x1b")
        app.read_until(lambda: pixels() == before)
        assert way != "placed" or len(app.screen.sent) == sent  # the terminal had it all the time
        os.write(terminal.fd, b"t")  # another place, whose own cells lie where the image was
        app.read_until(lambda: "New training job" in app.text() and not pixels())
        os.write(terminal.fd, b"d")
        app.read_until(lambda: pixels() == before)
