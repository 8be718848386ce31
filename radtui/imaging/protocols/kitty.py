"""kitty's graphics protocol: an image is sent once under a number, and shown by text cells that stand for it.

Each such cell is U+10EEEE with two combining characters, which say the row and the column of the image that it shows,
in a colour that is the image's number. To everything in between, Textual and tmux included, they are text.

Source: https://sw.kovidgoyal.net/kitty/graphics-protocol/
"""

from __future__ import annotations

import base64
import struct
import zlib
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from radtui.imaging.whole_png import png_chunk

PLACEHOLDER = "\U0010eeee"
CHUNK = 4096  # characters of data in one command
BEHIND = -(2**30) - 1  # the highest level that lies behind cells with a background of their own
# The combining characters that stand for 0, 1, 2 ... Source: the protocol's rowcolumn-diacritics.txt.
_RANGES = """
0305 030D-030E 0310 0312 033D-033F 0346 034A-034C 0350-0352 0357 035B 0363-036F 0483-0487 0592-0595 0597-0599
059C-05A1 05A8-05A9 05AB-05AC 05AF 05C4 0610-0617 0657-065B 065D-065E 06D6-06DC 06DF-06E2 06E4 06E7-06E8 06EB-06EC
0730 0732-0733 0735-0736 073A 073D 073F-0741 0743 0745 0747 0749-074A 07EB-07F1 07F3 0816-0819 081B-0823 0825-0827
0829-082D 0951 0953-0954 0F82-0F83 0F86-0F87 135D-135F 17DD 193A 1A17 1A75-1A7C 1B6B 1B6D-1B73 1CD0-1CD2 1CDA-1CDB
1CE0 1DC0-1DC1 1DC3-1DC9 1DCB-1DCC 1DD1-1DE6 1DFE 20D0-20D1 20D4-20D7 20DB-20DC 20E1 20E7 20E9 20F0 2CEF-2CF1
2DE0-2DFF A66F A67C-A67D A6F0-A6F1 A8E0-A8F1 AAB0 AAB2-AAB3 AAB7-AAB8 AABE-AABF AAC1 FE20-FE26 10A0F 10A38
1D185-1D189 1D1AA-1D1AD 1D242-1D244
"""


def _spelled_out(ranges: str) -> str:
    ends = [word.partition("-") for word in ranges.split()]
    codes = (range(int(first, 16), int(last or first, 16) + 1) for first, _, last in ends)
    return "".join(map(chr, chain.from_iterable(codes)))


DIACRITICS = _spelled_out(_RANGES)
MOST_CELLS = len(DIACRITICS)
"""Rows and columns that cells can name: an image is no larger."""


def transmit(px: NDArray[np.uint8], image_id: int) -> list[str]:
    """Send an image to the terminal, which keeps it and shows nothing yet.

    Args:
        px: (H, W) or (H, W, 3) uint8.
        image_id: Its number from now on, > 0.

    Returns:
        One command a chunk.
    """
    data = base64.standard_b64encode(png(px)).decode("ascii")
    chunks = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    commands = []
    for number, chunk in enumerate(chunks):
        keys = f"a=t,f=100,i={image_id},q=2," if number == 0 else "q=2,"
        commands.append(f"\x1b_G{keys}m={int(number < len(chunks) - 1)};{chunk}\x1b\\")
    return commands


def stand_in(image_id: int, columns: int, rows: int) -> str:
    """Let text cells show a sent image, spread over so many columns and rows."""
    return f"\x1b_Ga=p,U=1,i={image_id},c={columns},r={rows},q=2\x1b\\"


def place(image_id: int, columns: int, rows: int) -> str:
    """Show a sent image at the cursor, behind all cells that have a background of their own."""
    return f"\x1b_Ga=p,i={image_id},p=1,c={columns},r={rows},z={BEHIND},C=1,q=2\x1b\\"


def take_away(image_id: int) -> str:
    """Take an image off the screen, to be shown again later."""
    return f"\x1b_Ga=d,d=i,i={image_id},q=2\x1b\\"


def free(image_id: int) -> str:
    """Forget an image and take it off the screen."""
    return f"\x1b_Ga=d,d=I,i={image_id},q=2\x1b\\"


@lru_cache(maxsize=1024)
def cells(row: int, start: int, stop: int, high: int = 0) -> str:
    """The cells that show a part of one row of an image.

    Args:
        row: Of the image, in cells from 0.
        start: First column, from 0.
        stop: The column behind the last one.
        high: The uppermost 8 bits of the image's number.
    """
    lead, tail = PLACEHOLDER + DIACRITICS[row], DIACRITICS[high] if high else ""
    return "".join([f"{lead}{column}{tail}" for column in DIACRITICS[start:stop]])


def colour(image_id: int, true_colour: bool) -> tuple[str, int]:
    """The colour that names an image, and what remains for `high` of its cells.

    Args:
        image_id: Any number under 2**24 in 24-bit colour; else one whose middle 16 bits are 0.
        true_colour: Whether the terminal, and tmux before it, takes 24-bit colours.

    Returns:
        A sequence that sets the colour of letters, and the uppermost 8 bits.
    """
    if true_colour:
        return f"\x1b[38;2;{image_id >> 16 & 255};{image_id >> 8 & 255};{image_id & 255}m", image_id >> 24
    return f"\x1b[38;5;{image_id & 255}m", image_id >> 24


def png(px: NDArray[np.uint8]) -> bytes:
    """An image as PNG, four times as fast as by a general encoder and hardly larger.

    Differences to the pixel on the left are mostly noise in a radiograph, in which looking for repeats finds none:
    their frequencies are all that compresses, with runs for the black around it.

    Args:
        px: (H, W) or (H, W, 3) uint8.

    Source: PNG specification, third edition, sections 9 and 11.
    """
    height, width = px.shape[:2]
    rows = np.empty((height, 1 + px[0].size), dtype=np.uint8)
    rows[:, 0] = 1  # the filter "Sub"
    flat, channels = px.reshape(height, -1), 1 if px.ndim == 2 else px.shape[2]
    rows[:, 1 : 1 + channels] = flat[:, :channels]
    np.subtract(flat[:, channels:], flat[:, :-channels], out=rows[:, 1 + channels :])
    squeeze = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    body = squeeze.compress(rows.tobytes()) + squeeze.flush()
    kind = 0 if px.ndim == 2 else 2
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", body), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name, data) for name, data in parts)
