"""A posteroanterior chest radiograph: lungs, heart, ribs and vessels summed as attenuation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from radtui.demo.phantoms.plate import Field, Layer, Plate, Point, blob, closed_curve, open_curve
from radtui.records import Truth

SIZE_PX = (256, 256)
# Shares of the lung's height.
_ZONE_HEIGHT = {"upper": (0.16, 0.30), "middle": (0.42, 0.56), "lower": (0.68, 0.82)}


@dataclass(frozen=True)
class _Build:
    """One patient's proportions, in pixels."""

    middle: float  # x of the spine
    half_width: float  # of the rib cage
    apex: float  # y of the top of the lungs
    base: float  # y of the right costophrenic angle
    heart: float  # transverse heart size over the rib cage's

    @property
    def height(self) -> float:
        """Height of the lungs."""
        return self.base - self.apex

    def lung_x(self, way: int, share: float) -> float:
        """Return the x at `share` of the way from the spine to the chest wall; `way` is -1 for the patient's right."""
        return self.middle + way * self.half_width * share


def draw(plate: Plate, truth: Truth) -> None:
    """Draw one patient with the finding of `truth` onto `plate`."""
    build = _Build(
        middle=128 + plate.between(-4, 4),
        half_width=plate.between(92, 103),
        apex=plate.between(28, 38),
        base=plate.between(198, 212),
        heart=plate.between(0.64, 0.72) if truth.finding == "cardiomegaly" else plate.between(0.40, 0.47),
    )
    if truth.finding == "cardiomegaly":
        plate.spot = (
            build.middle + 14,
            build.apex + 0.72 * build.height,
            build.heart * build.half_width * 0.9,
        )
    lungs = {way: plate.layer().fill(_lung(build, way)).field(1.2) for way in (-1, 1)}
    air = lungs[-1] + lungs[1]
    plate.grey += 0.56 * plate.layer().fill(_body(build)).field(2.5)
    plate.grey -= 0.44 * air
    _vessels(plate, build, air)
    _mediastinum(plate, build)
    _bones(plate, build)
    _abdomen(plate, build, air)
    _finding(plate, truth, build, lungs)


def _lung(build: _Build, way: int) -> list[Point]:
    """Outline of one lung, from the apex down the chest wall and back along the mediastinum."""
    low = build.base + (4 if way > 0 else 0)
    dome = low - build.height * (0.13 if way < 0 else 0.10)

    def at(share: float, height: float) -> Point:
        return build.lung_x(way, share), build.apex + build.height * height

    wall = [at(0.34, 0.0), at(0.58, 0.07), at(0.78, 0.24), at(0.89, 0.48), at(0.95, 0.72)]
    floor = [
        (build.lung_x(way, 0.965), low),
        (build.lung_x(way, 0.74), dome + 3),
        (build.lung_x(way, 0.46), dome),
    ]
    inner = [(build.lung_x(way, 0.20), dome + 8), at(0.15, 0.55), at(0.13, 0.30), at(0.18, 0.08)]
    return closed_curve([*wall, *floor, *inner])


def _body(build: _Build) -> list[Point]:
    """Outline of neck, shoulders and trunk."""
    half = [
        (0.27, -20),
        (0.28, 8),
        (0.55, 22),
        (1.0, 36),
        (1.32, 62),
        (1.42, 120),
        (1.16, 150),
        (1.13, 200),
        (1.15, 290),
    ]
    right = [(build.middle - build.half_width * x, float(y)) for x, y in half]
    left = [(build.middle + build.half_width * x, float(y)) for x, y in half]
    return closed_curve([*left, *reversed(right)], samples=4)


def _vessels(plate: Plate, build: _Build, air: Field) -> None:
    """Branching vessels from both hila, thinner outwards, and the lung's fine mottle."""
    tree = plate.layer()
    for way in (-1, 1):
        hilum = (build.lung_x(way, 0.20), build.apex + build.height * (0.44 if way > 0 else 0.47))
        for _ in range(11):
            turn = plate.between(-1.25, 1.35)
            _branch(plate, tree, hilum, turn, way, plate.between(2.2, 4.2))
    plate.grey += 0.20 * tree.field(0.9) * air
    for way in (-1, 1):
        centre = (build.lung_x(way, 0.19), build.apex + 0.46 * build.height)
        plate.grey += 0.14 * plate.halo(centre, 20, 32)
    plate.grey += (0.045 * plate.texture(7) + 0.03 * plate.texture(28)) * air


def _branch(plate: Plate, tree: Layer, start: Point, turn: float, way: int, width_px: float) -> None:
    """One vessel from `start`, forking once on its way."""
    path = [start]
    for _ in range(4):
        turn += plate.between(-0.28, 0.28)
        step = plate.between(10, 17)
        path.append((path[-1][0] + way * step * math.cos(turn), path[-1][1] + step * math.sin(turn)))
    for k in range(4):
        tree.stroke(path[k : k + 2], width_px * (1 - 0.2 * k), 0.9 - 0.16 * k)
    fork, lean = path[2], plate.between(0.4, 0.8) * (1 if plate.between(0, 1) < 0.5 else -1)
    end = (fork[0] + way * 24 * math.cos(turn + lean), fork[1] + 24 * math.sin(turn + lean))
    tree.stroke([fork, end], width_px * 0.45, 0.5)


