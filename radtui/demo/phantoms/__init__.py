"""Radiographs of patients who never lived: drawn from a seed, with a known finding at a known place.

`phantom` draws one. Each examination has its module (abdomen.py, brain.py, chest.py, dental.py, hand.py, skull.py)
with `SIZE_PX` and `draw(plate, truth)`; plate.py is the drawing surface, detector.py turns attenuation or signal into
grey levels. The patient's right is on the image's left.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from radtui.demo.phantoms import abdomen, brain, chest, dental, detector, hand, skull
from radtui.demo.phantoms.plate import Plate
from radtui.records import Truth

_DRAW: dict[str, tuple[tuple[int, int], Callable[[Plate, Truth], str | None], float]] = {
    # examination: size, drawing, attenuation that comes out nearly white (0 for a slice)
    "chest PA": (chest.SIZE_PX, chest.draw, 0.95),
    "panoramic dental": (dental.SIZE_PX, dental.draw, 0.95),
    "hand PA": (hand.SIZE_PX, hand.draw, 0.95),
    "skull PA": (skull.SIZE_PX, skull.draw, 0.95),
    "abdominal CT": (abdomen.SIZE_PX, abdomen.draw, 0.0),
    "brain MR": (brain.SIZE_PX, brain.draw, 0.0),
}


@dataclass(frozen=True, slots=True)
class Phantom:
    """One drawn study.

    Attributes:
        pixels: uint8 grey levels of shape (height_px, width_px).
        spot: x, y and radius of the finding as shares of width, height and width; None for a normal study.
        marker: the side letter in the picture.
    """

    pixels: NDArray[np.uint8]
    spot: tuple[float, float, float] | None
    marker: str

    def png(self) -> bytes:
        """Return the picture as a grey 8-bit PNG."""
        file = io.BytesIO()
        Image.fromarray(self.pixels).save(file, "PNG", compress_level=3)
        return file.getvalue()


def phantom(examination: str, truth: Truth, seed: tuple[int, ...]) -> Phantom:
    """Draw one patient; the same arguments give the same pixels.

    Args:
        examination: a key of `radtui.demo.vocabulary.EXAMINATIONS`.
        truth: the finding to draw, `Truth("normal")` for none.
        seed: non-negative integers that make this patient's random stream.
    """
    (width, height), draw, dense = _DRAW[examination]
    plate = Plate(np.random.default_rng(list(seed)), width, height)
    marker = draw(plate, truth) or ("R" if plate.between(0, 1) < 0.5 else "L")
    if dense:
        pixels = detector.radiograph(plate, marker, dense)
    else:
        pixels, marker = detector.scan(plate), "R"
    spot = None
    if plate.spot is not None:
        x, y, radius = plate.spot
        spot = (x / width, y / height, radius / width)
    return Phantom(pixels, spot, marker)
