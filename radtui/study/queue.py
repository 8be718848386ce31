"""A rater's queue: what comes next, what a filter leaves, how far along one is and how long it will take."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from statistics import median
from typing import NamedTuple

from radtui.measures.pace import LONG_IDLE, TOO_FAST, pace_mark
from radtui.measures.scheme import Protocol, parse_error_answer
from radtui.records import Rating
from radtui.study.blinding import has_repeat, order_key, repeat_delay
from radtui.study.undo import put

PACE_WINDOW = 20  # ratings; a rater's speed changes within a session, so only the newest count
LEAST_TIMED = 5  # ratings, before a time left is told: the median of fewer leaps with every key


class Pair(NamedTuple):
    """One showing of a comparison: `occasion` is 1 for the hidden repeat, `pair` numbers a case's several pairs."""

    study_id: int
    case_id: int
    occasion: int = 0
    pair: int = 0


class Filter(StrEnum):
    """Which pairs a rater looks at."""

    ALL = "all"
    UNRATED = "unrated"
    FLAGGED = "flagged"
    NOTED = "with a note"
    TIES = "ties"
    BOTH_BAD = "both bad"
    SKIPPED = "skipped"
    DISAGREEMENTS = "disagreements"
    SIGNIFICANT_ERRORS = "significant errors"
    UNBLINDED = "un-blinded"
    TOO_FAST = TOO_FAST
    LONG_IDLE = LONG_IDLE


def pair_of(rating: Rating) -> Pair:
    """The pair that a rating is about."""
    return Pair(rating.study_id, rating.case_id, rating.occasion, rating.pair)


def shown_order(
    study_id: int,
    draw_id: int,
    case_ids: Iterable[int],
    rater: str,
    seed: int,
    protocol: Protocol,
    calibration: Sequence[int] = (),
) -> list[Pair]:
    """The order in which this rater meets the pairs: calibration, then shuffled, with repeats a while after.

    Args:
        study_id: The study.
        draw_id: What it draws by, its job's number where a job opened it.
        case_ids: Cases of which enough texts are there; more may come later without reordering these.
        rater: Who rates.
        seed: The study's seed.
        protocol: Gives share and gap of the repeats.
        calibration: Case ids that come first, in this order; they are never repeated.
    """
    present = set(case_ids)
    first = [Pair(study_id, case_id) for case_id in calibration if case_id in present]
    present.difference_update(calibration)
    shuffled = sorted(present, key=lambda case_id: order_key(draw_id, case_id, rater, 0, seed))
    placed: list[tuple[float, Pair]] = []
    for position, case_id in enumerate(shuffled):
        placed.append((position, Pair(study_id, case_id)))
        if has_repeat(draw_id, case_id, rater, seed, protocol.repeat_share):
            delay = repeat_delay(draw_id, case_id, rater, seed, protocol.repeat_gap)
            placed.append((position + delay + 0.5, Pair(study_id, case_id, 1)))
    return first + [pair for _, pair in sorted(placed)]


