"""A skull, posteroanterior: calvaria, orbits, nasal cavity, sinuses, teeth and mandible."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from radtui.demo.phantoms.plate import Field, Plate, Point, blob, closed_curve, open_curve
from radtui.records import Truth

SIZE_PX = (216, 256)
_Placed = Callable[[float, float], Point]  # from a head of scale 1, x from its midline, to the plate
# Where a finding may lie: x range from the midline, y range, in pixels of a head of scale 1.
_ZONES = {
    "parietal": ((34, 56), (48, 68)),
    "frontal": ((22, 44), (88, 104)),
    "mandible": ((40, 52), (206, 216)),
}

_MAXILLA = ((-60, 150), (0, 138), (60, 150), (50, 182), (34, 200), (-34, 200), (-50, 182))
_ORBIT = ((14, 122), (34, 112), (56, 120), (58, 138), (40, 150), (20, 144))
_SINUS = ((18, 158), (34, 154), (46, 162), (36, 182), (22, 184))
_NOSE = ((0, 146), (9, 158), (15, 180), (0, 187), (-15, 180), (-9, 158))
_JAW_BORDER = (
    (-66, 158), (-63, 190), (-50, 221), (-22, 236), (0, 239), (22, 236), (50, 221), (63, 190), (66, 158),
)  # fmt: skip


def draw(plate: Plate, truth: Truth) -> None:
    """Draw one head with the finding of `truth`."""
    middle, scale = 108 + plate.between(-3, 3), plate.between(0.96, 1.04)
    broad = plate.between(0.96, 1.05)

    def at(x: float, y: float) -> Point:
        return middle + x * scale * broad, 20 + (y - 20) * scale

    vault = _vault(plate, at)
    _face(plate, at, truth)
    way = -1 if truth.side == "right" else 1
    if truth.finding == "osteolytic lesion":
        _lesion(plate, at, truth, way)
    elif truth.finding == "fracture":
        _fracture(plate, at, truth, way)
    plate.grey *= 1 + 0.06 * plate.texture(5) + 0.05 * plate.texture(14) * vault


def _both(points: Sequence[Point]) -> list[Point]:
    """Mirror a half outline given from top to bottom and close it."""
    return [*points, *((-x, y) for x, y in reversed(points))]


def _vault(plate: Plate, at: _Placed) -> Field:
    """Scalp, tables of the calvaria with their sutures and vessel grooves; returns where the skull lies."""
    half = [(0, 20), (38, 25), (68, 48), (82, 86), (80, 122), (70, 148), (62, 168)]
    outer = closed_curve([at(x, y) for x, y in _both(half)[1:]])
    scalp = closed_curve(
        [at(x * 1.07, 20 + (y - 24) * 1.03) for x, y in _both([*half, (60, 214), (34, 244)])[1:]]
    )
    neck = [at(x, y) for x, y in ((-52, 200), (52, 200), (58, 262), (-58, 262))]
    plate.grey += 0.20 * plate.layer().fill(scalp).fill(neck).field(1.5)
    y = np.arange(plate.height_px, dtype=np.float32)[:, None]
    # The vault fades into the skull's base.
    base = np.clip((np.float32(at(0, 174)[1]) - y) / np.float32(30), 0, 1)
    bone: Field = plate.layer().fill(outer).field(0.8) * base
    inner = closed_curve([at(x * 0.925, 20 + (y - 13) * 0.965) for x, y in _both(half)[1:]])
    brain = plate.layer().fill(inner).field(1.6) * base
    plate.grey += 0.46 * bone - 0.22 * brain
    marks = plate.layer()
    for way in (-1, 1):  # lambdoid sutures, jagged
        seam, p = [], (0.0, 42.0)
        for k in range(15):
            seam.append(at(way * p[0], p[1] + (1.8 if k % 2 else -1.8)))
            p = (p[0] + 4.2, p[1] + 2.0 + plate.between(-1, 1))
        marks.stroke(seam, 1.0, 0.75)
        groove = open_curve([at(way * 70, 112), at(way * 62, 92), at(way * 58, 74), at(way * 46, 60)])
        marks.stroke(groove, 1.6, 0.4)
    seam = [at(1.5 if k % 2 else -1.5, 26 + 3.2 * k) for k in range(6)]
    marks.stroke(seam, 1.0, 0.7)
    plate.grey -= 0.09 * marks.field(0.4)
    return bone


def _face(plate: Plate, at: _Placed, truth: Truth) -> None:
    """Orbits, petrous ridges, nose, sinuses, maxilla, teeth and mandible."""
    dense, air, rim = plate.layer(), plate.layer(), plate.layer()
    dense.fill(_placed(at, _MAXILLA), 0.42)
    dense.fill(_mandible(at), 0.62)
    dense.stroke(open_curve([at(x, y) for x, y in _JAW_BORDER]), 3.5, 0.85)
    dense.stroke([at(0, 150), at(0, 262)], 26, 0.55)  # the cervical spine behind
    for way in (-1, 1):
        orbit = _placed(at, _ORBIT, way)
        air.fill(orbit, 0.75)
        rim.edge(orbit, 3.2, 0.95)
        ridge = open_curve([at(way * x, y) for x, y in ((14, 142), (34, 136), (62, 144), (76, 152))])
        dense.stroke(ridge, 8, 0.85)
        sinus = _placed(at, _SINUS, way)
        if truth.finding == "sinus opacification" and truth.side == ("right" if way < 0 else "left"):
            dense.fill(sinus, 0.78)
            plate.spot = (*at(way * 32, 168), 15.0)
        else:
            air.fill(sinus, 0.95)
            rim.edge(sinus, 1.6, 0.6)
        frontal = blob(plate.rng, at(way * 8, 106), 8, 0.25)
        air.fill(frontal, 0.55)
        rim.edge(frontal, 1.2, 0.4)
    nose = _placed(at, _NOSE)
    air.fill(nose, 0.9)
    rim.edge(nose, 1.6, 0.5).stroke([at(plate.between(-1, 1), 150), at(plate.between(-2, 2), 186)], 2.4, 0.75)
    plate.grey += 0.40 * dense.field(1.0) + 0.24 * rim.field(0.7) - 0.22 * air.field(1.0) * (0.4 + plate.grey)
    plate.grey += 0.16 * _teeth(plate, at)


def _placed(at: _Placed, half: Sequence[Point], way: int = 1) -> list[Point]:
    """Return a smooth outline on the plate, mirrored to the patient's right by `way` -1."""
    return closed_curve([at(way * x, y) for x, y in half])


