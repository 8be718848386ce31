"""Training jobs run in this process: what they write, how they stop, resume, and refuse to go on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from radtui.paths import DataDir
from radtui.records import Job, StopRequest, UserError
from radtui.store import arms, jobs, metrics
from radtui.store import texts as stored
from radtui.store.database import connect
from radtui.worker.process.reporter import Reporter, Stopped
from radtui.worker.training import train

from .conftest import fill, new_job, train_settings


class Interrupter(Reporter):
    """Asks for a stop when a step is logged, as the app would at that moment."""

    at_step, how = 0, StopRequest.NONE

    def log_step(self, step, total, epoch, elapsed_s, values):
        if step == self.at_step and any(name.startswith("loss") for name in values):
            jobs.request_stop(self.db, self.job_id, self.how)
        return super().log_step(step, total, epoch, elapsed_s, values)


def run(data: DataDir, job: Job, at_step: int = 0, how: StopRequest = StopRequest.NONE) -> None:
    """One process's worth of a job."""
    db = connect(data)
    jobs.begin(db, job.id, 1)
    reporter = Interrupter(db, job.id)
    reporter.at_step, reporter.how = at_step, how
    train.run(jobs.must_get(db, job.id), data, db, reporter)


def series(data: DataDir, job: Job, name: str) -> dict[int, float | None]:
    """The points of one series by step; a step twice would show in their number."""
    points = [m for m in metrics.since(connect(data), job.id, 0) if m.name == name]
    assert len({m.step for m in points}) == len(points)
    return {m.step: m.value for m in points}


def events(data: DataDir, job: Job, kind: str) -> list[tuple[int, str]]:
    return [(e.step, e.text) for e in metrics.events_since(connect(data), job.id, 0) if e.kind == kind]


def adapter(data: DataDir, job: Job, seed: int = 0) -> dict:
    return load_file(data.adapter(job.id, seed) / "adapter_model.safetensors")


