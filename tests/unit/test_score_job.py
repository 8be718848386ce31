"""A package's scores by a detached job: per text, with what computed them, resumable, and a sentence without it."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from radtui.jobs import reconcile, resume
from radtui.jobs.scoring import ScoreSettings, submit_score
from radtui.measures.package_scores import USUAL
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, StopRequest, UserError
from radtui.store import jobs, metrics, studies, text_scores
from radtui.study.study import score_study, scored_texts
from tests.commands import invoked

STUB = Path(__file__).parents[1] / "data" / "radeval_stub"
LIMIT_S = 120.0
REFERENCES = 6


@pytest.fixture
def python(tmp_path: Path) -> str:
    """The Python of an environment in which the stand-in is installed, and nothing of radtui's is."""
    path = tmp_path / "python"
    path.write_text(f'#!/bin/sh\nPYTHONPATH={STUB} exec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What the stand-in was asked about, a line each."""
    file = tmp_path / "notes"
    file.touch()
    monkeypatch.setenv("STUB_NOTES", str(file))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    head = tmp_path / "hub" / "models--StanfordAIMI--RRG_scorers"
    (head / "refs").mkdir(parents=True)
    (head / "refs" / "main").write_text("1f0c")
    (head / "snapshots" / "1f0c").mkdir(parents=True)
    (head / "snapshots" / "1f0c" / "README.md").write_text("---\nlicense: mit\n---\n")
    return lambda: file.read_text().splitlines()


def ended(data: DataDir, db: sqlite3.Connection, job: Job, until: Callable[[Job], bool] | None = None) -> Job:
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        reconcile(data, db)
        now = jobs.must_get(db, job.id)
        if (until or (lambda each: not each.state.live))(now):
            return now
        time.sleep(0.02)
    raise AssertionError(data.log(job.id).read_text())


def test_every_text_is_scored_with_what_computed_it(data, db, reviewed_job, python, notes, tmp_path):
    study = studies.of_job(db, reviewed_job.id)
    job = submit_score(data, db, study, ScoreSettings(python=python))
    assert (job.kind, job.parent_job_id) == (JobKind.SCORE, reviewed_job.id)
    done = ended(data, db, job)
    assert done.state is JobState.DONE, data.log(job.id).read_text()
    assert (done.step, done.total_steps) == (4 * 12, 4 * 12)
    assert "radgraph, radcliq, f1chexbert, ratescore of 12 texts; not computed: 1" in done.message
    (left_out,) = [event.text for event in metrics.events_since(db, job.id, 0) if event.kind == "warning"]
    assert left_out.startswith(
        "green is not computed: its weights are not in this machine's cache; fetch them with"
    )
    assert f"{python} -c \"from radeval import RadEval; RadEval(metrics=['green'])\"" in left_out

    ids = [each.text_id for each in text_scores.of_study(db, study)]
    by = text_scores.scorers(db, ids)
    assert set(by) == {
        "radgraph_simple",
        "radgraph_partial",
        "radgraph_complete",
        "radcliq",
        "chexbert",
        "ratescore",
    }
    assert by["radgraph_partial"].revision == "StanfordAIMI/RRG_scorers@1f0c"
    assert by["radgraph_partial"].licence == "MIT; StanfordAIMI/RRG_scorers: mit"
    assert by["ratescore"].revision.endswith("FremyCompany/BioLORD-2023-C@unknown")
    assert {(one.package, one.version, one.made_for) for one in by.values()} == {
        ("radeval", "2.2.1", "chest X-ray")
    }

    scores = score_study(db, study)["tuned"].packaged
    assert scores["radgraph_partial"].n == 6 and 0 < scores["radgraph_partial"].value < 1
    assert scores["ratescore"].n < 6  # one text of each chunk has none
    texts = scored_texts(db, study)["tuned"]
    found = sum(bool("nodule" in one.text.lower()) == ("nodule" in one.reference.lower()) for one in texts)
    assert found == len(texts) and scores["chexbert_14_micro"].value == 1.0
    # Cardiomegaly is the second.
    assert scores["chexbert_5_micro"].value == scores["chexbert_14_macro"].value == 1.0

    out = tmp_path / "scores.csv"
    said = invoked(data, "score", "--csv", out)
    assert said.exit_code == 0, said.output
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    radcliq = [row for row in rows if row["score"] == "radcliq"]
    assert len(radcliq) == 12 and radcliq[0]["better"] == "less" and radcliq[0]["made_for"] == "chest X-ray"
    assert radcliq[0]["package"] == "radeval" and radcliq[0]["licence"].startswith("MIT")
    stored = text_scores.of_texts(db, ids)
    assert {int(row["text_id"]): float(row["value"]) for row in radcliq} == {
        text_id: own["radcliq"].value for text_id, own in stored.items()
    }
    assert sum(row["score"].startswith("CheXbert reference: ") for row in rows) == 12 * 14
    table = invoked(data, "score").output
    assert "RadGraph-F1, entities (made for chest X-ray)" in table and "CheXbert F1 of 5 (macro)" in table
    assert "GREEN" not in table
    told = json.loads(invoked(data, "score", "--json").output)
    assert told["tuned"]["packaged"]["radcliq"]["n"] == 6
    assert "radcliq" in {each["score"] for each in told["tuned"]["differences"]}


def test_a_stopped_job_goes_on_where_it_was(data, db, reviewed_job, python, notes, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.4")
    study = studies.of_job(db, reviewed_job.id)
    job = submit_score(data, db, study, ScoreSettings(python=python, scores="radgraph"))
    ended(data, db, job, until=lambda now: now.step >= 2)
    jobs.request_stop(db, job.id, StopRequest.CHECKPOINT)
    stopped = ended(data, db, job)
    assert stopped.state is JobState.STOPPED and 2 <= stopped.step < 12
    kept = stopped.step
    monkeypatch.setenv("STUB_SECONDS", "0")
    resume(data, db, job.id)
    done = ended(data, db, job)
    assert done.state is JobState.DONE and done.step == 12
    asked = notes()
    assert len(set(asked)) == 12 and kept >= 2
    assert len(asked) <= 12 + 4  # the chunk that was under way when it stopped may be asked about twice
    again = submit_score(data, db, study, ScoreSettings(python=python, scores="radgraph"))
    assert ended(data, db, again).state is JobState.DONE and len(notes()) == len(asked)


def test_without_the_package_a_sentence_names_the_command(data, db, reviewed_job, tmp_path):
    study = studies.of_job(db, reviewed_job.id)
    with pytest.raises(
        UserError, match=r"radeval is not installed for .*venv .*score-env.*pip install radeval=="
    ):
        submit_score(data, db, study, ScoreSettings(python=sys.executable))
    with pytest.raises(UserError, match="There is no Python at /nowhere/python"):
        submit_score(data, db, study, ScoreSettings(python="/nowhere/python"))
    with pytest.raises(UserError, match=r"scores must be of radgraph, radcliq, .*, not banana"):
        submit_score(data, db, study, ScoreSettings(python=sys.executable, scores="banana"))
    said = invoked(data, "score", "--scores", "green")
    assert said.exit_code == 2 and "need --with radeval" in said.output
    assert all(job.kind is not JobKind.SCORE for job in jobs.all_jobs(db))
    assert "green" in USUAL and "bleu" not in USUAL


def test_a_job_whose_every_score_fails_has_failed(data, db, reviewed_job, python, notes):
    study = studies.of_job(db, reviewed_job.id)
    job = submit_score(data, db, study, ScoreSettings(python=python, scores="green"))
    failed = ended(data, db, job)
    assert failed.state is JobState.FAILED and failed.error.startswith("green is not computed: its weights")


def test_the_packages_own_scores_without_weights(data, db, reviewed_job):
    """With the package itself, where the environment names a Python that has it."""
    python = os.environ.get("RADTUI_RADEVAL_PYTHON")
    if not python:
        pytest.skip("RADTUI_RADEVAL_PYTHON names no Python with radeval")
    study = studies.of_job(db, reviewed_job.id)
    job = submit_score(data, db, study, ScoreSettings(python=python, scores="bleu,rouge"))
    done = ended(data, db, job)
    assert done.state is JobState.DONE, data.log(job.id).read_text()
    scores = score_study(db, study)["tuned"]
    assert scores.packaged["package_rouge_l"].value == pytest.approx(scores.text.rouge_l.value)
    assert scores.packaged["package_bleu"].n == 6
