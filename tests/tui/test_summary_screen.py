"""The summary screen: figures with n and interval, checks, scores, export."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from radtui.measures.intervals import Estimate, proportion
from radtui.measures.score_table import SCORES, Score
from radtui.measures.scores import ScoredText, score_arms
from radtui.measures.statistics import summarise
from radtui.measures.words import brief, p_value
from radtui.paths import DataDir
from radtui.percent import percent_text
from radtui.records import Job
from radtui.store import ratings
from radtui.study import edits
from radtui.study.queue import Pair
from radtui.study.scheme_file import default_scheme
from radtui.tui.app import RadtuiApp
from radtui.tui.review import score_text
from radtui.tui.review.summary import SummaryScreen
from radtui.tui.review.summary_text import diverging, interval, rating_lines, share_line
from radtui.tui.widgets.key_bar import KeyBar
from tests.conftest import new_text
from tests.tui.driving import until
from tests.unit.review_ratings import rating
from tests.unit.test_store import study_of

SCHEME = default_scheme()


@asynccontextmanager
async def opened(data: DataDir, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    app = RadtuiApp(data, "ana", screen="review", live=False)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("T")
        await settled(pilot)
        await settled(pilot)
        yield pilot


async def settled(pilot: Pilot[None]) -> None:
    await pilot.pause(0.05)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause(0.05)


def text(pilot: Pilot[None], static_id: str) -> str:
    screen = pilot.app.screen
    assert isinstance(screen, SummaryScreen)
    return str(screen.query_one(f"#{static_id}", Static).content)


def rate(db: sqlite3.Connection, job: Job, image_ids: list[int], rater: str, preference: int) -> None:
    study = study_of(db, job)
    for image_id in image_ids:
        row = edits.blank(Pair(study.id, image_id), rater, SCHEME, "base", "tuned", later_left=True)
        row = edits.accepted(edits.accepted(row, "base", 2), "tuned", 5)
        row = edits.counted(row, "base", "2", True, 1)
        level = next(at for at, one in enumerate(SCHEME.preference) if one.value == -preference)
        ratings.add(db, edits.preferred(row, SCHEME, level))


async def test_few_ratings_say_too_few(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data, (80, 24)) as pilot:
        assert "Nothing is rated yet. Press esc" in text(pilot, "ratings")
        assert "Export CSV" not in str(pilot.app.screen.query_one(KeyBar).render())
        await pilot.press("escape", "1", "T")
        await settled(pilot)
        await settled(pilot)
        assert "Too few to conclude: 1 decided pair, 20 at least" in text(pilot, "ratings")
        assert "Export CSV" in str(pilot.app.screen.query_one(KeyBar).render())
        assert "not for clinical use" in text(pilot, "limits")


async def test_a_database_that_cannot_be_read_is_said_and_the_screen_stays(
    data: DataDir, reviewed_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(data) as pilot:

        def unreadable(app: RadtuiApp, query: object) -> None:
            raise sqlite3.DatabaseError("database disk image is malformed")

        monkeypatch.setattr(RadtuiApp, "read", unreadable)
        await pilot.press("o")  # everybody's ratings, for which the database is read again
        await until(pilot, lambda: len(pilot.app._notifications) > 0)
        assert [each.message for each in pilot.app._notifications] == [
            "That did not work: database disk image is malformed."
        ]
        assert isinstance(pilot.app.screen, SummaryScreen)


async def test_figures_have_n_and_interval(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, add_images: Callable[..., list[int]]
) -> None:
    from radtui.store import arms, texts

    ids = add_images(24)
    for arm in arms.of_job(db, reviewed_job.id):
        texts.add(db, reviewed_job.id, [new_text(case_id, arm, f"{arm.name} nodule") for case_id in ids[6:]])
    rate(db, reviewed_job, ids[:22], "ana", 2)
    rate(db, reviewed_job, ids[22:], "ana", -1)
    rate(db, reviewed_job, ids[:3], "ben", -2)
    async with opened(data, (200, 60)) as pilot:
        said = text(pilot, "ratings")
        assert "Tuned preferred (exact sign test, p<0.001)" in said
        wins = proportion(22, 24)
        assert (
            f"{percent_text(wins.value)}  {percent_text(wins.low)} to {percent_text(wins.high)}, n 24" in said
        )
        assert "base 2   equal 0   tuned 22   both bad 0" in said
        assert "Acceptability  1 to 5, 24 ratings" in said and "Significant" in said
        assert "ben" not in said
        scores = text(pilot, "scores")
        assert (
            "Against known findings  24 images" in scores and "ROUGE-L" in scores and "Right side" in scores
        )
        await pilot.press("o")
        await settled(pilot)
        assert "Krippendorff alpha" in text(pilot, "ratings") and "ben" in text(pilot, "ratings")
        assert "all raters" in text(pilot, "title")


async def test_a_repeat_is_the_same_answer_only_at_the_same_step(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    rate(db, reviewed_job, [1], "ana", 2)
    first = ratings.history(db, study_of(db, reviewed_job).id, "ana")[0]
    ratings.add(db, replace(first, id=0, occasion=1, preference=1))
    async with opened(data, (120, 60)) as pilot:
        await settled(pilot)
        assert "Same answer again        0 % (0 to 79 %) of 1 hidden repeat" in text(pilot, "ratings")
        assert "Left out: 1 hidden repeat" in text(pilot, "ratings")


async def test_export_writes_the_rated_comparisons(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rate(db, reviewed_job, [1, 2, 3], "ana", 1)
    async with opened(data) as pilot:
        await pilot.press("E")
        assert pilot.app.screen.query_one(Input).value == "comparisons.csv"
        await pilot.press("enter")
        await settled(pilot)
    with (tmp_path / "comparisons.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["preference"] for row in rows] == ["1"] * 3


def test_one_image_on_which_two_raters_differ_has_figures_without_an_interval() -> None:
    found = summarise([rating(1, 1), rating(1, -2, rater="bo")], SCHEME, "base", "tuned")
    assert (found.preference.win_rate.n, found.preference.win_rate.low) == (2, None)
    lines = [line.plain for line in rating_lines(found, SCHEME, 100)]
    assert any(line.startswith("Tuned wins of decided     50 %  n 2 ") for line in lines)
    assert "Too few to conclude: 1 decided pair, 20 at least are needed." in lines  # the image leans to base


def test_versions_of_the_scheme_that_are_counted_together_are_named() -> None:
    rows = [rating(n, 1, scheme_hash="a" * 64 if n else "b" * 64) for n in range(3)]
    summary = summarise(rows, SCHEME, "base", "tuned")
    said = [line.plain for line in rating_lines(summary, SCHEME, 100)]
    assert "2 versions of the rating scheme are counted together: 2 of aaaaaaaaaa, 1 of bbbbbbbbbb." in said
    of_one = summarise(rows[1:], SCHEME, "base", "tuned")
    one = [line.plain for line in rating_lines(of_one, SCHEME, 100)]
    assert not any("version" in line for line in one)


def test_diverging_bar_grows_from_the_middle() -> None:
    bar = diverging({-2: 1, -1: 1, 0: 2, 1: 2, 2: 4}, 40)
    assert len(bar.plain) == 40
    assert bar.plain.index("█") == 20 - round(3 / 7 * 20)
    even = diverging({-2: 3, -1: 0, 0: 0, 1: 0, 2: 3}, 40).plain
    assert even == "█" * 40
    assert diverging(dict.fromkeys(range(-2, 3), 0), 40).plain == ""
    assert "█" not in diverging({-2: 0, -1: 0, 0: 0, 1: 0, 2: 5}, 40).plain[:20]


def test_interval_marks_value_and_limits() -> None:
    drawn = interval(0.25, 0.5, 0.75, 41, 0.5).plain
    assert drawn.index("●") == 20 and drawn.index("━") == 10 and drawn.rindex("━") == 30
    assert interval(0.8, 0.9, 1.0, 41, 0.5).plain[20] == "┼"
    assert interval(0, 0.5, 1, 5, 0.5).plain == ""
    assert "no answers yet" in share_line("Wins", proportion(0, 0), 80).plain


def test_figures_are_written_as_everywhere() -> None:
    assert [p_value(p) for p in (None, 0.0004, 0.04)] == ["no test", "p<0.001", "p=0.040"]
    assert brief(proportion(12, 24)) == "50 % (31 to 69 %)" and brief(proportion(0, 0)) == "-"
    assert brief(Estimate(0.86, 0.5, 1.184, 28, "t")) == "0.86 (0.50 to 1.18)"
    assert brief(Estimate(12.34, None, None, 1, "t"), digits=1) == "12.3"


def test_a_score_that_is_described_is_shown_without_more(monkeypatch: pytest.MonkeyPatch) -> None:
    long = Score(
        "vowels", "vowels in the whole of a text", "letters", lambda own: 7.25, unit="vowels", digits=1
    )
    short = Score("letters", "letters", "letters", lambda own: Estimate(3.0, 2.0, 4.0, own.cases, "t"))
    monkeypatch.setattr(score_text, "SCORES", (*SCORES, long, short))
    scores = score_arms({arm: [ScoredText(f"{arm} nodule", "A nodule.")] for arm in ("base", "tuned", "dpo")})
    lines = [row for line in score_text.score_lines(scores) for row in line.plain.split("\n")]
    at = lines.index("Letters  1 image")
    assert lines[at + 1] == "Vowels in the whole of a text" and lines[at + 2].split() == [
        "base", "7.2", "vowels", "tuned", "7.2", "vowels",
    ]  # fmt: skip
    assert lines[at + 3].startswith("Letters  ") and "tuned 3.00 (2.00 to 4.00)" in lines[at + 3]
    assert lines[0] == "The arm dpo  1 image" and f"{'Letters':<25}3.00 (2.00 to 4.00)" in lines
