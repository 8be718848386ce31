"""A reader's first hour at a real terminal: the keys that it takes, each named on the screen, and the way out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.store import ratings
from tests.tui.typed import Typist
from tests.unit.review_sessions import Clock, begin, described, prefer
from tests.unit.test_store import study_of

ENTER = "\r"
# Workers import what this checkout has, as the app does, and gain nothing from threads.
ENV = {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}


def test_a_radiologist_rates_with_the_first_key_and_exports_with_few(
    data: DataDir,
    db: sqlite3.Connection,
    add_images: Callable[..., list[int]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    job = described(db, add_images(12))
    prefer(begin(db, job, Clock()), 3)  # has rated before
    study, out = study_of(db, job), tmp_path / "comparisons.csv"
    with Typist(data, 120, 40, more=["--rater", "ana"], env=ENV) as someone:
        someone.sees("1/12 answered")
        someone.follows("4 B slightly better", "4")
        someone.waits(lambda: len(ratings.current(db, study.id, "ana")) == 2)
        assert someone.keys == 1  # from the start to the first rating
        someone.press("S")
        someone.sees("Rate how many pairs now")
        someone.follows("esc Close", "5", ENTER)
        someone.sees("0/5")
        for count in range(5):
            someone.press("2")
            someone.waits(lambda count=count: len(ratings.current(db, study.id, "ana")) == 3 + count)
        someone.sees("5 pairs answered")
        someone.follows("T Totals", "T")
        someone.sees("Summary of")
        someone.sees("ratings by ana")
        someone.sees("Preference")
        someone.follows("E Export", "E")
        someone.follows("enter Take", ENTER)  # under the name that is proposed
        someone.waits(out.exists)
        assert someone.keys == 12 and len(out.read_text().splitlines()) == 8
