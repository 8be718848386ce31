"""So many pairs at once: counted, closed with what was done, and no key too many rates anything."""

import pytest

from radtui.store import ratings
from radtui.study.queue import Pair, Queue, RaterProgress
from radtui.tui.review.screen import ReviewScreen
from radtui.tui.review.stint import Stint, StintSheet, done_lines
from tests.tui.reviewing import history, line, opened, panel, screen, settled, shown
from tests.unit.test_store import study_of


async def test_two_pairs_are_counted_and_closed_and_a_key_too_many_does_nothing(data, db, reviewed_job):
    async with opened(data, (80, 24)) as pilot:
        await pilot.press("S")
        await settled(pilot)
        await pilot.press("2", "enter")
        await settled(pilot)
        assert "0/2" in line(pilot)
        await pilot.press("4")
        await settled(pilot)
        assert "1/2" in line(pilot) and "1/6 answered" in line(pilot)
        await pilot.press("4")
        await settled(pilot)
        sheet = pilot.app.screen
        assert isinstance(sheet, StintSheet)
        assert "2 pairs answered" in str(sheet.query_one(".sheet").border_title)
        await pilot.press("4", "1", "space")
        assert len(history(data, reviewed_job)) == 2 and pilot.app.screen is sheet
        await pilot.press("enter")  # as many more
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReviewScreen) and "0/2" in line(pilot)
        await pilot.press("u")  # taken back: one more than before is left, and none is answered
        await settled(pilot)
        assert "0/2" in line(pilot)
    assert len(ratings.current(db, study_of(db, reviewed_job).id)) == 1


async def test_the_last_pairs_close_it_too_and_totals_are_one_key_away(data, reviewed_job):
    async with opened(data, (80, 24)) as pilot:
        await pilot.press("S")
        await settled(pilot)
        await pilot.press("enter")  # all that are left
        for _ in range(6):
            await pilot.press("3")
            await settled(pilot)
        sheet = pilot.app.screen
        assert isinstance(sheet, StintSheet) and not sheet.check_action("dismiss", ("more",))
        await pilot.press("T")
        await settled(pilot)
        assert type(pilot.app.screen).__name__ == "SummaryScreen"


async def test_nothing_is_set_out_for_when_all_is_rated(data, reviewed_job):
    async with opened(data, (80, 24)) as pilot:
        for _ in range(6):
            await pilot.press("3")
        await settled(pilot)
        await pilot.press("S")
        await settled(pilot)
        assert pilot.app.screen is screen(pilot) and "All pairs are rated" in panel(pilot)
        assert shown(pilot).rated


@pytest.mark.parametrize("rated", range(0, 67, 6))
def test_a_hidden_repeat_is_in_no_total_and_no_answer_stands_out(rated):
    pairs = [Pair(1, case_id) for case_id in range(60)]
    pairs += [Pair(1, case_id, 1) for case_id in range(6)]
    queue = Queue(pairs)
    for pair in pairs[:rated]:
        queue._judged_at[pair] = 1
    progress = queue.progress()
    assert progress.shown_total == 60 and progress.total == 66
    assert rated - 6 <= progress.shown_rated <= rated and (progress.shown_rated == 60) is (rated == 66)
    assert progress.shown_rated > 0 or not rated  # the first answer counts at once
    assert progress.shown_rated + progress.shown_left == 60
    places = [
        progress.shown_place(at) for at in range(1, 67)
    ]  # as many as the line counts, each once or twice
    assert places == sorted(places) and set(places) == set(range(1, 61))
    assert [places.index(shown) + 1 for shown in range(1, 61)] == [progress.place_of(n) for n in range(1, 61)]
    assert progress.place_of(0) == progress.place_of(61) == 0


def test_what_a_stint_was_is_told_without_what_it_was_not():
    before = Queue([Pair(1, n) for n in range(4)]).progress()
    lines = [str(each) for each in done_lines(Stint(2, before), before)]
    assert lines[0] == "0 s at work" and "4 of this study left" in lines[-1] and len(lines) == 2


def test_a_stint_to_the_end_counts_no_hidden_repeat_and_ends_with_the_last_answer():
    def progress(rated: int, total: int = 17) -> RaterProgress:
        return RaterProgress(total, rated, 0, 0, 60.0, 5.0, repeats=1)

    before = progress(0)
    whole, short = Stint(before.shown_left, before), Stint(3, before)
    assert whole.pairs == 16  # as many as the line above says
    done = [whole.done(progress(rated)) for rated in range(18)]
    assert done == sorted(done) and done[1] == 1 and done[-1] == 16 and max(done[:-1]) < 16
    assert [rated for rated in range(18) if whole.over(progress(rated))] == [17]
    assert [rated for rated in range(5) if short.over(progress(rated))] == [3, 4]
    assert whole.over(progress(16, total=30))  # more were written meanwhile
