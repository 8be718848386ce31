"""Training on rated pairs: what is learnt from which model on, how it stops and goes on, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from radtui.paths import DataDir
from radtui.presets import preset
from radtui.records import Job, JobKind, JobState, StopRequest, UserError
from radtui.settings import GenerateSettings, TrainSettings
from radtui.store import cases, jobs, ratings, studies
from radtui.store import texts as stored
from radtui.store.database import connect
from radtui.study.rated_pairs import LEAST_PAIRS, learnable, offer, submit_preferences
from radtui.study.scheme_file import default_scheme
from radtui.worker.process.reporter import Reporter, Stopped
from radtui.worker.training import pairs
from tests.conftest import give_arms, new_text
from tests.unit.test_store import rating, study_of

from .conftest import new_job, train_settings
from .test_train import adapter, events, run, series

INSTRUCTION = "Describe what you see."
GOOD = "A bright disc on the left, well seen."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    """A data folder for the whole module; each test makes jobs of its own."""
    from .conftest import fill

    made = DataDir(tmp_path_factory.mktemp("preferences")).create()
    fill(made)
    return made


@pytest.fixture(scope="module")
def learned(folder: DataDir, mllama: Path) -> Job:
    """A finished training job that learnt references for two steps."""
    job = new_job(
        folder, train_settings(mllama, max_steps=2, watch_images=0, eval_every=0, learning_rate=2e-2)
    )
    run(folder, job)
    db = connect(folder)
    jobs.end(db, job.id, JobState.DONE)
    return jobs.must_get(db, job.id)


def describe(
    data: DataDir, trained: Job, count: int = 16, split: str = "train", preference: int = 2,
    base: Callable[[int], str] = "An image {}.".format,
) -> Job:  # fmt: skip
    """Descriptions of a training job, rated: the tuned one is always preferred when `preference` is positive."""
    db = connect(data)
    settings = GenerateSettings(dataset="shapes", train_job=trained.id, split=split)
    job = jobs.create(db, JobKind.GENERATE, "shapes", "shapes", settings.to_dict(), parent_job_id=trained.id)
    arm = give_arms(db, job, "base", "tuned", instruction=INSTRUCTION)
    study = study_of(db, job)
    for number, case_id in enumerate(cases.find(db, cases.CaseQuery("shapes", split))[:count]):
        said = {"base": base(number), "tuned": GOOD}
        stored.add(
            db,
            job.id,
            [
                new_text(case_id, arm[name], text, 3, prompt=f"<|image|>{INSTRUCTION}")
                for name, text in said.items()
            ],
        )
        ratings.add(db, rating(study.id, case_id, preference))
    jobs.end(db, job.id, JobState.DONE)
    return jobs.must_get(db, job.id)


@pytest.fixture(scope="module")
def rated(folder: DataDir, learned: Job) -> Job:
    """Sixteen rated pairs of that job's texts."""
    return describe(folder, learned)


def settings_for(data: DataDir, learned: Job, **changes: object) -> TrainSettings:
    db = connect(data)
    asked = TrainSettings(**(preset("preferences").to_dict() | {"from_job": learned.id, "epochs": 1.0}))
    proposed = offer(db, default_scheme(), asked).settings
    return TrainSettings(**(proposed.to_dict() | changes))


def after(data: DataDir, learned: Job, **changes: object) -> Job:
    """A job that goes on from the learned one, as a submission leaves it."""
    return new_job(data, settings_for(data, learned, **changes), parent_job_id=learned.id)


def result(data: DataDir, job: Job) -> dict[str, Any]:
    return jobs.must_get(connect(data), job.id).result


