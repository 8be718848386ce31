"""Correcting texts: in a comparison, where it un-blinds, and one arm's by themselves; undone, and known again later."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from radtui.measures.readings import read_arms
from radtui.measures.word_changes import changes, words_changed
from radtui.records import Job, Study
from radtui.store import ratings, studies
from radtui.study import correcting, edits
from radtui.study.reading import Reading
from radtui.study.scheme_file import default_scheme
from radtui.study.study import read_review, summarise_review
from tests.unit.review_sessions import begun
from tests.unit.test_store import study_of

SCHEME = default_scheme()


@pytest.fixture
def study(db: sqlite3.Connection, reviewed_job: Job) -> Study:
    """Six comparisons of base and tuned."""
    return study_of(db, reviewed_job)


def reading_of(db: sqlite3.Connection, study: Study, arm: str = "tuned") -> Reading:
    ticks = iter(range(0, 10_000, 5))
    reading = Reading(db, study, arm, "ann", SCHEME, clock=lambda: float(next(ticks)))
    reading.start()
    return reading


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a b c", "a b c", 0), ("a b c", "a x c", 1), ("a b c", "b c", 1), ("", "a b", 2), ("a b", "b a", 2),
        ("a  b\nc", "a b c", 0),
    ],
)  # fmt: skip
def test_changed_words_are_the_fewest_edits(before: str, after: str, expected: int) -> None:
    assert words_changed(before, after) == words_changed(after, before) == expected


def test_changes_show_every_word_of_both_texts_in_order() -> None:
    before, after = "a nodule in the left lung", "no nodule in the right upper lung"
    found = changes(before, after)
    assert " ".join(words for kind, words in found if kind != "added") == before
    assert " ".join(words for kind, words in found if kind != "removed") == after
    assert ("added", "right upper") in found


def test_a_correction_before_the_preference_unblinds_the_comparison(
    db: sqlite3.Connection, study: Study
) -> None:
    session = begun(db, study, "ann")
    shown = session.shown()
    assert shown is not None and not shown.identity_known
    row = correcting.correct(session, 0, "Nothing of this is so.")
    assert row is not None and not row.blinded and row.corrections == {shown.arm(0): "Nothing of this is so."}
    after = session.answer(lambda rating: edits.preferred(rating, SCHEME, 0))
    assert after is not None and not after.blinded and after.corrections == row.corrections


def test_a_correction_after_the_preference_leaves_it_blind_and_unblinds_what_follows(
    db: sqlite3.Connection, study: Study
) -> None:
    session = begun(db, study, "ann")
    first = session.answer(lambda rating: edits.preferred(rating, SCHEME, 0))
    assert first is not None and correcting.better_side(first) == 0
    row = correcting.correct(session, 0, "Better said.")
    assert row is not None and row.blinded and row.preference == first.preference
    changed = session.answer(lambda rating: edits.preferred(rating, SCHEME, 4))
    assert changed is not None and not changed.blinded


def test_undo_takes_a_correction_back_but_not_what_was_seen(db: sqlite3.Connection, study: Study) -> None:
    session = begun(db, study, "ann")
    pair = session.pair
    correcting.correct(session, 1, "Better said.")
    assert session.undo() == pair
    (newest,) = ratings.history(db, study.id, "ann")[-1:]
    assert newest.corrections == {} and newest.undoes is not None and newest.empty and not newest.blinded
    shown = session.shown()
    assert shown is not None and shown.identity_known


def test_an_unchanged_text_is_taken_as_it_is_and_leaves_the_comparison_blind(
    db: sqlite3.Connection, study: Study
) -> None:
    session = begun(db, study, "ann")
    shown = session.shown()
    assert shown is not None
    row = correcting.correct(session, 0, f" {shown.texts[0]} ")
    assert row is not None and row.blinded and row.corrections == {}
    assert correcting.is_taken_as_is(row, shown.arm(0)) and not correcting.is_taken_as_is(row, shown.arm(1))
    corrected = correcting.correct(session, 0, "Other words.")
    assert corrected is not None and not correcting.is_taken_as_is(corrected, shown.arm(0))


def test_one_arm_is_read_and_corrected_and_next(db: sqlite3.Connection, study: Study) -> None:
    reading = reading_of(db, study)
    cases = [pair.case_id for pair in reading.queue.pairs]
    assert reading.open is not None and not reading.open.reference
    first = reading.accept()
    assert first is not None and (first.earlier_arm, first.later_arm, first.blinded) == ("", "tuned", False)
    assert first.later_text_id is not None and first.active_s > 0
    opened = reading.next_unread()
    assert opened is not None and opened.case.id == cases[1]
    second = reading.leave("A nodule on the right.")
    assert second is not None and second.corrections == {"tuned": "A nodule on the right."}
    again = reading.step(0)
    assert again is not None and again.text == "A nodule on the right." and again.reference
    undone = reading.undo()
    assert undone is not None and undone.text == undone.written and not undone.read
    assert reading.queue.progress().rated == 1

    later = reading_of(db, study)
    assert later.open is not None and later.open.case.id == cases[1]


def test_texts_read_by_themselves_touch_no_comparison_but_are_not_rated_blind(
    db: sqlite3.Connection, study: Study
) -> None:
    reading = reading_of(db, study)
    assert reading.open is not None
    case_id = reading.open.case.id
    reading.leave("Corrected.")
    session = begun(db, study, "ann")
    assert session.queue.progress().rated == 0 and session.undo() is None
    pair = next(each for each in session.queue.pairs if each.case_id == case_id)
    session.show(pair)
    row = session.answer(lambda rating: edits.preferred(rating, SCHEME, 0))
    assert row is not None and not row.blinded
    summary = summarise_review(read_review(db, study, SCHEME))
    assert summary.n == 0 and summary.left_out.unblinded == 1
    other = begun(db, study, "ben")
    other.show(pair)
    assert (shown := other.shown()) is not None and not shown.identity_known


def test_who_corrected_a_text_does_not_rate_it_blind_in_another_study(
    db: sqlite3.Connection, study: Study
) -> None:
    session = begun(db, study, "ann")
    pair = session.pair
    assert pair is not None
    correcting.correct(session, 0, "Better said.")
    again = studies.create(db, replace(study, name="again"), studies.comparison_ids(db, study))
    for rater, blind in (("ann", False), ("ben", True)):
        later = begun(db, again, rater)
        later.show(next(each for each in later.queue.pairs if each.case_id == pair.case_id))
        row = later.answer(lambda rating: edits.preferred(rating, SCHEME, 0))
        assert row is not None and row.blinded is blind
    untouched = begun(db, again, "ann")
    other = next(each for each in untouched.queue.pairs if each.case_id != pair.case_id)
    untouched.show(other)
    assert (row := untouched.answer(lambda rating: edits.preferred(rating, SCHEME, 0))) and row.blinded


def test_figures_of_reading(db: sqlite3.Connection, study: Study) -> None:
    reading = reading_of(db, study)
    for number in range(4):
        assert reading.open is not None
        written = reading.open.written
        _ = reading.leave(written + " Two words." if number == 0 else written)
        reading.next_unread()
    by_case = studies.comparisons(db, study, studies.comparison_ids(db, study))
    figures = read_arms(
        ratings.current(db, study.id), study.arm_names, lambda case_id, arm: by_case[case_id].by(arm).text
    )
    assert list(figures) == ["tuned"]
    tuned = figures["tuned"]
    assert (tuned.texts, tuned.unchanged.hits, tuned.words_changed, tuned.words_changed_mean) == (
        4,
        3,
        2,
        0.5,
    )
    assert tuned.seconds is not None and tuned.seconds > 0
