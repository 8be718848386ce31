"""Answers to one question with the case and the reader of each, and the figures that every question has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, compress
from operator import attrgetter
from typing import TYPE_CHECKING

from radtui.measures.intervals import Estimate, Proportion, mean_of, proportion, wilson_limits
from radtui.measures.readers import Spread, mean_limits, share_limits, spread_of
from radtui.records import Rating

if TYPE_CHECKING:
    import numpy as np

BY_READERS = "readers and cases"  # method of an interval in which both are random
SPARSE = 8  # case ids are counted by place unless these are so many times more than the answers
BY_CASES = "cases"  # one reader, or the readers as the only ones there are


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Answers to one question; the three arrays are of one length, (n,)."""

    cases: np.ndarray  # int64, from 0
    readers: np.ndarray  # int64, from 0
    values: np.ndarray  # float64

    def __len__(self) -> int:
        """How many answers there are."""
        return len(self.values)

    @property
    def several_readers(self) -> bool:
        """Whether answers of more than one reader are among them."""
        return bool(len(self)) and bool((self.readers != self.readers[0]).any())

    @property
    def plain(self) -> bool:
        """Whether they are one reader's, one a case, so that they are independent."""
        import numpy as np

        return not self.several_readers and (not len(self) or int(np.bincount(self.cases).max()) == 1)

    @property
    def independent(self) -> np.ndarray:
        """One value per case, the mean of its answers: what a test that assumes independence may see."""
        import numpy as np

        counts = np.bincount(self.cases)
        sums = np.bincount(self.cases, self.values)
        return sums[counts > 0] / counts[counts > 0]

    @property
    def spread(self) -> Spread:
        """Mean and variances; there is at least one answer."""
        return spread_of(self.values, self.readers, self.cases)

    def with_values(self, values: Sequence[float] | Sequence[bool] | np.ndarray) -> Answers:
        """The same cases and readers with other values."""
        import numpy as np

        return Answers(self.cases, self.readers, np.asarray(values, dtype=float))

    def where(self, keep: np.ndarray) -> Answers:
        """Only the answers marked true."""
        return Answers(self.cases[keep], self.readers[keep], self.values[keep])

    def share(self, hits: Sequence[bool] | np.ndarray) -> Proportion:
        """Share of hits: Wilson's interval for one reader's independent answers, else one for readers and cases.

        Args:
            hits: One per answer.
        """
        marked = self.with_values(hits)
        total, n = int(marked.values.sum()), len(marked)
        if self.plain:
            return proportion(total, n)
        spread = marked.spread
        share = spread.mean
        these = share_limits(share, spread.variance_these, spread.cases - 1, spread.cases)
        if total in (0, n):
            limits = wilson_limits(spread.cases if total else 0, spread.cases)
            return Proportion(
                total, n, *limits, "wilson by case", spread.readers, spread.cases, these if spread.readers > 1 else None
            )  # fmt: skip
        if spread.cases < 2:  # nothing tells how far cases differ
            return Proportion(total, n, None, None, BY_CASES, spread.readers, spread.cases)
        if spread.readers < 2:
            return Proportion(total, n, *these, BY_CASES, 1, spread.cases)
        low, high = share_limits(share, spread.variance, spread.degrees, spread.cases)
        return Proportion(total, n, low, high, BY_READERS, spread.readers, spread.cases, these)

    def mean(self, seed: int = 0, within: tuple[float, float] = (-math.inf, math.inf)) -> Estimate:
        """Mean: BCa bootstrap for one reader's independent answers, else Student's interval for readers and cases.

        Args:
            seed: Of the bootstrap.
            within: What the mean can be at all: an interval ends there, which with two readers it would often pass.
        """
        if self.plain:
            return mean_of(self.values, seed)
        spread = self.spread
        these = _ended(mean_limits(spread.mean, spread.variance_these, spread.cases - 1), within)
        if spread.readers < 2:
            low, high = these or (None, None)
            return Estimate(spread.mean, low, high, spread.n, BY_CASES, 1, spread.cases)
        low, high = _ended(mean_limits(spread.mean, spread.variance, spread.degrees), within) or (None, None)
        return Estimate(spread.mean, low, high, spread.n, BY_READERS, spread.readers, spread.cases, these)


def _ended(limits: tuple[float, float] | None, within: tuple[float, float]) -> tuple[float, float] | None:
    """An interval as far as its figure can be."""
    return None if limits is None else (max(limits[0], within[0]), min(limits[1], within[1]))


