"""With the reference among a study's arms, a reader meets it nowhere before the case is finished, or it is counted."""

from __future__ import annotations

import sqlite3

import pytest

from radtui.records import Job, Study
from radtui.store import cases, ratings
from radtui.store.cases import CaseQuery
from radtui.study import edits
from radtui.study.kept_back import kept_back, pairs_left, see_reference
from radtui.study.making import make_study, parse_arms
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession
from radtui.tui.review.going import texts_of
from tests.unit.review_sessions import begun

SCHEME = default_scheme()


@pytest.fixture
def study(db: sqlite3.Connection, third_job: Job) -> Study:
    return make_study(db, parse_arms(["base,tuned,reference"]), "train", pairs_per_case=2).study


def rate_all(session: ReviewSession) -> None:
    session.next_unrated()
    while session.pair is not None and not session.queue.rated(session.pair):
        session.answer(lambda row: edits.preferred(row, SCHEME, 4))
        session.next_unrated()


def test_cases_are_kept_back_until_this_reader_has_finished_them(
    db: sqlite3.Connection, study: Study
) -> None:
    ids = set(cases.find(db, CaseQuery("drawn", "train")))
    assert kept_back(db, "ana", SCHEME) == ids == kept_back(db, "ben", SCHEME)
    session = begun(db, study)
    first = session.pair
    assert first is not None
    session.answer(lambda row: edits.preferred(row, SCHEME, 4))
    assert first.case_id in kept_back(db, "ana", SCHEME)  # the other pair of the case is left
    for pair in [pair for pair in session.queue.pairs if pair.case_id == first.case_id and pair != first]:
        session.show(pair)
        session.answer(lambda row: edits.preferred(row, SCHEME, 4))
    assert kept_back(db, "ana", SCHEME) == ids - {first.case_id} and kept_back(db, "ben", SCHEME) == ids
    assert (
        0 < pairs_left(db, study, "ana", SCHEME) == session.queue.progress().shown_left
    )  # no repeat is told
    rate_all(session)
    assert kept_back(db, "ana", SCHEME) == frozenset() and pairs_left(db, study, "ana", SCHEME) == 0


def test_nothing_is_kept_back_where_the_reference_is_no_arm(db: sqlite3.Connection, third_job: Job) -> None:
    study = make_study(db, parse_arms(["base,tuned"]), "train").study
    assert kept_back(db, "ana", SCHEME) == frozenset() and pairs_left(db, study, "ana", SCHEME) == 0


def test_no_search_and_no_filter_tells_of_a_reference_that_is_kept_back(
    db: sqlite3.Connection, study: Study
) -> None:
    everything = CaseQuery("drawn", "train")
    ids = cases.find(db, everything)
    kept = frozenset(ids[:10])
    by_word = CaseQuery("drawn", "train", search="nodule left")
    found = cases.find(db, by_word)
    assert kept & set(found) and cases.find(db, by_word, kept) == [each for each in found if each not in kept]
    assert set(cases.find(db, CaseQuery("drawn", "train", finding="nodule"), kept)) == set(ids) - kept
    name = cases.get_many(db, ids[:1])[0].source_key
    assert ids[0] in cases.find(db, CaseQuery("drawn", "train", search=name.split(".")[0]), kept)
    in_order = cases.find(db, CaseQuery("drawn", "train", sort="reference"), kept)
    assert in_order[-10:] == sorted(kept) and set(in_order) == set(ids)


def test_seeing_it_before_its_time_is_counted_at_once(db: sqlite3.Connection, study: Study) -> None:
    session = begun(db, study)
    pair = session.pair
    assert pair is not None
    see_reference(db, pair.case_id, "ana", SCHEME)
    assert pair.case_id not in kept_back(db, "ana", SCHEME) and pair.case_id in kept_back(db, "ben", SCHEME)
    (blank,) = ratings.current(db, study.id, "ana")
    assert blank.empty and not blank.blinded
    session.show(pair)
    row = session.answer(lambda rating: edits.preferred(rating, SCHEME, 4))
    assert row is not None and not row.blinded
    see_reference(db, pair.case_id, "ana", SCHEME)  # a second look changes nothing
    assert [row.blinded for row in ratings.current(db, study.id, "ana") if not row.empty] == [False]


def test_the_search_for_pairs_sees_the_two_texts_and_the_reference_of_what_is_finished(
    db: sqlite3.Connection, study: Study
) -> None:
    session = begun(db, study)
    pairs = session.queue.pairs
    drawn = session.sitting.drawn
    assert drawn is not None
    texts = texts_of(db, session, pairs, set())
    for pair, text in texts.items():
        shown = drawn.pairs[pair.case_id][pair.pair]
        assert ("chest radiograph shows" in text) is ("reference" in shown)
        assert ("base writes" in text) is ("base" in shown)
    told = texts_of(db, session, pairs, {pairs[0].case_id})
    assert "chest radiograph shows" in told[pairs[0]]
