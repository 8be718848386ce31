"""A panoramic radiograph of the jaws: the curved dental arches unrolled, with both jaws, sinuses and condyles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from radtui.demo.phantoms.plate import Layer, Plate, Point, blob, closed_curve, open_curve, ring
from radtui.records import Truth

SIZE_PX = (272, 168)
# Crown width and height, root length in pixels, from the central incisor to the third molar.
_UPPER = (
    (9.5, 12, 15),
    (8, 11, 15),
    (9, 12, 20),
    (8.5, 10, 16),
    (8.5, 10, 16),
    (12, 10, 15),
    (12, 10, 14),
    (10.5, 9, 11),
)
_LOWER = (
    (6.5, 11, 14),
    (7, 11, 15),
    (8, 12, 19),
    (8.5, 10, 16),
    (9, 10, 16),
    (13, 10, 16),
    (13, 10, 15),
    (11.5, 9, 12),
)

_HEAD = ((-128, -10), (128, -10), (132, 90), (92, 172), (-92, 172), (-132, 90))
_UPPER_JAW = ((-98, -58), (0, -54), (98, -58), (92, -26), (0, -8), (-92, -26))


@dataclass(frozen=True)
class _Jaws:
    """One patient's bite: where the occlusal line runs."""

    middle: float
    bite: float  # y of the incisal edges
    smile: float  # rise of the occlusal line to the sides, in pixels at 100 px from the middle
    scale: float

    def at(self, x: float, y: float) -> Point:
        """Return the point at `x` and `y` from the middle of the bite, in pixels."""
        return self.middle + x, self.bite + y

    def all(self, *points: Point) -> list[Point]:
        """Return points given like `at`'s."""
        return [self.at(*point) for point in points]

    def line(self, x: float) -> float:
        """Return the y of the occlusal line at `x`."""
        return self.bite - self.smile * ((x - self.middle) / 100) ** 2


@dataclass(frozen=True)
class _Tooth:
    """Where one tooth stands: the middle of its biting edge, the way to its root, and its size."""

    edge: Point
    turn: float  # radians the root leans from straight down (lower) or up (upper)
    down: int  # 1 for a lower tooth
    crown: tuple[float, float]
    root: float

    def at(self, across: float, deep: float) -> Point:
        """Return the point `across` and `deep` pixels from the biting edge."""
        c, s = math.cos(self.turn), math.sin(self.turn)
        x, y = across, deep * self.down
        return self.edge[0] + c * x - s * y * self.down, self.edge[1] + s * x * self.down + c * y

    def all(self, *points: Point) -> list[Point]:
        """Return points given like `at`'s."""
        return [self.at(*point) for point in points]


def draw(plate: Plate, truth: Truth) -> None:
    """Draw one patient's jaws with the finding of `truth`."""
    jaws = _Jaws(
        136 + plate.between(-3, 3), plate.between(82, 87), plate.between(12, 19), plate.between(1.05, 1.12)
    )
    wisdom = plate.between(0, 1) < 0.5
    teeth = {(way, down): _row(plate, jaws, way, down) for way in (-1, 1) for down in (0, 1)}
    _skull(plate, jaws)
    _mandible(plate, jaws)
    way, down = (-1 if truth.side == "right" else 1), int("mandible" in truth.zone)
    row = teeth[way, down]
    if truth.finding == "osteolytic lesion":
        _lesion(plate, row, truth)
    elif truth.finding == "radicular cyst":
        _cyst(plate, row, truth)
    enamel = plate.layer()
    for key, line in teeth.items():
        kept = 8 if wisdom else 7
        if truth.finding == "impacted tooth" and key == (way, down):
            kept = 7 if "posterior" in truth.zone else 8
        for k, tooth in enumerate(line[:kept]):
            if (
                truth.finding == "impacted tooth"
                and key == (way, down)
                and "anterior" in truth.zone
                and k == 2
            ):
                continue
            _tooth(plate, enamel, tooth, k)
    if truth.finding == "impacted tooth":
        _impacted(plate, enamel, row, truth, way)
    plate.grey += 0.50 * enamel.field(0.4) * (1 + 0.08 * plate.texture(4))


def _row(plate: Plate, jaws: _Jaws, way: int, down: int) -> list[_Tooth]:
    """Return one quadrant's eight teeth from the middle outwards."""
    x, teeth = jaws.middle, []
    for k, (wide, tall, root) in enumerate(_LOWER if down else _UPPER):
        wide_px = wide * jaws.scale * (1.0 if k else 1.03)
        centre = x + way * wide_px / 2
        x += way * (wide_px + 0.5)
        gap = 1.6 if k < 3 else 2.0
        edge = (centre, jaws.line(centre) + (gap if down else -gap))
        lean = way * (0.02 + 0.028 * k) + plate.between(-0.05, 0.05)
        turn = -lean if down else lean * 0.8
        teeth.append(_Tooth(edge, turn, 1 if down else -1, (wide_px, tall * jaws.scale), root * jaws.scale))
    return teeth


