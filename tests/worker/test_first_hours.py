"""First hours of a student and an engineer at real terminals; each screen must name the next key and the way out."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState
from radtui.store import jobs, ratings, studies
from radtui.store.database import connect
from tests.tui.typed import Typist

from .places import LIMIT_S, REPOSITORY
from .test_whole_job import drawn_folder

ENTER, ESCAPE, RIGHT, DOWN = "\r", "\x1b", "\x1b[C", "\x1b[B"
SMALL = (sys.executable, "-m", "tests.worker.small_app")
# Workers import what this checkout has, as the app does, and gain nothing from threads.
ENV = {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}


def ended(data: DataDir, kind: JobKind, count: int = 1) -> bool:
    """Whether so many jobs of a kind are over; they must be done then."""
    there = [job for job in all_jobs(data) if job.kind is kind]
    assert not [job.error for job in there if job.state in (JobState.FAILED, JobState.LOST)]
    return [job.state for job in there].count(JobState.DONE) == count


def all_jobs(data: DataDir) -> list[Job]:
    """All jobs of a data folder, which an app may only be about to make."""
    if not data.database.exists():
        return []
    db = connect(data)
    try:
        return list(jobs.all_jobs(db))
    except sqlite3.Error:  # its tables are being made
        return []
    finally:
        db.close()


def rated(data: DataDir) -> int:
    """How many pairs of the newest descriptions anybody has rated."""
    db = connect(data)
    job = jobs.newest(db, JobKind.GENERATE)
    study = studies.of_job(db, job.id) if job is not None else None
    count = len(ratings.current(db, study.id)) if study is not None else 0
    db.close()
    return count


@pytest.mark.slow
def test_a_student_comes_from_nothing_to_the_exported_ratings_of_a_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = DataDir(tmp_path / "db")
    with Typist(data, 80, 24, command=SMALL, env=ENV) as student:
        student.sees("The demo")
        student.follows("enter Take", ENTER)
        student.follows("K takes it out of the queue")
        student.follows("K stops and keeps a checkpoint", limit_s=LIMIT_S)
        student.follows("r rates", limit_s=LIMIT_S)
        student.waits(lambda: ended(data, JobKind.GENERATE), LIMIT_S)
        assert student.keys == 1  # from the start to a finished demo
        student.press("r")
        student.sees("answered")
        student.follows("4 B", "4")
        student.waits(lambda: rated(data) == 1)
        assert student.keys == 3  # to the first rating
        student.sees("Saved")
        student.follows("T Totals", "T")
        student.sees("Summary of")
        student.follows("E Export", "E")
        student.follows("enter Take", ENTER)  # under the name that is proposed
        student.waits((tmp_path / "comparisons.csv").exists)
        student.sees("1 row: 1 rating")  # and the path, which may be cut over two lines
        assert student.keys == 6  # to an export
        student.follows("esc Back to the pairs", ESCAPE)
        student.follows("q Quit", "q")


@pytest.mark.slow
def test_an_engineer_comes_from_a_folder_to_compared_runs_and_exported_ratings(
    tmp_path: Path, mllama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = DataDir(tmp_path / "db")
    drawn_folder(tmp_path / "scans")
    with Typist(data, 120, 40, command=SMALL, more=["--rater", "lee"], env=ENV) as engineer:
        # Keys that mean nothing here, a path that is left half typed, a window that is dragged.
        engineer.sees("A folder of yours")
        engineer.press("%", "$", "@", "2")
        engineer.sees("tab completes")
        engineer.press(*f"{tmp_path}{os.sep}sc", ESCAPE)
        engineer.sees("1 Demo")
        engineer.resize(50, 12)
        engineer.follows("here are 50", "x")
        engineer.rests()
        engineer.resize(120, 40)
        before = engineer.keys
        engineer.follows("2 Folder", "2")
        engineer.follows(f"{os.sep}sc", "\t")
        engineer.follows(f"scans{os.sep}", ENTER)
        engineer.sees("What comes in")
        engineer.sees("Radiograph 0 shows a bright disc.", LIMIT_S)
        engineer.follows("enter Import", ENTER)
        engineer.waits(lambda: ended(data, JobKind.IMPORT), LIMIT_S)
        assert engineer.keys - before == 4  # from Welcome to what is imported

        engineer.follows("t trains", "t")
        engineer.follows("p Preset", *"ppppp")
        engineer.follows("the small bundled model", ENTER)
        engineer.rests()
        engineer.press(*str(mllama), ENTER)
        engineer.rests()
        engineer.press("\x1b[6~", *[DOWN] * 4)
        engineer.follows("Optimizer steps", "6")
        engineer.follows("enter Take", ENTER)
        engineer.sees("enter Edit")
        # Back to the images and here again: the draft is still there.
        engineer.follows("S Start", "d")
        engineer.follows("/ Search", "t")
        engineer.sees("6 of 8 images")
        engineer.follows("S Start", "S")
        engineer.waits(lambda: ended(data, JobKind.TRAIN), LIMIT_S)
        engineer.sees("6/6 steps")
        engineer.follows("A starts another", "A")
        engineer.follows("S Start", "S")
        engineer.waits(lambda: ended(data, JobKind.TRAIN, 2), LIMIT_S)
        engineer.follows("D lets the models describe", "D")
        engineer.follows("S Start", "S")
        engineer.follows("Press r to rate", "r", limit_s=LIMIT_S)
        engineer.waits(lambda: ended(data, JobKind.GENERATE), LIMIT_S)

        engineer.follows("2 A", "2")
        engineer.waits(lambda: rated(data) == 1)
        engineer.press("J")
        engineer.sees("✓ done")
        engineer.press(DOWN)  # past the descriptions
        engineer.follows("m Mark", "m", "m")
        engineer.follows("c Compare", "c")
        engineer.sees("Loss · answer-only")
        engineer.follows("esc Jobs", ESCAPE)
        engineer.sees("m Mark")
        engineer.press("r")
        engineer.follows("T Totals", "T")
        engineer.follows("E Export", "E")
        engineer.follows("enter Take", ENTER)
        engineer.waits((tmp_path / "comparisons.csv").exists)
        engineer.follows("esc Back to the pairs", ESCAPE)
        engineer.follows("q Quit", "q")
