"""Ready strips do all that segment strips do, and make no segments before they must."""

import numpy as np
import pytest
from rich.console import Console
from rich.segment import Segment
from textual.color import Color
from textual.filter import DimFilter, Monochrome
from textual.strip import Strip

from radtui.imaging.ansi import ColourDepth, for_depth
from radtui.imaging.cells import half_blocks
from radtui.tui.ansi_strip import AnsiStrip, ansi_strips, segment_strips
from tests.unit.test_imaging_cells import read_row


@pytest.mark.parametrize("depth", [ColourDepth.TRUE, ColourDepth.C256])
def test_ready_strips_do_all_that_segment_strips_do(depth):
    console = Console(color_system="truecolor")
    for colour in (False, True):
        px = np.random.default_rng(3).integers(0, 4, (6, 30, 3) if colour else (6, 30)).astype(np.uint8) * 60
        cells = for_depth(half_blocks(px), depth)
        for ready, plain in zip(ansi_strips(cells), segment_strips(cells), strict=True):
            for act in (
                lambda s: s,
                lambda s: s.crop(3, 17),
                lambda s: s.crop(5),
                lambda s: s[2:9],
                lambda s: Strip.join(s.divide([4, 9, 30])),
                lambda s: s.adjust_cell_length(40),
                lambda s: s.adjust_cell_length(7),
                lambda s: s.crop_extend(0, 33, None),
                lambda s: s.apply_filter(Monochrome(), Color(0, 0, 0)),
                lambda s: s.apply_filter(DimFilter(), Color(0, 0, 0)),
                lambda s: Strip.join([Strip([Segment("ab")]), s]),
                lambda s: s.simplify(),
            ):
                one, other = act(ready), act(plain)
                assert one.cell_length == other.cell_length
                assert one.text == other.text
                assert list(one) == list(other)
                if depth is ColourDepth.TRUE:
                    assert shown_by(one.render(console)) == shown_by(other.render(console))


def shown_by(text: str) -> list:
    """Cells as seen: a space shows no ink, and a half block of one colour is a space."""
    seen = []
    for character, ink, paper in read_row(text):
        flat = character == " " or ink == paper
        seen.append((" ", (), paper) if flat else (character, ink, paper))
    return seen


def test_ready_strips_hold_no_segments_until_asked():
    strip = ansi_strips(half_blocks(np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)))[0]
    assert isinstance(strip, AnsiStrip)
    assert strip and strip.cell_length == 64 and strip.render(Console())
    strip.divide([10, 64])
    assert strip._made is None
    assert len(list(strip)) > 0 and strip._made is not None
