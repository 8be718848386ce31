"""Cells and their terminal sequences, read back by a small terminal of our own."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radtui.imaging.ansi import GREYS_IN_256, ColourDepth, ansi_rows, for_depth, rgb_of_256, to_256
from radtui.imaging.cells import GLYPHS, HALF_BLOCK, Blocks, Cells, half_blocks, letters, quadrants, to_cells

SEQUENCE = re.compile("\x1b\\[([0-9;]*)m|(.)", re.DOTALL)
QUADRANT_BITS = {character: bits for bits, character in enumerate(GLYPHS[:16])}


def read_row(text: str) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """Interpret a row as a terminal does: (character, ink, paper) for each cell."""
    ink: tuple[int, ...] = ()
    paper: tuple[int, ...] = ()
    cells = []
    for codes, character in SEQUENCE.findall(text):
        if character:
            cells.append((character, ink, paper))
            continue
        numbers = [int(code) for code in codes.split(";")]
        while numbers:
            kind = numbers.pop(0)
            if kind == 0:
                ink = paper = ()
            if kind not in (38, 48):
                continue
            mode = numbers.pop(0)
            colour = tuple(numbers.pop(0) for _ in range(3 if mode == 2 else 1))
            ink, paper = (colour, paper) if kind == 38 else (ink, colour)
    return cells


def pixels_of(rows: list[str]) -> np.ndarray:
    """The (2 H, 2 W, n) colours that a terminal would show, each cell as 2 x 2."""
    drawn = []
    for row in rows:
        upper, lower = [], []
        for character, ink, paper in read_row(row):
            bits = QUADRANT_BITS[character]
            quarter = [(ink if bits >> at & 1 else paper) for at in range(4)]
            upper += quarter[:2]
            lower += quarter[2:]
        drawn += [upper, lower]
    return np.array(drawn)


def noise(height: int, width: int, levels: int, colour: bool = False, seed: int = 0) -> np.ndarray:
    shape = (height, width, 3) if colour else (height, width)
    values = np.random.default_rng(seed).integers(0, levels, shape) * (255 // max(levels - 1, 1))
    return values.astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 6), st.integers(1, 12), st.sampled_from([2, 3, 256]), st.booleans(), st.integers(0, 10**6)
)
def test_half_blocks_show_every_pixel_exactly(rows, columns, levels, colour, seed):
    # Few levels make neighbours equal, which is where sequences are left out.
    px = noise(2 * rows, columns, levels, colour, seed)
    shown = pixels_of(ansi_rows(half_blocks(px)))
    expected = px if colour else px[..., None].repeat(3, axis=2)
    assert np.array_equal(shown, expected.repeat(2, axis=1))


@settings(max_examples=40, deadline=None)
@given(st.booleans(), st.integers(0, 10**6))
def test_quadrants_use_the_two_levels_with_least_error(colour, seed):
    px = noise(4, 6, 256, colour, seed)
    shown = pixels_of(ansi_rows(quadrants(px))).astype(float)
    cells = lambda a: a.reshape(2, 2, 3, 2, -1).transpose(0, 2, 1, 3, 4).reshape(6, 4, -1)  # noqa: E731
    if colour:
        assert shown.shape == (4, 6, 3)
        return
    for wanted, got in zip(cells(px[..., None].astype(float)), cells(shown[..., :1]), strict=True):
        best = min(
            sum(((part - part.mean()) ** 2).sum() for part in (wanted[mask], wanted[~mask]) if part.size)
            for mask in (np.array([m >> k & 1 for k in range(4)], bool) for m in range(1, 15))
        )
        assert ((wanted - got) ** 2).sum() <= best + 4 * 4 * 0.5  # the two levels are rounded


def test_quadrants_keep_two_level_cells_exactly():
    px = np.where(noise(8, 8, 2) > 0, 200, 30).astype(np.uint8)
    assert np.array_equal(pixels_of(ansi_rows(quadrants(px)))[..., 0], px)


def test_only_changes_are_sent():
    flat = half_blocks(np.full((2, 50), 90, np.uint8))
    assert ansi_rows(flat) == ["\x1b[48;2;90;90;90m" + " " * 50 + "\x1b[0m"]
    two = half_blocks(np.vstack([np.full((1, 50), 10, np.uint8), np.full((1, 50), 20, np.uint8)]))
    assert ansi_rows(two) == ["\x1b[38;2;10;10;10;48;2;20;20;20m" + "▀" * 50 + "\x1b[0m"]


@pytest.mark.parametrize("colour", [False, True])
def test_256_colours_stay_near_and_their_mean_nearer(colour):
    base = np.linspace(20, 230, 64).astype(np.uint8)
    px = np.tile(base, (64, 1))
    if colour:
        px = np.stack([px, px // 2, 255 - px], axis=2)
    cells = for_depth(half_blocks(px), ColourDepth.C256)
    codes = pixels_of(ansi_rows(cells))[:, ::2, 0].astype(np.uint8)
    rgb = rgb_of_256(codes).astype(float)
    wanted = (px if colour else px[..., None].repeat(3, axis=2)).astype(float)
    assert np.abs(rgb - wanted).max() <= (95 if colour else 10)
    # A 4-row average shows levels between the terminal's own: that is what the pattern is for.
    averaged = rgb.reshape(16, 4, 16, 4, 3).mean((1, 3))
    assert np.abs(averaged - wanted.reshape(16, 4, 16, 4, 3).mean((1, 3))).max() <= (14 if colour else 1.5)


def test_256_colours_have_thirty_greys_and_all_are_used():
    px = np.tile(np.arange(256, dtype=np.uint8), (8, 1))
    codes = to_256(px, 0)
    rgb = rgb_of_256(codes)
    assert (rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all()
    assert len(np.unique(codes)) == GREYS_IN_256 == 30
    assert rgb[0, 0, 0] == 0 and rgb[0, 255, 0] == 255


def test_letters_have_no_colour_and_follow_brightness():
    px = np.tile(np.linspace(0, 255, 48).astype(np.uint8), (4, 1))
    rows = ansi_rows(for_depth(letters(px), ColourDepth.TEXT))
    assert len(rows) == 2 and len(rows[0]) == 48 and "\x1b" not in rows[0]
    assert rows[0][0] == " " and rows[0][-1] == "@"
    assert rows[0].isascii()


def test_written_text_replaces_cells_and_is_cut_at_the_edge():
    cells = half_blocks(noise(8, 12, 256))
    cells.write(1, 9, "5 cm")
    cells.write(99, 0, "outside")
    cells.write(-1, 0, "outside")
    read = read_row(ansi_rows(cells)[1])
    assert "".join(character for character, _, _ in read[9:]) == "5 c"
    assert read[9][1:] == ((255, 255, 255), (0, 0, 0))
    assert read[8][0] == "▀"


def test_a_cropped_row_shows_the_same_cells():
    cells = for_depth(half_blocks(noise(12, 20, 256)), ColourDepth.C256)
    whole = [read_row(row) for row in ansi_rows(cells)]
    part = [read_row(row) for row in ansi_rows(cells.crop(5, 13, 3, 5))]
    assert part == [row[5:13] for row in whole[3:5]]


@pytest.mark.parametrize("blocks", list(Blocks))
def test_cells_have_the_size_asked_for(blocks):
    across, down = blocks.pixels
    cells = to_cells(noise(7 * down, 9 * across, 256), blocks)
    assert (cells.height, cells.width) == (7, 9)
    assert blocks.pixel_aspect == {"half": 1.0, "quadrant": 2.0, "text": 1.0}[blocks]


def test_cells_are_half_blocks_by_index():
    assert GLYPHS[HALF_BLOCK] == "▀" and len(GLYPHS) == 16 + 95
    assert isinstance(Cells(np.zeros((1, 1), np.uint8)).width, int)
