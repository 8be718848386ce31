"""A hand, posteroanterior: bones as shafts with flared ends, dense cortex and less dense marrow."""

from __future__ import annotations

import math
from dataclasses import dataclass

from radtui.demo.phantoms.plate import Layer, Plate, Point, blob, closed_curve
from radtui.records import Truth

SIZE_PX = (208, 256)
# Metacarpal base, direction (degrees from straight up, positive to the image's right) and bone lengths in pixels,
# thumb to little finger, for a right hand: seen from its back, its thumb is on the image's left.
_RAYS: tuple[tuple[Point, float, tuple[float, ...]], ...] = (
    ((82.0, 178.0), -42.0, (36.0, 27.0, 20.0)),
    ((92.0, 166.0), -13.0, (54.0, 36.0, 21.0, 15.0)),
    ((104.0, 163.0), -3.0, (53.0, 40.0, 25.0, 16.0)),
    ((116.0, 165.0), 6.0, (48.0, 36.0, 23.0, 15.0)),
    ((126.0, 170.0), 16.0, (44.0, 28.0, 17.0, 14.0)),
)
_WIDTHS = (13.0, 11.0, 9.0, 8.0)  # shafts of metacarpal to distal phalanx
_CARPUS: tuple[tuple[float, float, float], ...] = (
    (84, 184, 9), (93, 178, 8), (105, 176, 10.5), (119, 179, 10),
    (91, 194, 10), (105, 193, 10), (118, 193, 9), (126, 188, 6),
)  # fmt: skip


@dataclass(frozen=True)
class _Bone:
    """One long bone from `start` to `end`, `width_px` at its middle."""

    start: Point
    end: Point
    width_px: float

    def at(self, along: float, across: float = 0.0) -> Point:
        """Return the point at `along` (0 to 1) of the axis and `across` pixels to its side."""
        (dx, dy), reach = (
            self.axis,
            along * math.hypot(self.end[0] - self.start[0], self.end[1] - self.start[1]),
        )
        return self.start[0] + reach * dx - across * dy, self.start[1] + reach * dy + across * dx

    @property
    def axis(self) -> Point:
        """The direction from start to end, of length 1."""
        dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        length = math.hypot(dx, dy)
        return dx / length, dy / length

    def outline(self) -> list[Point]:
        """Return the bone's outline: a broad base, a waist, a rounded head."""
        half = self.width_px / 2
        profile = [
            (0.0, 0.95),
            (0.05, 1.35),
            (0.16, 1.18),
            (0.32, 0.88),
            (0.62, 0.80),
            (0.82, 1.08),
            (0.95, 1.16),
            (1.0, 0.75),
        ]
        up = [self.at(a, half * w) for a, w in profile]
        down = [self.at(a, -half * w) for a, w in reversed(profile)]
        return closed_curve([*up, *down], samples=4)


@dataclass(frozen=True)
class _Break:
    """Where a bone is broken, and how its far part is displaced."""

    bone: _Bone
    along: float
    slant: float  # how far the line climbs across the bone, as a share of its length
    turn: float  # radians
    slip_px: float

    def move(self, point: Point) -> Point:
        """Return where a point of the far part comes to lie."""
        pivot, (dx, dy) = self.bone.at(self.along), self.bone.axis
        x, y = point[0] - pivot[0], point[1] - pivot[1]
        c, s = math.cos(self.turn), math.sin(self.turn)
        return pivot[0] + c * x - s * y - dy * self.slip_px, pivot[1] + s * x + c * y + dx * self.slip_px


def draw(plate: Plate, truth: Truth) -> str:
    """Draw one hand with the finding of `truth`; its side decides which hand it is, else chance. Returns its letter."""
    left = truth.side == "left" if truth.side else plate.between(0, 1) < 0.5
    rays, bones = _skeleton(plate)
    radius = bones[0]
    broken = _break(plate, radius) if truth.finding == "fracture" else None
    soft = plate.layer()
    _flesh(soft, rays)
    plate.grey += 0.26 * soft.field(1.6)
    skeleton = plate.layer()
    for centre in _CARPUS:
        stone = blob(plate.rng, centre[:2], centre[2], 0.10)
        skeleton.fill(stone, 0.62).edge(stone, 1.6, 0.92)
    for bone in bones:
        if broken and bone is radius:
            _broken(plate, skeleton, broken)
        else:
            _lay(skeleton, bone)
    if truth.finding == "osteolytic lesion":
        _lesion(plate, skeleton, radius, truth)
    plate.grey += 0.58 * skeleton.field(0.5) * (1 + 0.14 * plate.texture(4))
    if left:
        plate.grey = plate.grey[:, ::-1].copy()
        if plate.spot:
            plate.spot = (plate.width_px - plate.spot[0], plate.spot[1], plate.spot[2])
    return "L" if left else "R"


def _break(plate: Plate, bone: _Bone) -> _Break:
    """Draw how the radius is broken near its wrist end; held by the ulna, its far part moves little."""
    way = 1 if plate.between(0, 1) < 0.5 else -1
    return _Break(
        bone,
        along=plate.between(0.66, 0.76),
        slant=plate.between(2.0, 5.0) * way / bone.width_px,
        turn=math.radians(plate.between(8, 12)) * way,
        slip_px=plate.between(3.2, 5.0) * way,
    )


