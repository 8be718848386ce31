"""The drawing surface of a phantom: flat layers, rounded bodies, textures, and what a detector does to them.

Per-pixel arithmetic keeps to `+ - * /`, `sqrt` and integer noise, whose results IEEE 754 fixes, so a seed gives the
same bytes on every processor; `sin` and `exp` are only used on a handful of coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Point = tuple[float, float]  # (x, y) in pixels from the top left corner
Field = NDArray[np.float32]  # (height_px, width_px) grey levels, 0 = black, 1 = white

SUPERSAMPLING = 2  # layers are drawn at twice the size and averaged: smooth edges from Pillow's hard ones


def closed_curve(points: Sequence[Point], samples: int = 8) -> list[Point]:
    """Return a smooth closed curve through `points`, with `samples` points a span.

    Source: Catmull and Rom, "A class of local interpolating splines", 1974.
    """
    p = np.asarray(points, dtype=np.float64)
    t = np.arange(samples, dtype=np.float64)[:, None] / samples
    return _spline(np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0), t)


def open_curve(points: Sequence[Point], samples: int = 8) -> list[Point]:
    """Return a smooth curve through `points` from the first to the last, with `samples` points a span."""
    p = np.asarray(points, dtype=np.float64)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])  # mirrored ends give the outer spans a direction
    t = np.arange(samples, dtype=np.float64)[:, None] / samples
    last = (float(p[-2, 0]), float(p[-2, 1]))
    return [*_spline(p[:-3], p[1:-2], p[2:-1], p[3:], t), last]


def _spline(
    before: NDArray[np.float64],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    after: NDArray[np.float64],
    t: NDArray[np.float64],
) -> list[Point]:
    """Evaluate every Catmull-Rom span at the parameters `t` of shape (samples, 1)."""
    # (spans, 1, 2) against (samples, 1)
    a, b, c, d = (points[:, None, :] for points in (before, start, end, after))
    curve = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t * t * t
    return [(x, y) for x, y in (0.5 * curve).reshape(-1, 2).tolist()]


def blob(rng: np.random.Generator, centre: Point, radius_px: float, roughness: float = 0.2) -> list[Point]:
    """Return an irregular closed outline around `centre`; `roughness` is the radius' relative spread."""
    corners = 9
    turns = (np.arange(corners) + rng.uniform(-0.25, 0.25, corners)) * (2 * math.pi / corners)
    radii = radius_px * (1 + rng.uniform(-roughness, roughness, corners))
    return closed_curve(
        [
            (centre[0] + r * math.cos(a), centre[1] + r * math.sin(a))
            for a, r in zip(turns, radii, strict=True)
        ],
        samples=6,
    )


def ring(centre: Point, rx_px: float, ry_px: float, turn: float = 0.0, corners: int = 40) -> list[Point]:
    """Return the outline of an ellipse turned by `turn` radians."""
    c, s = math.cos(turn), math.sin(turn)
    outline = []
    for k in range(corners):
        x, y = rx_px * math.cos(2 * math.pi * k / corners), ry_px * math.sin(2 * math.pi * k / corners)
        outline.append((centre[0] + c * x - s * y, centre[1] + s * x + c * y))
    return outline


class Layer:
    """One grey picture of flat shapes, painted one over the other, that becomes a smooth field."""

    def __init__(self, width_px: int, height_px: int, value: float = 0.0) -> None:
        """Start a layer of one grey `value` between 0 and 1."""
        size = (width_px * SUPERSAMPLING, height_px * SUPERSAMPLING)
        self._image = Image.new("L", size, round(255 * value))
        self._draw = ImageDraw.Draw(self._image)

    def fill(self, outline: Sequence[Point], value: float = 1.0) -> Layer:
        """Paint the inside of a closed outline."""
        self._draw.polygon(self._scaled(outline), fill=round(255 * value))
        return self

    def stroke(self, path: Sequence[Point], width_px: float, value: float = 1.0) -> Layer:
        """Paint a line of constant width along a path."""
        width = max(1, round(width_px * SUPERSAMPLING))
        self._draw.line(self._scaled(path), fill=round(255 * value), width=width, joint="curve")
        return self

    def edge(self, outline: Sequence[Point], width_px: float, value: float = 1.0) -> Layer:
        """Paint a closed outline as a line."""
        return self.stroke([*outline, outline[0], outline[1]], width_px, value)

    def disc(self, centre: Point, radius_px: float, value: float = 1.0) -> Layer:
        """Paint a circle."""
        (x, y), r = self._scaled([centre])[0], radius_px * SUPERSAMPLING
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=round(255 * value))
        return self

    def field(self, blur_px: float = 0.0) -> Field:
        """Return the layer as a field of values 0 to 1, blurred by `blur_px` (standard deviation)."""
        small = self._image.reduce(SUPERSAMPLING)
        if blur_px > 0:
            small = small.filter(ImageFilter.GaussianBlur(blur_px))
        return np.asarray(small, dtype=np.float32) * np.float32(1 / 255)

    @staticmethod
    def _scaled(points: Sequence[Point]) -> list[Point]:
        return [(x * SUPERSAMPLING, y * SUPERSAMPLING) for x, y in points]


