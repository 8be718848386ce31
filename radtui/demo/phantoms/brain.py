"""An axial slice of the brain at the level of the lateral ventricles, magnetic resonance, T2-weighted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from radtui.demo.phantoms.plate import Field, Plate, Point, blob, closed_curve, open_curve
from radtui.records import Truth

SIZE_PX = (208, 248)
_CSF, _CORTEX, _WHITE, _NUCLEI, _FAT = 0.95, 0.56, 0.36, 0.44, 0.74
_ZONES = {
    "frontal": ((24, 40), (-64, -50)),
    "parietal": ((50, 58), (-6, 14)),
    "occipital": ((22, 38), (58, 72)),
}


@dataclass(frozen=True)
class _Head:
    """One patient's head: its centre and its scale across and front to back."""

    x: float
    y: float
    wide: float
    tall: float

    def at(self, x: float, y: float) -> Point:
        """Return the point at `x` and `y` from the head's centre, in pixels of a head of scale 1."""
        return self.x + x * self.wide, self.y + y * self.tall

    def oval(self, share: float) -> list[Point]:
        """Return the head's outline shrunk to `share`."""
        half = [(0, -108), (40, -100), (70, -66), (84, -10), (80, 46), (58, 88), (26, 106)]
        whole = [*half, (0, 109), *((-x, y) for x, y in reversed(half[1:]))]
        return closed_curve([self.at(x * share, y * share) for x, y in whole])


def draw(plate: Plate, truth: Truth) -> None:
    """Draw one slice with the finding of `truth`."""
    head = _Head(
        104 + plate.between(-2, 2),
        124 + plate.between(-2, 2),
        plate.between(0.97, 1.05),
        plate.between(0.96, 1.03),
    )
    layer = plate.layer()
    layer.fill(head.oval(1.03), _FAT).fill(head.oval(0.975), 0.07).fill(head.oval(0.93), _CSF * 0.9)
    layer.fill(head.oval(0.895), _CORTEX)
    plate.grey += layer.field(0.8)
    brain = plate.layer().fill(head.oval(0.90)).field(0.5)
    _white_matter(plate, head)
    _folds(plate, head)
    _deep(plate, head)
    plate.grey += brain * (0.03 * plate.texture(3.5) + 0.025 * plate.texture(10))
    _finding(plate, truth, head, brain)


def _white_matter(plate: Plate, head: _Head) -> None:
    """Darker white matter with a scalloped border towards the cortex."""
    white = plate.layer()
    for way in (-1, 1):
        border, corners = [], 44
        for k in range(corners):
            turn = 2 * math.pi * k / corners
            depth = 1 + (0.13 if k % 2 else -0.10) * plate.between(0.5, 1.3)
            x, y = 33 * depth * math.cos(turn), 74 * depth * math.sin(turn)
            border.append(head.at(way * (38 + x - 0.0035 * y * y * 0.9), y))
        white.fill(closed_curve(border, 4))
    cover = white.field(1.0)
    plate.grey += cover * (np.float32(_WHITE) - plate.grey)


def _folds(plate: Plate, head: _Head) -> None:
    """Sulci filled with fluid, cutting in from the surface, and the gap between the hemispheres."""
    fluid = plate.layer()
    outline = head.oval(0.895)
    cx, cy = head.at(0, 0)
    step = 3
    for k in range(0, len(outline), step):
        x, y = outline[k]
        depth, bend = plate.between(0.10, 0.22), plate.between(-5, 5)
        inner = (x + (cx - x) * depth + bend, y + (cy - y) * depth + bend * 0.6)
        mid = (x + (cx - x) * depth * 0.5 - bend * 0.4, y + (cy - y) * depth * 0.5)
        fluid.stroke([(x, y), mid, inner], plate.between(1.4, 2.4), plate.between(0.7, 1.0))
    wiggle = [head.at(plate.between(-1, 1), y) for y in (-100, -84, -66, -48)]
    fluid.stroke(open_curve(wiggle), 2.6, 0.95)
    fluid.stroke(open_curve([head.at(plate.between(-1, 1), y) for y in (46, 62, 82, 98)]), 2.6, 0.95)
    for way in (-1, 1):
        fissure = open_curve([head.at(way * 76, -12), head.at(way * 60, -8), head.at(way * 50, 4)])
        fluid.stroke(fissure, 2.4, 0.9)
    cover = fluid.field(0.6)
    plate.grey += cover * (np.float32(_CSF) - plate.grey)


