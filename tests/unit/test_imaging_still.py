"""Pixel protocols, read back as a terminal reads them."""

import base64
import io
import re

import numpy as np
from PIL import Image

from radtui.imaging.still import kitty, sixel
from radtui.tui.still import judge


def decode_sixel(text: str) -> np.ndarray:
    """(H, W, 3) percentages."""
    head = re.match(r'\x1bP0;1;0q"1;1;(\d+);(\d+)', text)
    assert head and text.endswith("\x1b\\")
    width, height = int(head[1]), int(head[2])
    out = np.full((height + 6, width, 3), -1)
    palette: dict[int, tuple[int, ...]] = {}
    x = y = colour = 0
    for token in re.findall(r"#\d+;2;\d+;\d+;\d+|#\d+|!\d+[?-~]|[?-~$-]", text[head.end() : -2]):
        if token.startswith("#") and ";" in token:
            number, _, *rgb = token[1:].split(";")
            palette[int(number)] = tuple(map(int, rgb))
        elif token.startswith("#"):
            colour = int(token[1:])
        elif token == "$":
            x = 0
        elif token == "-":
            x, y = 0, y + 6
        else:
            count, code = (int(token[1:-1]), token[-1]) if token.startswith("!") else (1, token)
            for bit in range(6):
                if ord(code) - 63 >> bit & 1:
                    out[y + bit, x : x + count] = palette[colour]
            x += count
    assert (out[height:] == -1).all()
    return out[:height]


def test_sixels_show_every_pixel_in_the_nearest_percentage():
    px = np.random.default_rng(0).integers(0, 256, (20, 31)).astype(np.uint8)
    px[:8, :20] = 77  # long runs
    shown = decode_sixel(sixel(px))
    assert np.abs(shown[..., 0] / 100 * 255 - px).max() <= 1.3
    assert (shown[..., 0] == shown[..., 2]).all()


def test_sixels_use_no_more_colours_than_the_terminal_has():
    px = np.tile(np.arange(256, dtype=np.uint8), (6, 1))
    few = sixel(px, registers=16)
    assert len(re.findall(r"#\d+;2;", few)) == 16
    assert np.abs(decode_sixel(few)[..., 0] / 100 * 255 - px).max() < 10
    assert judge(b"\x1b[?1;0;16S\x1b[?62;4c", (50, 160, 0, 0)).registers == 16


def test_sixel_colours():
    px = np.zeros((7, 9, 3), np.uint8)
    px[:, :4], px[:, 4:] = (250, 0, 0), (0, 0, 120)
    shown = decode_sixel(sixel(px))
    assert np.abs(shown / 100 * 255 - px).max() <= 4


def test_kitty_sends_a_png_in_chunks():
    px = np.random.default_rng(1).integers(0, 256, (60, 90)).astype(np.uint8)
    commands = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", kitty(px))
    assert len(commands) > 1 and all(len(data) <= 4096 for _, data in commands)
    assert commands[0][0].startswith("a=T,f=100") and commands[-1][0] == "m=0"
    assert all("m=1" in keys for keys, _ in commands[:-1])
    png = base64.b64decode("".join(data for _, data in commands))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), px)


def test_answers_of_terminals():
    window = (50, 160, 0, 0)
    kitty_answer = judge(b"\x1b_Gi=31;OK\x1b\\\x1b[4;1000;1600t\x1b[?62c", window)
    assert kitty_answer.kitty and not kitty_answer.sixel
    assert (kitty_answer.width_px, kitty_answer.height_px) == (1600, 960)
    assert judge(b"\x1b[?62;4;22c", window).sixel
    small = judge(b"\x1b[4;1000;1600t\x1b[?1;0;256S\x1b[?2;0;800;900S\x1b[?62;4c", window)
    assert (small.width_px, small.height_px) == (800, 900)
    plain = judge(b"\x1b[?64;14c", window)
    assert not plain.sixel and not plain.kitty and plain.width_px == 160 * 8
    assert not judge(b"", window).sixel