def _mediastinum(plate: Plate, build: _Build) -> None:
    """Spine, trachea, great vessels and the heart, whose width is the patient's own."""
    m, top, tall, w = build.middle, build.apex, build.height, build.half_width
    column = [
        (m - 11, -5),
        (m + 11, -5),
        (m + 15, top + tall),
        (m + 17, 280),
        (m - 17, 280),
        (m - 15, top + tall),
    ]
    spine = plate.layer().fill(column, 0.8)
    for k in range(15):  # discs between the vertebrae, and their spinous processes
        y = 4 + 17.5 * k
        spine.stroke([(m - 14, y), (m + 14, y)], 2.5, 0.45).disc((m, y + 8), 2, 1.0)
    arch = plate.layer().disc((m + 0.19 * w, top + 0.29 * tall), 0.12 * w, 0.8)
    vessels = [
        (m - 0.2 * w, top),
        (m + 0.2 * w, top),
        (m + 0.2 * w, top + 0.6 * tall),
        (m - 0.21 * w, top + 0.6 * tall),
    ]
    arch.fill(vessels, 0.8)
    soft = np.maximum(arch.field(2.5), _heart(plate, build))
    plate.grey += 0.33 * soft + 0.13 * spine.field(1.2)
    trachea = open_curve([(m - 1, 0), (m, top + 0.2 * tall), (m + 3, top + 0.31 * tall)])
    plate.grey -= 0.15 * plate.layer().stroke(trachea, 13).field(2)


def _heart(plate: Plate, build: _Build) -> Field:
    """Return the heart's shadow, 0 to 1, thickest in its middle and fading below the diaphragm."""
    m, top, tall, w = build.middle, build.apex, build.height, build.half_width
    left, right = w * build.heart * 1.32, w * build.heart * 0.64
    low = build.base - 0.05 * tall
    outline = [
        (m + 0.20 * w, top + 0.42 * tall),
        (m + 0.20 * w + 0.45 * (left - 0.2 * w), top + 0.55 * tall),
        (m + left * 0.97, top + 0.74 * tall),
        (m + left, low - 0.10 * tall),
        (m + left * 0.78, low + 2),
        (m, low + 8),
        (m - right * 0.85, low + 2),
        (m - right, top + 0.74 * tall),
        (m - right * 0.9, top + 0.58 * tall),
        (m - 0.16 * w, top + 0.44 * tall),
    ]
    shadow = plate.layer().fill(closed_curve(outline)).field(1.3)
    y = np.arange(plate.height_px, dtype=np.float32)[:, None]
    above = np.clip((np.float32(build.base - 8) - y) / np.float32(26), 0, 1)
    thick = plate.dome((m + 0.2 * left, top + 0.74 * tall), left * 1.1, 0.40 * tall)
    return np.asarray(shadow * (np.float32(0.72) + np.float32(0.28) * thick) * above, dtype=np.float32)


def _bones(plate: Plate, build: _Build) -> None:
    """Posterior and anterior ribs as two summed layers, clavicles and scapulae."""
    posterior, anterior, shoulder = plate.layer(), plate.layer(), plate.layer()
    m, w, tall = build.middle, build.half_width, build.height
    for way in (-1, 1):
        for k in range(10):
            y = build.apex - 4 + tall * 0.098 * k
            reach = w * min(0.60 + 0.085 * k, 0.985)
            path = open_curve(
                [
                    (m + way * 13, y + 4),
                    (m + way * reach * 0.5, y - 3),
                    (m + way * reach * 0.86, y + 9),
                    (m + way * reach, y + 25),
                ],
                samples=4,
            )
            posterior.stroke(path, 7.0, 0.55)
            posterior.stroke([(x, yy - 3) for x, yy in path], 1.2, 0.95)
            posterior.stroke([(x, yy + 3) for x, yy in path], 1.2, 0.85)
        for k in range(6):
            y = build.apex + 16 + tall * 0.115 * k
            reach = w * min(0.66 + 0.075 * k, 0.97)
            path = open_curve(
                [(m + way * reach, y), (m + way * reach * 0.72, y + 19), (m + way * reach * 0.40, y + 27)], 4
            )
            anterior.stroke(path, 7.5, 0.7)
        collar = [
            (m + way * 12, build.apex + 8),
            (m + way * 0.45 * w, build.apex + 1),
            (m + way * 1.05 * w, build.apex - 8),
        ]
        shoulder.stroke(open_curve(collar), 8, 0.85)
        blade = [(0.86, 0.0), (1.12, 0.05), (1.10, 0.28), (0.98, 0.48), (0.90, 0.26)]
        shoulder.fill(closed_curve([(m + way * w * x, build.apex + tall * y) for x, y in blade]), 0.45)
        shoulder.disc((m + way * 1.22 * w, build.apex + 14), 13, 0.75)
    plate.grey += 0.16 * posterior.field(0.5) + 0.09 * anterior.field(0.7) + 0.14 * shoulder.field(0.8)