def test_a_run_learns_and_writes_what_the_app_shows(data, mllama):
    job = new_job(
        data, train_settings(mllama, max_steps=30, eval_every=20, checkpoint_every=12, learning_rate=5e-3)
    )
    run(data, job)

    loss = series(data, job, "loss")
    assert list(loss) == list(range(1, 31))
    assert loss[30] < 0.8 * loss[1]
    held_out = series(data, job, "eval_loss")
    assert list(held_out) == [0, 20, 30]
    assert held_out[30] < 0.8 * held_out[0]
    rate = series(data, job, "learning_rate")
    assert rate[2] == pytest.approx(5e-3) and rate[30] < rate[2]
    for name in ("grad_norm", "samples_per_s", "tokens_per_s"):
        assert all(value > 0 for value in series(data, job, name).values())
    assert [step for step, _ in events(data, job, "checkpoint")] == [12, 24, 30]

    done = jobs.must_get(connect(data), job.id)
    assert (done.step, done.total_steps) == (30, 30)
    assert done.message == f"Trained 30 steps: loss {loss[30]:.3f}, held-out loss {held_out[30]:.3f}"
    result = done.result
    assert result["backend"] == "transformers" and result["weights"] == "float32"
    assert 0 < result["trainable_parameters"] < result["total_parameters"]
    assert result["final_loss"] == loss[30]
    assert 0 < result["supervised_tokens"] < result["batch_tokens"]
    assert result["peak_memory_gib"] > 0 and result["seconds"] > 0
    names = {path.name for path in data.adapter(job.id).iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= names
    assert len(list(data.checkpoints(job.id).glob("checkpoint-*"))) == 2


def test_the_pinned_images_are_described_at_every_evaluation_and_before(data, mllama):
    job = new_job(data, train_settings(mllama, learning_rate=1e-2))
    run(data, job)
    written = stored.since(connect(data), job.id, 0)
    assert [d.step for d in written] == [0, 0, 3, 3, 6, 6]
    assert len({d.case_id for d in written}) == 2
    assert {d.arm for d in written} == {"tuned"}
    (arm,) = arms.of_job(connect(data), job.id)
    assert (arm.name, arm.adapter, arm.instruction) == ("tuned", f"job {job.id}", "Describe what you see.")
    assert jobs.must_get(connect(data), job.id).result["template"]
    first, last = ([d.text for d in written if d.step == step] for step in (0, 6))
    assert first != last
    assert all(d.tokens <= 12 and d.decoding == "greedy, at most 12 tokens" for d in written)


@pytest.mark.slow
def test_without_evaluations_the_pinned_images_are_described_first_and_last(data, mllama):
    job = new_job(data, train_settings(mllama, max_steps=2, eval_every=0, checkpoint_every=0))
    run(data, job)
    assert [d.step for d in stored.since(connect(data), job.id, 0)] == [0, 0, 2, 2]
    assert series(data, job, "eval_loss") == {}
    assert not list(data.checkpoints(job.id).glob("checkpoint-*"))


@pytest.mark.parametrize(
    "how", [StopRequest.CHECKPOINT, pytest.param(StopRequest.NOW, marks=pytest.mark.slow)]
)
def test_a_resumed_run_equals_an_uninterrupted_one(data, mllama, how):
    # Dropout and an epoch border within the run: random state and data order both have to be right.
    settings = train_settings(
        mllama,
        max_steps=8,
        lora_dropout=0.2,
        train_images=18,
        gradient_accumulation=2,
        batch_size=2,
        eval_every=4,
    )
    whole, parts = new_job(data, settings), new_job(data, settings)
    run(data, whole)

    with pytest.raises(Stopped):
        run(data, parts, at_step=5, how=how)
    reached = 5 if how is StopRequest.CHECKPOINT else 4
    assert data.adapter(parts.id).exists() == (how is StopRequest.CHECKPOINT)
    before = max(m.elapsed_s for m in metrics.since(connect(data), parts.id, 0) if m.step <= reached)
    run(data, parts)

    assert series(data, parts, "loss") == series(data, whole, "loss")
    assert series(data, parts, "eval_loss") == series(data, whole, "eval_loss")
    assert series(data, parts, "grad_norm") == series(data, whole, "grad_norm")
    assert [step for step, _ in events(data, parts, "resume")] == [reached]
    expected, found = adapter(data, whole), adapter(data, parts)
    assert expected.keys() == found.keys()
    assert all(bool((expected[name] == found[name]).all()) for name in expected)
    texts = [
        [(d.case_id, d.step, d.text) for d in stored.since(connect(data), each.id, 0)]
        for each in (whole, parts)
    ]
    assert texts[0] == texts[1]
    after = [m.elapsed_s for m in metrics.since(connect(data), parts.id, 0) if m.step > reached]
    assert min(after) >= before


@pytest.mark.slow
def test_a_checkpoint_cut_short_is_passed_over(data, mllama):
    job = new_job(data, train_settings(mllama, max_steps=5, eval_every=0, watch_images=0))
    with pytest.raises(Stopped):
        run(data, job, at_step=5, how=StopRequest.NOW)
    (data.checkpoints(job.id) / "checkpoint-4" / "trainer_state.json").write_text("{")
    run(data, job)
    assert [step for step, _ in events(data, job, "resume")] == [2]
    assert list(series(data, job, "loss")) == [1, 2, 3, 4, 5]


def test_a_run_whose_end_was_lost_only_writes_its_end(data, mllama):
    job = new_job(data, train_settings(mllama, max_steps=4, eval_every=0, watch_images=0))
    run(data, job)
    trained = adapter(data, job)
    shutil.rmtree(data.adapter(job.id))
    run(data, job)
    assert list(series(data, job, "loss")) == [1, 2, 3, 4]
    assert all(bool((trained[name] == value).all()) for name, value in adapter(data, job).items())


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step(data, mllama, monkeypatch):
    from radtui.worker.training.trainer import SFTTrainer

    step_of_sft = SFTTrainer.training_step

    def breaks_at_three(self, model, inputs, num_items_in_batch=None):
        loss = step_of_sft(self, model, inputs, num_items_in_batch)
        return loss * float("nan") if self.state.global_step == 2 else loss

    monkeypatch.setattr(SFTTrainer, "training_step", breaks_at_three)
    job = new_job(data, train_settings(mllama))
    with pytest.raises(
        UserError, match=r"became nan at step 3; the checkpoint of step 2 is kept\..*learning_rate"
    ):
        run(data, job)
    assert series(data, job, "loss")[3] is None
    assert not data.adapter(job.id).exists()


def test_a_full_gpu_halves_the_micro_batch_and_goes_on_with_the_same_images(data, mllama, monkeypatch):
    import torch

    from radtui.worker.training.trainer import SFTTrainer

    settings = train_settings(mllama, watch_images=0)
    undisturbed = new_job(data, settings)
    run(data, undisturbed)
    step_of_sft = SFTTrainer.training_step

    def fills_up_later(self, model, inputs, num_items_in_batch=None):
        if self.state.global_step >= 3 and len(inputs["input_ids"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return step_of_sft(self, model, inputs, num_items_in_batch)

    monkeypatch.setattr(SFTTrainer, "training_step", fills_up_later)
    job = new_job(data, settings)
    run(data, job)
    ((step, text),) = events(data, job, "memory")
    assert step == 3 and "2 and 2 passes" in text
    result = jobs.must_get(connect(data), job.id).result
    assert (result["batch_size"], result["gradient_accumulation"]) == (2, 2)
    expected = series(data, undisturbed, "loss")
    assert series(data, job, "loss") == pytest.approx(expected, rel=1e-4)
    assert list(series(data, job, "eval_loss")) == [0, 3, 6]


@pytest.mark.slow
def test_main_memory_that_holds_few_images_makes_the_micro_batch_smaller(data, mllama, monkeypatch):
    from radtui.worker.process import memory

    plenty, scarce = (
        new_job(data, train_settings(mllama, max_steps=3, watch_images=0, batch_size=8)) for _ in "ab"
    )
    run(data, plenty)
    assert events(data, plenty, "memory") == []

    peaks = iter((2 * memory.GIB, 3 * memory.GIB))  # with one image and with two
    monkeypatch.setattr(memory, "peak_resident_bytes", lambda: next(peaks))
    monkeypatch.setattr(memory, "resident_bytes", lambda: 1 * memory.GIB)
    monkeypatch.setattr(memory, "free_gib", lambda: 5.0)  # 1 + 0.9 * 5: room for 2 + 3 images
    run(data, scarce)
    ((_, said),) = events(data, scarce, "memory")
    assert "The machine's memory does not hold 8 images at a time: going on with 4 and 2 passes" in said
    assert series(data, scarce, "loss") == pytest.approx(series(data, plenty, "loss"), rel=1e-4)


def test_processes_that_train_at_once_share_the_main_memory(mllama, monkeypatch):
    from types import SimpleNamespace

    from radtui.worker.memory import main_memory
    from radtui.worker.process import memory

    monkeypatch.setattr(memory, "resident_bytes", lambda: 1 * memory.GIB)
    monkeypatch.setattr(memory, "free_gib", lambda: 10.0)  # alone 1 + 0.9 * 10 GiB, as one of two 1 + 0.9 * 5
    settings, found = train_settings(mllama, batch_size=8), []
    for processes in (1, 2):
        peaks = iter((2 * memory.GIB, 3 * memory.GIB))  # with one image and with two
        monkeypatch.setattr(main_memory, "_peak", lambda *_, peaks=peaks: next(peaks))
        nothing = SimpleNamespace(parameters=lambda: ())
        found.append(main_memory.fitting(nothing, settings, [{}, {}], list, processes).batch_size)
    assert found == [8, 4]


def test_main_memory_too_small_for_one_image_is_said_in_one_sentence(data, mllama, monkeypatch):
    from radtui.worker.process import memory

    monkeypatch.setattr(memory, "peak_resident_bytes", lambda: 9 * memory.GIB)
    monkeypatch.setattr(memory, "resident_bytes", lambda: 1 * memory.GIB)
    monkeypatch.setattr(memory, "free_gib", lambda: 5.0)
    job = new_job(data, train_settings(mllama, eval_every=0, watch_images=0))
    with pytest.raises(
        UserError, match=r"One image at a time takes 9\.0 GiB and 5\.5 GiB are free: set max_side_px"
    ):
        run(data, job)


@pytest.mark.slow
def test_a_gpu_too_small_for_one_image_is_said_in_one_sentence(data, mllama, monkeypatch):
    import torch

    from radtui.worker.training.trainer import SFTTrainer

    def always_full(self, model, inputs, num_items_in_batch=None):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(SFTTrainer, "training_step", always_full)
    job = new_job(data, train_settings(mllama, batch_size=6, eval_every=0, watch_images=0))
    with pytest.raises(UserError, match="one image at a time: set max_side_px"):
        run(data, job)
    said = [text.split(": ")[0] for _, text in events(data, job, "memory")]
    assert [text.split(" hold ")[1] for text in said] == ["6 images at a time", "3 images at a time"]


@pytest.mark.slow
def test_a_full_disk_ends_the_run_with_a_sentence_and_no_half_checkpoint(data, mllama):
    job = new_job(data, train_settings(mllama, eval_every=0, watch_images=0))
    broken = data.checkpoints(job.id) / "checkpoint-4"
    broken.mkdir(parents=True)
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    # A write to it fails as on a full disk. The Trainer would clear an incomplete folder, so it comes at step 3.
    from radtui.worker.training import checkpoints

    assert checkpoints.newest(data.checkpoints(job.id)) is None

    class Filler(Interrupter):
        def log_step(self, step, total, epoch, elapsed_s, values):
            if step == 3:
                broken.mkdir(parents=True, exist_ok=True)
                (broken / "optimizer.pt").symlink_to("/dev/full")
            return super().log_step(step, total, epoch, elapsed_s, values)

    db = connect(data)
    jobs.begin(db, job.id, 1)
    with pytest.raises(UserError, match=r"disk is full: the checkpoint of step 4.*then resume the job"):
        train.run(job, data, db, Filler(db, job.id))
    assert not broken.exists()
    run(data, job)
    assert [step for step, _ in events(data, job, "resume")] == [2]


def test_what_the_machine_cannot_do_is_done_otherwise_and_said(data, mllama):
    job = new_job(
        data,
        train_settings(
            mllama, max_steps=1, eval_every=0, watch_images=0, load_in_4bit=True, optimizer="adamw_8bit",
            gradient_checkpointing="unsloth",
        ),
    )  # fmt: skip
    run(data, job)
    said = [text for _, text in events(data, job, "warning")]
    assert len(said) == 3
    assert jobs.must_get(connect(data), job.id).result["substitutions"] == said


def test_held_out_images_that_are_missing_or_leaked_are_warned_of(data, mllama):
    from radtui.store import cases

    without = new_job(data, train_settings(mllama, max_steps=1, eval_split="validation"))
    run(data, without)
    ((_, said),) = events(data, without, "warning")
    assert "Split 'validation' of shapes has no readable images with a reference" in said

    db = connect(data)
    one, other = cases.usable(db, "shapes", "train")[0], cases.usable(db, "shapes", "test")[0]
    db.execute(
        "UPDATE case_images SET sha256 = (SELECT sha256 FROM case_images WHERE case_id = ?) WHERE case_id = ?",
        (one, other),
    )
    cases.mark_leaks(db, "shapes")
    leaking = new_job(data, train_settings(mllama, max_steps=1, watch_images=0))
    run(data, leaking)
    ((_, said),) = events(data, leaking, "warning")
    assert said.startswith("1 of the 8 held-out images are in another split too")


def test_nothing_to_learn_is_said_before_the_model_is_loaded(data):
    fill(data, train=0, test=3, dataset="empty")
    job = new_job(data, train_settings("/nowhere", dataset="empty"))
    with pytest.raises(UserError, match="empty has no readable images with a reference in split 'train'"):
        run(data, job)


def test_a_limit_that_cuts_every_answer_off_is_refused(data, mllama):
    job = new_job(data, train_settings(mllama, max_length_tokens=16, eval_every=0, watch_images=0))
    with pytest.raises(UserError, match="Of 24 training cases, 24 lose their whole answer behind"):
        run(data, job)


@pytest.mark.slow
def test_gradient_checkpointing_changes_memory_not_the_loss(data, mllama):
    plain = new_job(data, train_settings(mllama, max_steps=3, eval_every=0, watch_images=0))
    saving = new_job(
        data, train_settings(mllama, max_steps=3, eval_every=0, watch_images=0, gradient_checkpointing="on")
    )
    run(data, plain)
    run(data, saving)
    assert series(data, saving, "loss") == pytest.approx(series(data, plain, "loss"), rel=1e-5)