def test_a_run_learns_which_text_is_preferred(folder, learned, rated):
    job = after(folder, learned, max_steps=8, learning_rate=3e-3, checkpoint_every=4)
    run(folder, job)

    loss = series(folder, job, "loss")
    assert list(loss) == list(range(1, 9))
    assert loss[1] == pytest.approx(0.6931, abs=1e-4)  # -log sigmoid(0): the reference is where it begins
    assert loss[8] < 0.9 * loss[1]
    margins, right = series(folder, job, "reward_margin"), series(folder, job, "reward_accuracy")
    assert margins[1] == pytest.approx(0, abs=1e-5) and margins[8] > 0.1
    assert right[8] == 1.0
    for name in ("grad_norm", "samples_per_s", "tokens_per_s", "learning_rate"):
        assert all(value >= 0 for value in series(folder, job, name).values())
    assert [step for step, _ in events(folder, job, "checkpoint")] == [4, 8]
    told = result(folder, job)
    assert told["pairs"] == 16 and told["pairs_left_out"] == {} and told["backend"] == "transformers"
    assert told["trainable_parameters"] == learned.result["trainable_parameters"]

    before, now = adapter(folder, learned), adapter(folder, job)
    assert before.keys() == now.keys()  # the adapter alone, under the names it is loaded by
    assert any(not torch.equal(before[name], now[name]) for name in before)
    left = {path.name for path in folder.adapter(job.id).iterdir()}
    assert "ref" not in left and {"adapter_config.json", "tokenizer.json"} <= left
    for checkpoint in folder.checkpoints(job.id).iterdir():
        assert not (checkpoint / "ref").exists()


def test_the_new_adapter_prefers_the_chosen_text_more_than_the_old_one(folder, learned, rated, mllama):
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from radtui.worker.model import adapters, backend

    job = after(folder, learned, max_steps=8, learning_rate=3e-3)
    run(folder, job)
    processor = AutoProcessor.from_pretrained(mllama)
    read = pairs.read(folder.job(job.id) / pairs.FOLDER)
    dataset = pairs.PairTexts(read, "image_first", 0)
    batch = pairs.PairCollator(processor, 128)([dataset[0], dataset[1]])
    answer = batch.pop("completion_mask")[:, 1:]

    def margin(of: Job) -> float:
        base = AutoModelForImageTextToText.from_pretrained(mllama)
        how = backend.LoadPlan("transformers", False, False, "float32")
        with torch.no_grad():
            scores = adapters.load_adapter(base, str(folder.adapter(of.id)), how)(**batch).logits[:, :-1]
        picked = scores.log_softmax(-1).gather(2, batch["input_ids"][:, 1:, None])[..., 0] * answer
        chosen, rejected = picked.sum(1).chunk(2)
        return float((chosen - rejected).mean())

    assert margin(job) > margin(learned) + 1


@pytest.mark.parametrize(
    "how", [StopRequest.CHECKPOINT, pytest.param(StopRequest.NOW, marks=pytest.mark.slow)]
)
def test_a_resumed_run_equals_an_uninterrupted_one_whatever_raters_do_meanwhile(folder, learned, mllama, how):
    again = describe(folder, learned, count=14)
    changes = {
        "max_steps": 6,
        "learning_rate": 3e-3,
        "checkpoint_every": 2,
        "gradient_accumulation": 2,
        "batch_size": 2,
    }
    whole, parts = after(folder, learned, **changes), after(folder, learned, **changes)
    run(folder, whole)
    with pytest.raises(Stopped):
        run(folder, parts, at_step=3, how=how)
    reached = 3 if how is StopRequest.CHECKPOINT else 2
    db = connect(folder)
    for image_id in studies.comparison_ids(db, studies.of_job(db, again.id)):
        ratings.add(db, rating(studies.of_job(db, again.id).id, image_id, -2))
    run(folder, parts)

    for name in ("loss", "grad_norm", "reward_margin"):
        assert series(folder, parts, name) == series(folder, whole, name)
    assert [step for step, _ in events(folder, parts, "resume")] == [reached]
    expected, found = adapter(folder, whole), adapter(folder, parts)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    for image_id in studies.comparison_ids(db, studies.of_job(db, again.id)):
        ratings.add(db, rating(studies.of_job(db, again.id).id, image_id, 2))


