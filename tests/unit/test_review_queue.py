"""The queue: next unrated, resume, hidden repeats, filters, progress and the clock."""

import time

import pytest

from radtui.measures.scheme import Protocol
from radtui.study.queue import ActiveClock, Filter, Pair, Queue, disagree, shown_order
from tests.unit.review_ratings import rating

NO_REPEATS = Protocol(repeat_share=0.0)


def order(ids, rater="ana", protocol=NO_REPEATS, calibration=()):
    return shown_order(1, 1, ids, rater, 42, protocol, calibration)


def judge(pair, preference=1, **fields):
    return rating(pair.case_id, preference, study_id=pair.study_id, occasion=pair.occasion, **fields)


def rate_all(queue):
    """Rate whatever comes next until nothing does; returns the pairs in the order they came."""
    came = []
    pair = queue.resume()
    while pair is not None:
        came.append(pair)
        queue.record(judge(pair))
        pair = queue.next_unrated(pair)
    return came


def test_every_pair_comes_once_in_an_order_of_the_raters_own():
    ana, bo = order(range(50)), order(range(50), "bo")
    assert sorted(ana) == sorted(bo) == [Pair(1, i) for i in range(50)]
    assert ana != bo
    assert rate_all(Queue(ana)) == ana


def test_a_killed_session_goes_on_at_the_same_pair():
    pairs = order(range(30), protocol=Protocol(repeat_share=0.2, repeat_gap=5))
    whole = rate_all(Queue(pairs, repeat_gap=5))
    done = []
    for expected in whole:
        queue = Queue(pairs, done, repeat_gap=5)
        assert queue.resume() == expected
        done.append(judge(expected))
    assert Queue(pairs, done, repeat_gap=5).resume() is None


def test_a_pair_left_out_comes_back_after_the_end():
    pairs = order(range(5))
    queue = Queue(pairs)
    for pair in pairs[1:]:
        queue.record(judge(pair))
    assert queue.next_unrated(pairs[-1]) == pairs[0]


def test_undo_makes_a_pair_unrated_again():
    pairs = order(range(3))
    queue = Queue(pairs, [judge(pair) for pair in pairs])
    assert queue.next_unrated() is None
    queue.record(judge(pairs[1], None))
    assert queue.next_unrated(pairs[2]) == pairs[1]
    assert queue.progress().left == 1


def test_a_skip_counts_as_answered():
    pairs = order(range(3))
    queue = Queue(pairs, [judge(pairs[0], None, skipped=True)])
    assert queue.rated(pairs[0]) and queue.next_unrated() == pairs[1]


@pytest.mark.parametrize("seed", range(5))
def test_repeats_come_once_and_not_before_the_gap(seed):
    protocol = Protocol(repeat_share=0.10, repeat_gap=20)
    pairs = shown_order(1, 1, range(400), "ana", seed, protocol)
    came = rate_all(Queue(pairs, repeat_gap=20))
    repeats = [pair for pair in came if pair.occasion == 1]
    assert len(came) == len(set(came)) == len(pairs) and len(repeats) == 40
    late = 0
    for pair in repeats:
        distance = came.index(pair) - came.index(pair._replace(occasion=0))
        assert distance >= 20 or came.index(pair) >= 400  # only the tail may fall short
        late += distance >= 20
    assert late >= 36


def test_a_skipped_or_unblinded_pair_is_not_repeated():
    pairs = [Pair(1, 1), Pair(1, 2), Pair(1, 1, 1), Pair(1, 2, 1)]
    queue = Queue(pairs, [judge(pairs[0], None, skipped=True), judge(pairs[1], 1, blinded=False)])
    assert queue.next_unrated() is None


def test_calibration_comes_first_in_its_own_order_and_is_not_repeated():
    pairs = order(range(100), protocol=Protocol(repeat_share=0.5), calibration=(7, 3, 999, 5))
    assert pairs[:3] == [Pair(1, 7), Pair(1, 3), Pair(1, 5)]
    assert not {Pair(1, 7, 1), Pair(1, 3, 1), Pair(1, 5, 1)} & set(pairs)
    assert sorted(pair.case_id for pair in pairs if pair.occasion == 0) == list(range(100))


def test_pairs_that_stream_in_do_not_reorder_the_others():
    early = order(range(0, 40))
    both = order(range(0, 80))
    assert [pair for pair in both if pair.case_id < 40] == early
    queue = Queue(early, [judge(pair) for pair in early])
    queue.replace_pairs(both)
    rest = rate_all(queue)
    assert sorted(pair.case_id for pair in rest) == list(range(40, 80))


