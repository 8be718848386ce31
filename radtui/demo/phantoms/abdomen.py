"""An axial slice of the upper abdomen, computed tomography with contrast: each tissue painted at its own density."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from radtui.demo.phantoms.plate import Field, Layer, Plate, Point, blob, closed_curve, ring
from radtui.records import Truth

SIZE_PX = (256, 192)
# How dense each tissue is drawn.
_FAT, _WATER, _BOWEL, _MUSCLE = 0.17, 0.22, 0.40, 0.42
_LIVER, _SPLEEN, _KIDNEY, _AORTA, _BONE = 0.55, 0.60, 0.70, 0.82, 1.0

_SITES = {  # where a finding lies, from the body's centre
    ("liver", "right"): (-66, -18),
    ("spleen", "left"): (84, 20),
    ("kidney", "right"): (-60, 52),
    ("kidney", "left"): (60, 48),
}


@dataclass(frozen=True)
class _Torso:
    """One patient's slice: its centre, its scale across and front to back."""

    x: float
    y: float
    wide: float
    deep: float

    def at(self, x: float, y: float) -> Point:
        """Return the point at `x` and `y` from the body's centre, in pixels of a body of scale 1."""
        return self.x + x * self.wide, self.y + y * self.deep

    def all(self, *points: Point) -> list[Point]:
        """Return a smooth closed outline through points given like `at`'s."""
        return closed_curve([self.at(*p) for p in points])


def draw(plate: Plate, truth: Truth) -> None:
    """Draw one slice with the finding of `truth`."""
    torso = _Torso(
        128 + plate.between(-3, 3),
        95 + plate.between(-2, 2),
        plate.between(0.96, 1.04),
        plate.between(0.94, 1.03),
    )
    slice_ = plate.layer()
    _wall(plate, slice_, torso)
    _organs(plate, slice_, torso)
    _retroperitoneum(plate, slice_, torso, truth)
    _bones(plate, slice_, torso)
    plate.grey += slice_.field(0.7)
    soft = (plate.grey > np.float32(0.3)).astype(np.float32)
    plate.grey += soft * (0.022 * plate.texture(3) + 0.02 * plate.texture(12))
    _finding(plate, truth, torso)


def _wall(plate: Plate, layer: Layer, torso: _Torso) -> None:
    """Skin, fat under it, muscle, and the fat between the organs."""
    fat = plate.between(0.96, 1.0)
    skin = torso.all(
        (0, -88),
        (70, -80),
        (112, -34),
        (112, 28),
        (80, 74),
        (30, 88),
        (0, 84),
        (-30, 88),
        (-80, 74),
        (-112, 28),
        (-112, -34),
        (-70, -80),
    )
    layer.fill(skin, 0.45)
    inner = [(torso.x + (x - torso.x) * 0.975, torso.y + (y - torso.y) * 0.97) for x, y in skin]
    layer.fill(inner, _FAT)
    for share, value in ((0.90 * fat, _MUSCLE), (0.845 * fat, _FAT)):
        layer.fill(
            [(torso.x + (x - torso.x) * share, torso.y + (y - torso.y) * share) for x, y in skin], value
        )


def _organs(plate: Plate, layer: Layer, torso: _Torso) -> None:
    """Paint liver, gallbladder, stomach, spleen, bowel, pancreas and kidneys."""
    _liver(plate, layer, torso)
    stomach = torso.all((8, -56), (36, -70), (68, -62), (82, -36), (66, -12), (40, -14), (22, -32))
    layer.fill(stomach, 0.50)
    middle, level = torso.at(46, 0)[0], torso.at(0, -46 + plate.between(-4, 4))[1]
    # Gas above fluid.
    layer.fill([(middle + (x - middle) * 0.86, min(y + 3, level)) for x, y in stomach], 0.02)
    layer.fill(torso.all((72, 8), (90, -12), (98, 10), (92, 36), (72, 52), (60, 46), (72, 28)), _SPLEEN)
    for _ in range(4):
        centre = torso.at(plate.between(6, 54), plate.between(-6, 18))
        loop = blob(plate.rng, centre, plate.between(7, 10), 0.15)
        layer.fill(loop, _BOWEL).edge(loop, 2.0, 0.52)
    pancreas = ((-18, -14), (0, -22), (26, -18), (52, -10), (56, -2), (26, -6), (0, -8), (-16, 0))
    layer.fill(torso.all(*pancreas), 0.46)
    for way in (-1, 1):
        x, y = way * 52, 46 if way < 0 else 42
        layer.fill(ring(torso.at(x, y), 19, 24, way * 0.35), _KIDNEY)
        layer.fill(ring(torso.at(x - way * 7, y - 1), 9, 12, way * 0.35), 0.24)
        layer.fill(ring(torso.at(x - way * 6, y - 1), 4, 6, way * 0.35), 0.5)