def test_a_second_attempt_keeps_the_first_ones_reference(folder, learned, rated, mllama):
    """Memory ran out and the run goes on with smaller batches: the bound stays where the job began."""
    from radtui.worker.model import adapters, backend
    from radtui.worker.model import model as models
    from radtui.worker.training import dpo, loop
    from radtui.worker.training.callback import ProgressCallback
    from radtui.worker.training.task import Task

    settings = settings_for(
        folder, learned, max_steps=4, learning_rate=3e-3, gradient_checkpointing="off", checkpoint_every=0
    )
    job = new_job(folder, settings, parent_job_id=learned.id)
    db = connect(folder)
    reporter = Reporter(db, job.id)
    how = backend.plan(settings)
    model, processor = models.load(settings.model, how)
    model = adapters.with_trained_adapter(model, folder.adapter(learned.id), how)
    learnt = pairs.frozen(job, folder, db, reporter)
    task = Task(settings, how, model, processor, learnt, [], folder.checkpoints(job.id), reporter,
                    ProgressCallback(reporter, None, False, 0, 0.0))  # fmt: skip
    names = [name for name, _ in model.named_parameters() if ".default." in name]
    start = {name: model.get_parameter(name).detach().clone() for name in names}
    loop.build(task, settings, False).train()
    loop.build(task, settings, False)
    moved = [name for name in names if not torch.equal(model.get_parameter(name), start[name])]
    assert moved
    for name in names:
        assert torch.equal(model.get_parameter(name.replace(".default.", ".ref.")), start[name])
    dpo.drop_frozen_copy(model)
    assert list(model.peft_config) == ["default"]


@pytest.mark.slow
def test_recomputing_activations_changes_no_loss(folder, learned, rated):
    plain, recomputed = (
        after(folder, learned, max_steps=4, learning_rate=3e-3, gradient_checkpointing=choice)
        for choice in ("off", "on")
    )
    run(folder, plain)
    run(folder, recomputed)
    assert series(folder, recomputed, "loss") == pytest.approx(series(folder, plain, "loss"), abs=1e-5)


@pytest.mark.slow
def test_a_second_round_goes_on_from_the_first(folder, learned, rated):
    first = after(folder, learned, max_steps=6, learning_rate=3e-3)
    run(folder, first)
    db = connect(folder)
    jobs.end(db, first.id, JobState.DONE)
    describe(folder, first)
    second = after(folder, first, max_steps=3)
    assert second.settings["learning_rate"] == first.settings["learning_rate"]  # a share is taken off once
    run(folder, second)
    # Bounded by where it began.
    assert series(folder, second, "reward_margin")[1] == pytest.approx(0, abs=1e-5)
    assert jobs.learnt_references(db, second) == jobs.must_get(db, learned.id)


@pytest.mark.slow
def test_pairs_can_be_held_out_and_pinned_images_are_described(folder, learned, rated):
    job = after(folder, learned, max_steps=4, eval_every=2, eval_images=4, watch_images=2, watch_tokens=8)
    run(folder, job)
    assert list(series(folder, job, "eval_loss")) == [0, 2, 4]
    assert [d.step for d in stored.since(connect(folder), job.id, 0)] == [0, 0, 2, 2, 4, 4]
    assert result(folder, job)["images"] == 12


def test_held_out_pairs_share_no_image_with_the_learnt_ones():
    of = [pairs.LearntPair((Path(f"{n // 2}.png"),), "Describe.", "a", "b") for n in range(20)]
    learnt, held_out = pairs.split(of, 3)
    assert len({pair.images for pair in held_out}) == 3 and len(learnt) == 14
    assert not {pair.images for pair in learnt} & {pair.images for pair in held_out}
    assert len(pairs.split(of, 100)[1]) == 10
    assert pairs.split(of, 0) == (of, [])


def test_a_held_out_case_takes_along_those_that_share_an_image_with_it():
    of = [pairs.LearntPair((Path(f"{n}.png"), Path("prior.png")), "Describe.", "a", "b") for n in range(3)]
    alone = [pairs.LearntPair((Path(f"alone {n}.png"),), "Describe.", "a", "b") for n in range(3)]
    learnt, held_out = pairs.split([*of, *alone], 1)
    assert (learnt, held_out) == (alone, of)


def test_the_cross_attention_mask_covers_the_whole_answer(mllama, folder, learned, rated):
    from transformers import AutoProcessor

    db = connect(folder)
    job = after(folder, learned)
    read = pairs.frozen(job, folder, db, Reporter(db, job.id))
    dataset = pairs.PairTexts(read, "image_first", 0)
    batch = pairs.PairCollator(AutoProcessor.from_pretrained(mllama), 128)([dataset[0], dataset[1]])
    ids, answer = batch["input_ids"], batch["completion_mask"]
    assert ids.shape[0] == 4 and batch["cross_attention_mask"].shape[:2] == ids.shape
    assert bool(batch["cross_attention_mask"].sum(dim=(2, 3))[answer.bool()].all())
    tokenizer = AutoProcessor.from_pretrained(mllama).tokenizer
    told = [tokenizer.decode(row[mask.bool()]) for row, mask in zip(ids, answer, strict=True)]
    assert told == [f"{text}<|eot_id|>" for text in (GOOD, GOOD, read[0].rejected, read[1].rejected)]