class Queue:
    """One rater's pairs in shown order with that rater's current ratings; nobody else's are in it."""

    def __init__(self, pairs: Sequence[Pair], mine: Iterable[Rating] = (), repeat_gap: int = 20) -> None:
        """Start or resume a queue.

        Args:
            pairs: In shown order.
            mine: Current ratings of this rater, in the order they were written.
            repeat_gap: Other ratings at least, before a repeat is offered.
        """
        self.repeat_gap = repeat_gap
        self.mine: dict[Pair, Rating] = {}
        self.last: Pair | None = None
        self._judged_at: dict[Pair, int] = {}  # pair -> how many judgements there were when it was made
        self._judgements = 0
        self._recent: dict[Pair, float] = {}  # active seconds, the pair answered last at the end
        self._active_s = 0.0
        self._skipped = self._flagged = 0
        self.replace_pairs(pairs)
        for rating in mine:
            self.record(rating)

    def replace_pairs(self, pairs: Sequence[Pair]) -> None:
        """Take a new order, such as after more texts have come in; ratings stay."""
        self.pairs = list(pairs)
        self._position = {pair: position for position, pair in enumerate(self.pairs)}
        self._repeats = sum(pair.occasion > 0 for pair in pairs)
        self._by_case: dict[int, list[Pair]] = {}
        for pair in pairs:
            self._by_case.setdefault(pair.case_id, []).append(pair)

    def record(self, rating: Rating) -> None:
        """Take in a row as the pair's current state; an empty one makes it unrated again."""
        pair = pair_of(rating)
        before = self.mine.get(pair)
        if before is not None:
            self._count(before, -1)
        self._count(rating, 1)
        self.mine[pair] = rating
        self._recent.pop(pair, None)
        if rating.empty:
            self._judged_at.pop(pair, None)
            return
        self._recent[pair] = rating.active_s
        self.last = pair
        if pair not in self._judged_at:
            self._judgements += 1
            self._judged_at[pair] = self._judgements

    def record_for_now(self, rating: Rating) -> Callable[[], None]:
        """As `record`; returns what makes it as if the row, the last that was recorded, had never come."""
        pair = pair_of(rating)
        before, last, judgements = self.mine.get(pair), self.last, self._judgements
        judged_at, recent_s = self._judged_at.get(pair), self._recent.get(pair)
        was_newest = next(reversed(self._recent), None) == pair
        self.record(rating)

        def back() -> None:
            self._count(rating, -1)
            if before is not None:
                self._count(before, 1)
            self.last, self._judgements = last, judgements
            put(self.mine, pair, before)
            put(self._judged_at, pair, judged_at)
            self._recent.pop(pair, None)
            put(self._recent, pair, recent_s)
            if recent_s is not None and not was_newest:  # seldom: an answer of long ago was changed
                self._recent = dict(sorted(self._recent.items(), key=lambda item: self.mine[item[0]].id))

        return back

    def _count(self, rating: Rating, sign: int) -> None:
        """Keep the sums of `progress`, which is asked for after every key."""
        self._flagged += sign * rating.flagged
        self._skipped += sign * rating.skipped
        if not rating.empty:
            self._active_s += sign * rating.active_s

    def rated(self, pair: Pair) -> bool:
        """Whether this rater has judged or skipped the pair."""
        return pair in self._judged_at

    def is_current(self, written: Rating) -> bool:
        """Whether a row is its pair's current state, be it under another number."""
        mine = self.mine.get(pair_of(written))
        return mine is not None and mine.rated_at == written.rated_at

    def finished(self, case_id: int, repeats: bool = False) -> bool:
        """Whether this rater has judged every pair of a case, and with `repeats` also those that come back."""
        waiting = (pair for pair in self._by_case.get(case_id, ()) if not self.rated(pair))
        return not any(pair.occasion == 0 or (repeats and self._repeatable(pair)) for pair in waiting)

    def resume(self) -> Pair | None:
        """Where this rater stopped: the unrated pair after the one judged last."""
        return self.next_unrated(self.last)

    def next_unrated(self, after: Pair | None = None, among: Collection[Pair] | None = None) -> Pair | None:
        """The next pair to judge, searching on from `after` and then from the start; None when all are done.

        Only pairs of `among` count where that is given, such as what a filter leaves.

        A repeat waits until its first showing was judged blind and `repeat_gap` others since, unless only such
        repeats are left.
        """
        start = self._position.get(after, -1) + 1 if after is not None else 0
        waiting: Pair | None = None
        for offset in range(len(self.pairs)):
            pair = self.pairs[(start + offset) % len(self.pairs)]
            if pair in self._judged_at or (among is not None and pair not in among):
                continue
            if pair.occasion == 0 or self._repeat_due(pair):
                return pair
            if waiting is None and self._repeatable(pair):
                waiting = pair
        return waiting

    def step(self, current: Pair | None, by: int, among: Sequence[Pair] | None = None) -> Pair | None:
        """The pair `by` places on (negative: back) in the order, or among a filter's result; stops at the ends."""
        pairs = self.pairs if among is None else among
        if not pairs:
            return None
        if among is None:
            position = self._position.get(current, -1) if current is not None else -1
        else:
            position = pairs.index(current) if current in pairs else -1
        if position < 0:
            return pairs[0] if by > 0 else pairs[-1]
        return pairs[max(0, min(len(pairs) - 1, position + by))]

    def select(self, which: Filter, others: Iterable[Rating] = ()) -> list[Pair]:
        """Pairs that pass a filter, in shown order.

        Args:
            which: The filter.
            others: Current ratings of other raters, given only when their answers may be seen.
        """
        by_pair: dict[Pair, list[Rating]] = {}
        for rating in others:
            by_pair.setdefault(pair_of(rating), []).append(rating)
        return [pair for pair in self.pairs if self._passes(pair, which, by_pair.get(pair, []))]

    def search(self, words: str, text_of: Callable[[Pair], str]) -> list[Pair]:
        """Pairs whose text holds all the words, whatever their case, in shown order."""
        wanted = words.casefold().split()

        def matches(pair: Pair) -> bool:
            text = text_of(pair).casefold()
            return all(word in text for word in wanted)

        return [pair for pair in self.pairs if matches(pair)]

    def progress(self) -> RaterProgress:
        """Counts and pace, at the same cost whatever has been rated."""
        newest = list(islice(reversed(self._recent.values()), PACE_WINDOW))
        return RaterProgress(
            total=len(self.pairs),
            rated=len(self._judged_at),
            skipped=self._skipped,
            flagged=self._flagged,
            active_s=self._active_s,
            pace_s=median(newest) if newest else None,
            repeats=self._repeats,
        )

    def _repeatable(self, pair: Pair) -> bool:
        first = self.mine.get(pair._replace(occasion=0))
        return first is not None and not first.empty and not first.skipped and first.blinded

    def _repeat_due(self, pair: Pair) -> bool:
        if not self._repeatable(pair):
            return False
        return self._judgements - self._judged_at[pair._replace(occasion=0)] >= self.repeat_gap

    def _passes(self, pair: Pair, which: Filter, others: list[Rating]) -> bool:
        mine = self.mine.get(pair)
        if which is Filter.ALL:
            return True
        if which is Filter.UNRATED:
            return pair not in self._judged_at
        seen = [*([mine] if mine is not None else []), *others]
        if which is Filter.DISAGREEMENTS:
            return disagree(seen)
        if which is Filter.SIGNIFICANT_ERRORS:
            return any(significant_errors(rating) for rating in seen)
        return mine is not None and _MINE[which](mine)


