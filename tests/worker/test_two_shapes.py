"""Models whose code takes all pictures of a batch to be of one shape are shown one at a time, and that is said."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image as Pillow

from radtui.records import UserError
from radtui.settings import GenerateSettings
from radtui.store import cases, jobs, metrics
from radtui.store import texts as stored
from radtui.store.database import connect
from radtui.worker.describing import generate
from radtui.worker.memory import model_check, shapes
from radtui.worker.process import failures
from radtui.worker.process.ranks import ALONE
from radtui.worker.process.reporter import Reporter
from radtui.worker.training import train
from tests import blobs
from tests.conftest import kept_case

from . import more_families
from .conftest import new_job, train_settings

SIZES = ((112, 56), (56, 56), (56, 112), (56, 56))  # px; the first and the third have as many patches


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (RuntimeError("shape '[2, 4, 2, 4, 2, 32]' is invalid for input of size 3584"), True),
        (RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"), True),
        (RuntimeError("CUDA out of memory. equal size"), False),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (ValueError("equal size"), False),
    ],
)
def test_only_what_does_not_go_together_is_of_shapes(error, is_one):
    assert failures.is_of_shapes(error) is is_one


@pytest.fixture(scope="module")
def minicpm(tmp_path_factory):
    return more_families.minicpmv4_6(tmp_path_factory.mktemp("minicpm"))


@pytest.fixture
def shaped(tmp_path):
    """A data folder with pictures of three shapes."""
    from radtui.paths import DataDir

    data = DataDir(tmp_path / "data").create()
    db = connect(data)
    cases.ensure_dataset(db, "shapes", "drawn")
    batch = []
    for split in ("train", "test"):
        for number, size in enumerate(SIZES):
            file = io.BytesIO()
            Pillow.new("L", size, 40 + 40 * number).save(file, "PNG")
            digest = blobs.keep(data, file.getvalue())
            probe = cases.Probe(digest, "PNG", *size, "L")
            batch.append(kept_case(split, f"{split}-{number}", probe, reference=f"Picture {number}."))
    cases.add(db, "shapes", batch)
    return data


@pytest.mark.long
def test_one_picture_at_a_time_is_learnt_and_described(minicpm, shaped):
    db = connect(shaped)
    job = new_job(
        shaped, train_settings(minicpm, max_steps=2, batch_size=2, gradient_accumulation=1, watch_images=2)
    )
    jobs.begin(db, job.id, 1)
    train.run(jobs.must_get(db, job.id), shaped, db, Reporter(db, job.id))
    result = jobs.must_get(db, job.id).result
    assert (result["batch_size"], result["gradient_accumulation"]) == (1, 2)
    texts = [each.text for each in metrics.events_since(db, job.id, 0) if each.kind == "warning"]
    assert [text for text in texts if failures.TWO_SHAPES in text] == [
        f"{failures.TWO_SHAPES}: going on with one image at a time and 2 passes per step"
    ]

    settings = GenerateSettings(
        model=str(minicpm), adapter=str(shaped.adapter(job.id)), dataset="shapes", instruction="Describe.",
        max_new_tokens=4, batch_size=4, load_in_4bit=False,
    )  # fmt: skip
    job = new_job(shaped, settings)
    jobs.begin(db, job.id, 1)
    generate.run(jobs.must_get(db, job.id), shaped, db, Reporter(db, job.id))
    assert len(stored.finished(db, job.id)) == 2 * len(SIZES)
    events = [each.text for each in metrics.events_since(db, job.id, 0) if each.kind == "warning"]
    assert f"{failures.TWO_SHAPES}: going on with one case at a time" in events


def test_who_asks_for_one_picture_at_a_time_is_not_told_so():
    work: Any = SimpleNamespace(there=0, prompts={})
    nothing: Any = None  # that shapes could be tried on
    reporter: Any = SimpleNamespace(ranks=ALONE)
    writer = generate._Writer(GenerateSettings(batch_size=1), nothing, nothing, reporter, work)
    assert writer.batch_size == 1 and not writer.of_one_shape


@pytest.mark.long
def test_it_is_said_before_anything_is_loaded(minicpm, shaped):
    notes: Any = model_check.check(str(minicpm), shaped, "")["notes"]
    assert any(failures.TWO_SHAPES in note and failures.PARTS_OF_TWO_SHAPES in note for note in notes)


@pytest.mark.long
def test_what_fails_later_goes_on_with_one_at_a_time_and_parts_end_in_a_sentence(
    minicpm, shaped, monkeypatch
):
    monkeypatch.setattr(shapes, "refused", lambda *_: False)
    db = connect(shaped)
    job = new_job(
        shaped, train_settings(minicpm, max_steps=1, batch_size=4, gradient_accumulation=1, watch_images=0)
    )
    jobs.begin(db, job.id, 1)
    train.run(jobs.must_get(db, job.id), shaped, db, Reporter(db, job.id))
    assert jobs.must_get(db, job.id).result["batch_size"] == 1

    content = io.BytesIO()
    Pillow.new("L", (500, 400), 90).save(content, "PNG")
    probe = cases.Probe(blobs.keep(shaped, content.getvalue()), "PNG", 500, 400, "L")
    cases.ensure_dataset(db, "cut", "drawn")
    cases.add(db, "cut", [kept_case("train", "large", probe, reference="Large.")])
    job = new_job(shaped, train_settings(minicpm, dataset="cut", max_steps=1, watch_images=0, eval_split=""))
    jobs.begin(db, job.id, 1)
    with pytest.raises(UserError, match="set image_tokens so low"):
        train.run(jobs.must_get(db, job.id), shaped, db, Reporter(db, job.id))
