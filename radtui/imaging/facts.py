"""What an import stores about an image file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """What an import stores about an image; sizes are as displayed, after EXIF rotation."""

    format: str
    width_px: int
    height_px: int
    mode: str
    frames: int = 1
    frame: int = 0  # the one that stands for the file
