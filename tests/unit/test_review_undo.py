"""Undo without limit over an append-only history."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from radtui.study.undo import History, RatingSlot, slot_of
from tests.unit.review_ratings import rating


def content(row):
    """What a rater sees of a row: all but its place in the history."""
    return None if row is None or row.empty else replace(row, id=0, undoes=None, rated_at=0.0)


def test_five_undos_restore_five_states_in_ten_rows():
    rows = [rating(image, preference) for image, preference in [(1, 2), (2, 1), (1, -1), (3, 0), (2, -2)]]
    history = History(rows)
    states = []
    for _ in range(5):
        step = history.next_undo("ana")
        row = replace(step.snapshot(2000.0), id=1000 + len(rows))
        rows.append(row)
        history.add(row)
        states.append({slot.case_id: content(now) for slot, now in history.current.items()})
    assert len(rows) == 10
    p = [{image: state and state.preference for image, state in snapshot.items()} for snapshot in states]
    assert p == [
        {1: -1, 2: 1, 3: 0},
        {1: -1, 2: 1, 3: None},
        {1: 2, 2: 1, 3: None},
        {1: 2, 2: None, 3: None},
        {1: None, 2: None, 3: None},
    ]
    assert history.next_undo("ana") is None
    assert [row.undoes for row in rows[5:]] == [row.id for row in reversed(rows[:5])]


def test_undo_brings_back_notes_flags_and_answers():
    first = rating(1, 1, note="seen", flagged=True, answers={"dim.correctness": 2})
    second = replace(first, id=first.id + 1, preference=-2, note="", flagged=False, answers={})
    step = History([first, second]).next_undo("ana")
    assert step.restored is first
    assert content(step.snapshot(1.0)) == content(first)


def test_one_rater_does_not_undo_another():
    mine, theirs = rating(1, 1), rating(1, -1, rater="bo")
    history = History([mine, theirs])
    assert history.next_undo("ana").undone is mine
    assert history.next_undo("bo").undone is theirs
    assert history.next_undo("cy") is None
    assert history.current[RatingSlot(1, 1, "ana", 0, 0)] is mine


def test_a_new_rating_after_an_undo_is_undone_first():
    first, second = rating(1, 1), rating(1, 2)
    history = History([first, second])
    history.add(replace(history.next_undo("ana").snapshot(1.0), id=10_000))
    third = rating(1, -2, id=10_001)
    history.add(third)
    step = history.next_undo("ana")
    assert step.undone is third and step.restored is first


def test_what_was_seen_stays_seen():
    first, second = rating(1, 1), rating(1, 2, blinded=False)
    assert History([first, second]).next_undo("ana").snapshot(1.0).blinded is False
    assert History([first]).next_undo("ana").snapshot(1.0).blinded is True


def test_the_repeat_is_a_slot_of_its_own():
    history = History([rating(1, 1), rating(1, -1, occasion=1)])
    assert len(history.current) == 2
    assert history.next_undo("ana").restored is None


@given(st.lists(st.one_of(st.just("undo"), st.tuples(st.integers(1, 3), st.integers(-2, 2))), max_size=40))
def test_any_mix_of_ratings_and_undos_equals_a_plain_stack(moves):
    rows, stack, past = [], {}, []
    history = History()
    for number, move in enumerate(moves, 1):
        if move == "undo":
            step = history.next_undo("ana")
            assert (step is None) == (not past)
            if step is None:
                continue
            row = replace(step.snapshot(0.0), id=number)
            stack = past.pop()
        else:
            image, preference = move
            row = rating(image, preference, id=number)
            past.append(dict(stack))
            stack[image] = preference
        rows.append(row)
        history.add(row)
        now = {slot.case_id: r.preference for slot, r in history.current.items() if not r.empty}
        assert now == stack
    assert History(rows).current == history.current
    assert all(slot_of(row) == slot for slot, row in history.current.items())