def _deep(plate: Plate, head: _Head) -> None:
    """Lateral ventricles, third ventricle, corpus callosum and the grey nuclei beside them."""
    size = plate.between(0.85, 1.15)
    layer, nuclei, callosum = plate.layer(), plate.layer(), plate.layer()
    callosum.stroke(open_curve([head.at(-22, -44), head.at(0, -36), head.at(22, -44)]), 9)
    callosum.stroke(open_curve([head.at(-24, 50), head.at(0, 40), head.at(24, 50)]), 9)
    for way in (-1, 1):
        nuclei.fill(
            closed_curve([head.at(way * x, y) for x, y in ((13, -30), (24, -26), (24, -8), (14, -8))])
        )
        nuclei.fill(closed_curve([head.at(way * x, y) for x, y in ((28, -20), (40, -10), (38, 10), (28, 8))]))
        nuclei.fill(closed_curve([head.at(way * x, y) for x, y in ((5, 0), (20, -2), (24, 18), (10, 24))]))
        front = [(3, -24), (6, -36), (20 * size, -46), (24 * size, -40), (14 * size, -28), (8, -8), (4, -8)]
        back = [
            (5, 22),
            (16, 22),
            (28 * size, 40),
            (34 * size, 58),
            (28 * size, 58),
            (18 * size, 42),
            (6, 34),
        ]
        for horn in (front, back):
            layer.fill(closed_curve([head.at(way * x, y) for x, y in horn]))
    layer.fill(closed_curve([head.at(x, y) for x, y in ((-2, -4), (2, -4), (2.5, 16), (-2.5, 16))]))
    for shape, value in ((callosum, _WHITE - 0.04), (nuclei, _NUCLEI + 0.03), (layer, _CSF)):
        cover = shape.field(0.8)
        plate.grey += cover * (np.float32(value) - plate.grey)


def _finding(plate: Plate, truth: Truth, head: _Head, brain: Field) -> None:
    """Paint what `truth` names into its lobe."""
    if truth.finding == "normal":
        return
    way, large = (-1 if truth.side == "right" else 1), truth.size == "large"
    (x0, x1), (y0, y1) = _ZONES[truth.zone]
    spot = (way * plate.between(x0, x1), plate.between(y0, y1))
    centre = head.at(*spot)
    radius = plate.between(17, 20) if large else plate.between(12, 14)
    if truth.finding == "infarct":
        centre, radius = _infarct(plate, head, spot, large, brain)
    elif truth.finding == "cyst":
        outline = blob(plate.rng, centre, radius, 0.05)
        _paint(plate, plate.layer().fill(outline).field(0.6) * brain, 1.0)
        _paint(plate, plate.layer().edge(outline, 1.6).field(0.4) * brain, 0.40)
    elif truth.finding == "haemorrhage":
        outer = blob(plate.rng, centre, radius * 1.25, 0.2)
        _paint(plate, plate.layer().fill(outer).field(2.0) * brain, 0.86)
        _paint(
            plate, plate.layer().fill(blob(plate.rng, centre, radius * 0.98, 0.22)).field(1.2) * brain, 0.10
        )
    elif truth.finding == "mass":
        _mass(plate, centre, radius, brain)
    plate.spot = (*centre, radius)


def _infarct(plate: Plate, head: _Head, spot: Point, large: bool, brain: Field) -> tuple[Point, float]:
    """A bright wedge, broad at the surface and pointed towards the ventricle; returns its middle and radius."""
    angle = math.atan2(spot[1], spot[0])
    half = plate.between(0.36, 0.42) if large else plate.between(0.24, 0.29)
    rim = [
        head.at(100 * math.cos(angle + t) * 0.86, 100 * math.sin(angle + t) * 1.1)
        for t in (-half, -half / 3, half / 3, half)
    ]
    reach = 0.40 if large else 0.52
    tip = head.at(86 * math.cos(angle) * reach, 110 * math.sin(angle) * reach)
    wedge = plate.layer().fill([tip, *rim]).field(1.6)
    _paint(plate, wedge * brain * (np.float32(0.88) + np.float32(0.12) * plate.texture(5)), 0.76)
    middle = head.at(86 * math.cos(angle) * 0.68, 110 * math.sin(angle) * 0.68)
    return middle, 100 * half * 0.7


def _mass(plate: Plate, centre: Point, radius: float, brain: Field) -> None:
    """A lobulated body of uneven signal with a dark capsule, in a halo of oedema."""
    halo = plate.layer().fill(blob(plate.rng, centre, radius * 1.75, 0.25)).field(3)
    _paint(plate, halo * brain, 0.70)
    outline = blob(plate.rng, centre, radius, 0.16)
    body = plate.layer().fill(outline).field(0.7) * brain
    _paint(plate, body, 0.46)
    plate.grey += body * 0.12 * plate.texture(5)
    _paint(plate, plate.layer().fill(blob(plate.rng, centre, radius * 0.42, 0.3)).field(0.8) * brain, 0.86)
    _paint(plate, plate.layer().edge(outline, 2.2).field(0.5) * brain, 0.14)


def _paint(plate: Plate, cover: Field, value: float) -> None:
    """Lay `value` over the plate where `cover` is 1."""
    plate.grey += cover * (np.float32(value) - plate.grey)
