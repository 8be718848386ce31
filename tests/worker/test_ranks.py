"""Jobs in two processes, on CPU: what they learn and describe is what one process does, and they end together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from radtui.jobs import alive, launch, reconcile, resume, stop
from radtui.paths import DataDir
from radtui.records import Job, JobState, StopRequest, UserError
from radtui.settings import GenerateSettings, TrainSettings
from radtui.store import arms, jobs, metrics
from radtui.store import texts as stored
from radtui.store.database import connect
from radtui.worker import launcher
from radtui.worker.describing import generate
from radtui.worker.process import environment
from radtui.worker.process.reporter import Reporter
from radtui.worker.process.torch_launcher import LaunchProblem
from radtui.worker.training import train

from .conftest import LIMIT_S, STEP_HOOKS, job_now, log_of, new_job, train_settings, wait_for
from .families import llava


def start(data: DataDir, job: Job) -> None:
    """Start a job's worker as the app does, with its lock."""
    launch.launch(data, connect(data), job.id)


def wait_until(condition: Callable[[], bool], what: str = "", limit_s: float = LIMIT_S) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def ended(data: DataDir, job: Job) -> Job:
    """The job, when its worker has left."""
    wait_until(lambda: not alive(data, job.id), log_of(data, job))
    return job_now(data, job)


def ranks_of(job: Job) -> dict[int, psutil.Process]:
    """The processes of a job's ranks, by rank."""
    assert job.pid
    children = [child for child in psutil.Process(job.pid).children() if child.name() != "nursery"]
    return dict(enumerate(sorted(children, key=lambda child: (child.create_time(), child.pid))))


def series(data: DataDir, job: Job, *names: str) -> dict[tuple[str, int], float | None]:
    """Points by series and step; a step twice would show in their number."""
    points = [m for m in metrics.since(connect(data), job.id, 0) if m.name in names]
    assert len({(m.name, m.step) for m in points}) == len(points)
    return {(m.name, m.step): m.value for m in points}


def events(data: DataDir, job: Job, kind: str) -> list[tuple[int, str]]:
    return [(e.step, e.text) for e in metrics.events_since(connect(data), job.id, 0) if e.kind == kind]


def learnt_alone(data: DataDir, settings) -> Job:
    """A job done in this process."""
    job = new_job(data, settings)
    db = connect(data)
    jobs.begin(db, job.id, 1)
    train.run(job, data, db, Reporter(db, job.id))
    return job


# 18 images in steps of 4: an epoch ends with half a step, which the two ranks share as well.
UNEVEN = {"train_images": 18, "batch_size": 2, "gradient_accumulation": 2, "max_steps": 8, "eval_every": 4}


@pytest.mark.true_start
def test_two_processes_learn_what_one_does_and_ask_only_each_other(data, mllama, guarded):
    settings = train_settings(mllama, **UNEVEN)
    alone = learnt_alone(data, settings)
    job = new_job(data, train_settings(mllama, **UNEVEN, gpus=2))
    start(data, job)
    done = ended(data, job)
    assert (done.state, done.error, done.step) == (JobState.DONE, "", 8), log_of(data, job)

    names = ("loss", "grad_norm", "eval_loss", "learning_rate")
    expected = series(data, alone, *names)
    assert len(expected) == 3 * 8 + 3
    assert series(data, job, *names) == pytest.approx(expected, rel=2e-5)
    watched = [
        [(d.case_id, d.step, d.text) for d in stored.since(connect(data), each.id, 0)]
        for each in (alone, job)
    ]
    assert watched[0] == watched[1] and len(watched[0]) == 6
    assert done.result["gpus"] == 2 and done.result["batch_size"] == 2
    assert [step for step, _ in events(data, job, "checkpoint")] == [2, 4, 6, 8]
    assert "step 8/8 loss" in log_of(data, job)
    assert "rank 1 of 2" in log_of(data, job, "log-rank1.txt")
    assert not guarded.exists(), guarded.read_text()