def _liver(plate: Plate, layer: Layer, torso: _Torso) -> None:
    """Paint the liver with its veins, brighter with contrast, and the gallbladder."""
    jog = plate.between(-4, 4)
    front = ((-92, -22), (-80, -54), (-44, -70), (-6, -66), (20, -56 + jog))
    back = ((0, -38), (-22, -22), (-32, 4), (-56, 32), (-84, 34), (-94, 8))
    layer.fill(torso.all(*front, *back), _LIVER)
    x, y = torso.at(-34, -26)
    for k in range(5):
        angle, reach = 2.5 + 0.42 * k, plate.between(24, 42)
        layer.stroke([(x, y), (x + reach * math.cos(angle), y + reach * 0.9 * math.sin(angle))], 2.4, 0.64)
    layer.fill(blob(plate.rng, torso.at(-34, 2), 9, 0.12), 0.26)


def _retroperitoneum(plate: Plate, layer: Layer, torso: _Torso, truth: Truth) -> None:
    """Psoas and back muscles, cava and aorta, which a wide aneurysm replaces."""
    for way in (-1, 1):
        layer.fill(ring(torso.at(way * 27, 44), 11, 15), _MUSCLE)
        layer.fill(ring(torso.at(way * 27, 72), 22, 11, way * 0.12), _MUSCLE)
    layer.fill(ring(torso.at(-18, 16), 9.5, 7.5), 0.62)
    if truth.finding != "aortic aneurysm":
        layer.disc(torso.at(5, 18), plate.between(6.8, 7.8), _AORTA)
        return
    radius = plate.between(22, 25) if truth.size == "large" else plate.between(16.5, 19)
    centre = torso.at(5, 22 - radius * 0.62)
    layer.disc(centre, radius, 0.40).edge(ring(centre, radius, radius), 1.8, 0.72)
    layer.disc((centre[0] + plate.between(-3, 3), centre[1] + radius * 0.16), radius * 0.60, _AORTA)
    plate.spot = (*centre, radius)


def _bones(plate: Plate, layer: Layer, torso: _Torso) -> None:
    """A vertebra with its canal and processes, and ribs cut across in the wall."""
    centre = torso.at(0, 40)
    layer.fill(ring(centre, 17, 14.5), 0.80).edge(ring(centre, 17, 14.5), 2.2, _BONE)
    layer.fill(
        closed_curve(
            [
                torso.at(x, y)
                for x, y in ((-15, 50), (15, 50), (13, 64), (3, 70), (2, 82), (-2, 82), (-3, 70), (-13, 64))
            ]
        ),
        0.88,
    )
    layer.stroke([torso.at(-30, 60), torso.at(-12, 57)], 5, 0.88).stroke(
        [torso.at(30, 60), torso.at(12, 57)], 5, 0.88
    )
    layer.disc(torso.at(0, 58), 6.5, 0.34)
    for way in (-1, 1):
        for x, y, turn in ((94, -34, 1.2), (99, 4, 1.5), (88, 42, 2.1), (62, 66, 2.6), (72, -60, 0.8)):
            rib = ring(torso.at(way * x, y + plate.between(-4, 4)), plate.between(6, 9), 3.2, way * turn)
            layer.fill(rib, 0.85).edge(rib, 1.4, _BONE)


def _finding(plate: Plate, truth: Truth, torso: _Torso) -> None:
    """Paint a cyst, a mass or a stone into the organ of `truth`."""
    if truth.finding not in ("cyst", "mass", "calculus"):
        return
    large = truth.size == "large"
    x, y = _SITES[truth.zone, truth.side]
    play = 9 if truth.zone == "liver" else 2.5
    centre = torso.at(x + plate.between(-play, play), y + plate.between(-play, play))
    if truth.finding == "calculus":
        _stone(plate, truth, torso, large)
        return
    radius = plate.between(13, 16) if large else plate.between(8.5, 10)
    if truth.finding == "cyst":
        plate.grey = _paint(plate.grey, plate.layer().disc(centre, radius).field(0.7), _WATER)
    else:
        outline = blob(plate.rng, centre, radius * 1.1, 0.22)
        body = plate.layer().fill(outline).field(0.8)
        core = plate.layer().fill(blob(plate.rng, centre, radius * 0.55, 0.3)).field(1.4)
        rim = plate.layer().edge(outline, 3.6).field(0.7)
        plate.grey = _paint(plate.grey, body, 0.47) + body * 0.05 * plate.texture(4)
        plate.grey = _paint(plate.grey, core, 0.36)
        plate.grey = _paint(plate.grey, rim, 0.88)
    plate.spot = (*centre, radius)


def _stone(plate: Plate, truth: Truth, torso: _Torso, large: bool) -> None:
    """A stone in a kidney's pelvis, as dense as bone."""
    way = -1 if truth.side == "right" else 1
    centre = torso.at(way * 45 + plate.between(-2, 2), (46 if way < 0 else 42) + plate.between(-4, 4))
    radius = plate.between(5.2, 6.4) if large else plate.between(3.4, 4.2)
    stone = plate.layer().fill(blob(plate.rng, centre, radius, 0.15)).field(0.4)
    plate.grey = _paint(plate.grey, stone, 1.05)
    plate.spot = (*centre, radius)


def _paint(grey: Field, cover: Field, value: float) -> Field:
    """Return `grey` with `value` laid over it where `cover` is 1."""
    return np.asarray(grey + cover * (np.float32(value) - grey), dtype=np.float32)
