"""Phantoms: the same seed gives the same bytes, findings lie where the truth says and can be seen there."""

import numpy as np
import pytest

from radtui.demo.cases import deal
from radtui.demo.phantoms import phantom
from radtui.demo.phantoms.plate import Plate
from radtui.demo.vocabulary import EXAMINATIONS, SIGHTINGS
from radtui.records import Truth

EVERY = [(e, f) for e, found in SIGHTINGS.items() for f in found]


def truths(examination, finding):
    sighting = SIGHTINGS[examination][finding]
    return [
        Truth(finding, side, place.zone, size)
        for place in sighting.places
        for side in place.sides
        for size in sighting.sizes
    ]


def test_same_seed_same_bytes_and_another_seed_another_picture():
    truth = Truth("nodule", "right", "upper", "small")
    first, again, other = (phantom("chest PA", truth, seed) for seed in ((1, 2), (1, 2), (1, 3)))
    assert first.png() == again.png()
    assert first.spot == again.spot
    assert (first.pixels != other.pixels).mean() > 0.5


@pytest.mark.parametrize("examination", EXAMINATIONS)
def test_a_normal_study_is_a_full_grey_picture_without_a_spot(examination):
    drawn = phantom(examination, Truth("normal"), (0,))
    assert drawn.spot is None
    assert drawn.pixels.dtype == np.uint8
    assert drawn.pixels.std() > 30  # dark and bright parts
    assert max(drawn.pixels.shape) <= 280


@pytest.mark.parametrize(("examination", "finding"), EVERY)
def test_a_finding_lies_on_its_side_and_inside_the_picture(examination, finding):
    for k, truth in enumerate(truths(examination, finding)):
        drawn = phantom(examination, truth, (7, k))
        x, y, radius = drawn.spot
        assert 0 < x < 1
        assert 0 < y < 1
        assert 0 < radius < 0.6
        if examination == "hand PA":
            assert drawn.marker == ("R" if truth.side == "right" else "L")
        elif truth.side:
            assert (x < 0.5) == (truth.side == "right"), truth  # the patient's right is on the image's left


def test_chest_zones_lie_one_below_the_other():
    heights = [
        phantom("chest PA", Truth("nodule", "left", z, "small"), (3,)).spot[1]
        for z in ("upper", "middle", "lower")
    ]
    assert heights == sorted(heights)
    assert heights[2] - heights[0] > 0.25


@pytest.mark.parametrize(
    ("examination", "truth", "brighter"),
    [
        ("chest PA", Truth("nodule", "right", "middle", "large"), True),
        ("panoramic dental", Truth("radicular cyst", "left", "posterior mandible", "large"), False),
        ("hand PA", Truth("osteolytic lesion", "right", "distal radius", "large"), False),
        ("skull PA", Truth("osteolytic lesion", "left", "parietal", "small"), False),
        ("abdominal CT", Truth("cyst", "right", "liver", "small"), False),
        ("abdominal CT", Truth("calculus", "left", "kidney", "small"), True),
        ("brain MR", Truth("haemorrhage", "right", "occipital", "small"), False),
        ("brain MR", Truth("cyst", "left", "frontal", "small"), True),
    ],
)
def test_a_finding_stands_out_from_its_surroundings(examination, truth, brighter):
    for k in range(4):
        drawn = phantom(examination, truth, (11, k))
        height, width = drawn.pixels.shape
        x, y, radius = drawn.spot[0] * width, drawn.spot[1] * height, drawn.spot[2] * width
        rows, columns = np.mgrid[:height, :width]
        distance = np.hypot(columns - x, rows - y) / radius
        inside, around = (
            drawn.pixels[distance < 0.6].mean(),
            drawn.pixels[(distance > 1.4) & (distance < 2.2)].mean(),
        )
        assert (inside - around > 12) if brighter else (around - inside > 12), (inside, around)


def test_a_spot_moves_with_the_picture():
    plate = Plate(np.random.default_rng(0), 200, 160)
    plate.grey += plate.dome((50, 110), 4, 4)
    plate.spot = (50, 110, 4)
    plate.tilt(8, 1.1, (5, -7))
    y, x = np.unravel_index(plate.grey.argmax(), plate.grey.shape)
    assert abs(x - plate.spot[0]) < 1
    assert abs(y - plate.spot[1]) < 1


def test_cases_are_dealt_evenly_and_splits_share_no_patient():
    train, test = deal(5, "train", 1600), deal(5, "test", 300)
    assert sum(c.truth.finding == "normal" for c in train) == 320
    assert sum(c.truth.finding == "normal" for c in test) == 60
    counts = [sum((c.examination, c.truth.finding) == key for c in train) for key in EVERY]
    assert max(counts) - min(counts) <= 1
    assert min(counts) >= 50
    assert not {c.seed for c in train} & {c.seed for c in test}
    assert deal(5, "train", 1600) == train
    assert [c.truth for c in deal(6, "train", 1600)] != [c.truth for c in train]


def test_there_are_enough_examinations_and_findings():
    assert len(EXAMINATIONS) >= 6
    assert len({finding for _, finding in EVERY}) >= 12