@dataclass
class Plate:
    """A phantom in the making: its random stream, its size, its grey levels and where its finding lies."""

    rng: np.random.Generator
    width_px: int
    height_px: int
    grey: Field = field(init=False)
    spot: tuple[float, float, float] | None = None  # x, y and radius of the finding, in pixels

    def __post_init__(self) -> None:
        """Start with a black plate."""
        self.grey = np.zeros((self.height_px, self.width_px), dtype=np.float32)

    def layer(self, value: float = 0.0) -> Layer:
        """Return an empty layer of the plate's size."""
        return Layer(self.width_px, self.height_px, value)

    def between(self, low: float, high: float) -> float:
        """Draw a number evenly between two."""
        return float(self.rng.uniform(low, high))

    def dome(self, centre: Point, rx_px: float, ry_px: float) -> Field:
        """Return the thickness of an ellipsoid seen through, 1 at its centre and 0 outside."""
        x, y = self._offsets(centre)
        u, v = x / np.float32(rx_px), y / np.float32(ry_px)
        return np.sqrt(np.maximum(np.float32(1) - u * u - v * v, np.float32(0)))

    def halo(self, centre: Point, rx_px: float, ry_px: float) -> Field:
        """Return a soft spot without an edge, 1 at its centre and 0 beyond its radii."""
        x, y = self._offsets(centre)
        u, v = x / np.float32(rx_px), y / np.float32(ry_px)
        inside = np.maximum(np.float32(1) - u * u - v * v, np.float32(0))
        return inside * inside

    def texture(self, grain_px: float) -> Field:
        """Return smooth random structure of about `grain_px`, with mean 0 and values within -1 to 1."""
        columns, rows = (max(2, round(n / grain_px)) for n in (self.width_px, self.height_px))
        coarse = self.rng.uniform(-1, 1, (rows, columns)).astype(np.float32)
        size = (self.width_px, self.height_px)
        return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), dtype=np.float32)

    def noise(self) -> Field:
        """Return white noise of mean 0 and standard deviation 1, as the sum of four bytes."""
        bytes_ = self.rng.integers(0, 256, (4, self.height_px, self.width_px), dtype=np.uint8)
        total = bytes_.sum(axis=0, dtype=np.uint16).astype(np.float32)
        noise: Field = (total - np.float32(510)) / np.float32(147.8)  # 4 bytes: mean 4 * 127.5, sd 2 * 73.9
        return noise

    def tilt(self, degrees: float, scale: float, shift: Point) -> None:
        """Turn, scale and move what is drawn, and the spot with it, about the plate's centre."""
        cx, cy = self.width_px / 2, self.height_px / 2
        angle = math.radians(degrees)
        c, s = math.cos(angle) / scale, math.sin(angle) / scale
        dx, dy = cx + shift[0], cy + shift[1]
        matrix = (c, s, cx - c * dx - s * dy, -s, c, cy + s * dx - c * dy)
        picture = Image.fromarray(self.grey).transform(
            (self.width_px, self.height_px), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
        )
        self.grey = np.asarray(picture, dtype=np.float32)
        if self.spot is not None:
            x, y, radius = self.spot[0] - cx, self.spot[1] - cy, self.spot[2]
            c, s = math.cos(angle) * scale, math.sin(angle) * scale
            self.spot = (dx + c * x - s * y, dy + s * x + c * y, radius * scale)

    def _offsets(self, centre: Point) -> tuple[Field, Field]:
        x = np.arange(self.width_px, dtype=np.float32)[None, :] - np.float32(centre[0])
        y = np.arange(self.height_px, dtype=np.float32)[:, None] - np.float32(centre[1])
        return x, y