def _skull(plate: Plate, jaws: _Jaws) -> None:
    """Everything behind the teeth: spine ghost, upper jaw, sinuses, nose, orbits and soft tissue."""
    m = jaws.middle
    head = plate.layer().fill(closed_curve([(m + x, y) for x, y in _HEAD]))
    plate.grey += 0.24 * head.field(4)
    plate.grey += 0.10 * plate.halo((m, 110), 34, 130)  # the neck's spine, blurred by the unrolling
    upper = plate.layer().fill(closed_curve(jaws.all(*_UPPER_JAW)))
    plate.grey += 0.15 * upper.field(2) * (1 + 0.3 * plate.texture(5))
    _cavities(plate, jaws)
    y = np.arange(plate.height_px, dtype=np.float32)[:, None]
    plate.grey -= 0.06 * np.clip((np.float32(26) - y) / np.float32(26), 0, 1)
    airway = plate.layer()
    for way in (-1, 1):
        throat = jaws.all((way * 96, -30), (way * 104, -40), (way * 112, 6), (way * 103, 40))
        airway.fill(closed_curve(throat), 0.8)
    plate.grey -= 0.09 * airway.field(4)


def _cavities(plate: Plate, jaws: _Jaws) -> None:
    """Sinuses, nose and orbits with their dense borders, the palate and the cheekbones."""
    dark, bright = plate.layer(), plate.layer()
    for way in (-1, 1):
        centre = jaws.at(way * 58, -54)
        sinus = blob(plate.rng, centre, 25, 0.08)
        outline = [(centre[0] + (x - centre[0]) * 1.45, y) for x, y in sinus]
        dark.fill(outline, 0.9)
        bright.edge(outline, 1.4, 0.6)
        bright.edge(ring(jaws.at(way * 50, -92), 30, 20), 2.2, 0.55)
        dark.fill(ring(jaws.at(way * 11, -56), 8, 17, way * -0.15), 0.9)
        bright.stroke(open_curve(jaws.all((way * 66, -62), (way * 92, -60), (way * 122, -54))), 4, 0.45)
    palate = open_curve(jaws.all((-86, -42), (-40, -36), (0, -38), (40, -36), (86, -42)))
    bright.stroke(palate, 2.6, 0.7).stroke(jaws.all((0, -78), (0, -38)), 2.2, 0.5)
    plate.grey -= 0.11 * dark.field(1.5)
    plate.grey += 0.20 * bright.field(0.8)


def _mandible(plate: Plate, jaws: _Jaws) -> None:
    """The lower jaw from condyle to condyle, with its dense border and the canals of its nerves."""
    m, b = jaws.middle, jaws.bite
    outer = [(117, -68), (122, -58), (120, -28), (113, 10), (100, 36), (62, 56), (24, 66)]
    inner = [(24, 10), (62, 6), (88, -8), (98, -26), (97, -46), (103, -50), (110, -46), (112, -64)]
    half = [*reversed(outer), *reversed(inner)]
    right = [(m - x, b + y) for x, y in half]
    left = [(m + x, b + y) for x, y in half]
    outline = closed_curve([*left, *reversed(right)], samples=6)
    bone = plate.layer().fill(outline, 0.72)
    lower = open_curve(
        [(m - x, b + y - 2) for x, y in outer[2:]] + [(m + x, b + y - 2) for x, y in reversed(outer[2:])]
    )
    bone.stroke(lower, 4.5, 1.0)
    bone.edge(outline, 1.3, 0.95)
    for way in (-1, 1):
        canal = open_curve(
            [(m + way * 106, b - 12), (m + way * 92, b + 22), (m + way * 60, b + 40), (m + way * 44, b + 42)]
        )
        bone.stroke(canal, 3.6, 0.60)
        bone.disc((m + way * 43, b + 40), 2.2, 0.50)
    plate.grey += 0.30 * bone.field(1.0) * (1 + 0.16 * plate.texture(4) + 0.1 * plate.texture(2.5))