def _abdomen(plate: Plate, build: _Build, air: Field) -> None:
    """Dense liver and soft tissue below the diaphragm, with the stomach's air bubble on the patient's left."""
    y = np.arange(plate.height_px, dtype=np.float32)[:, None]
    below = np.clip((y - np.float32(build.base - 34)) / np.float32(30), 0, 1)
    plate.grey += 0.14 * below * (1 - air)
    bubble = blob(plate.rng, (build.lung_x(1, 0.50), build.base + 13), plate.between(9, 13), 0.15)
    plate.grey -= 0.13 * plate.layer().fill(bubble).field(2)


def _finding(plate: Plate, truth: Truth, build: _Build, lungs: dict[int, Field]) -> None:
    """Add what `truth` names inside the lung of its side."""
    way = -1 if truth.side == "right" else 1
    large = truth.size == "large"
    if truth.finding == "nodule":
        centre, radius = (
            _place(plate, truth, build, way, 0.62),
            plate.between(11, 13) if large else plate.between(7.5, 9),
        )
        solid = plate.layer().fill(blob(plate.rng, centre, radius, 0.08)).field(0.8)
        plate.grey += 0.40 * solid * (0.6 + 0.4 * plate.dome(centre, radius * 1.2, radius * 1.2))
        plate.spot = (*centre, radius)
    elif truth.finding == "consolidation":
        centre, radius = (
            _place(plate, truth, build, way, 0.52),
            plate.between(33, 38) if large else plate.between(24, 28),
        )
        cloud = plate.layer().fill(blob(plate.rng, centre, radius, 0.3)).field(6)
        plate.grey += cloud * lungs[way] * (0.30 + 0.10 * plate.texture(9))
        plate.spot = (*centre, radius)
    elif truth.finding == "pleural effusion":
        _effusion(plate, build, way, large, lungs[way])
    elif truth.finding == "pneumothorax":
        _pneumothorax(plate, build, way, large, lungs[way])


def _place(plate: Plate, truth: Truth, build: _Build, way: int, share: float) -> Point:
    """Draw a point in the zone of `truth`, near `share` of the way to the chest wall."""
    low, high = _ZONE_HEIGHT[truth.zone]
    height = plate.between(low, high)
    out = share + plate.between(-0.12, 0.12) - (0.12 if height < 0.3 else 0.0)  # the apex is narrow
    return build.lung_x(way, out), build.apex + build.height * height


def _effusion(plate: Plate, build: _Build, way: int, large: bool, lung: Field) -> None:
    """Fluid with a meniscus that climbs the chest wall."""
    level = build.base - build.height * (plate.between(0.42, 0.52) if large else plate.between(0.22, 0.29))
    x = (np.arange(plate.width_px, dtype=np.float32)[None, :] - np.float32(build.middle)) * np.float32(
        way / build.half_width
    )
    climb = np.clip(x - np.float32(0.45), 0, 1)
    surface = np.float32(level) - np.float32(120) * climb * climb
    y = np.arange(plate.height_px, dtype=np.float32)[:, None]
    fluid = np.clip((y - surface) / np.float32(7), 0, 1) * lung
    plate.grey += 0.42 * fluid
    plate.spot = (build.lung_x(way, 0.62), (level + build.base) / 2, (build.base - level) / 2)


def _pneumothorax(plate: Plate, build: _Build, way: int, large: bool, lung: Field) -> None:
    """A collapsed lung in its cavity: black and bare outside the pleural line, which is a thin bright edge."""
    shrink = plate.between(0.66, 0.72) if large else plate.between(0.80, 0.84)
    root = (build.lung_x(way, 0.16), build.apex + 0.72 * build.height)
    outline = [
        (root[0] + (x - root[0]) * shrink, root[1] + (y - root[1]) * shrink) for x, y in _lung(build, way)
    ]
    kept = plate.layer().fill(outline).field(0.6)
    bare = lung * (1 - kept)
    y = np.arange(plate.height_px, dtype=np.float32)[:, None]
    above = np.clip((np.float32(root[1] + 14) - y) / np.float32(30), 0, 1)
    bare = bare * above
    plate.grey -= bare * (0.10 + 0.45 * np.maximum(plate.grey - np.float32(0.12), 0))
    plate.grey += 0.16 * plate.layer().edge(outline, 1.5).field(0.5) * above * lung
    plate.grey += 0.07 * kept * lung
    plate.spot = (build.lung_x(way, 0.68), build.apex + 0.22 * build.height, (1 - shrink) * build.half_width)