# What presets seed and default ask for, where there is no GPU: the one recomputes activations, the other keeps them.
SEED = {
    "message_order": "text_first",
    "loss_on": "all",
    "gradient_checkpointing": "on",
    "maskless_vision": False,
}
DEFAULT = {"message_order": "image_first", "loss_on": "answer", "gradient_checkpointing": "off"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "tune_vision"), [(SEED, True), (SEED, False), (DEFAULT, True), (DEFAULT, False)],
    ids=["seed", "seed-language", "default", "default-language"],
)  # fmt: skip
def test_recomputing_and_layers_left_alone_change_nothing_for_two_processes(
    data, mllama, recipe, tune_vision
):
    asked = train_settings(
        mllama, **recipe, tune_vision=tune_vision, max_steps=5, batch_size=2, gradient_accumulation=4,
        train_images=18, eval_every=0, watch_images=0, checkpoint_every=0,
    )  # fmt: skip
    check_learns_as_one_does(data, asked)


@pytest.mark.slow
@pytest.mark.parametrize("recompute", ["on", "off"])
def test_two_processes_learn_with_layers_that_have_no_part_in_the_loss(data, tmp_path, recompute):
    asked = train_settings(
        llava(tmp_path / "llava"), gradient_checkpointing=recompute, max_steps=3, eval_every=0, watch_images=0,
        checkpoint_every=0,
    )  # fmt: skip
    check_learns_as_one_does(data, asked)


def check_learns_as_one_does(data: DataDir, asked: TrainSettings) -> None:
    alone = learnt_alone(data, asked)
    job = new_job(data, replace(asked, gpus=2))
    start(data, job)
    done = ended(data, job)
    assert (done.state, done.error, done.step) == (JobState.DONE, "", asked.max_steps), log_of(data, job)
    expected = series(data, alone, "loss", "grad_norm")
    assert len(expected) == 2 * asked.max_steps
    assert series(data, job, "loss", "grad_norm") == pytest.approx(expected, rel=1e-4)


def test_two_processes_describe_every_image_once_and_as_one_does(data, mllama, guarded):
    adapter = data.adapter(learnt_alone(data, train_settings(mllama, eval_every=0, watch_images=0)).id)
    asked = GenerateSettings(
        model=str(mllama), adapter=str(adapter), dataset="shapes", instruction="Describe what you see.",
        message_order="image_first", max_new_tokens=8, batch_size=2, split="train", limit=9, take="first",
    )  # fmt: skip
    alone = new_job(data, asked)
    db = connect(data)
    generate.run(alone, data, db, Reporter(db, alone.id))

    def texts(job: Job) -> dict[tuple[int, str], tuple[str, int]]:
        return {(d.case_id, d.arm): (d.text, d.tokens) for d in stored.finished(db, job.id)}

    expected = texts(alone)
    assert len(expected) == 18
    job = new_job(data, GenerateSettings(**{**asked.to_dict(), "gpus": 2}))
    # Two images are there already, as after a stop: they stay as they are, and are not described again.
    there = stored.finished(db, alone.id)[:3]
    db.execute("UPDATE texts SET model = model || ' of text ' || id")  # none of them is taken over
    db.commit()
    own = arms.give_job(db, job.id, [replace(arm, id=0) for arm in arms.of_job(db, alone.id)])
    ids = {arm.name: arm.id for arm in own}
    stored.add(db, job.id, [stored.NewText(d.case_id, ids[d.arm], "", "kept", 1, 1.0, False) for d in there])
    start(data, job)
    done = ended(data, job)
    assert (done.state, done.step, done.total_steps) == (JobState.DONE, 18, 18), log_of(data, job)
    assert done.message.startswith("Wrote 15 descriptions")
    kept = {(d.case_id, d.arm): ("kept", 1) for d in there}
    assert texts(job) == expected | kept
    assert done.result["base_descriptions"] == done.result["tuned_descriptions"] == 9
    assert "Describing" in log_of(data, job) and "Describing" in log_of(data, job, "log-rank1.txt")
    assert not guarded.exists(), guarded.read_text()


def test_a_rank_that_dies_fails_the_job_in_one_sentence(data, mllama):
    job = new_job(data, train_settings(mllama, max_steps=100_000, eval_every=0, watch_images=0, gpus=2))
    start(data, job)
    running = wait_for(data, job, lambda j: j.step >= 3)
    ranks = ranks_of(running)
    assert sorted(ranks) == [0, 1]
    ranks[1].kill()
    failed = ended(data, job)
    assert failed.state is JobState.FAILED
    assert failed.error == (
        "Process 2 of 2, one per GPU, was ended by SIGKILL, most often for want of memory; read log-rank1.txt, then "
        "resume the job."
    )
    assert "The end of log-rank1.txt" in log_of(data, job)
    assert not any(rank.is_running() and rank.status() != "zombie" for rank in ranks.values())


