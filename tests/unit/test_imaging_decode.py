"""Every kind of image file becomes raw values without loss, and every damaged one a sentence."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from radtui.imaging.decode import MAX_PIXELS, decode, probe, training_image
from radtui.records import UserError
from tests.unit.source_files import encoded


def ramp16(height: int = 40, width: int = 60, top: int = 60000) -> np.ndarray:
    return np.linspace(0, top, height * width).reshape(height, width).astype(np.uint16)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bit_values_come_back_unchanged(format):
    values = ramp16()
    raster = decode(encoded(Image.fromarray(values), format))
    assert raster.values.dtype == np.uint16
    assert np.array_equal(raster.values, values)
    assert raster.bits == 16


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP", "WEBP"])
def test_eight_bit_grey_comes_back_unchanged(format):
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    options = {"lossless": True} if format == "WEBP" else {}
    raster = decode(encoded(Image.fromarray(values), format, **options))
    assert np.array_equal(raster.values, values)
    assert not raster.colour


def test_big_endian_and_signed_tiffs():
    values = ramp16()
    raw = values.astype(">u2").tobytes()
    big = Image.frombytes("I;16B", (60, 40), raw)
    assert np.array_equal(decode(encoded(big, "TIFF")).values, values)
    signed = (values.astype(np.int32) - 20000).astype(np.int32)
    raster = decode(encoded(Image.fromarray(signed), "TIFF"))
    assert raster.values.astype(np.int32).min() == -20000
    assert np.array_equal(raster.values.astype(np.int32), np.clip(signed, -20000, 40000))


def test_float_tiff_keeps_fractions_and_drops_nan():
    values = np.array([[0.25, np.nan], [-3.5, 1e6]], dtype=np.float32)
    raster = decode(encoded(Image.fromarray(values), "TIFF"))
    assert raster.values.tolist() == [[0.25, 0.0], [-3.5, 1e6]]


def test_white_is_zero_tiff_of_sixteen_bits_is_marked_inverted():
    image = Image.fromarray(ramp16())
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    ifd[262] = 0
    raster = decode(encoded(image, "TIFF", tiffinfo=ifd))
    assert raster.inverted
    assert np.asarray(training_image(encoded(image, "TIFF", tiffinfo=ifd)))[0, 0, 0] > 250


def test_colour_stays_colour_and_grey_in_three_channels_becomes_grey():
    rgb = np.zeros((8, 8, 3), np.uint8)
    rgb[..., 0] = 200
    assert decode(encoded(Image.fromarray(rgb), "PNG")).values[0, 0].tolist() == [200, 0, 0]
    grey = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).convert("RGB")
    assert decode(encoded(grey, "PNG")).values.shape == (8, 8)


def test_transparency_is_composited_on_black():
    rgba = np.full((4, 4, 4), 200, np.uint8)
    rgba[..., 3] = 128
    values = decode(encoded(Image.fromarray(rgba), "PNG")).values
    assert values.shape == (4, 4)
    assert abs(int(values[0, 0]) - 100) <= 1
    la = Image.merge("LA", [Image.new("L", (4, 4), 200), Image.new("L", (4, 4), 0)])
    assert decode(encoded(la, "PNG")).values.max() == 0


def test_palette_and_cmyk_and_one_bit():
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert decode(encoded(palette, "PNG")).values[0, 0].tolist() == [10, 20, 30]
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red, green, blue = decode(encoded(cmyk, "TIFF")).values[0, 0].tolist()
    assert red > 200 and green < 60 and blue < 60
    raster = decode(encoded(Image.new("1", (4, 4), 1), "PNG"))
    assert raster.values.max() == 255 and raster.bits == 1


def test_exif_rotation_is_applied_to_pixels_and_facts():
    values = np.zeros((10, 20), np.uint8)
    values[:, :5] = 255  # bright at the left
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright: left goes to the top
    data = encoded(Image.fromarray(values), "PNG", exif=exif)
    assert (probe(data).width_px, probe(data).height_px) == (10, 20)
    raster = decode(data)
    assert raster.values.shape == (20, 10)
    assert raster.values[:5].min() == 255 and raster.values[5:].max() == 0


def test_pages_of_a_tiff_are_frames():
    pages = [Image.fromarray(np.full((4, 4), level, np.uint8)) for level in (10, 20, 30)]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert decode(data).frames == 3
    assert decode(data, 2).values.max() == 30
    assert decode(data, 99).frame == 2


def test_probe_says_what_a_file_is():
    facts = probe(encoded(Image.fromarray(ramp16()), "PNG"))
    assert (facts.format, facts.width_px, facts.height_px, facts.mode) == ("PNG", 60, 40, "I;16")


@pytest.mark.parametrize("call", [probe, decode, training_image])
def test_unreadable_bytes_say_why(call):
    good = encoded(Image.fromarray(ramp16(200, 200)), "PNG")
    with pytest.raises(UserError, match="empty"):
        call(b"")
    with pytest.raises(UserError, match="not an image"):
        call(b"Dear radiologist, please find attached")
    with pytest.raises(UserError, match="cut short or damaged"):
        call(good[: len(good) // 2])
    jpeg = encoded(Image.fromarray(np.zeros((99, 99), np.uint8)), "JPEG")
    with pytest.raises(UserError, match="cut short or damaged"):
        call(jpeg[: len(jpeg) // 2])


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_decompression_bomb_is_refused_before_decoding():
    side = int(MAX_PIXELS**0.5) + 10
    bomb = encoded(Image.new("1", (side, side)), "PNG")
    with pytest.raises(UserError, match="million"):
        probe(bomb)


def test_every_prefix_of_a_file_is_refused_with_a_sentence():
    good = encoded(Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)), "PNG")
    complete = good.index(b"IDAT") + 22  # from here on only check sums are missing
    for length in range(complete):
        with pytest.raises(UserError):
            probe(good[:length])


def test_training_image_is_windowed_not_clipped():
    values = ramp16(100, 100, top=4095)
    grey = np.asarray(training_image(encoded(Image.fromarray(values), "PNG")))
    assert grey.shape == (100, 100, 3)
    assert grey.min() == 0 and grey.max() == 255
    assert len(np.unique(grey)) > 250
    # Half a percent at each end is saturated, no more.
    assert (grey[..., 0] == 255).mean() < 0.012


def test_training_image_keeps_eight_bit_levels():
    values = np.full((6, 6), 77, np.uint8)
    assert (
        np.asarray(training_image(encoded(Image.fromarray(values), "PNG")))[..., 1].tolist()
        == values.tolist()
    )


def test_an_image_that_is_too_large_is_said_once_and_without_a_warning_of_pillows(tmp_path):
    side = int(MAX_PIXELS**0.5) + 10
    file = tmp_path / "huge.png"
    file.write_bytes(encoded(Image.new("1", (side, side)), "PNG"))
    asked = (
        "import sys; from pathlib import Path\n"
        "from radtui.imaging.decode import probe\nfrom radtui.records import UserError\n"
        "try: probe(Path(sys.argv[1]).read_bytes())\nexcept UserError as error: print(error)"
    )
    # A process of its own: pytest collects warnings itself.
    done = subprocess.run(
        [sys.executable, "-c", asked, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"The image is {side} x {side} pixels, more than the 89 million")
    assert done.stderr == ""
