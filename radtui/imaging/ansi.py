"""Cells to terminal sequences: one string a row, in which only what changes from cell to cell is sent.

Every step works on whole arrays: each cell becomes a record of fixed width, put together from tables of bytes;
unused bytes stay NUL and are deleted at the end.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from radtui.imaging.cells import GLYPHS, SPACE, Cells

RESET = "\x1b[0m"
_NONE = 256  # the row of a table that is all NUL


class ColourDepth(StrEnum):
    """How many colours a terminal really shows."""

    TRUE = "true"  # 24 bit: 256 greys
    C256 = "256"  # xterm's 256 colours: 30 greys
    TEXT = "text"  # 16 colours or none: letters


# The greys among xterm's 256 colours: six on the diagonal of its colour cube, and a ramp of 24.
# Source: xterm's 256colres.pl.
CUBE_LEVELS = np.array([0, 95, 135, 175, 215, 255])
_GREY_LEVELS = np.concatenate([CUBE_LEVELS, np.arange(8, 239, 10)])
_GREY_CODES = np.concatenate([16 + 43 * np.arange(6), np.arange(232, 256)])
GREYS_IN_256 = len(_GREY_LEVELS)

# An ordered pattern whose thresholds are spread evenly over one step between two levels: without it a faint
# lesion that lies within one step disappears. Source: B. E. Bayer, IEEE ICC 1973.
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])


def for_depth(cells: Cells, depth: ColourDepth) -> Cells:
    """Bring cells to the colours a terminal shows.

    Args:
        cells: Cells with levels.
        depth: What the terminal shows.

    Returns:
        The same cells for `TRUE`, indexed ones for `C256`, none but the characters for `TEXT`.
    """
    if depth is ColourDepth.TRUE or cells.ink is None or cells.paper is None:
        return cells
    if depth is ColourDepth.TEXT:
        return Cells(cells.glyph)
    return Cells(cells.glyph, to_256(cells.ink, 0), to_256(cells.paper, 1), indexed=True)


def ansi_rows(cells: Cells) -> list[str]:
    """Write each row of cells as one string that ends with colours reset.

    Args:
        cells: What to draw, as `for_depth` returns it.

    Returns:
        One string a row, `cells.width` cells wide on screen.
    """
    if cells.ink is None or cells.paper is None:
        return ["".join([GLYPHS[index] for index in row]) for row in cells.glyph.tolist()]
    ink, paper = _packed(cells.ink), _packed(cells.paper)
    glyph = np.where(ink == paper, SPACE, cells.glyph)
    send_ink = _ink_changes(ink, glyph != SPACE)
    send_paper = np.ones(paper.shape, dtype=np.bool_)
    send_paper[:, 1:] = paper[:, 1:] != paper[:, :-1]
    colour = cells.ink.ndim == 3
    parts = [
        *_sequences(ink, send_ink, "\x1b[38", cells.indexed, colour),
        _PAPER_LEAD.take(send_paper * (2 - send_ink.view(np.uint8)), axis=0),
        *_sequences(paper, send_paper, "48", cells.indexed, colour),
        _END.take(send_ink | send_paper, axis=0),
        _GLYPH_BYTES.take(glyph, axis=0),
    ]
    records = np.concatenate(parts, axis=2)
    return [row.tobytes().translate(None, b"\0").decode() + RESET for row in records]


def to_256(levels: NDArray[np.uint8], row_parity: int) -> NDArray[np.uint8]:
    """Quantise to xterm's 256 colours, with an ordered pattern between two neighbouring levels.

    Args:
        levels: (H, W) greys or (H, W, 3) colours, uint8.
        row_parity: 0 for the upper pixels of cells, 1 for the lower: where they lie in the pattern.

    Returns:
        (H, W) uint8 colour codes, 16..255.
    """
    height, width = levels.shape[:2]
    rows, columns = (2 * np.arange(height) + row_parity) % 4, np.arange(width) % 4
    threshold = _BAYER[rows[:, None], columns[None, :]]
    codes: NDArray[np.uint8]
    if levels.ndim == 2:
        codes = _grey_lookup()[threshold, levels]
        return codes
    steps = _cube_lookup()[threshold[..., None], levels]
    codes = (16 + steps @ np.array([36, 6, 1], dtype=np.int32)).astype(np.uint8)
    grey = (levels == levels[..., :1]).all(axis=2)
    codes = np.where(grey, _grey_lookup()[threshold, levels[..., 0]], codes)
    return codes


def rgb_of_256(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Look up the colours of xterm's codes 16..255.

    Returns:
        Same shape with a last axis of 3, uint8.
    """
    codes = codes.astype(np.int32)
    cube = codes - 16
    from_cube = CUBE_LEVELS[np.stack([cube // 36 % 6, cube // 6 % 6, cube % 6], axis=-1)]
    from_ramp = (8 + 10 * (codes - 232))[..., None].repeat(3, axis=-1)
    return np.where((codes >= 232)[..., None], from_ramp, from_cube).astype(np.uint8)


def _packed(levels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """One comparable number a colour."""
    if levels.ndim == 2:
        return levels.astype(np.int32)
    wide = levels.astype(np.int32)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


def _ink_changes(ink: NDArray[np.int32], drawn: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the cells whose ink differs from the last ink sent in their row; spaces need none."""
    columns = np.where(drawn, np.arange(ink.shape[1]), -1)
    last = np.maximum.accumulate(columns, axis=1)
    before = np.full_like(last, -1)
    before[:, 1:] = last[:, :-1]
    same = np.take_along_axis(ink, np.maximum(before, 0), axis=1) == ink
    changed: NDArray[np.bool_] = drawn & ~(same & (before >= 0))
    return changed


def _sequences(
    codes: NDArray[np.int32], send: NDArray[np.bool_], start: str, indexed: bool, colour: bool
) -> list[NDArray[np.uint8]]:
    """Colour parameters that begin with `start`, as arrays of (H, W, n) bytes; NUL where not sent."""
    if indexed:
        return [_table(start + ";5;{0}").take(np.where(send, codes, _NONE), axis=0)]
    if not colour:
        return [_table(start + ";2;{0};{0};{0}").take(np.where(send, codes, _NONE), axis=0)]
    red, green, blue = (np.where(send, (codes >> shift) & 255, _NONE) for shift in (16, 8, 0))
    first, further = _table(start + ";2;{0}"), _table(";{0}")
    return [first.take(red, axis=0), further.take(green, axis=0), further.take(blue, axis=0)]


@cache
def _table(pattern: str) -> NDArray[np.uint8]:
    """Bytes of a pattern for 0..255, padded with NUL, and one row of NULs: (257, n)."""
    return _padded([pattern.format(value).encode() for value in range(256)] + [b""])


def _padded(entries: list[bytes]) -> NDArray[np.uint8]:
    width = max(map(len, entries))
    return np.frombuffer(b"".join(e.ljust(width, b"\0") for e in entries), dtype=np.uint8).reshape(-1, width)


_PAPER_LEAD = _padded([b"", b";", b"\x1b["])  # not sent, sent after an ink, sent alone
_END = _padded([b"", b"m"])
_GLYPH_BYTES = _padded([g.encode() for g in GLYPHS])


@cache
def _grey_lookup() -> NDArray[np.uint8]:
    """(16, 256): threshold, grey -> colour code."""
    order = np.argsort(_GREY_LEVELS)
    return _GREY_CODES[order][_dithered(_GREY_LEVELS[order])].astype(np.uint8)


@cache
def _cube_lookup() -> NDArray[np.int32]:
    """(16, 256): threshold, channel level -> step of the cube, 0..5."""
    return _dithered(CUBE_LEVELS).astype(np.int32)


def _dithered(levels: NDArray[np.int_]) -> NDArray[np.intp]:
    """(16, 256): for each threshold, the index of the level below or above a value 0..255."""
    values = np.arange(256)
    below = np.minimum(np.searchsorted(levels, values, side="right") - 1, len(levels) - 2)
    share = (values - levels[below]) / (levels[below + 1] - levels[below])
    index: NDArray[np.intp] = below + (share > (np.arange(16)[:, None] + 0.5) / 16)
    return index
