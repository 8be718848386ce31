"""Pixel protocols, read back as a terminal reads them."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from radtui.imaging.protocols import answers, kitty, marks
from radtui.imaging.protocols.answers import DrawingChoice, Graphics, Way, read, way_of
from radtui.imaging.protocols.sixel import sixel
from radtui.imaging.protocols.tmux import passed_through
from radtui.imaging.pyramid import build
from radtui.imaging.raster import Raster, Sides
from radtui.imaging.view import View
from tests.tui.pixel_terminal import PixelTerminal


def noise(height: int, width: int, seed: int = 0, colour: bool = False) -> np.ndarray:
    shape = (height, width, 3) if colour else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def seen_sixels(text: str, width: int, height: int) -> np.ndarray:
    terminal = PixelTerminal(-(-width // 10) + 1, -(-height // 20) + 2)
    terminal.feed(text.encode())
    assert (terminal.sixels[height:] == -1).all() and (terminal.sixels[:, width:] == -1).all()
    return terminal.sixels[:height, :width]


@pytest.mark.parametrize(("height", "width"), [(20, 31), (6, 1), (1, 200), (13, 97)])
def test_sixels_show_every_pixel_within_a_step_of_grey(height, width):
    px = noise(height, width)
    px[: height // 2, : width // 2] = 77  # long runs
    shown = seen_sixels(sixel(px), width, height)
    assert np.abs(shown[..., 0] - px).max() <= 3  # one of 101 greys, above or below
    assert (shown[..., 0] == shown[..., 2]).all()


def test_few_colours_are_dithered_so_that_a_faint_lesion_stays():
    px = np.full((60, 60), 100, np.uint8)
    px[20:40, 20:40] = 106  # a third of one of sixteen steps
    shown = seen_sixels(sixel(px, registers=16), 60, 60)[..., 0]
    assert len(np.unique(shown)) <= 16
    assert 4 <= shown[20:40, 20:40].mean() - shown[:20].mean() <= 8


@pytest.mark.parametrize("scale", [2, 3, 6])
def test_a_coarse_frame_draws_each_pixel_several_times(scale):
    px = noise(12, 10)
    shown = seen_sixels(sixel(px, scale=scale), 10 * scale, 12 * scale)
    fine = seen_sixels(sixel(px), 10, 12)
    assert (shown == fine.repeat(scale, axis=0).repeat(scale, axis=1)).all()


def test_sixel_colours():
    px = np.zeros((7, 9, 3), np.uint8)
    px[:, :4], px[:, 4:] = (250, 0, 0), (0, 0, 120)
    assert np.abs(seen_sixels(sixel(px), 9, 7) - px).max() <= 6


def test_bands_without_a_pixel_of_one_colour_do_not_shift_the_next():
    px = np.zeros((30, 8), np.uint8)
    px[13:15, 2:5] = 255
    assert (seen_sixels(sixel(px), 8, 30)[..., 0] == px).all()


@pytest.mark.parametrize("colour", [False, True])
def test_kitty_keeps_every_bit(colour):
    px = noise(90, 130, colour=colour)
    px[:40] = 0
    terminal = PixelTerminal(20, 10)
    commands = kitty.transmit(px, 7)
    terminal.feed("".join(commands).encode())
    assert len(commands) > 1 and (terminal.images[7] == px).all()


def test_cells_that_stand_for_an_image_are_those_of_the_protocol():
    # The protocol's own example: two rows and two columns of image 42.
    assert kitty.cells(0, 0, 2) == "\U0010eeee\u0305\u0305\U0010eeee\u0305\u030d"
    assert kitty.cells(1, 0, 2) == "\U0010eeee\u030d\u0305\U0010eeee\u030d\u030d"
    assert kitty.cells(0, 0, 1, high=2) == "\U0010eeee\u0305\u0305\u030e"
    assert kitty.colour(42, true_colour=False) == ("\x1b[38;5;42m", 0)
    assert kitty.colour(33554474, true_colour=False) == ("\x1b[38;5;42m", 2)
    assert kitty.colour(0x123456, true_colour=True) == ("\x1b[38;2;18;52;86m", 0)


def test_the_combining_characters_are_what_the_protocol_takes_from_unicode():
    assert kitty.MOST_CELLS == 297 and len(set(kitty.DIACRITICS)) == 297
    left_out = {*range(0x300, 0x305), *range(0x306, 0x30D), 0x30F, 0x311, 0x313, 0x314, 0x342, 0x653, 0x654}
    assert list(kitty.DIACRITICS) == sorted(kitty.DIACRITICS)
    for mark in kitty.DIACRITICS:
        assert unicodedata.combining(mark) == 230 and unicodedata.category(mark) == "Mn"
        assert not unicodedata.decomposition(mark) and ord(mark) not in left_out
    of_unicode_3 = {
        chr(code) for code in range(0x10000)
        if unicodedata.ucd_3_2_0.combining(chr(code)) == 230 and not unicodedata.ucd_3_2_0.decomposition(chr(code))
        and unicodedata.category(chr(code)) == "Mn" and unicodedata.bidirectional(chr(code)) == "NSM"
        and unicodedata.combining(chr(code)) == 230 and code not in left_out
    }  # fmt: skip
    assert of_unicode_3 <= set(kitty.DIACRITICS)


def test_a_command_goes_through_tmux_with_its_escapes_doubled():
    terminal = PixelTerminal(4, 4)
    terminal.feed("".join(map(passed_through, kitty.transmit(noise(8, 8), 3))).encode())
    assert 3 in terminal.images
    assert passed_through("\x1b_Gx\x1b\\") == "\x1bPtmux;\x1b\x1b_Gx\x1b\x1b\\\x1b\\"


XTERM = "\x1bP>|XTerm(379)\x1b\\\x1b[6;13;6t\x1b[?1;0;256S\x1b[?2;0;1000;1000S\x1b[?64;1;2;4;6c"
KITTY = "\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.36.2)\x1b\\\x1b[6;20;9t\x1b[?62;c"


def test_answers_of_terminals():
    xterm = read(XTERM)
    assert (xterm.kitty, xterm.sixel, xterm.cell_px) == (False, True, (6, 13))
    assert (xterm.registers, xterm.largest_px, xterm.name) == (256, (1000, 1000), "XTerm(379)")
    assert read(KITTY) == Graphics("kitty(0.36.2)", kitty=True, cell_px=(9, 20))
    assert read("\x1b[?64;14c") == Graphics()  # 14 is not 4
    assert not read("\x1b[?4c").sixel  # a class of terminals, not an attribute
    assert read("") == Graphics()
    assert read("\x1b_Gi=31;EINVAL:bad\x1b\\").kitty is False


@pytest.mark.parametrize(
    ("answer", "choice", "way"),
    [
        (KITTY, "auto", "cells"),
        (KITTY, "blocks", "blocks"),
        (KITTY, "sixel", "blocks"),
        (KITTY.replace("0.36.2", "0.26.5"), "auto", "placed"),
        (KITTY.replace("kitty(0.36.2)", "ghostty 1.1.3"), "auto", "cells"),
        (KITTY.replace("kitty(0.36.2)", "st-graphics(0.9.2)"), "auto", "cells"),
        (
            KITTY.replace("kitty(0.36.2)", "Konsole 23.08.1"),
            "auto",
            "blocks",
        ),  # it draws stand-ins as letters
        (KITTY.replace("kitty(0.36.2)", "Konsole 23.08.1").replace("62;", "62;4"), "auto", "sixel"),
        (KITTY.replace("kitty(0.36.2)", "Konsole 23.08.1"), "kitty", "placed"),
        (XTERM, "auto", "sixel"),
        (XTERM, "kitty", "blocks"),
        (XTERM.replace("\x1b[6;13;6t", ""), "auto", "blocks"),  # nobody knows how large a cell is
        ("", "auto", "blocks"),
    ],
)
def test_the_way_follows_from_answers_and_choice(answer, choice, way):
    assert way_of(read(answer), DrawingChoice(choice)) is Way(way)


def test_through_tmux_images_are_cells_or_nothing():
    assert way_of(Graphics("tmux 3.3a", kitty=True), DrawingChoice.AUTO, through_tmux=True) is Way.CELLS
    assert way_of(Graphics("tmux 3.3a"), DrawingChoice.AUTO, through_tmux=True) is Way.BLOCKS


def test_each_question_is_one_that_an_answer_is_known_to():
    assert answers.KITTY.startswith("\x1b_G") and answers.QUESTIONS.endswith("\x1b[c")


def test_marks_are_drawn_into_the_pixels():
    values = np.full((400, 400), 40, np.uint8)
    plain = build(Raster(values))
    known = build(Raster(values, sides=Sides("R", "L", "", ""), spacing_mm=(0.5, 0.5)))
    assert not marks.has_marks(plain, View()) and marks.has_marks(known, View())
    px = values.copy()
    marks.draw_marks(px, known, View(), 20)
    assert (px[180:220, :30] == 255).any() and (px[180:220, -30:] == 255).any()
    assert (px[-30:] == 255).sum(axis=1).max() >= 100  # 5 cm of half millimetres
    assert (px[:150] == 40).all()
    marks.draw_cross(px, 20)
    assert (px[200, 205:240] == 255).all() and px[200, 200] == 40
