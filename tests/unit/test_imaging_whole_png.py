"""A PNG that is seen to be whole without decoding is one that decodes, with the same facts."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from radtui.imaging import decode
from radtui.imaging.facts import Facts
from radtui.imaging.whole_png import whole_png
from tests.conftest import drawn_png
from tests.unit.source_files import encoded, ramp

GREY = Image.fromarray(ramp(np.uint8, 255))
RGB = Image.merge("RGB", (GREY, GREY, GREY))
PLAIN = {
    "L": GREY, "1": GREY.convert("1"), "I;16": Image.fromarray(ramp(np.uint16, 65535)), "RGB": RGB,
    "P": RGB.quantize(16), "LA": GREY.convert("LA"), "RGBA": RGB.convert("RGBA"),
}  # fmt: skip


def decoded(data: bytes) -> Facts:
    """What Pillow says, as `decode.probe` asks it."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return Facts("PNG", *image.size, image.mode)


@pytest.mark.parametrize("mode", PLAIN)
def test_plain_files_are_whole_with_the_facts_that_decoding_tells(mode: str) -> None:
    data = encoded(PLAIN[mode], "PNG")
    assert whole_png(data) == decoded(data) == decode.probe(data)


def test_large_files_come_in_several_pieces() -> None:
    noise = np.random.default_rng(3).integers(0, 65535, (1400, 1200), dtype=np.uint16)
    data = encoded(Image.fromarray(noise), "PNG", compress_level=1)
    assert data.count(b"IDAT") > 10 and whole_png(data) == decoded(data)
    flat = encoded(Image.new("L", (9000, 7000)), "PNG")  # each packed byte is a thousand
    assert whole_png(flat) == Facts("PNG", 9000, 7000, "L")


def with_chunk(data: bytes, kind: bytes, body: bytes) -> bytes:
    """A file with one more chunk behind its header."""
    check = zlib.crc32(kind + body).to_bytes(4, "big")
    return data[:33] + len(body).to_bytes(4, "big") + kind + body + check + data[33:]


def test_what_is_out_of_the_ordinary_is_left_to_the_decoder() -> None:
    data = encoded(GREY, "PNG")
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x")
    turned = Image.Exif()
    turned[0x0112] = 6
    odd = {
        "empty": b"", "cut": data[:-30], "no end": data[:-12], "more": data + b"x", "a JPEG": encoded(GREY, "JPEG"),
        "text": encoded(GREY, "PNG", pnginfo=text), "turned": encoded(GREY, "PNG", exif=turned),
        "animated": encoded(RGB, "PNG", save_all=True, append_images=[RGB.transpose(Image.Transpose.ROTATE_180)]),
        "sRGB of a wrong size": with_chunk(data, b"sRGB", b"\0\0"), "an unknown chunk": with_chunk(data, b"abCD", b""),
        "a palette of greys": with_chunk(data, b"PLTE", bytes(6)),
        "huge": data[:16] + (2**31 - 1).to_bytes(4, "big") + data[20:],
    }  # fmt: skip
    assert {name: whole_png(each) for name, each in odd.items()} == dict.fromkeys(odd)
    assert decode.probe(odd["turned"]).width_px == 20


def test_rows_too_few_too_many_or_with_no_such_filter_are_not_whole() -> None:
    def packed(raw: bytes) -> bytes:
        body = zlib.compress(raw)
        header = encoded(Image.new("L", (2, 2)), "PNG")[:33]
        check = zlib.crc32(b"IDAT" + body).to_bytes(4, "big")
        end = b"\0\0\0\0IEND" + zlib.crc32(b"IEND").to_bytes(4, "big")
        return header + len(body).to_bytes(4, "big") + b"IDAT" + body + check + end

    assert whole_png(packed(bytes(6))) == Facts("PNG", 2, 2, "L")
    assert whole_png(packed(b"\4\0\0\1\0\0")) is not None
    for raw in (bytes(5), bytes(7), b"\5\0\0\0\0\0", b"\0\0\0\5\0\0"):
        assert whole_png(packed(raw)) is None


@given(st.data())
def test_what_is_said_to_be_whole_decodes(data: st.DataObject) -> None:
    source = bytearray(
        data.draw(st.sampled_from([encoded(image, "PNG") for image in PLAIN.values()] + [drawn_png(1)]))
    )
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(source) - 1))
        source[at] = data.draw(st.integers(0, 255))
    damaged = bytes(source)
    facts = whole_png(damaged)
    if facts is not None:
        assert facts == decoded(damaged)
