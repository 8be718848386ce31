"""Sixels: six rows of pixels are one row of characters a colour.

Every step works on whole arrays: the pixels are sorted by band, colour and column; neighbours of one colour become a
run, gaps between runs become empty sixels; each run is a record of fixed width, whose unused bytes are deleted at the
end, as in `radtui.imaging.ansi`.

Source: DEC VT330/VT340 Programmer Reference Manual, chapter 14.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GREYS = 101  # sixel colours are percentages
BAND_PX = 6
_EMPTY = 63  # the character of a sixel without a pixel
# Thresholds spread evenly over one step between two greys. Source: B. E. Bayer, IEEE ICC 1973.
_BAYER = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) + 0.5) / 16


def sixel(px: NDArray[np.uint8], registers: int = 256, *, scale: int = 1) -> str:
    """Write an image as sixels, drawn at the cursor.

    Args:
        px: (H, W) uint8, in up to 101 greys and dithered between them; or (H, W, 3) uint8, in its best colours.
        registers: How many colours the terminal can hold at a time, >= 2.
        scale: Drawn pixels across and down for each of these: 1, 2, 3 or 6.

    Returns:
        One escape sequence.
    """
    codes, percents = _grey_codes(px, registers) if px.ndim == 2 else _colour_codes(px, registers)
    height, width = codes.shape
    colours = "".join(f"#{n};2;{r};{g};{b}" for n, (r, g, b) in enumerate(percents.tolist()))
    body = _bands(codes, len(percents), scale)
    return f'\x1bP0;1;0q"1;1;{width * scale};{height * scale}{colours}{body}\x1b\\'


def _grey_codes(px: NDArray[np.uint8], registers: int) -> tuple[NDArray[np.int32], NDArray[np.int_]]:
    """The number of each pixel's grey, and the greys as percentages."""
    greys = min(registers, GREYS)
    height, width = px.shape
    threshold = np.tile(_BAYER, (-(-height // 4), -(-width // 4)))[:height, :width]
    codes = np.minimum(px * np.float32((greys - 1) / 255) + threshold, greys - 1).astype(np.int32)
    percents = np.rint(np.linspace(0, 100, greys)).astype(int)[:, None].repeat(3, axis=1)
    return codes, percents


def _colour_codes(px: NDArray[np.uint8], registers: int) -> tuple[NDArray[np.int32], NDArray[np.int_]]:
    image = Image.fromarray(px).quantize(min(registers, 256))
    palette = np.array(image.getpalette("RGB"), dtype=np.float32).reshape(-1, 3)
    return np.asarray(image).astype(np.int32), np.rint(palette * (100 / 255)).astype(int)


def _bands(codes: NDArray[np.int32], colours: int, scale: int) -> str:
    """All bands, each with a line of sixels for every colour in it."""
    band, colour, column, mask = _sixels(codes, colours, BAND_PX // scale)
    if scale > 1:
        mask = _stretched(scale)[mask]
    first, length = _runs(band, colour, column, mask)
    band, colour, column, mask = band[first], colour[first], column[first], mask[first]
    new_band, new_line = _firsts(band), _firsts(band, colour)
    gap = column.copy()
    gap[1:] -= np.where(new_line[1:], 0, (column + length)[:-1])
    new_band[0] = False  # a dash ends a band, and there is none before the first
    line = np.where(new_line, 2 * colour + np.where(new_band, 2, 1), 0)
    line[0] = 2 * colours + 1
    widest = codes.shape[1] * scale
    parts = [
        _line_starts(colours).take(line, axis=0),
        _gaps(widest).take(gap * scale, axis=0),
        _counts(widest).take(length * scale, axis=0),
        _characters(length * scale, (mask + _EMPTY).astype(np.uint8)),
    ]
    first_colour = f"#{colour[0]}"
    return first_colour + np.concatenate(parts, axis=1).tobytes().translate(None, b"\0").decode("ascii")


def _sixels(codes: NDArray[np.int32], colours: int, rows_px: int) -> tuple[NDArray[np.int32], ...]:
    """Each column of each colour in each band: band, colour, column, and which of its pixels are set."""
    height, width = codes.shape
    row = np.arange(height, dtype=np.int64)
    # One sortable number a pixel: band, colour, column, row within the band.
    key = ((row // rows_px * colours)[:, None] + codes) * width + np.arange(width, dtype=np.int64)
    key = np.sort((key * 8 + (row % rows_px)[:, None]).astype(_fitting(height, width, colours)).ravel())
    place, bit = key >> 3, (1 << (key & 7)).astype(np.int32)
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    mask = np.add.reduceat(bit, starts)
    place = place[starts].astype(np.int64)
    line, column = np.divmod(place, width)
    band, colour = np.divmod(line, colours)
    return band.astype(np.int32), colour.astype(np.int32), column.astype(np.int32), mask


def _fitting(height: int, width: int, colours: int) -> type[np.integer]:
    """32 bits sort twice as fast as 64."""
    largest = (height // BAND_PX * BAND_PX + BAND_PX) * colours * width * 8
    return np.int32 if largest < 2**31 else np.int64


def _runs(*of: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Where runs of equal sixels in adjacent columns begin, and how long they are."""
    band, colour, column, mask = of
    begins = _firsts(band, colour, mask)
    begins[1:] |= np.diff(column) != 1
    first = np.flatnonzero(begins)
    return first, np.diff(first, append=len(column)).astype(np.int32)


def _firsts(*of: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Where any of several differs from the one before."""
    begins = np.ones(len(of[0]), dtype=np.bool_)
    begins[1:] = False
    for values in of:
        begins[1:] |= values[1:] != values[:-1]
    return begins


@cache
def _stretched(scale: int) -> NDArray[np.int32]:
    """What becomes of each mask of `6 / scale` pixels when each is drawn `scale` times."""
    pixel = (1 << scale) - 1
    masks = range(1 << BAND_PX // scale)
    return np.array(
        [sum(pixel << bit * scale for bit in range(BAND_PX // scale) if mask >> bit & 1) for mask in masks],
        dtype=np.int32,
    )


@cache
def _line_starts(colours: int) -> NDArray[np.uint8]:
    """Nothing; then for each colour its name after another colour's line, and in a new band; then nothing again."""
    names = [lead + f"#{n}".encode() for n in range(colours) for lead in (b"$", b"-")]
    return _padded([b"", *names, b""])


@cache
def _gaps(longest: int) -> NDArray[np.uint8]:
    """Columns without a pixel of the colour, by their number."""
    return _padded([b"?" * n if n < 4 else f"!{n}?".encode() for n in range(longest + 1)])


@cache
def _counts(longest: int) -> NDArray[np.uint8]:
    """The count before a character that is repeated; "" for up to three, which are written out."""
    return _padded([b"" if n < 4 else f"!{n}".encode() for n in range(longest + 1)])


def _characters(count: NDArray[np.int32], code: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The character itself: once after a count, up to three times without one."""
    written = np.where(count >= 4, 1, count)
    return np.where(np.arange(3) < written[:, None], code[:, None], 0).astype(np.uint8)


def _padded(entries: list[bytes]) -> NDArray[np.uint8]:
    width = max(1, *map(len, entries))
    return np.frombuffer(b"".join(e.ljust(width, b"\0") for e in entries), dtype=np.uint8).reshape(-1, width)