_MINE: Mapping[Filter, Callable[[Rating], bool]] = {
    Filter.FLAGGED: lambda rating: rating.flagged,
    Filter.NOTED: lambda rating: bool(rating.note),
    Filter.TIES: lambda rating: rating.preference == 0,
    Filter.BOTH_BAD: lambda rating: rating.both_bad,
    Filter.SKIPPED: lambda rating: rating.skipped,
    Filter.UNBLINDED: lambda rating: not rating.blinded,
    Filter.TOO_FAST: lambda rating: pace_mark(rating) == TOO_FAST,
    Filter.LONG_IDLE: lambda rating: pace_mark(rating) == LONG_IDLE,
}


def significant_errors(rating: Rating) -> int:
    """How many significant errors a rater counted, in both texts together."""
    total = 0
    for key, count in rating.answers.items():
        parsed = parse_error_answer(key)
        if parsed is not None and parsed[2]:
            total += count
    return total


def disagree(ratings: Iterable[Rating]) -> bool:
    """Whether ratings of one pair point to different arms, or one prefers where another calls both bad."""
    verdicts = set()
    for rating in ratings:
        if rating.both_bad:
            verdicts.add("both bad")
        elif rating.preference is not None:
            verdicts.add("later" if rating.preference > 0 else "earlier" if rating.preference < 0 else "tie")
    return len(verdicts - {"tie"}) > 1


@dataclass(frozen=True, slots=True)
class RaterProgress:
    """How far along a rater is; `pace_s` is the median of active seconds over the newest pairs."""

    total: int
    rated: int
    skipped: int
    flagged: int
    active_s: float
    pace_s: float | None  # None before the first rating
    repeats: int = 0  # hidden ones, among `total`

    @property
    def shown_total(self) -> int:
        """Pairs as readers count them: a hidden repeat is none."""
        return self.total - self.repeats

    @property
    def shown_rated(self) -> int:
        """The share that is rated, of `shown_total`: a count that stood still at a repeat would say that it is one."""
        if self.rated >= self.total:
            return self.shown_total
        return min(-(-self.rated * self.shown_total // self.total), self.shown_total - 1)

    @property
    def shown_left(self) -> int:
        """The share that is unrated, of `shown_total`."""
        return self.shown_total - self.shown_rated

    def shown_place(self, place: int) -> int:
        """A place in the rater's order as readers count pairs, 1 based: behind all of them stands `shown_total`."""
        return -(-place * self.shown_total // self.total) if self.total else place

    def place_of(self, shown_place: int) -> int:
        """The first place that is shown as a number; 0 where none is."""
        if not 1 <= shown_place <= self.shown_total:
            return 0
        return (shown_place - 1) * self.total // self.shown_total + 1

    @property
    def left(self) -> int:
        """Pairs still unrated."""
        return self.total - self.rated

    @property
    def time_left_s(self) -> float | None:
        """Active seconds until the end at this pace, None before some pairs were rated."""
        return None if self.pace_s is None or self.rated < LEAST_TIMED else self.left * self.pace_s


class ActiveClock:
    """Active and wall time on one pair; a pause longer than the cut-off counts as the cut-off."""

    def __init__(self, now_s: float, idle_cutoff_s: float = 60.0) -> None:
        self._started_s = self._touched_s = now_s
        self._active_s = 0.0
        self._cutoff_s = idle_cutoff_s

    def touch(self, now_s: float) -> None:
        """Note that a key was pressed."""
        self._active_s = self.active_s(now_s)
        self._touched_s = max(now_s, self._touched_s)

    def active_s(self, now_s: float) -> float:
        """Seconds at work so far."""
        return self._active_s + min(max(0.0, now_s - self._touched_s), self._cutoff_s)

    def wall_s(self, now_s: float) -> float:
        """Seconds since the pair came up."""
        return max(0.0, now_s - self._started_s)
