"""Images in real pixels for terminals that have them: kitty's graphics protocol and sixel.

Half blocks average some hundred image pixels into one, which hides a hair-thin pneumothorax line.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_CHUNK = (
    4096  # characters in one kitty command. Source: kitty graphics protocol, "The graphics protocol chunks"
)
SIXEL_GREYS = 101  # sixel colours are percentages. Source: DEC VT330/VT340 reference, DECGCI
_BAND = 6  # pixel rows in one row of sixels

KITTY_QUERY = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
KITTY_CLEAR = "\x1b_Ga=d\x1b\\"


def kitty(px: NDArray[np.uint8]) -> str:
    """Write an image for kitty's graphics protocol, drawn at the cursor.

    Args:
        px: (H, W) or (H, W, 3) uint8.

    Returns:
        A PNG in chunks of escape sequences.

    Source: https://sw.kovidgoyal.net/kitty/graphics-protocol/
    """
    out = io.BytesIO()
    Image.fromarray(px).save(out, "PNG", compress_level=1)
    data = base64.standard_b64encode(out.getvalue()).decode("ascii")
    chunks = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
    commands = []
    for number, chunk in enumerate(chunks):
        keys = "a=T,f=100,q=2," if number == 0 else ""
        commands.append(f"\x1b_G{keys}m={int(number < len(chunks) - 1)};{chunk}\x1b\\")
    return "".join(commands)


def sixel(px: NDArray[np.uint8], registers: int = 256) -> str:
    """Write an image as sixels, drawn at the cursor.

    Args:
        px: (H, W) uint8, shown in up to 101 greys; or (H, W, 3) uint8, in its best colours.
        registers: How many colours the terminal can hold at a time, >= 2.

    Returns:
        One escape sequence.

    Source: DEC VT330/VT340 Programmer Reference Manual, chapter 14.
    """
    if px.ndim == 2:
        greys = min(registers, SIXEL_GREYS)
        percents = np.rint(np.linspace(0, 100, greys)).astype(int)[:, None].repeat(3, axis=1)
        indexes = np.rint(px.astype(np.float32) * ((greys - 1) / 255)).astype(np.uint8)
    else:
        image = Image.fromarray(px).quantize(min(registers, 256))
        indexes = np.asarray(image)
        palette = np.array(image.getpalette("RGB"), dtype=np.float32).reshape(-1, 3)
        percents = np.rint(palette * (100 / 255)).astype(int)
    height, width = indexes.shape
    colours = "".join(f"#{n};2;{r};{g};{b}" for n, (r, g, b) in enumerate(percents.tolist()))
    bands = "-".join(_band(indexes[top : top + _BAND]) for top in range(0, height, _BAND))
    return f'\x1bP0;1;0q"1;1;{width};{height}{colours}{bands}\x1b\\'


def _band(rows: NDArray[np.uint8]) -> str:
    """Write up to six rows of pixels: for each colour in them, a character a column."""
    weights = (1 << np.arange(len(rows)))[:, None]
    lines = []
    for colour in np.unique(rows):
        bits = ((rows == colour) * weights).sum(axis=0) + 63
        lines.append(f"#{colour}" + "".join(map(_run, groupby(bits.tolist()))))
    return "$".join(lines)


def _run(group: tuple[int, Iterator[int]]) -> str:
    code, members = group
    length = len(list(members))
    return f"!{length}{chr(code)}" if length > 3 else chr(code) * length
