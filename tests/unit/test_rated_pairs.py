"""`radtui train --from-preferences`: which job it goes on from, with what settings, and what it refuses."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

import pytest

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState
from radtui.settings import GenerateSettings, TrainSettings
from radtui.store import cases, jobs, ratings, texts
from tests.commands import invoked
from tests.conftest import give_arms, new_text
from tests.unit.test_store import rating, study_of

pytestmark = pytest.mark.usefixtures("launched")


@pytest.fixture
def trained(data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]) -> Job:
    """A finished training job that has left an adapter."""
    add_images(16, split="train")
    add_images(4, start=100)
    settings = TrainSettings(
        model="org/tiny", dataset="drawn", instruction="Look.", max_side_px=320, learning_rate=1e-3,
        message_order="text_first", describe_order="image_first", lora_r=4,
    )  # fmt: skip
    job = jobs.create(db, JobKind.TRAIN, "tiny on drawn", "drawn", settings.to_dict())
    jobs.end(db, job.id, JobState.DONE)
    data.adapter(job.id).mkdir(parents=True)
    (data.adapter(job.id) / "adapter_config.json").write_text("{}")
    return jobs.must_get(db, job.id)


def rate(db: sqlite3.Connection, trained: Job, count: int, ties: int = 0) -> None:
    """Descriptions of training images with the job's adapter, `count` of them with a preference."""
    settings = GenerateSettings(dataset="drawn", train_job=trained.id, split="train")
    job = jobs.create(db, JobKind.GENERATE, "g", "drawn", settings.to_dict(), parent_job_id=trained.id)
    made = give_arms(db, job, "base", "tuned")
    for place, case_id in enumerate(cases.usable(db, "drawn", "train", count + ties)):
        texts.add(db, job.id, [
            new_text(case_id, arm, f"By {name}.", prompt="Look.") for name, arm in made.items()
        ])  # fmt: skip
        ratings.add(db, rating(study_of(db, job).id, case_id, 2 if place < count else 0))


def test_the_settings_follow_from_the_job_that_wrote_the_texts(
    data: DataDir, db: sqlite3.Connection, trained: Job, launched: list[int]
) -> None:
    rate(db, trained, 12)
    done = invoked(data, "train", "--from-preferences", "--beta", "0.3", "--epochs", "5", "--json")
    assert done.exit_code == 0, done.output
    assert "12 rated pairs of job 1" in done.stderr
    job = jobs.must_get(db, launched[-1])
    assert json.loads(done.stdout)["id"] == job.id
    found = TrainSettings.from_dict(job.settings)
    assert (found.objective, found.from_job, found.beta, found.epochs) == ("dpo", trained.id, 0.3, 5.0)
    assert (found.model, found.instruction, found.max_side_px, found.lora_r) == ("org/tiny", "Look.", 320, 4)
    assert found.message_order == found.asking_order == "image_first"  # as the rated texts were asked for
    assert found.learning_rate == pytest.approx(2.5e-5)
    assert job.parent_job_id == trained.id and job.name == "tiny on drawn, preferences of #1"


def test_a_preset_does_the_same_and_a_model_cannot_be_named_apart(
    data: DataDir, db: sqlite3.Connection, trained: Job, launched: list[int]
) -> None:
    rate(db, trained, 10)
    assert (
        invoked(data, "train", "--preset", "preferences", "--model", "org/other", "--from-job", "1").exit_code
        == 0
    )
    assert jobs.must_get(db, launched[-1]).settings["model"] == "org/tiny"
    again = invoked(data, "train", "--from", str(launched[-1]), "--max-steps", "3")
    assert again.exit_code == 0, again.output
    settings = jobs.must_get(db, launched[-1]).settings
    assert (settings["objective"], settings["from_job"], settings["max_steps"]) == ("dpo", trained.id, 3)


@pytest.mark.parametrize("gpus", ["2", "3"])  # the images of a step divide by one of them
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_more_than_one_gpu_is_refused_before_a_job_is_made(
    data: DataDir, db: sqlite3.Connection, trained: Job, launched: list[int], gpus: str, dry: tuple[str, ...]
) -> None:
    rate(db, trained, 12)
    before = jobs.total(db)
    done = invoked(data, "train", "--from-preferences", "--gpus", gpus, *dry)
    assert done.exit_code == 2
    assert f"gpus must be 1 where preferences are learnt, not {gpus}." in done.output
    assert not launched and jobs.total(db) == before


def test_too_few_pairs_are_one_sentence_with_their_number(
    data: DataDir, db: sqlite3.Connection, trained: Job, launched: list[int]
) -> None:
    rate(db, trained, 9, ties=3)
    done = invoked(data, "train", "--from-preferences")
    assert str(done.exception) == (
        "9 rated pairs of job 1 can be learnt from and at least 10 are needed (left out: 3 ties); describe more images"
        f" outside the test split with radtui --data-dir {data.root} generate --train-job 1 --split train, then rate"
        " them (r)."
    )
    assert not launched


@pytest.mark.parametrize(
    "arguments",
    [("--from-preferences", "--from", "1"), ("--from-preferences", "--preset", "demo"), ("--from-job", "1")],
)
def test_wrong_usage_is_told(
    data: DataDir, db: sqlite3.Connection, trained: Job, arguments: tuple[str, ...]
) -> None:
    rate(db, trained, 12)
    done = invoked(data, "train", *arguments)
    assert done.exit_code == 2 and "--from-preferences" in done.output


def test_ratings_of_the_test_split_are_never_learnt_from(
    data: DataDir, db: sqlite3.Connection, trained: Job
) -> None:
    rate(db, trained, 10)
    held_out = cases.usable(db, "drawn", "test")
    job = jobs.children(db, trained.id, JobKind.GENERATE)[0]
    made = give_arms(db, job, "base", "tuned")
    for case_id in held_out:
        texts.add(db, job.id, [
            new_text(case_id, arm, f"By {name}.", prompt="Look.") for name, arm in made.items()
        ])  # fmt: skip
        ratings.add(db, rating(study_of(db, job).id, case_id, 2))
    assert "10 rated pairs of job 1" in invoked(data, "train", "--from-preferences").stderr