def test_steps_stop_at_the_ends_and_follow_a_filter():
    pairs = order(range(5))
    queue = Queue(pairs)
    assert queue.step(pairs[2], 1) == pairs[3] and queue.step(pairs[2], -1) == pairs[1]
    assert queue.step(pairs[4], 1) == pairs[4] and queue.step(pairs[0], -3) == pairs[0]
    assert queue.step(None, 1) == pairs[0] and queue.step(None, -1) == pairs[4]
    among = [pairs[0], pairs[3]]
    assert queue.step(pairs[0], 1, among) == pairs[3] and queue.step(pairs[1], 1, among) == pairs[0]
    assert queue.step(pairs[0], 1, []) is None


def test_filters():
    pairs = [Pair(1, i) for i in range(9)]
    mine = [
        judge(pairs[0], 0),
        judge(pairs[1], 2, flagged=True),
        judge(pairs[2], None, both_bad=True, note="x"),
        judge(pairs[3], None, skipped=True),
        judge(pairs[4], -1, answers={"error.tuned.2.significant": 1}),
        judge(pairs[5], 1, answers={"error.tuned.2.insignificant": 3, "error.base.1.significant": 0}),
        judge(pairs[6], 1, blinded=False),
        judge(pairs[7], None, flagged=True),
    ]
    queue = Queue(pairs, mine)
    found = {which: [pair.case_id for pair in queue.select(which)] for which in Filter}
    assert found == {
        Filter.ALL: list(range(9)),
        Filter.UNRATED: [7, 8],
        Filter.FLAGGED: [1, 7],
        Filter.NOTED: [2],
        Filter.TIES: [0],
        Filter.BOTH_BAD: [2],
        Filter.SKIPPED: [3],
        Filter.DISAGREEMENTS: [],
        Filter.SIGNIFICANT_ERRORS: [4],
        Filter.UNBLINDED: [6],
        Filter.TOO_FAST: [],
        Filter.LONG_IDLE: [],
    }
    others = [judge(pairs[0], 1, rater="bo"), judge(pairs[1], -1, rater="bo"), judge(pairs[5], 2, rater="bo")]
    assert queue.select(Filter.DISAGREEMENTS, others) == [pairs[1]]


def test_disagreement_is_about_direction_not_strength():
    assert not disagree([judge(Pair(1, 1), 1), judge(Pair(1, 1), 2)])
    assert not disagree([judge(Pair(1, 1), 0), judge(Pair(1, 1), 2)])
    assert disagree([judge(Pair(1, 1), -1), judge(Pair(1, 1), 0), judge(Pair(1, 1), 2)])
    assert disagree([judge(Pair(1, 1), None, both_bad=True), judge(Pair(1, 1), 2)])
    assert not disagree([judge(Pair(1, 1), None, skipped=True), judge(Pair(1, 1), 2)])


def test_search_wants_every_word_in_any_case():
    texts = {1: "Left pleural EFFUSION.", 2: "Right effusion", 3: "Straße"}
    queue = Queue([Pair(1, i) for i in texts])
    assert [pair.case_id for pair in queue.search("effusion left", lambda pair: texts[pair.case_id])] == [1]
    assert [pair.case_id for pair in queue.search("STRASSE", lambda pair: texts[pair.case_id])] == [3]


def test_progress_and_time_left_follow_the_newest_ratings():
    pairs = [Pair(1, i) for i in range(100)]
    slow = [judge(pair, active_s=60.0, rated_at=float(i)) for i, pair in enumerate(pairs[:30])]
    fast = [judge(pair, active_s=4.0, rated_at=100.0 + i) for i, pair in enumerate(pairs[30:50])]
    fast[0] = judge(pairs[30], None, skipped=True, flagged=True, active_s=4.0, rated_at=100.0)
    progress = Queue(pairs, slow + fast).progress()
    assert (progress.total, progress.rated, progress.skipped, progress.flagged) == (100, 50, 1, 1)
    assert progress.pace_s == 4.0 and progress.time_left_s == 200.0 and progress.active_s == 1880.0
    assert Queue(pairs).progress().time_left_s is None


def test_active_time_stops_after_the_cut_off_and_wall_time_goes_on():
    clock = ActiveClock(100.0, idle_cutoff_s=60.0)
    clock.touch(130.0)
    assert clock.active_s(140.0) == 40.0
    assert clock.active_s(1000.0) == 90.0
    clock.touch(1000.0)
    assert clock.active_s(1005.0) == 95.0 and clock.wall_s(1005.0) == 905.0
    clock.touch(900.0)  # a clock set back adds nothing
    assert clock.active_s(1005.0) == 95.0


def test_next_is_quick_with_100_000_ratings():
    pairs = [Pair(1, i) for i in range(100_001)]
    queue = Queue(pairs, (judge(pair, later_left=False) for pair in pairs[:-1]))
    times = []
    for _ in range(20):
        started = time.process_time()
        assert queue.next_unrated(pairs[0]) == pairs[-1]
        times.append(time.process_time() - started)
    assert min(times) < 0.05
