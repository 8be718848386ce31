"""Which score may stand in for these readers: how far each score agrees with their preferences and error counts.

A score that means something ranks two texts as readers do. Here every score is set against the same answers: the text
that was preferred, and how many errors were counted in each. Cases are what is resampled; the readers are these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radtui.measures.intervals import CONFIDENCE, Estimate, resampled_weights
from radtui.measures.paired import Parts, summed
from radtui.measures.plain import PlainFields
from radtui.measures.quality import checked, error_counts
from radtui.measures.score_table import BY_KEY, Score
from radtui.records import Rating

if TYPE_CHECKING:
    import numpy as np

RESAMPLES, FEWER_RESAMPLES = 999, 299  # the second where pairs of items are many
MANY = 2000  # items from which on
FEWEST = 3  # items without which nothing is ranked
ROWS = 512  # of the table of pairs that is held at once

Values = Mapping[tuple[int, str], float]
"""One score of single texts, by case id and arm, more being better."""


@dataclass(frozen=True, slots=True)
class Concordance(PlainFields):
    """How one score agrees with readers; +1 or 1.0 is full agreement, 0 or 0.5 is chance.

    `accuracy` is the share of decided ratings in which the score ranks the preferred text higher, a tie of the score
    counting half; `tau` is Kendall's tau-b between the score's difference and the mean preference of each pair;
    `errors_tau` between the score and fewer significant errors of each text, `all_errors_tau` of all errors.
    """

    score: Score
    accuracy: Estimate
    tau: Estimate
    errors_tau: Estimate
    all_errors_tau: Estimate

    @property
    def stands_in(self) -> bool:
        """Whether the score ranks pairs better than chance: its whole interval lies above one half."""
        return self.accuracy.low is not None and self.accuracy.low > 0.5

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "score": self.score.key,
            "label": self.score.name,
            "accuracy": self.accuracy.to_dict(),
            "tau": self.tau.to_dict(),
            "errors_tau": self.errors_tau.to_dict(),
            "all_errors_tau": self.all_errors_tau.to_dict(),
            "better_than_chance": self.stands_in,
        }


def values_of_texts(
    parts: Mapping[str, Mapping[str, Parts]], case_ids: Mapping[str, Sequence[int]]
) -> dict[str, dict[tuple[int, str], float]]:
    """Scores of single texts, by the score's key; more is better, so that a score that is better when less is turned.

    Args:
        parts: By arm and score's key.
        case_ids: By arm, those of its texts, in the parts' order.
    """
    import numpy as np

    values: dict[str, dict[tuple[int, str], float]] = {}
    for arm, own in parts.items():
        for key, of_arm in own.items():
            score = BY_KEY.get(key)
            if score is None or score.less_is_better is None or not score.of_one_text:
                continue
            sign = -1.0 if score.less_is_better else 1.0
            for case_id, value in zip(case_ids[arm], summed(of_arm).each_case, strict=True):
                if not np.isnan(value):
                    values.setdefault(key, {})[case_id, arm] = sign * float(value)
    return values


def concordances(ratings: Sequence[Rating], values: Mapping[str, Values]) -> list[Concordance]:
    """Every score against the same readers, in the order of the score table.

    Args:
        ratings: Those that count, of whatever two arms.
        values: By the score's key.
    """
    decided = [rating for rating in ratings if rating.preference]
    pairs = _mean_preferences(ratings)
    significant, every = _error_means(ratings)
    return [
        Concordance(
            score,
            _accuracy(decided, values[key]),
            _tau_of_pairs(pairs, values[key]),
            _tau_of_texts(significant, values[key]),
            _tau_of_texts(every, values[key]),
        )
        for key, score in BY_KEY.items()
        if key in values
    ]


def readers_accuracy(ratings: Sequence[Rating]) -> Estimate:
    """How well another of these readers predicts a reader's preference: what a score can be measured against.

    Over all ordered pairs of readers of the same two texts of which the first decided; an equal of the other counts
    half.
    """
    by_pair: dict[tuple[int, tuple[str, str]], list[int]] = {}
    for rating in ratings:
        if rating.preference is not None:
            by_pair.setdefault((rating.case_id, rating.shown), []).append(rating.preference)
    right: dict[int, list[float]] = {}
    for (case_id, _), preferences in by_pair.items():
        for at, mine in enumerate(preferences):
            if mine:
                others = preferences[:at] + preferences[at + 1 :]
                right.setdefault(case_id, []).extend(_point(mine, other) for other in others)
    return _share(right)


def _point(preference: float, gap: float) -> float:
    """1 where the two point the same way, 0.5 where the second points nowhere."""
    return 0.5 if gap == 0 else float((preference > 0) == (gap > 0))


def _accuracy(decided: Sequence[Rating], values: Values) -> Estimate:
    right: dict[int, list[float]] = {}
    for rating in decided:
        gap = _gap(rating.case_id, rating.shown, values)
        if gap is not None:
            right.setdefault(rating.case_id, []).append(_point(rating.preference or 0, gap))
    return _share(right)


def _gap(case_id: int, arms: tuple[str, str], values: Values) -> float | None:
    """By how much the later text scores better; None where one has no score."""
    earlier, later = values.get((case_id, arms[0])), values.get((case_id, arms[1]))
    return None if earlier is None or later is None else later - earlier


def _share(points: Mapping[int, Sequence[float]]) -> Estimate:
    """Mean of points, with an interval over resampled cases."""
    import numpy as np

    table = np.array([(sum(own), len(own)) for own in points.values() if own], dtype=float)
    if not len(table):
        return Estimate(None, None, None, 0, "bootstrap over cases")
    value, n = float(table[:, 0].sum() / table[:, 1].sum()), int(table[:, 1].sum())
    if len(table) < FEWEST:
        return Estimate(value, None, None, n, "bootstrap over cases", cases=len(table))
    sums = resampled_weights(len(table), RESAMPLES, 0) @ table
    return _estimate(value, sums[:, 0] / sums[:, 1], n, len(table))


def _estimate(value: float, drawn: np.ndarray, n: int, cases: int) -> Estimate:
    import numpy as np

    low, high = map(float, np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]))
    if low == high:  # every resample says the same: no doubt was seen
        return Estimate(value, None, None, n, "bootstrap over cases", cases=cases)
    return Estimate(value, low, high, n, "bootstrap over cases", cases=cases)


def _mean_preferences(ratings: Sequence[Rating]) -> dict[tuple[int, tuple[str, str]], float]:
    preferences: dict[tuple[int, tuple[str, str]], list[int]] = {}
    for rating in ratings:
        if rating.preference is not None:
            preferences.setdefault((rating.case_id, rating.shown), []).append(rating.preference)
    return {pair: sum(own) / len(own) for pair, own in preferences.items()}


def _error_means(
    ratings: Sequence[Rating],
) -> tuple[dict[tuple[int, str], float], dict[tuple[int, str], float]]:
    """Errors of each text that somebody checked, the mean over who did: significant ones, and all."""
    counts: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for rating in ratings:
        arms = [arm for arm in rating.shown if arm and checked(rating, arm)]
        counted = error_counts(rating) if arms else {}
        for arm in arms:
            own = {about: n for about, n in counted.items() if about[0] == arm}
            severe = sum(n for (_, _, significant), n in own.items() if significant)
            counts.setdefault((rating.case_id, arm), []).append((severe, sum(own.values())))
    means = {
        text: tuple(sum(column) / len(own) for column in zip(*own, strict=True))
        for text, own in counts.items()
    }
    return {text: pair[0] for text, pair in means.items()}, {text: pair[1] for text, pair in means.items()}


def _tau_of_pairs(preferences: Mapping[tuple[int, tuple[str, str]], float], values: Values) -> Estimate:
    rows = [
        (case_id, gap, preference)
        for (case_id, arms), preference in preferences.items()
        if (gap := _gap(case_id, arms, values)) is not None
    ]
    return kendall_tau(rows)


def _tau_of_texts(errors: Mapping[tuple[int, str], float], values: Values) -> Estimate:
    rows = [(text[0], values[text], -count) for text, count in errors.items() if text in values]
    return kendall_tau(rows)


def kendall_tau(rows: Sequence[tuple[int, float, float]]) -> Estimate:
    """Kendall's tau-b with an interval over resampled cases; None where one side is all ties.

    Args:
        rows: (case id, one value, the other value) of each item.

    Source: Kendall, Biometrika 33 (1945) 239-251. A resample counts a case as often as it is drawn; an item is tied
    with itself.
    """
    import numpy as np

    cases = (
        np.unique([case_id for case_id, _, _ in rows], return_inverse=True)[1] if rows else np.zeros(0, int)
    )
    number = int(cases.max()) + 1 if len(cases) else 0
    if len(rows) < FEWEST:
        return Estimate(None, None, None, len(rows), "bootstrap over cases", cases=number)
    x, y = (np.array([row[at] for row in rows]) for at in (1, 2))
    resamples = FEWER_RESAMPLES if len(rows) > MANY else RESAMPLES
    weights = np.vstack([np.ones((1, number), np.float32), resampled_weights(number, resamples, 0)])
    drawn = _weighted_tau(x, y, weights[:, cases].T)
    if np.isnan(drawn[0]):
        return Estimate(None, None, None, len(rows), "bootstrap over cases", cases=number)
    return _estimate(float(drawn[0]), drawn[1:], len(rows), number)


def _weighted_tau(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """tau-b of items counted as often as each column of `weights`, float (items, k), says; float (k,)."""
    import numpy as np

    sums = np.zeros((3, weights.shape[1]))
    for start in range(0, len(x), ROWS):
        part = slice(start, start + ROWS)
        of_x = np.sign(x[part, np.newaxis] - x).astype(np.float32)
        of_y = np.sign(y[part, np.newaxis] - y).astype(np.float32)
        for at, table in enumerate((of_x * of_y, np.abs(of_x), np.abs(of_y))):
            sums[at] += np.einsum("ik,ik->k", weights[part], table @ weights, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        result: np.ndarray = sums[0] / np.sqrt(sums[1] * sums[2])
        return result
