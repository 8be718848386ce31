"""Rows of the image canvas: the image itself, the state in words, and the caption under it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from radtui.imaging import draw
from radtui.imaging.ansi import ColourDepth, ansi_rows, for_depth
from radtui.imaging.cells import Blocks
from radtui.imaging.pyramid import Pyramid
from radtui.imaging.view import View
from radtui.tui.ansi_strip import ansi_strips
from radtui.tui.pictures import LETTERS
from radtui.tui.terminal import Terminal

TEXT_CELLS = 72  # the longest line of the state in words


def image_rows(
    pyramid: Pyramid, look: View, size: tuple[int, int], style: draw.Style, depth: ColourDepth, coarse: bool
) -> list[Strip]:
    """Draw an image into rows of cells.

    Args:
        pyramid: The image.
        look: Where and how to look.
        size: Columns and rows.
        style: How it is put into cells.
        depth: What the terminal shows.
        coarse: At half resolution, as while a key repeats; letters are quick enough without.
    """
    if coarse and style.blocks is not Blocks.TEXT:
        cells = draw.draft(pyramid, look, *size)
    else:
        cells = draw.draw(pyramid, look, *size, style)
    if depth is ColourDepth.TEXT:
        return [Strip([Segment(row, LETTERS)], cells.width) for row in ansi_rows(for_depth(cells, depth))]
    return ansi_strips(for_depth(cells, depth))


def text_rows(text: str, size: tuple[int, int], style: Style) -> list[Strip]:
    """Write a text into the middle of an area of columns and rows."""
    columns, rows = size
    lines = textwrap.wrap(text, max(1, min(columns - 2, TEXT_CELLS)))[:rows]
    above = (rows - len(lines)) // 2
    blank = Strip.blank(columns, style)
    middle = [Strip([Segment(line.center(columns), style)], columns) for line in lines]
    return [blank] * above + middle + [blank] * (rows - above - len(middle))


def caption_row(
    parts: Sequence[str], columns: int, colours: Terminal, style: Style, badge_style: Style
) -> Strip:
    """Write as many parts as fit, and at the right what the terminal's colours leave out.

    Args:
        parts: The most useful first.
        columns: Width of the row.
        colours: The terminal's; its advice is written out where there is room.
        style: Of the parts.
        badge_style: Of what is at the right.
    """
    badge = f" {colours.badge} " if colours.badge else ""
    text = _joined(parts, columns - len(badge))
    for more in (colours.why, "?") if badge else ():  # the advice, or the key of the help, which has it
        longer = f" {colours.badge}: {more} "
        beside = _joined(parts, columns - len(longer))
        if len(longer) <= columns and beside.rstrip() == text.rstrip():
            badge, text = longer, beside
            break
    segments = [Segment(text, style)]
    if badge:
        segments.append(Segment(badge[:columns], badge_style))
    return Strip(segments).adjust_cell_length(columns, style)


def _joined(parts: Sequence[str], columns: int) -> str:
    """Join parts with dots while they fit, and fill up with spaces."""
    text = ""
    for part in parts:
        longer = f"{text} · {part}" if text else f" {part}"
        if len(longer) <= columns:  # a shorter one after it may still fit
            text = longer
    return text.ljust(max(0, columns))
