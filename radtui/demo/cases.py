"""Which patients a data set holds: examinations, findings, sides and zones dealt evenly from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import cycle, islice

from radtui.demo.vocabulary import EXAMINATIONS, NORMAL, SIGHTINGS
from radtui.records import Truth

NORMAL_SHARE = 0.2  # of a split's studies


@dataclass(frozen=True, slots=True)
class PhantomCase:
    """One patient to draw: where in its split, the seed of its own random stream, examination and truth."""

    split: str
    index: int
    seed: tuple[int, ...]
    examination: str
    truth: Truth


def deal(seed: int, split: str, count: int) -> list[PhantomCase]:
    """Return `count` cases of a split in a shuffled order; about a fifth are normal studies.

    Every finding of every examination comes equally often, as do its zones, sides and sizes.
    """
    stream = (seed, *split.encode())  # another split never shares a patient's random numbers
    rng = random.Random(".".join(map(str, stream)))
    normals = round(NORMAL_SHARE * count)
    dealt = [(name, Truth(NORMAL)) for name in islice(cycle(EXAMINATIONS), normals)]
    decks = {key: cycle(_variants(rng, *key)) for key in _findings()}
    dealt += [(key[0], next(decks[key])) for key in islice(cycle(decks), count - normals)]
    rng.shuffle(dealt)
    return [PhantomCase(split, k, (*stream, k), name, truth) for k, (name, truth) in enumerate(dealt)]


def _findings() -> list[tuple[str, str]]:
    """Return every pair of an examination and a finding it can show."""
    return [(examination, finding) for examination, sightings in SIGHTINGS.items() for finding in sightings]


def _variants(rng: random.Random, examination: str, finding: str) -> list[Truth]:
    """Return every side, zone and size of one finding in one examination, shuffled."""
    sighting = SIGHTINGS[examination][finding]
    variants = [
        Truth(finding, side, place.zone, size)
        for place in sighting.places
        for side in place.sides
        for size in sighting.sizes
    ]
    rng.shuffle(variants)
    return variants