def _teeth(plate: Plate, at: _Placed) -> Field:
    """Return both rows of teeth, seen from the front."""
    teeth = plate.layer()
    for k in range(-5, 6):
        for y, tall in ((196, 11), (208, 10)):
            x = k * (6.6 - 0.16 * abs(k))
            rise = abs(k) ** 1.6 * 0.35
            teeth.stroke([at(x, y - rise), at(x, y - rise + tall)], 4.6, 0.9)
    return teeth.field(0.6)


def _mandible(at: _Placed) -> list[Point]:
    """Outline of the lower jaw, a horseshoe seen from the front."""
    outer = [(66, 152), (65, 178), (61, 198), (48, 222), (22, 237)]
    inner = [(20, 214), (38, 206), (49, 190), (53, 172), (56, 152)]
    right = [at(-x, y) for x, y in [*reversed(inner), *reversed(outer)]]
    left = [at(x, y) for x, y in [*outer, *inner]]
    return [*left, *right]


def _lesion(plate: Plate, at: _Placed, truth: Truth, way: int) -> None:
    """A punched-out hole in the bone, without a dense rim."""
    (x0, x1), (y0, y1) = _ZONES[truth.zone]
    radius = plate.between(14, 17) if truth.size == "large" else plate.between(9.5, 11.5)
    if truth.zone == "mandible":
        radius *= 0.8
    centre = at(way * plate.between(x0, x1), plate.between(y0, y1))
    hole = plate.layer().fill(blob(plate.rng, centre, radius, 0.16)).field(0.8)
    plate.grey -= hole * np.maximum(plate.grey - np.float32(0.18), 0) * 0.9
    plate.spot = (*centre, radius)


def _fracture(plate: Plate, at: _Placed, truth: Truth, way: int) -> None:
    """A straight dark line that forks, or a gap with a step in the mandible."""
    (x0, x1), (y0, y1) = _ZONES[truth.zone]
    x, y = plate.between(x0, x1), plate.between(y0, y1)
    lines = plate.layer()
    if truth.zone == "mandible":
        lines.stroke([at(way * (x - 9), y - 20), at(way * (x - 1), y), at(way * (x + 7), y + 22)], 4.4)
        bone = plate.layer().fill(_mandible(at)).field(1.0)
        plate.grey -= 0.36 * lines.field(0.5) * bone
        plate.spot = (*at(way * x, y), 12)
        return
    angle, length = plate.between(-0.5, 0.7), plate.between(25, 30)
    path = []
    for k in range(7):
        t = (k - 3) / 3 * length
        jitter = plate.between(-1.3, 1.3)
        path.append(
            at(
                way * (x + t * math.cos(angle) - jitter * math.sin(angle)),
                y + t * math.sin(angle) + jitter * math.cos(angle),
            )
        )
    lines.stroke(path, 3.0)
    lines.stroke([path[3], (path[3][0] + way * 10, path[3][1] - 16)], 2.4)
    plate.grey -= 0.27 * lines.field(0.45)
    plate.spot = (*at(way * x, y), length)