def test_a_rank_that_is_done_leaves_before_its_libraries_can_abort_it():
    """Python's own clean-up is where gloo's threads abort; here every rank would, that came there."""
    script = (
        "import atexit, multiprocessing, os, time; from radtui.worker import __main__ as main\n"
        "atexit.register(os.abort)\n"
        "loader = multiprocessing.get_context('fork').Process(target=time.sleep, args=(600,), daemon=True)\n"
        "loader.start(); print(loader.pid); main._leave(0)"
    )
    environment = {**os.environ, "LOCAL_RANK": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    loader = int(ended.stdout)
    wait_until(lambda: not psutil.pid_exists(loader) or psutil.Process(loader).status() == "zombie")


@pytest.mark.parametrize(
    ("own", "other", "agreed"),
    [("off", "off", "off"), ("off", "on", "on"), ("on", "off", "on"), ("unsloth", "unsloth", "unsloth")],
)
def test_ranks_agree_on_images_at_a_time_and_on_whether_anything_is_recomputed(own, other, agreed):
    from radtui.worker.training import loop

    others = iter((2.0, float(other == "off")))  # what the other rank gives each time
    ranks = SimpleNamespace(several=True, count=2, least=lambda value: min(value, next(others)))
    written: dict[str, object] = {}
    task = SimpleNamespace(reporter=SimpleNamespace(ranks=ranks, result=written.update))
    found = loop._agreed(task, train_settings("m", batch_size=4, gradient_checkpointing=own))  # type: ignore[arg-type]
    assert (found.batch_size, found.gradient_accumulation, found.gradient_checkpointing) == (2, 2, agreed)
    assert written == {"batch_size": 2, "gradient_accumulation": 2, "gpus": 2}


def killed_at_work(data: DataDir, job: Job) -> Job:
    """Start a job, kill its launcher in the middle, and look for what it leaves."""
    start(data, job)
    running = wait_for(data, job, lambda j: j.step >= 5)
    ranks = ranks_of(running)
    os.kill(running.pid or 0, signal.SIGKILL)

    def gone() -> bool:
        left = any(rank.is_running() and rank.status() != "zombie" for rank in ranks.values())
        return not left and not alive(data, job.id)

    # Nobody ends them but the system: those that outlive their launcher would train on for an hour.
    wait_until(gone, "a rank, or a helper of one that holds the lock, outlived its launcher", limit_s=20)
    return job_now(data, job)


@pytest.mark.true_start
def test_a_killed_launcher_leaves_no_process(data, mllama):
    job = new_job(data, train_settings(mllama, max_steps=100_000, eval_every=0, watch_images=0, gpus=2))
    left = killed_at_work(data, job)
    assert left.state is JobState.RUNNING  # without a word: telling is the app's part
    assert [each.state for each in reconcile(data, connect(data))] == []
    assert job_now(data, job).state is JobState.LOST


@pytest.mark.slow
def test_a_killed_job_goes_on_from_its_checkpoint(data, mllama, held):
    settings = train_settings(mllama, **UNEVEN | {"max_steps": 12, "eval_every": 0}, watch_images=0)
    job = new_job(data, replace(settings, gpus=2))
    assert killed_at_work(data, job).step == 5
    held.unlink()
    db = connect(data)
    reconcile(data, db)
    resume(data, db, job.id)
    done = ended(data, job)
    assert (done.state, done.step) == (JobState.DONE, 12), log_of(data, job)
    assert [step for step, _ in events(data, job, "resume")] == [4]
    alone = learnt_alone(data, settings)
    assert series(data, job, "loss") == pytest.approx(series(data, alone, "loss"), rel=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("how", [StopRequest.CHECKPOINT, StopRequest.NOW])
def test_a_stop_is_obeyed_by_all(data, mllama, how):
    settings = train_settings(
        mllama, max_steps=100_000, eval_every=0, watch_images=0, checkpoint_every=0, gpus=2
    )
    job = new_job(data, settings)
    start(data, job)
    ranks = ranks_of(wait_for(data, job, lambda j: j.step >= 3))
    stop(data, connect(data), job.id, how)
    stopped = ended(data, job)
    assert (stopped.state, stopped.error) == (JobState.STOPPED, ""), log_of(data, job)
    assert not any(rank.is_running() and rank.status() != "zombie" for rank in ranks.values())
    saved = [step for step, _ in events(data, job, "checkpoint")]
    assert saved == ([stopped.step] if how is StopRequest.CHECKPOINT else [])
    assert data.adapter(job.id).exists() is bool(saved)


@pytest.mark.slow
def test_a_rank_without_memory_halves_the_batch_of_all(data, mllama, monkeypatch):
    settings = train_settings(mllama, max_steps=6, eval_every=0, watch_images=0)
    alone = learnt_alone(data, settings)
    monkeypatch.setenv("PYTHONPATH", str(STEP_HOOKS))
    monkeypatch.setenv("SMALL_GPU", "1 3 1")
    job = new_job(data, replace(settings, gpus=2))
    start(data, job)
    done = ended(data, job)
    assert (done.state, done.step) == (JobState.DONE, 6), log_of(data, job)
    assert (done.result["batch_size"], done.result["gradient_accumulation"]) == (1, 2)
    assert events(data, job, "memory") == [
        (2, "The GPU's memory does not hold 2 images at a time: going on with 1 and 2 passes per step, the same images "
            "per step")
    ]  # fmt: skip
    assert series(data, job, "loss") == pytest.approx(series(data, alone, "loss"), rel=2e-5)


@pytest.mark.slow
def test_what_a_rank_cannot_do_is_said_as_one_process_says_it(data):
    job = new_job(data, train_settings("/nowhere/model", gpus=2))
    start(data, job)
    failed = ended(data, job)
    assert failed.state is JobState.FAILED
    assert (
        failed.error == "The model /nowhere/model was not found or is incomplete: check its name or folder."
    )


def test_more_gpus_than_there_are_is_one_sentence(data, mllama, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    job = new_job(data, train_settings(mllama, gpus=2))
    with pytest.raises(UserError, match="The job asks for 2 GPUs and there is 1: lower gpus"):
        launcher.run(job, data, connect(data), Reporter(connect(data), job.id))


def test_a_rank_that_ends_before_it_has_a_log_is_one_sentence(data, mllama):
    job = new_job(data, train_settings(mllama, gpus=2))
    db = connect(data)
    problem = LaunchProblem(1, 1, "exited", 0)
    with pytest.raises(
        UserError, match=r"^Process 2 of 2, one per GPU, ended early; read log\.txt, then resume"
    ):
        launcher._settle(job, data, db, Reporter(db, job.id), problem)


def failure(folder: Path, rank: int, exitcode: int, said: str = ""):
    """How torch tells of a rank that ended, with what it raised where it came to write that."""
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

    file = folder / f"{rank}.json"
    if said:
        file.write_text(json.dumps({"message": {"message": said, "extraInfo": {"timestamp": "1000"}}}))
    return ProcessFailure(local_rank=rank, pid=7, exitcode=exitcode, error_file=str(file))


@pytest.mark.parametrize(
    "follower",
    [
        (
            1,
            "UserError: The job failed with RuntimeError (Read error [127.0.0.1]: Connection reset by peer).",
        ),
        (-signal.SIGTERM, "UserError: The job failed with DistBackendError (NCCL communicator was aborted)."),
        (-signal.SIGKILL, "UserError: The job failed with RuntimeError (gloo: Broken pipe)."),
        (-signal.SIGTERM, ""),
    ],
)
@pytest.mark.parametrize("cause", [(-signal.SIGKILL, ""), (1, "UserError: The disk is full.")])
def test_the_cause_is_named_and_not_what_followed(tmp_path, follower, cause):
    ends = [
        LaunchProblem.of(rank, failure(tmp_path, rank, *how)) for rank, how in enumerate((follower, cause))
    ]
    assert min(ends, key=lambda problem: problem.place).rank == 1


def test_a_job_sees_as_many_gpus_as_it_has_processes(data, monkeypatch):
    for name in (*environment.QUIET, "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "CUDA_DEVICE_ORDER"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # put back after this test
    for name in ("UNSLOTH_COMPILE_LOCATION", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):
        monkeypatch.setenv(name, "somewhere")
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1,2")
    environment.prepare(data, 2)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3,1"
    environment.restore()  # for a job that follows
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3,1,2"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(environment, "_freest_gpus", lambda count: [5, 0][:count])
    environment.prepare(data, 2)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,5"
    monkeypatch.setenv("LOCAL_RANK", "1")
    environment.prepare(data, 1)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,5"