def test_a_job_learns_from_its_own_frozen_pairs(folder, learned, rated):
    db = connect(folder)
    job = after(folder, learned)
    first = pairs.frozen(job, folder, db, Reporter(db, job.id))
    lines = (folder.job(job.id) / "preferences" / "train" / "metadata.jsonl").read_text().splitlines()
    assert len(first) == len(lines) == 16
    assert json.loads(lines[0])["chosen"] == [{"role": "assistant", "content": GOOD}]
    assert {pair.instruction for pair in first} == {INSTRUCTION}


def test_too_few_pairs_are_refused_with_their_number(data, mllama, tmp_path):
    db = connect(data)
    asked = preset("preferences")
    with pytest.raises(
        UserError, match=r"^0 pairs are rated and at least 10 are needed; describe training images"
    ):
        offer(db, default_scheme(), asked)
    trained = new_job(data, train_settings(mllama))
    jobs.end(db, trained.id, JobState.DONE)
    describe(data, trained, count=LEAST_PAIRS - 1)
    describe(data, trained, count=8, split="test")
    with pytest.raises(
        UserError, match=r"^9 rated pairs of job 1 can be learnt from .* 8 in a held-out split"
    ):
        submit_preferences(data, db, default_scheme(), asked)
    describe(data, trained, count=LEAST_PAIRS)  # one image more; the others again
    found = offer(db, default_scheme(), asked)
    assert found.job.id == trained.id and len(found.choice.pairs) == LEAST_PAIRS
    with pytest.raises(UserError, match="Job 1 has left no adapter"):
        submit_preferences(data, db, default_scheme(), asked)
    with pytest.raises(UserError, match="no training job"):
        offer(db, default_scheme(), TrainSettings(from_job=99))


def test_the_newest_job_with_enough_pairs_is_gone_on_from(data, mllama):
    db = connect(data)
    made = []
    for count in (12, 11, 3):
        trained = new_job(data, train_settings(mllama, instruction=f"Look {count}.", learning_rate=1e-2))
        jobs.end(db, trained.id, JobState.DONE)
        describe(data, trained, count=count)
        made.append(trained)
    found = offer(db, default_scheme(), preset("preferences"))
    assert found.job.id == made[1].id and found.settings.from_job == made[1].id
    assert found.settings.instruction == "Look 11." and found.settings.model == str(mllama)
    assert found.settings.learning_rate == pytest.approx(2.5e-4)  # a fortieth of the references'
    first = TrainSettings(**(preset("preferences").to_dict() | {"from_job": made[0].id}))
    assert offer(db, default_scheme(), first).job.id == made[0].id
    assert len(learnable(db, made[0], default_scheme()).pairs) == 12


def test_a_contradicted_pair_counts_as_the_newest_round_has_it(data, mllama):
    db = connect(data)
    trained = new_job(data, train_settings(mllama))
    describe(data, trained, count=12)
    describe(data, trained, count=12, preference=-2)
    assert {pair.chosen for pair in learnable(db, trained, default_scheme()).pairs} == {"base"}


@pytest.mark.slow
def test_the_worker_runs_it_as_a_job_of_its_own_and_asks_nobody(data, mllama, worker, guarded):
    trained = new_job(data, train_settings(mllama, max_steps=1, watch_images=0, eval_every=0))
    assert worker(trained).returncode == 0
    describe(data, trained)
    job = after(data, trained, max_steps=2)
    done = worker(job)
    assert done.returncode == 0, done.stdout[-2000:]
    ended = jobs.must_get(connect(data), job.id)
    assert ended.state is JobState.DONE and ended.message.startswith("Trained 2 steps: loss 0.69")
    assert load_file(data.adapter(job.id) / "adapter_model.safetensors")
    assert not guarded.exists(), guarded.read_text()