def _tooth(plate: Plate, layer: Layer, tooth: _Tooth, kind: int) -> None:
    """Paint one tooth: dentine, pulp, and the dense cap of enamel; molars (kind 5 to 7) have two roots."""
    wide, tall = tooth.crown
    half, deep = wide / 2, tall + tooth.root
    roots = (-0.26 * wide, 0.26 * wide) if kind >= 5 else (0.0,)
    slim = 0.24 * wide if kind >= 5 else 0.36 * wide
    for across in roots:
        end = across * 1.25
        side = [(across - slim, tall * 0.7), (across + slim, tall * 0.7)]
        tip = [(end + slim * 0.5, deep * 0.85), (end, deep), (end - slim * 0.5, deep * 0.85)]
        layer.fill(tooth.all(*side, *tip), 0.58)
    neck = [(half, tall * 0.55), (half * 0.8, tall * 1.05), (-half * 0.8, tall * 1.05), (-half, tall * 0.55)]
    layer.fill(closed_curve(tooth.all((-half * 0.96, 1), (half * 0.96, 1), *neck), samples=4), 0.70)
    cusp = [(half * 0.9, tall * 0.42), (0, tall * 0.28), (-half * 0.9, tall * 0.42)]
    layer.fill(tooth.all((-half * 0.93, 0.6), (half * 0.93, 0.6), *cusp), 0.98)
    for across in roots:
        layer.stroke([tooth.at(across * 0.7, tall * 0.62), tooth.at(across * 1.2, deep * 0.9)], 1.2, 0.40)
    if kind >= 3 and plate.between(0, 1) < 0.12:  # a filling
        layer.fill(ring(tooth.at(0, tall * 0.2), half * 0.55, tall * 0.22, tooth.turn), 1.0)


def _site(plate: Plate, row: list[_Tooth], truth: Truth) -> _Tooth:
    """Return the tooth nearest to the middle of the zone of `truth`."""
    choice = (2, 3) if "anterior" in truth.zone else (5, 6)
    return row[choice[int(plate.between(0, 2))]]


def _lesion(plate: Plate, row: list[_Tooth], truth: Truth) -> None:
    """An irregular, ragged lucency of the jaw around the roots."""
    tooth = _site(plate, row, truth)
    radius = plate.between(16, 19) if truth.size == "large" else plate.between(11.5, 13.5)
    centre = tooth.at(plate.between(-3, 3), tooth.crown[1] + tooth.root * plate.between(0.65, 0.9))
    hole = plate.layer().fill(blob(plate.rng, centre, radius, 0.34))
    for _ in range(7):  # moth-eaten border
        angle = plate.between(0, 2 * math.pi)
        hole.disc(
            (centre[0] + radius * math.cos(angle), centre[1] + radius * 0.9 * math.sin(angle)),
            plate.between(1.5, 3.2),
        )
    plate.grey -= 0.36 * hole.field(0.9) * plate.grey / 0.5
    plate.spot = (*centre, radius)


def _cyst(plate: Plate, row: list[_Tooth], truth: Truth) -> None:
    """A round lucency with a thin dense rim that hangs on the end of a root."""
    tooth = _site(plate, row, truth)
    radius = plate.between(11.5, 13.5) if truth.size == "large" else plate.between(8.5, 10)
    deep = tooth.crown[1] + tooth.root + radius * 0.7
    centre = tooth.at(0, deep)
    outline = ring(centre, radius, radius * 0.95)
    plate.grey -= 0.32 * plate.layer().fill(outline).field(0.5) * plate.grey / 0.5
    plate.grey += 0.32 * plate.layer().edge(outline, 2.8).field(0.4)
    plate.spot = (*centre, radius)


def _impacted(plate: Plate, layer: Layer, row: list[_Tooth], truth: Truth, way: int) -> None:
    """A tooth that lies across, inside the bone: a third molar, or a canine in the anterior jaw."""
    if "posterior" in truth.zone:
        last = row[7]
        centre = last.at(way * 1.0, last.crown[1] * 1.25)
        turn = -way * plate.between(1.25, 1.75)
        tooth = _Tooth(centre, turn, last.down, (12.5, 10), 13)
        edge = tooth.at(0, -6)
        tooth = _Tooth((edge[0] + way * 2, edge[1] + last.down * 2), turn, last.down, (12.5, 10), 13)
        _tooth(plate, layer, tooth, 7)
        plate.spot = (*tooth.at(0, 11), 12)
        return
    canine = row[3]
    centre = canine.at(0, canine.crown[1] + canine.root + 4)
    turn = -way * plate.between(1.05, 1.35)
    tooth = _Tooth((centre[0] - way * 16, centre[1] + canine.down * 1), turn, canine.down, (9, 12), 18)
    _tooth(plate, layer, tooth, 2)
    plate.spot = (*tooth.at(0, 14), 12)
