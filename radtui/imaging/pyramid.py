"""Halved copies of an image, so that any view is a small resize, and a bounded cache of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from radtui.imaging import windows
from radtui.imaging.raster import Raster, Window

SMALLEST_PX = 64  # a level below this is smaller than any view
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Pyramid:
    """An image at full, half, quarter ... size.

    Attributes:
        raster: The raw values.
        levels: Level k is 2**k times smaller, the mean of what it covers; Pillow modes L, I;16, F or RGB.
        windows: What a key steps through; the first is the default.
        overlay: Mode L, 255 where graphics are drawn, or None.
    """

    raster: Raster
    levels: tuple[Image.Image, ...]
    windows: tuple[Window, ...]
    overlay: Image.Image | None = None

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        depth = {"L": 1, "I;16": 0, "F": 4, "RGB": 4}  # I;16 shares the raster's memory
        levels = sum(level.width * level.height * depth[level.mode] for level in self.levels)
        return int(self.raster.values.nbytes) + levels


def build(raster: Raster) -> Pyramid:
    """Build all levels; about 10 ms for 2048 x 2048 values of 16 bits.

    Args:
        raster: Any.
    """
    first = _image(raster.values)
    levels = [first]
    current = first if first.mode in ("L", "RGB") else _image(raster.values.astype(np.float32))
    while max(current.size) > SMALLEST_PX:
        current = current.reduce(2)
        levels.append(current)
    overlay = None
    if raster.overlay is not None:
        overlay = Image.fromarray(raster.overlay.astype(np.uint8) * 255)
    return Pyramid(raster, tuple(levels), windows.windows_for(raster), overlay)


def _image(values: NDArray[Any]) -> Image.Image:
    """Wrap values for Pillow's resize; signed and float values need its float mode."""
    if values.dtype not in (np.uint8, np.uint16):
        values = values.astype(np.float32)
    return Image.fromarray(np.ascontiguousarray(values))


class PyramidCache:
    """The last used pyramids, bounded in bytes; safe to use from several threads.

    Args:
        limit_bytes: What all of them together may hold; the newest one stays whatever its size.
    """

    def __init__(self, limit_bytes: int = 256 * MIB) -> None:
        self._limit_bytes = limit_bytes
        self._items: OrderedDict[Hashable, Pyramid] = OrderedDict()
        self._lock = Lock()  # the loop reads while decoding threads write

    def get(self, key: Hashable) -> Pyramid | None:
        """Return the pyramid kept under `key` and mark it as just used, or None."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
            return self._items.get(key)

    def put(self, key: Hashable, pyramid: Pyramid) -> None:
        """Keep a pyramid, and drop those unused for longest until the rest fits."""
        with self._lock:
            self._items[key] = pyramid
            self._items.move_to_end(key)
            held = sum(item.nbytes for item in self._items.values())
            while held > self._limit_bytes and len(self._items) > 1:
                held -= self._items.popitem(last=False)[1].nbytes

    def __contains__(self, key: Hashable) -> bool:
        return key in self._items

    def __len__(self) -> int:
        return len(self._items)
