"""The image in real pixels over the whole screen, while the app is suspended; any key brings the app back."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import sys
import termios
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from radtui.imaging import still
from radtui.imaging.pyramid import Pyramid
from radtui.imaging.render import render_px
from radtui.imaging.view import View

ANSWER_S = 1.0  # what a terminal may take to answer; slow ssh links included
INSTEAD = "zoom in with + or to 1:1 with x instead."
NO_PIXELS = f"This terminal has no pixel graphics (kitty or sixel); {INSTEAD}"
NOT_THROUGH_TMUX = (
    "tmux does not pass pixel graphics on (from 3.4 on it can be built with sixel); run radtui outside tmux, or "
    + INSTEAD
)
NOT_THROUGH_SCREEN = f"GNU screen does not pass pixel graphics on; run radtui outside screen, or {INSTEAD}"
_ATTRIBUTES = re.compile(rb"\x1b\[\?([0-9;]*)c")
_TEXT_AREA = re.compile(rb"\x1b\[4;(\d+);(\d+)t")
_LARGEST = re.compile(rb"\x1b\[\?2;0;(\d+);(\d+)S")  # xterm drops sixels that are larger
_REGISTERS = re.compile(rb"\x1b\[\?1;0;(\d+)S")
_QUERIES = (
    "\x1b[14t\x1b[?1;1;0S\x1b[?2;4;0S\x1b[c"  # every terminal answers the last one, which ends the wait
)
_BLACK = "\x1b[0;37;40m"  # a bright surround hides faint densities
_FOOT = " not for clinical use · any key: back"


@dataclass(frozen=True, slots=True)
class Graphics:
    """What a terminal can draw, and how large a picture can be."""

    kitty: bool
    sixel: bool
    registers: int  # colours that sixels can use at a time
    width_px: int
    height_px: int
    rows: int


def show(pyramid: Pyramid, view: View) -> str:
    """Draw a view in pixels and wait for a key; call it while the app is suspended.

    Args:
        pyramid: The image.
        view: Where and how to look.

    Returns:
        "" when it was shown; else one sentence that says why not.
    """
    fd = sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
    with _raw(fd):
        graphics = ask(fd)
        if not (graphics.kitty or graphics.sixel):
            return no_pixels(os.environ)
        px = render_px(pyramid, view, graphics.width_px, graphics.height_px)
        picture = still.kitty(px) if graphics.kitty else still.sixel(px, graphics.registers)
        _write(f"{_BLACK}\x1b[2J\x1b[H{picture}\x1b[{graphics.rows};1H{_FOOT}")
        os.read(fd, 64)
        _write((still.KITTY_CLEAR if graphics.kitty else "") + "\x1b[0m\x1b[2J\x1b[H")
    return ""


def no_pixels(env: Mapping[str, str]) -> str:
    """Why there are none and what to do: it is the multiplexer's answer that counts where there is one."""
    if env.get("TMUX"):
        return NOT_THROUGH_TMUX
    return NOT_THROUGH_SCREEN if env.get("STY") else NO_PIXELS


def ask(fd: int) -> Graphics:
    """Ask the terminal on `fd`, which must be in raw mode."""
    # tmux and screen don't pass kitty's question on: they take it for a new title of their window.
    multiplexed = os.environ.get("TMUX") or os.environ.get("STY")
    _write(_QUERIES if multiplexed else still.KITTY_QUERY + _QUERIES)
    answer = b""
    while not _ATTRIBUTES.search(answer) and select.select([fd], [], [], ANSWER_S)[0]:
        answer += os.read(fd, 1024)
    return judge(answer, _window_size(fd))


def judge(answer: bytes, window: tuple[int, int, int, int]) -> Graphics:
    """Read a terminal's answers.

    Args:
        answer: What it sent back.
        window: Rows, columns, width and height in pixels from the kernel; pixels may be 0.
    """
    rows, columns, width_px, height_px = window
    attributes = _ATTRIBUTES.search(answer)
    largest = _LARGEST.search(answer)
    registers = _REGISTERS.search(answer)
    area = _TEXT_AREA.search(answer)
    if area:
        height_px, width_px = int(area[1]), int(area[2])
    kitty = b"\x1b_Gi=31;OK" in answer
    width_px, height_px = width_px or columns * 8, height_px or rows * 16
    row_px = height_px // max(rows, 1)
    height_px -= (
        2 * row_px
    )  # the last row holds a line of text, and the one before keeps a sixel from scrolling
    if largest and not kitty:
        width_px, height_px = min(width_px, int(largest[1])), min(height_px, int(largest[2]))
    return Graphics(
        kitty=kitty,
        sixel=attributes is not None and b"4" in attributes[1].split(b";"),
        registers=max(2, int(registers[1])) if registers else 256,
        width_px=width_px,
        height_px=max(1, height_px),
        rows=max(rows, 1),
    )


def _window_size(fd: int) -> tuple[int, int, int, int]:
    try:
        packed = fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return 24, 80, 0, 0
    rows, columns, width_px, height_px = struct.unpack("HHHH", packed)
    return rows or 24, columns or 80, width_px, height_px


@contextmanager
def _raw(fd: int) -> Iterator[None]:
    """Read single keys and unechoed answers, and leave the terminal as it was."""
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSAFLUSH, before)


def _write(text: str) -> None:
    out = sys.__stdout__
    if out is not None:
        out.write(text)
        out.flush()
