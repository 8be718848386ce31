"""Pictures for pretraining, with exercises: phantoms at the model's own size, some with shapes drawn over them."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from radtui.demo.cases import PhantomCase, deal
from radtui.demo.phantoms import phantom
from tools.demo_base import pretrain_exercises as exercises
from tools.demo_base.pretrain_exercises import Exercise

TILE_PX = 144  # the model's image size
_OVERLAY_SHARE = 0.3  # of phantoms that come a second time, with shapes drawn over them

Tile = NDArray[np.uint8]  # (TILE_PX, TILE_PX)


def tile(pixels: NDArray[np.uint8]) -> Tile:
    """Fit a grey picture into the model's square as its processor does: shrunk, top left, the rest black."""
    height, width = pixels.shape
    scale = TILE_PX / max(height, width)
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
    square = np.zeros((TILE_PX, TILE_PX), dtype=np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    return square


def draw(count: int, seed: int, processes: int) -> Iterator[tuple[Tile, list[Exercise]]]:
    """Yield the tiles of `count` phantoms, each with its exercises, in an order that depends on the seed alone.

    The stream "pretrain" is none of the demo's splits: no image of a demo data set comes up here.
    """
    cases = deal(seed, "pretrain", count)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for pairs in pool.imap(_pictures, cases, chunksize=64):
            yield from pairs


def _pictures(case: PhantomCase) -> list[tuple[Tile, list[Exercise]]]:
    """Return one phantom's tile, and maybe the same with shapes over it."""
    rng = random.Random(".".join(map(str, case.seed)))
    drawn = phantom(case.examination, case.truth, case.seed)
    square = tile(drawn.pixels)
    asked = [exercises.overview(rng, case.examination)]
    asked += [exercises.sign(rng, case.examination, case.truth) for _ in range(6)]
    asked += [
        exercises.question(rng, case.examination, case.truth, drawn.spot, drawn.marker) for _ in range(4)
    ]
    pictures = [(square, asked)]
    if rng.random() < _OVERLAY_SHARE:
        overlaid, answer = _overlay(rng, square)
        pictures.append((overlaid, [answer, answer, exercises.overview(rng, case.examination)]))
    return pictures


def _overlay(rng: random.Random, square: Tile) -> tuple[Tile, Exercise]:
    """Draw one to three equal shapes over a tile and ask for them."""
    kind = rng.choice(("disc", "ring", "line", "patch"))
    tone = rng.choice((-1, 1))
    size = rng.choice(("small", "large"))
    count = rng.choice((1, 1, 1, 2, 3)) if kind in ("disc", "ring") else 1
    cover = Image.new("L", (TILE_PX * 2, TILE_PX * 2), 0)
    pen = ImageDraw.Draw(cover)
    radius = rng.uniform(3.5, 5) if size == "small" else rng.uniform(7.5, 11)
    where = [(rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9)) for _ in range(count)]
    for x, y in where:
        _stamp(rng, pen, kind, (x * TILE_PX * 2, y * TILE_PX * 2), radius * 2)
    soft = cover.filter(ImageFilter.GaussianBlur(7 if kind == "patch" else 1)).reduce(2)
    change = np.asarray(soft, dtype=np.float32) / 255 * (tone * rng.uniform(55, 120))
    overlaid = np.clip(square.astype(np.float32) + change, 0, 255).astype(np.uint8)
    name = f"{size} {'bright' if tone > 0 else 'dark'} {kind}"
    answer = (
        f"{'two' if count == 2 else 'three'} {name}s."
        if count > 1
        else f"a {name}, {exercises.third(*where[0])}."
    )
    return overlaid, Exercise("Which shape was drawn over the image?", answer)


def _stamp(
    rng: random.Random, pen: ImageDraw.ImageDraw, kind: str, centre: tuple[float, float], radius: float
) -> None:
    """Draw one shape at twice the tile's size."""
    x, y = centre
    box = (x - radius, y - radius, x + radius, y + radius)
    if kind == "disc":
        pen.ellipse(box, fill=255)
    elif kind == "ring":
        pen.ellipse(box, outline=255, width=3)
    elif kind == "patch":
        wide = rng.uniform(1.2, 1.8) * radius
        pen.ellipse((x - wide, y - radius * 1.4, x + wide, y + radius * 1.4), fill=255)
    else:
        dx, dy = rng.uniform(-2, 2) * radius, rng.uniform(-2, 2) * radius
        pen.line((x - dx, y - dy, x + dx, y + dy), fill=255, width=4)
