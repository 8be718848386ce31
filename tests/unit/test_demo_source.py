"""The demo's source: fixed order whatever the number of processes, splits without a common image, no heavy imports."""

import hashlib
import io
import subprocess
import sys
from collections.abc import Generator

import pytest
from PIL import Image

from radtui.demo import source
from radtui.demo.source import case_of, phantoms
from tests.unit.source_files import data_of, error_of


def test_one_process_and_two_yield_the_same_images_in_the_same_order():
    alone = list(phantoms(4, train=24, test=10, processes=1))
    assert alone == list(phantoms(4, train=24, test=10, processes=2))
    assert [image.split for image in alone] == ["train"] * 24 + ["test"] * 10
    assert len({image.source_key for image in alone}) == 34
    assert alone != list(phantoms(5, train=24, test=10, processes=1))


def test_a_limit_draws_no_more_than_it_keeps(monkeypatch):
    whole = list(phantoms(4, train=12, test=6, processes=1))
    drawn = []
    monkeypatch.setattr(source, "case_of", lambda case: drawn.append(case) or case_of(case))
    assert list(phantoms(4, train=12, test=6, processes=1, limit=2)) == whole[:2] + whole[12:14]
    assert len(drawn) == 4


def test_images_are_grey_pngs_with_truth_and_caption_and_never_repeat():
    images = list(phantoms(9, train=60, test=30, processes=1))
    assert len({hashlib.sha256(data_of(image)).digest() for image in images}) == 90
    for image in images:
        picture = Image.open(io.BytesIO(data_of(image)))
        assert (picture.format, picture.mode) == ("PNG", "L")
        assert image.truth[0].finding
        assert image.reference.endswith(".")
        assert not error_of(image)


def test_images_stream_before_all_are_drawn():
    stream = phantoms(1, train=100_000, test=0, processes=1)
    assert next(stream).split == "train"
    assert isinstance(stream, Generator)
    stream.close()


@pytest.mark.parametrize("module", ["radtui.demo.source", "tools.demo_base.contact_sheet"])
def test_importing_the_demo_loads_no_training_library(module):
    heavy = ("torch", "transformers", "peft", "trl", "datasets")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
