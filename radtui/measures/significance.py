"""Exact and rank tests behind the summary, and the power of the one that carries the claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from radtui.measures.plain import PlainFields

if TYPE_CHECKING:
    import numpy as np

ALPHA = 0.05
POWER = 0.80
TOO_FEW = 20  # non-tied pairs: below, even a true 80 % preference is missed more often than once in five
EXACT = 100  # values up to which the signed-rank test counts all signs; a hundredth of a second
POWER_RATES = (0.60, 0.65, 0.70, 0.75, 0.80)


@dataclass(frozen=True, slots=True)
class Discordance(PlainFields):
    """Paired yes/no answers that differ: what McNemar's test looks at."""

    only_later: int
    only_earlier: int
    n: int
    p: float | None


def sign_test(wins: int, losses: int) -> float | None:
    """Exact two-sided sign test of wins against losses; None without either.

    Source: Conover, Practical Nonparametric Statistics, 3rd ed. (1999), section 3.4.
    """
    if wins + losses == 0:
        return None
    # Not stats: that takes longer to import than to count a hundred thousand ratings.
    from scipy import special

    return min(1.0, 2 * float(special.bdtr(min(wins, losses), wins + losses, 0.5)))


def mcnemar(later: Sequence[bool], earlier: Sequence[bool]) -> Discordance:
    """Exact McNemar test of paired yes/no answers.

    Args:
        later: For each pair, whether the later arm's text passes.
        earlier: The same for the earlier arm's.

    Source: McNemar, Psychometrika 12 (1947) 153-157, in its exact binomial form.
    """
    only_later = sum(a and not b for a, b in zip(later, earlier, strict=True))
    only_earlier = sum(b and not a for a, b in zip(later, earlier, strict=True))
    p = sign_test(only_later, only_earlier) if only_later + only_earlier else (1.0 if later else None)
    return Discordance(only_later, only_earlier, len(later), p)


def wilcoxon(values: Sequence[float] | np.ndarray) -> float | None:
    """Two-sided Wilcoxon signed-rank test against 0; zeros take part in the ranking (Pratt). None without values.

    Exact with up to `EXACT` values that are not 0, ties among them or not; by the normal distribution beyond.

    Source: Pratt, J Am Stat Assoc 54 (1959) 655-667, as in `scipy.stats.wilcoxon(zero_method="pratt")`.
    """
    import numpy as np

    data = np.asarray(values, dtype=float)
    if not data.size:
        return None
    if not data.any():
        return 1.0  # scipy gives NaN: nothing differs
    ranks = mean_ranks(np.round(np.abs(data), 12))
    if np.count_nonzero(data) > EXACT:
        return _normal_signed_ranks(ranks, data)
    doubled = np.rint(2 * ranks).astype(int)[data != 0]
    return _exact_signed_ranks(doubled, int(doubled[data[data != 0] > 0].sum()))


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, those of equal values their mean."""
    import numpy as np

    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _normal_signed_ranks(ranks: np.ndarray, data: np.ndarray) -> float:
    """Two-sided p of the sum of positive ranks by its normal distribution, corrected for zeros and for ties."""
    import numpy as np
    from scipy import special

    count, zeros = len(data), int(np.count_nonzero(data == 0))
    positive = float(ranks[data > 0].sum())
    middle = (count * (count + 1) - zeros * (zeros + 1)) / 4
    variance = (count * (count + 1) * (2 * count + 1) - zeros * (zeros + 1) * (2 * zeros + 1)) / 24
    _, ties = np.unique(ranks[data != 0], return_counts=True)
    variance -= float((ties.astype(float) ** 3 - ties).sum()) / 48
    return 2 * float(special.ndtr(-abs(positive - middle) / variance**0.5))


def _exact_signed_ranks(doubled: np.ndarray, positive: int) -> float:
    """Two-sided chance of a sum of positive ranks as far from the middle; ranks doubled, so that ties are whole."""
    import numpy as np

    chances = np.zeros(int(doubled.sum()) + 1)  # of each sum, every sign being a coin's
    chances[0] = 1.0
    for rank in doubled:
        chances[rank:] = (chances[rank:] + chances[: len(chances) - rank]) / 2
        chances[:rank] /= 2
    return min(1.0, 2 * float(min(chances[: positive + 1].sum(), chances[positive:].sum())))


def holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Holm's step-down adjustment over several tests; a missing p stays missing and does not count.

    Source: Holm, Scand J Stat 6 (1979) 65-70.
    """
    ordered = sorted((p, name) for name, p in p_values.items() if p is not None)
    adjusted: dict[str, float | None] = dict.fromkeys(p_values)
    highest = 0.0
    for rank, (p, name) in enumerate(ordered):
        highest = max(highest, min(1.0, p * (len(ordered) - rank)))
        adjusted[name] = highest
    return adjusted


def sign_test_power(n: int, win_rate: float) -> float:
    """Chance that the exact sign test over `n` non-tied pairs gives p <= 0.05 when the true win rate is `win_rate`."""
    from scipy import special

    limit = _critical(n)
    if limit < 0:
        return 0.0
    return float(special.bdtr(limit, n, win_rate) + special.bdtr(limit, n, 1 - win_rate))


@cache
def _critical(n: int) -> int:
    """Largest count on the losing side of `n` that is still significant, -1 for none; the test is symmetric."""
    import numpy as np
    from scipy import special

    chances = special.bdtr(np.arange(n // 2 + 1), n, 0.5)
    return int(np.searchsorted(chances, ALPHA / 2, side="right")) - 1


@cache
def pairs_needed(win_rate: float) -> int:
    """Fewest non-tied pairs with which the exact sign test reaches 80 % power, at alpha 0.05 two-sided.

    Args:
        win_rate: True win rate of one side, above 0.5 to 1.

    Raises:
        ValueError: `win_rate` is not above 0.5, so no number would do.
    """
    if not 0.5 < win_rate <= 1:
        raise ValueError(f"a win rate above 0.5 is needed, not {win_rate}")
    n = 1
    while sign_test_power(n, win_rate) < POWER:
        n += 1
    return n


def power_table() -> dict[float, int]:
    """True win rate -> non-tied pairs needed at 80 % power, alpha 0.05."""
    return {rate: pairs_needed(rate) for rate in POWER_RATES}


def detectable_rate(n: int) -> float | None:
    """Smallest true win rate, in steps of 1 %, that `n` non-tied pairs show with 80 % power, if there is one."""
    for percent in range(51, 101):
        if sign_test_power(n, percent / 100) >= POWER:
            return percent / 100
    return None
