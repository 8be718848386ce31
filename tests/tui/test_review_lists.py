"""Which pairs the review screen goes through: filters, disagreements, search, a number, another job."""

from __future__ import annotations

import sqlite3

from textual.widgets import OptionList

from radtui.paths import DataDir
from radtui.records import Job, JobKind
from radtui.settings import GenerateSettings
from radtui.store import jobs, ratings, studies, texts
from radtui.tui.review.dialogs import PickSheet
from radtui.tui.review.going import show_hits
from tests.conftest import give_arms, new_text
from tests.tui.reviewing import line, opened, panel, screen, settled, shown
from tests.unit.test_store import study_of


async def test_filters_search_and_jump(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data) as pilot:
        await pilot.press("3", "m", "1")
        flagged = screen(pilot).session.queue.pairs[1]  # type: ignore[union-attr]
        for opener in ("f", "o", "f"):  # the key that opens a list closes it
            await pilot.press(opener)
            await settled(pilot)
            assert isinstance(pilot.app.screen, PickSheet)
            await pilot.press(opener)
            assert pilot.app.screen is screen(pilot)
        await pilot.press("f")
        options = pilot.app.screen.query_one(OptionList)
        labels = [str(options.get_option_at_index(at).prompt) for at in range(options.option_count)]
        at = next(at for at, label in enumerate(labels) if label.startswith("Flagged"))
        assert labels[at].split() == ["Flagged", "1"]
        closed = next(label for label in labels if label.startswith("Disagreements"))
        assert "when you have rated all pairs" in closed
        await pilot.press(*["down"] * at, "enter")
        assert shown(pilot).pair == flagged and "flagged: 1, esc all" in line(pilot)
        await pilot.press("escape", "colon", *"5", "enter")
        assert shown(pilot).place == 5
        await pilot.press("slash", *"number", "space", *"3", "enter")
        await settled(pilot)
        assert screen(pilot).session.among is not None  # type: ignore[union-attr]
        assert "number 3" in shown(pilot).case.reference
        await pilot.press("slash", *"nowhere", "enter")
        await settled(pilot)
        assert "No pair has “nowhere”" in panel(pilot)


async def test_disagreements_are_gone_through_once_all_is_rated(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data, rater="ben") as pilot:
        for _ in range(6):  # always for the tuned text
            await pilot.press("5" if shown(pilot).left == "base" else "1")
    async with opened(data) as pilot:
        for n in range(6):  # the other way round in two, equal in one
            left_wins = shown(pilot).left == "tuned"
            await pilot.press("3" if n == 5 else "1" if left_wins is (n > 1) else "5")
        await pilot.press("f")
        await settled(pilot)
        options = pilot.app.screen.query_one(OptionList)
        labels = [str(options.get_option_at_index(at).prompt).split() for at in range(options.option_count)]
        assert ["Disagreements", "2"] in labels and ["Ties", "1"] in labels
        await pilot.press(
            *["down"] * sum(label[-1] != "0" for label in labels[: labels.index(["Disagreements", "2"])])
        )
        await pilot.press("enter")
        session = screen(pilot).session
        assert session is not None and session.among == session.queue.pairs[:2]
        assert shown(pilot).pair == session.queue.pairs[0] and "disagreements: 2, esc all" in line(pilot)
        await pilot.press("3")
        assert shown(pilot).pair == session.queue.pairs[1]  # on to the next of the list, which is rated too
        await pilot.press("3")
        assert "last one of this list. Press esc" in panel(pilot)
        await pilot.press("escape")
        assert session.among is None and "esc all" not in line(pilot)
    assert len(ratings.history(db, study_of(db, reviewed_job).id, "ana")) == 8


async def test_jobs_are_chosen_newest_first(data: DataDir, db: sqlite3.Connection, reviewed_job: Job) -> None:
    other = jobs.create(db, JobKind.GENERATE, "second round", "drawn", GenerateSettings().to_dict())
    image_id = studies.comparison_ids(db, study_of(db, reviewed_job))[0]
    for name, arm in give_arms(db, other, "base", "tuned").items():
        texts.add(db, other.id, [new_text(image_id, arm, f"{name} text")])
    async with opened(data) as pilot:
        assert shown(pilot).pair.study_id == study_of(db, other).id
        await pilot.press("o")
        await settled(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
        assert shown(pilot).pair.study_id == study_of(db, reviewed_job).id
        jobs.progress(db, other.id, 2, 2)
        screen(pilot).rad.poller.nudge()
        screen(pilot).rad._post_snapshot(screen(pilot).rad.poller.poll_once())
        await settled(pilot)
        assert f"#{other.id} has pairs to rate, too. Press o" in panel(pilot)
        screen(pilot).rad.show_job(other)  # as enter on Jobs does
        await settled(pilot)
        assert shown(pilot).pair.study_id == study_of(db, other).id
    async with opened(data, mode="jobs") as pilot:
        pilot.app.show_job(reviewed_job)  # type: ignore[attr-defined]
        await settled(pilot)
        assert shown(pilot).pair.study_id == study_of(db, reviewed_job).id  # and not the newest one's


async def test_a_search_of_a_job_that_is_no_longer_shown_leaves_nothing(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data) as pilot:
        before = screen(pilot).session
        assert before is not None
        screen(pilot).following.load(study_of(db, reviewed_job).id)
        await settled(pilot)
        now = screen(pilot).session
        assert now is not None and now is not before
        show_hits(screen(pilot).reviewing, before, "late", before.queue.pairs[:1])
        await settled(pilot)
        assert now.among is None and screen(pilot).reviewing.list_name == ""
        show_hits(screen(pilot).reviewing, now, "mine", now.queue.pairs[:1])
        await settled(pilot)
        assert now.among == now.queue.pairs[:1]
