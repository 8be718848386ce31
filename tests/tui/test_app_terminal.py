"""The app as a process on a pseudo-terminal: what it writes, which tests without a terminal cannot see."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from PIL import Image

from tests.bench.pseudo_terminal import Terminal
from tests.conftest import drawn_png

APP = [sys.executable, "-m", "radtui.cli"]


def test_an_idle_app_writes_nothing(data, db, add_images):
    add_images(3)
    with Terminal([*APP, "--data-dir", str(data.root)], 100, 30) as terminal:
        assert b"radtui" in terminal.settle(quiet_s=2.5, first_s=25)
        start, got = time.monotonic(), b""
        while time.monotonic() - start < 2.5:  # more than two of the poller's looks
            got += terminal.read(0.1)
        assert got == b""


@pytest.mark.parametrize(("more", "true_colour"), [({}, True), ({"STY": "1.tty", "TERM": "screen"}, False)])
def test_gnu_screen_gets_256_colours(data, db, add_images, more, true_colour):
    add_images(3)
    with Terminal([*APP, "--data-dir", str(data.root)], 100, 30, more) as terminal:
        got = terminal.settle(quiet_s=2.5, first_s=25)
        assert "▀".encode() in got  # the image is there
        assert (b"8;2;" in got) is true_colour
        assert (b"8;5;" in got) is not true_colour


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, b"8;2;"),
        ({"COLORTERM": ""}, b"8;5;"),
        ({"STY": "1.tty"}, b"8;5;"),
        ({"TERM": "vt100"}, b"letters:"),
        ({"NO_COLOR": "1"}, b"not for clinical use"),
    ],
)
def test_show_draws_in_the_terminal_s_colours(tmp_path, more, wanted):
    (tmp_path / "image.png").write_bytes(drawn_png(1))
    with Terminal([*APP, "show", str(tmp_path / "image.png")], 40, 12, more) as terminal:
        got = terminal.settle(quiet_s=1.5, first_s=25)
        assert wanted in got and b"not for clinical use" in got
        seen = {code for code in (b"8;2;", b"8;5;", b"letters:") if code in got}
        assert seen <= {wanted}
        if wanted.startswith(b"8;"):
            # All rows but those for text.
            assert sum(b"\x1b[38;" in line for line in got.split(b"\r\n")) == 10


def test_show_into_a_file_draws_letters(tmp_path):
    Image.linear_gradient("L").save(tmp_path / "image.png")
    done = subprocess.run(
        [*APP, "show", str(tmp_path / "image.png"), "--width", "20"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "\x1b" not in done.stdout
    assert done.stdout.splitlines()[0].strip() == "" and "@" in done.stdout
