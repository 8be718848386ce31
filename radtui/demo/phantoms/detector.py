"""From attenuation or signal to the 8-bit picture: exposure, noise, collimation and the side marker."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radtui.demo.phantoms.plate import Layer, Plate, Point, open_curve


def radiograph(plate: Plate, marker: str, dense: float) -> NDArray[np.uint8]:
    """Expose a radiograph: positioning, exposure, quantum noise, collimation and a lead letter.

    Args:
        plate: attenuation, 0 for air; `dense` of it comes out nearly white.
        marker: "R" or "L"; it lies beside the patient's right, or left, half.
        dense: attenuation of the densest part.

    Returns:
        uint8 grey levels of shape (height_px, width_px).
    """
    plate.tilt(plate.between(-4, 4), plate.between(0.98, 1.06), (plate.between(-4, 4), plate.between(-4, 4)))
    gain = plate.between(0.9, 1.1) / dense
    grey = plate.grey * np.float32(gain) + np.float32(plate.between(0.02, 0.06))
    grey = np.clip(grey, 0, 1)
    toe = np.float32(plate.between(-0.25, 0.25))  # film contrast: a little darker or brighter in the middle
    grey = grey + toe * grey * (1 - grey)
    spread = np.float32(plate.between(0.012, 0.026))
    grey = grey + plate.noise() * spread * (np.float32(0.5) + grey)
    letter = _letter(plate, marker)
    # A shade about the letter, to be read on bright tissue.
    grey = grey * (1 - np.float32(0.5) * letter.field(2.5))
    grey = np.maximum(grey, letter.field(0.4) * np.float32(0.97))
    grey = grey * _collimator(plate)
    return np.asarray(np.clip(grey * 255 + 0.5, 0, 255), dtype=np.uint8)


def scan(plate: Plate) -> NDArray[np.uint8]:
    """Finish a tomographic slice: positioning, window, noise, and the small R that a workstation overlays.

    Returns:
        uint8 grey levels of shape (height_px, width_px).
    """
    plate.tilt(plate.between(-5, 5), plate.between(0.93, 1.02), (plate.between(-5, 5), plate.between(-5, 5)))
    grey = np.clip(plate.grey * np.float32(plate.between(0.9, 1.1)), 0, 1)
    toe = np.float32(plate.between(-0.2, 0.2))
    grey = grey + toe * grey * (1 - grey)
    grey = grey + plate.noise() * np.float32(plate.between(0.010, 0.024)) * (np.float32(0.4) + grey)
    letter = Layer(plate.width_px, plate.height_px)
    _glyph(letter, "R", (5, plate.height_px / 2 - 8), 14, 2.2)
    grey = np.maximum(grey, letter.field() * np.float32(0.9))
    return np.asarray(np.clip(grey * 255 + 0.5, 0, 255), dtype=np.uint8)


def _letter(plate: Plate, marker: str) -> Layer:
    """Return the lead letter in a corner, R on the image's left and L on its right; low in a wide picture."""
    wide = plate.width_px > 1.3 * plate.height_px  # a panoramic's upper corners hold the condyles
    tall = plate.between(17, 20) if wide else plate.between(20, 25)
    x = plate.between(9, 16)
    if marker == "L":
        x = plate.width_px - x - tall * 0.7
    y = plate.height_px - tall - plate.between(9, 15) if wide else plate.between(9, 20)
    layer = plate.layer()
    _glyph(layer, marker, (x, y), tall, tall * 0.17)
    return layer


def _glyph(layer: Layer, letter: str, corner: Point, tall: float, width_px: float) -> None:
    """Draw R or L from strokes, so that no font is needed."""
    x, y = corner
    wide = tall * 0.62
    layer.stroke([(x, y), (x, y + tall)], width_px)
    if letter == "L":
        layer.stroke([(x, y + tall), (x + wide, y + tall)], width_px)
        return
    bowl = [
        (x, y),
        (x + wide * 0.6, y),
        (x + wide, y + tall * 0.25),
        (x + wide * 0.6, y + tall * 0.52),
        (x, y + tall * 0.52),
    ]
    layer.stroke(open_curve(bowl, 5), width_px)
    layer.stroke([(x + wide * 0.45, y + tall * 0.52), (x + wide, y + tall)], width_px)


def _collimator(plate: Plate) -> NDArray[np.float32]:
    """Return 1 inside the collimated rectangle, near 0 in its borders of up to eight pixels."""
    x = np.arange(plate.width_px, dtype=np.float32)[None, :]
    y = np.arange(plate.height_px, dtype=np.float32)[:, None]
    left, right, top, low = (np.float32(plate.between(-4, 8)) for _ in range(4))
    across = np.clip(x - left, 0, 1) * np.clip(np.float32(plate.width_px - 1) - right - x, 0, 1)
    down = np.clip(y - top, 0, 1) * np.clip(np.float32(plate.height_px - 1) - low - y, 0, 1)
    return np.asarray(np.float32(0.04) + np.float32(0.96) * across * down, dtype=np.float32)
