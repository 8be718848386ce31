"""A case's own question is what it is described under; without one, it is the job's instruction."""

from __future__ import annotations

from pathlib import Path

from radtui.paths import DataDir
from radtui.records import JobState
from radtui.settings import GenerateSettings
from radtui.store import cases, jobs, texts
from radtui.store.database import connect, writing

from .conftest import Worker, new_job, train_settings


def test_each_case_is_described_under_its_own_question(data: DataDir, mllama: Path, worker: Worker) -> None:
    db = connect(data)
    asked = {
        case_id: f"Where is the mark of film {case_id}?" for case_id in cases.usable(db, "shapes", "test")[:4]
    }
    with writing(db):
        db.executemany("UPDATE cases SET question = ? WHERE id = ?", [(text, n) for n, text in asked.items()])
    training = new_job(
        data, train_settings(mllama, max_steps=1, eval_every=0, checkpoint_every=0, watch_images=0)
    )
    assert worker(training).returncode == 0
    settings = GenerateSettings(
        train_job=training.id, model=str(mllama), adapter=str(data.adapter(training.id)), dataset="shapes",
        split="test", instruction="Describe what you see.", max_new_tokens=4, load_in_4bit=False,
    )  # fmt: skip
    job = new_job(data, settings, parent_job_id=training.id)
    ended = worker(job)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert jobs.must_get(db, job.id).state is JobState.DONE
    written = texts.finished(db, job.id)
    assert len(written) == 16  # eight cases, base and tuned
    for text in written:
        own = asked.get(text.case_id, "Describe what you see.")
        assert own in text.prompt
        assert not [
            other for other in {*asked.values(), "Describe what you see."} - {own} if other in text.prompt
        ]
