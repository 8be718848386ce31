"""The still in pixels, in a real app on a pseudo-terminal that answers like kitty, like xterm, or not at all."""

import io
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from radtui.tui import still
from radtui.tui.still import no_pixels
from tests.bench.pseudo_terminal import Terminal
from tests.bench.terminal_image import COLUMNS, ROWS, child_command

KITTY = b"\x1b_Gi=31;OK\x1b\\\x1b[4;976;1600t\x1b[?62;c"
SIXEL = b"\x1b[4;976;1600t\x1b[?1;0;64S\x1b[?2;0;400;300S\x1b[?62;4;22c"
PLAIN = b"\x1b[?64;1;2c"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    image = tmp_path / "image.png"
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)).save(out, "PNG")
    image.write_bytes(out.getvalue())
    started = Terminal(child_command("radtui", image), COLUMNS, ROWS)
    with started:
        read_until(started, rb"zoom [0-9.]+ %")
        yield started


def read_until(terminal: Terminal, pattern: bytes, limit_s: float = 20.0) -> bytes:
    got, end = b"", time.monotonic() + limit_s
    while not re.search(pattern, got):
        assert time.monotonic() < end, f"{pattern!r} never came; last: {got[-300:]!r}"
        got += terminal.read(0.1)
    return got


@pytest.mark.parametrize(
    ("answer", "picture", "after"),
    [
        (KITTY, rb"\x1b_Ga=T,f=100.*not for clinical use", rb"\x1b_Ga=d.*zoom [0-9.]+ %"),
        (SIXEL, rb'\x1bP0;1;0q"1;1;400;300#.*not for clinical use', rb"zoom [0-9.]+ %"),
    ],
    ids=["kitty", "sixel"],
)
def test_a_terminal_with_pixels_shows_them_until_a_key(terminal, answer, picture, after):
    os.write(terminal.fd, b"Z")
    read_until(terminal, rb"\x1b_Gi=31.*\x1b\[c")
    os.write(terminal.fd, answer)
    read_until(terminal, b"(?s)" + picture)
    os.write(terminal.fd, b"x")
    read_until(terminal, b"(?s)" + after)


def test_a_terminal_without_pixels_says_so_and_stays_in_the_app(terminal):
    os.write(terminal.fd, b"Z")
    read_until(terminal, rb"\x1b_Gi=31.*\x1b\[c")
    os.write(terminal.fd, PLAIN)
    read_until(terminal, b"no pixel graphics")


def test_in_tmux_kitty_is_not_asked_for(monkeypatch):
    written = []
    monkeypatch.setattr(still, "_write", written.append)
    monkeypatch.setattr(still, "ANSWER_S", 0.01)
    read, write = os.pipe()
    try:
        monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
        still.ask(read)
        assert "\x1b_G" not in written[0] and written[0].endswith("\x1b[c")
        monkeypatch.delenv("TMUX")
        monkeypatch.delenv("STY", raising=False)
        still.ask(read)
        assert "\x1b_G" in written[1]
    finally:
        os.close(read)
        os.close(write)


def test_a_multiplexer_is_named_where_it_is_in_the_way():
    assert "outside tmux" in no_pixels({"TMUX": "/tmp/tmux-0/default,1,0"})
    assert "outside screen" in no_pixels({"STY": "1.tty"})
    assert no_pixels({}).startswith("This terminal")
