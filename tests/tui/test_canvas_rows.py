"""Rows of the image canvas: letters on black paper, and a caption that makes the best of its width."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from rich.style import Style

from radtui.imaging import decode, draw, pyramid
from radtui.imaging.ansi import ColourDepth
from radtui.imaging.cells import Blocks
from radtui.imaging.view import View
from radtui.tui.pictures import LETTERS, picture_lines
from radtui.tui.terminal import Terminal
from radtui.tui.widgets.canvas_rows import caption_row, image_rows

TRUE = Terminal(ColourDepth.TRUE)
PARTS = ["auto W1646 L-38", "frame 3/24", "mirrored", "zoom 43.8 %", "(64, 64) 904 HU"]


@pytest.fixture
def shown():
    out = io.BytesIO()
    Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64)).save(out, "PNG")
    return pyramid.build(decode.decode(out.getvalue()))


@pytest.mark.parametrize("coarse", [False, True])
def test_letters_are_bright_on_black_whatever_the_terminals_paper(shown, coarse):
    style = draw.Style(blocks=Blocks.TEXT)
    rows = image_rows(shown, View(), (20, 8), style, ColourDepth.TEXT, coarse)
    assert len(rows) == 8 and all(row.cell_length == 20 for row in rows)
    assert {segment.style for row in rows for segment in row} == {LETTERS}
    lines = picture_lines(Image.new("RGB", (8, 4), "white"), ColourDepth.TEXT)
    assert {segment.style for line in lines for segment in line} == {LETTERS}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (80, "auto W1646 L-38 · frame 3/24 · mirrored · zoom 43.8 % · (64, 64) 904 HU"),
        (42, "auto W1646 L-38 · frame 3/24 · mirrored"),
        (30, "auto W1646 L-38 · frame 3/24"),
        (27, "auto W1646 L-38 · mirrored"),  # what is too long leaves its place to what fits
        (5, ""),
    ],
)
def test_the_caption_names_what_fits_and_is_as_wide_as_its_row(columns, expected):
    row = caption_row(PARTS, columns, TRUE, Style(), Style())
    assert row.text.strip() == expected and row.cell_length == columns


def test_the_badge_keeps_its_place_and_has_its_advice_where_there_is_room():
    few = Terminal(ColourDepth.C256, "Do this and that.")
    assert caption_row(PARTS, 40, few, Style(), Style()).text.endswith("frame 3/24  30 greys ")
    assert caption_row(PARTS, 100, few, Style(), Style()).text.endswith(" 30 greys: ? ")
    assert caption_row(PARTS, 140, few, Style(), Style()).text.endswith(" 30 greys: Do this and that. ")
    # Nothing beside it, and cut nowhere.
    assert caption_row((), 26, few, Style(), Style()).text.endswith(" 30 greys: ? ")