def _skeleton(plate: Plate) -> tuple[list[list[_Bone]], list[_Bone]]:
    """Return the five rays of this patient, and all long bones with radius and ulna first."""
    scale, thick = plate.between(1.0, 1.07), plate.between(0.95, 1.12)
    spread = plate.between(0.75, 1.2)
    rays = []
    for base, degrees, lengths in _RAYS:
        angle = math.radians(degrees * spread + plate.between(-2, 2))
        start = (104 + (base[0] - 104) * scale, 200 + (base[1] - 200) * scale)
        ray = []
        for k, length in enumerate(lengths):
            reach = length * scale
            end = (start[0] + reach * math.sin(angle), start[1] - reach * math.cos(angle))
            width = _WIDTHS[k + (1 if len(lengths) == 3 and k > 0 else 0)] * thick
            ray.append(_Bone(start, end, width))
            gap = (reach + 3.2) / reach
            start = (start[0] + (end[0] - start[0]) * gap, start[1] + (end[1] - start[1]) * gap)
            angle += math.radians(plate.between(-3, 3))
        rays.append(ray)
    radius = _Bone((90, 292), (92, 205), 25 * thick)
    ulna = _Bone((125, 292), (121, 207), 15 * thick)
    return rays, [radius, ulna, *(bone for ray in rays for bone in ray)]


def _lay(layer: Layer, bone: _Bone) -> None:
    """Paint one bone: marrow, thick shaft cortex, bright articular ends."""
    outline = bone.outline()
    layer.fill(outline, 0.66)
    canal = bone.width_px * 0.40
    wall = [(0.18, 0.6), (0.5, 0.55), (0.82, 0.6), (0.82, -0.6), (0.5, -0.55), (0.18, -0.6)]
    layer.fill([bone.at(along, canal * across) for along, across in wall], 0.46)
    layer.edge(outline, max(1.4, bone.width_px * 0.15), 0.98)


def _flesh(layer: Layer, rays: list[list[_Bone]]) -> None:
    """Paint fingers, palm and wrist."""
    for ray in rays:
        tip = ray[-1].at(1.25)
        layer.stroke([ray[0].at(0.4), *(bone.at(1.0) for bone in ray[:-1]), tip], 21, 0.8)
        layer.disc(tip, 10.0, 0.8)
        for bone in ray[1:]:
            layer.disc(bone.start, 11.5, 0.8)
    palm = [ray[0].at(1.02, 3) for ray in rays]
    layer.fill(
        closed_curve(
            [(70, 182), palm[0], *palm[1:], (143, 172), (141, 215), (146, 300), (68, 300), (72, 215)]
        ),
        1.0,
    )


def _lesion(plate: Plate, layer: Layer, bone: _Bone, truth: Truth) -> None:
    """An expansile lucency that thins the cortex."""
    centre = bone.at(plate.between(0.80, 0.86))
    radius = bone.width_px * (
        plate.between(0.57, 0.65) if truth.size == "large" else plate.between(0.43, 0.49)
    )
    angle = math.atan2(bone.end[1] - bone.start[1], bone.end[0] - bone.start[0])
    c, s = math.cos(angle), math.sin(angle)
    rough = blob(plate.rng, (0, 0), radius, 0.12)
    outline = [(centre[0] + 1.3 * x * c - y * s, centre[1] + 1.3 * x * s + y * c) for x, y in rough]
    layer.fill(outline, 0.0).edge(outline, 1.6, 0.9)
    plate.spot = (*centre, radius * 1.2)


def _broken(plate: Plate, layer: Layer, broken: _Break) -> None:
    """Paint a bone in two parts, the far one displaced, with a dark gap between them."""
    bone, line = broken.bone, max(1.4, broken.bone.width_px * 0.15)
    near, far = _split(bone, broken.along, broken.slant)
    loose = [broken.move(p) for p in far]
    for part in (near, loose):
        layer.fill(part, 0.60).edge(part, line, 0.98)
    reach, lean = bone.width_px * 0.62, broken.slant * 0.5
    ends = ((broken.along - lean + 0.01, reach), (broken.along + lean + 0.01, -reach))
    layer.stroke([bone.at(along, across) for along, across in ends], 4.6, 0.0)
    plate.spot = (*bone.at(broken.along), bone.width_px * 0.9)


def _split(bone: _Bone, along: float, slant: float) -> tuple[list[Point], list[Point]]:
    """Return the outlines of a bone's near and far part, cut obliquely at `along`."""
    half = bone.width_px * 0.42  # the waist's half width
    cut = [bone.at(along - slant * 0.5, half), bone.at(along + slant * 0.5, -half)]
    up: list[Point] = []
    down: list[Point] = []
    far = [cut[0]]
    for point in bone.outline():
        if _share(bone, point) > along + 0.06:
            far.append(point)
        elif _share(bone, point) < along - 0.06:
            (up if len(far) == 1 else down).append(point)
    return [*up, *cut, *down], [*far, cut[1]]


def _share(bone: _Bone, point: Point) -> float:
    """Return how far along the bone's axis a point lies, 0 at its start and 1 at its end."""
    dx, dy = bone.end[0] - bone.start[0], bone.end[1] - bone.start[1]
    return ((point[0] - bone.start[0]) * dx + (point[1] - bone.start[1]) * dy) / (dx * dx + dy * dy)