class AnswerTable:
    """Ratings by column, made once and read by every figure of a summary.

    Args:
        ratings: Those that count; a table of them is taken as it is by `table_of`.
    """

    def __init__(self, ratings: Iterable[Rating]) -> None:
        self.ratings = list(ratings)
        self._flags: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        """How many ratings there are."""
        return len(self.ratings)

    @cached_property
    def everyone(self) -> Answers:
        """Case and reader of each rating; the values are 0, to be given others."""
        readers = [rating.rater for rating in self.ratings]
        return _answers([rating.case_id for rating in self.ratings], readers, [0.0] * len(readers))

    @cached_property
    def preference(self) -> np.ndarray:
        """-2..2 of each rating, NaN where there is none, float64 (n,)."""
        import numpy as np

        preferences = (
            math.nan if rating.preference is None else rating.preference for rating in self.ratings
        )
        return np.fromiter(preferences, dtype=float, count=len(self))

    @cached_property
    def preferences(self) -> Answers:
        """The preferences among the ratings; both-bad has none."""
        import numpy as np

        return self.everyone.with_values(self.preference).where(~np.isnan(self.preference))

    def flags(self, name: str) -> np.ndarray:
        """A truth value of each rating, such as `both_bad`, bool (n,)."""
        import numpy as np

        if name not in self._flags:
            values = map(attrgetter(name), self.ratings)
            self._flags[name] = np.fromiter(values, dtype=bool, count=len(self))
        return self._flags[name]

    @cached_property
    def comparisons(self) -> np.ndarray:
        """Which comparison each rating is of, study, case and two arms, from 0 in the order they come, int64 (n,)."""
        import numpy as np

        if len(set(map(attrgetter("study_id", "earlier_arm", "later_arm"), self.ratings))) < 2:
            _, first, places = np.unique(self.everyone.cases, return_index=True, return_inverse=True)
            rank = np.empty(len(first), dtype=np.int64)
            rank[np.argsort(first)] = np.arange(len(first))
            return np.asarray(rank[places])
        about = map(attrgetter("study_id", "case_id", "earlier_arm", "later_arm"), self.ratings)
        known: dict[tuple[int, int, str, str], int] = {}
        return np.array([known.setdefault(each, len(known)) for each in about], dtype=np.int64)

    def by_reader(self) -> dict[str, AnswerTable]:
        """A table of each reader's ratings, by name, in the order of the names."""
        names = list(dict.fromkeys(map(attrgetter("rater"), self.ratings)))
        return {name: self._only(self.everyone.readers == names.index(name)) for name in sorted(names)}

    def _only(self, keep: np.ndarray) -> AnswerTable:
        """The ratings marked true, with what is known of them already."""
        part = AnswerTable(compress(self.ratings, keep.tolist()))
        part._flags = {name: values[keep] for name, values in self._flags.items()}
        part.everyone, part.preference = self.everyone.where(keep), self.preference[keep]
        return part

    def answer(self, key: str) -> np.ndarray:
        """What each rating says to one question, NaN where nothing, float64 (n,)."""
        import numpy as np

        at = self._places.get(key)
        return np.full(len(self), math.nan) if at is None else self._grid[at]

    @cached_property
    def _places(self) -> dict[str, int]:
        """Key of an answer -> its row in the grid."""
        keys = dict.fromkeys(chain.from_iterable(rating.answers for rating in self.ratings))
        return {key: at for at, key in enumerate(keys)}

    @property
    def keys(self) -> Iterable[str]:
        """Keys of all that some rating answers."""
        return self._places.keys()

    @cached_property
    def _grid(self) -> np.ndarray:
        """All answers, float64 (keys, n)."""
        import numpy as np

        all_answers = [rating.answers for rating in self.ratings]
        counts = np.fromiter(map(len, all_answers), dtype=np.int64, count=len(self))
        total = int(counts.sum())
        keys = map(self._places.__getitem__, chain.from_iterable(all_answers))
        rows = np.fromiter(keys, dtype=np.int64, count=total)
        values = chain.from_iterable(answers.values() for answers in all_answers)
        grid = np.full((len(self._places), len(self)), math.nan)
        grid[rows, np.repeat(np.arange(len(self)), counts)] = np.fromiter(values, dtype=float, count=total)
        return grid


def table_of(ratings: Sequence[Rating] | AnswerTable) -> AnswerTable:
    """A table of ratings; one that is made stays."""
    return ratings if isinstance(ratings, AnswerTable) else AnswerTable(ratings)


def answers_of(rows: Iterable[tuple[int, str, float]]) -> Answers:
    """Answers from (case id, reader, value) rows."""
    kept = list(rows)
    return _answers([case for case, _, _ in kept], [r for _, r, _ in kept], [value for _, _, value in kept])


def _answers(case_ids: Sequence[int], readers: Sequence[str], values: Sequence[float]) -> Answers:
    import numpy as np

    places = {name: place for place, name in enumerate(dict.fromkeys(readers))}
    cases = np.asarray(case_ids, dtype=np.int64)
    if len(cases):
        cases = cases - cases.min()
        if cases.max() > SPARSE * len(cases):
            cases = np.unique(cases, return_inverse=True)[1].astype(np.int64)
    by_reader = np.fromiter(map(places.__getitem__, readers), dtype=np.int64, count=len(readers))
    return Answers(cases, by_reader, np.asarray(values, dtype=float))
