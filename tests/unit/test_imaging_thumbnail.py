"""Thumbnails are whole, in proportion, windowed and averaged."""

import io

import numpy as np
import pytest
from PIL import Image

from radtui.imaging.thumbnail import thumbnail
from tests.unit.source_files import png


@pytest.mark.parametrize(
    ("shape", "size"), [((100, 200), (40, 20)), ((200, 100), (20, 40)), ((7, 300), (40, 2))]
)
def test_it_fits_in_proportion_with_an_even_height(shape, size):
    picture = thumbnail(png(np.full(shape, 90, np.uint8)), 40, 40)
    assert picture.size == size and picture.mode == "RGB"


def test_sixteen_bits_are_windowed():
    values = np.tile(np.linspace(1000, 3000, 400).astype(np.uint16), (400, 1))
    grey = np.asarray(thumbnail(png(values), 40, 40))[..., 0]
    assert grey[0, 0] < 10 and grey[0, -1] > 245 and 110 < grey[0, 20] < 145


def test_a_faint_disc_in_noise_survives_because_pixels_are_averaged():
    y, x = np.mgrid[:1024, :1024]
    disc = ((x - 512) ** 2 + (y - 512) ** 2) < 120**2
    noise = np.random.default_rng(0).normal(0, 25, disc.shape)
    grey = np.asarray(thumbnail(png(np.clip(110 + 12 * disc + noise, 0, 255).astype(np.uint8)), 64, 64))[
        ..., 0
    ]
    inside = np.asarray(Image.fromarray(disc).resize((64, 64), Image.Resampling.NEAREST))
    contrast = grey[inside].mean() - grey[~inside].mean()
    assert contrast / grey[~inside].std() > 3  # nearest-neighbour resizing gives 0.5


def test_a_jpeg_is_drawn_the_same_from_a_smaller_decoding():
    values = np.kron(np.random.default_rng(1).integers(0, 255, (8, 8)), np.ones((128, 128))).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(values).save(out, "JPEG", quality=95)
    small = np.asarray(thumbnail(out.getvalue(), 32, 32)).astype(int)
    assert np.abs(small - np.asarray(thumbnail(png(values), 32, 32)).astype(int)).max() < 12
