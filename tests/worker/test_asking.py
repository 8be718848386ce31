"""A worker that answers questions: its answers are what describing writes, they come in pieces, and it ends in time."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from radtui.ask_settings import AskSettings
from radtui.jobs import ask as asking
from radtui.jobs import launch
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, StopRequest
from radtui.store import asks, cases, jobs
from radtui.store import texts as stored
from radtui.store.database import connect
from radtui.worker.asking import serve
from radtui.worker.asking.stream import Stream
from radtui.worker.process import environment, gpu_lock
from radtui.worker.process.reporter import AskReporter, Reporter, Stopped

from .conftest import LIMIT_S, draw, new_job
from .test_generate import INSTRUCTION, random_adapter, run
from .test_generate import settings as generate_settings


@pytest.fixture(scope="module")
def adapter(mllama, tmp_path_factory) -> Path:
    return random_adapter(mllama, tmp_path_factory.mktemp("adapter"), 1)


def settings(mllama, adapter, **changes) -> AskSettings:
    values = {
        "model": str(mllama), "adapter": str(adapter), "instruction": INSTRUCTION, "message_order": "image_first",
        "max_new_tokens": 12, "load_in_4bit": False, "dataset": "", "split": "", "idle_minutes": 0.0,
    } | changes  # fmt: skip
    return AskSettings(**values)


def new_ask(data: DataDir, wanted: AskSettings) -> Job:
    job = jobs.create(connect(data), JobKind.ASK, "questions", "", wanted.to_dict())
    data.job(job.id).mkdir(parents=True, exist_ok=True)
    return job


def asked(case_id: int, data: DataDir, question: str = INSTRUCTION) -> asks.NewAsk:
    found = asking.find(data, connect(data), str(case_id))
    return asks.NewAsk(question, found.images, found.name, found.case_id)


def serve_job(data: DataDir, job: Job, gpus: gpu_lock.Locks | None = None, voice=AskReporter) -> None:
    db = connect(data)
    jobs.begin(db, job.id, os.getpid())
    serve.run(jobs.must_get(db, job.id), data, db, voice(db, job.id), gpus or gpu_lock.Locks())


def test_answers_are_what_describing_writes_and_leave_no_text(data, mllama, adapter):
    described = new_job(data, generate_settings(mllama, adapter))
    run(data, described)
    written = {(d.case_id, d.arm): d for d in stored.finished(connect(data), described.id)}
    before = connect(data).execute("SELECT count(*) FROM texts").fetchone()[0]
    case_id = cases.usable(connect(data), "shapes", "test")[0]
    job = new_ask(data, settings(mllama, adapter))
    asks.add(connect(data), job.id, asked(case_id, data))
    serve_job(data, job)
    answered = asks.get(connect(data), job.id, 1)
    for arm in ("base", "tuned"):
        answer, text = answered.answers[arm], written[case_id, arm]
        assert (answer.text, answer.tokens, answer.truncated) == (text.text, text.tokens, text.truncated)
        assert (answer.prompt, answer.decoding) == (text.prompt, text.decoding) and answer.whole
    assert not answered.waits and not answered.error
    assert connect(data).execute("SELECT count(*) FROM texts").fetchone()[0] == before
    done = jobs.must_get(connect(data), job.id)
    assert (done.state, done.step, done.total_steps) == (JobState.DONE, 1, 1)
    assert done.message.startswith("Nobody asked for ") and done.message.endswith("; 1 question answered")


def test_an_answer_comes_in_pieces_that_make_up_the_whole(data, mllama, adapter, monkeypatch):
    monkeypatch.setattr("radtui.worker.asking.stream.BATCH_S", 0.0)
    seen: dict[str, list[str]] = {}

    class Listening(AskReporter):
        def piece(self, number, arm, *rest):
            super().piece(number, arm, *rest)
            seen.setdefault(arm, []).append(asks.get(self.db, self.job_id, number).answers[arm].text)

    job = new_ask(data, settings(mllama, adapter))
    asks.add(connect(data), job.id, asked(cases.usable(connect(data), "shapes", "test")[0], data))
    serve_job(data, job, voice=Listening)
    answered = asks.get(connect(data), job.id, 1)
    for arm, growing in seen.items():
        # Bytes that are no whole letter yet wait, and a random model may end with such.
        last, whole = (
            re.sub(r"[\s\ufffd]+\Z", "", text) for text in (growing[-1], answered.answers[arm].text)
        )
        assert last.strip() == whole.strip()
    assert list(seen) == ["base", "tuned"] and max(map(len, seen.values())) >= 3


def test_a_question_that_cannot_be_answered_leaves_the_worker_to_the_next(data, mllama, adapter):
    first, second = cases.usable(connect(data), "shapes", "test")[:2]
    job = new_ask(data, settings(mllama, adapter))
    gone = asked(first, data)
    asks.add(connect(data), job.id, gone)
    asks.add(connect(data), job.id, asked(second, data, "Which side?"))
    data.blob(gone.images[0]).unlink()
    serve_job(data, job)
    gone_words = "The stored bytes of this image are gone; import its source again."
    assert asks.get(connect(data), job.id, 1).error == f"Image {gone.name} cannot be read: {gone_words}"
    answered = asks.get(connect(data), job.id, 2)
    assert set(answered.answers) == {"base", "tuned"} and "Which side?" in answered.answers["base"].prompt


def test_a_file_is_asked_about_without_being_imported(data, mllama, adapter, tmp_path):
    import random

    file = tmp_path / "film.png"
    file.write_bytes(draw("disc", "left", random.Random(5)))
    found = asking.find(data, connect(data), str(file))
    job = new_ask(data, settings(mllama, adapter))
    asking._hand_over(data, connect(data), job, found, asks.NewAsk("What?", found.images, found.name, None))
    count = connect(data).execute("SELECT count(*) FROM images").fetchone()[0]
    serve_job(data, job)
    answered = asks.get(connect(data), job.id, 1)
    assert set(answered.answers) == {"base", "tuned"} and not answered.error
    assert connect(data).execute("SELECT count(*) FROM images").fetchone()[0] == count


def test_a_model_without_an_adapter_answers_alone(data, mllama):
    job = new_ask(data, settings(mllama, ""))
    asks.add(connect(data), job.id, asked(cases.usable(connect(data), "shapes", "test")[0], data))
    serve_job(data, job)
    assert list(asks.get(connect(data), job.id, 1).answers) == ["base"]


def test_a_stop_ends_it_after_the_answer_in_hand(data, mllama, adapter):
    case_id = cases.usable(connect(data), "shapes", "test")[0]
    job = new_ask(data, settings(mllama, adapter, idle_minutes=60.0))
    asks.add(connect(data), job.id, asked(case_id, data))
    asks.add(connect(data), job.id, asked(case_id, data, "Which side?"))

    class Interrupter(AskReporter):
        def answered(self, number, answer):
            super().answered(number, answer)
            jobs.request_stop(self.db, self.job_id, StopRequest.CHECKPOINT)

    with pytest.raises(Stopped):
        serve_job(data, job, voice=Interrupter)
    jobs.end(connect(data), job.id, JobState.STOPPED)
    assert set(asks.get(connect(data), job.id, 1).answers) == {"base", "tuned"}
    left = asks.get(connect(data), job.id, 2)
    assert not left.answers and left.error == "Not answered to the end: The worker was stopped. Ask again."


def test_it_makes_room_when_another_job_waits_for_its_gpu(data, mllama, adapter, tmp_path, monkeypatch):
    monkeypatch.setenv(gpu_lock.FOLDER_VARIABLE, str(tmp_path / "locks"))
    monkeypatch.setenv(gpu_lock.UUIDS_VARIABLE, "GPU-aaaa")
    monkeypatch.setattr(gpu_lock, "LOOK_S", 0.02)
    monkeypatch.setattr(environment, "_before", {"CUDA_VISIBLE_DEVICES": None})
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    for name in ("SLURM_JOB_ID", launch.NOW_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    job = new_ask(data, settings(mllama, adapter, idle_minutes=60.0))
    waiting = new_job(data, generate_settings(mllama, adapter))
    db = connect(data)
    mine = gpu_lock.held(job, data, AskReporter(db, job.id), 1)
    with mine as gpus:
        assert [gpu.uuid for gpu in gpus.gpus] == ["GPU-aaaa"] and not gpus.awaited
        seen = []

        class Waits(Reporter):
            def progress(self, step, total, message=None):
                seen.append(gpus.awaited)
                serve_job(data, job, gpus)  # sees it and returns although nobody asked for an hour
                return StopRequest.NOW

        with pytest.raises(Stopped), gpu_lock.held(waiting, data, Waits(db, waiting.id), 1):
            pass
        assert seen == [True] and not gpus.awaited  # whoever gave up waits no more
    done = jobs.must_get(db, job.id)
    assert (done.state, done.message) == (JobState.DONE, "Made room on the GPU for another job")


def test_a_worker_outlives_the_app_that_asked_and_ends_by_itself(data, mllama, adapter):
    """The whole way: submitted by a process that is killed in mid-answer, answered by the worker it left behind."""
    wanted = settings(mllama, adapter, idle_minutes=0.02)
    case_id = cases.usable(connect(data), "shapes", "test")[0]
    child = os.fork()
    if child == 0:  # the app
        try:
            found = asking.find(data, connect(data), str(case_id))
            asking.submit_ask(data, connect(data), found, wanted)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    db, end = connect(data), time.monotonic() + LIMIT_S
    (job,) = [each for each in jobs.all_jobs(db) if each.kind is JobKind.ASK]
    while jobs.must_get(db, job.id).state.live and time.monotonic() < end:
        time.sleep(0.05)
    ended = jobs.must_get(db, job.id)
    assert ended.state is JobState.DONE, ended.error
    assert set(asks.get(db, job.id, 1).answers) == {"base", "tuned"}


class Letters:
    """A processor whose tokens are letters, with one that needs two tokens."""

    @property
    def tokenizer(self):
        return self

    def get_vocab(self):
        return {}

    def decode(self, ids, skip_special_tokens):
        return bytes(ids).decode(errors="replace")


class Row:
    def __init__(self, *ids: int) -> None:
        self.ids = list(ids)

    def flatten(self):
        return self

    def tolist(self):
        return self.ids


def test_letters_are_handed_on_when_they_are_whole_and_not_more_often_than_asked():
    now = [0.0]
    said: list[tuple[int, str, int, float]] = []
    stream = Stream(Letters(), [], [0], lambda *piece: said.append(piece), clock=lambda: now[0])
    stream.put(Row(1, 2, 3))  # the prompt
    for at, token in ((0.0, 65), (0.01, 66), (0.1, 0xC3), (0.2, 0xA4), (0.3, 0)):
        now[0] = at
        stream.put(Row(token))
    assert said == [(0, "A", 1, 0.0), (1, "B", 3, 0.1), (2, "ä", 4, 0.2), (3, "", 4, 0.3)]
