"""How far a figure can be trusted when readers and cases are both drawn from many: the variance of a crossed design.

Ratings of one reader resemble each other, and so do ratings of one case. Taken as independent, or with the readers as
the only ones there are, more cases make an interval narrower around these readers' own opinion. Here the variance of a
mean is put together from what readers differ by, what cases differ by, and what is left.

Source: Gallas, Bandos, Samuelson & Wagner, Commun Stat Theory Methods 38 (2009) 2586-2603 (moments of ratings with a
reader, a case, both or neither in common, for any design); Hillis, Stat Med 26 (2007) 596-619 (degrees of freedom).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radtui.measures.intervals import CONFIDENCE

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean of some ratings with its variance: for readers like these, and for these readers only.

    `degrees` are Student's for the first; those of the second are `cases - 1`. With one reader only the second is
    known, and the first equals it.
    """

    mean: float
    variance: float
    degrees: float
    variance_these: float
    n: int
    readers: int
    cases: int


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean products of two ratings, by what the two have in common; and the sums that weigh them."""

    same_both: float
    same_reader: float
    same_case: float
    neither: float
    n: int
    squared_readers: float  # sum over readers of the square of their number of ratings
    squared_cases: float

    @property
    def variance(self) -> float:
        """Unbiased variance of the mean, which may be negative by chance."""
        total = (
            (self.squared_readers - self.n) * self.same_reader
            + (self.squared_cases - self.n) * self.same_case
            + self.n * self.same_both
            - (self.squared_readers + self.squared_cases - self.n) * self.neither
        )
        return total / self.n**2


def moments(values: np.ndarray, readers: np.ndarray, cases: np.ndarray) -> Moments:
    """Moments of ratings in whatever design.

    Args:
        values: float (n,).
        readers: int (n,), which reader gave each, from 0.
        cases: int (n,), which case each is of, from 0.
    """
    import numpy as np

    n = len(values)
    by_reader, by_case = np.bincount(readers, values), np.bincount(cases, values)
    squared_readers = float((np.bincount(readers).astype(float) ** 2).sum())
    squared_cases = float((np.bincount(cases).astype(float) ** 2).sum())
    squares, total = float((values**2).sum()), float(values.sum())
    readers_part, cases_part = float((by_reader**2).sum()), float((by_case**2).sum())
    apart = n * n - squared_readers - squared_cases + n
    return Moments(
        same_both=squares / n,
        same_reader=_over(readers_part - squares, squared_readers - n),
        same_case=_over(cases_part - squares, squared_cases - n),
        neither=_over(total * total - readers_part - cases_part + squares, apart),
        n=n,
        squared_readers=squared_readers,
        squared_cases=squared_cases,
    )


def _over(part: float, number: float) -> float:
    return part / number if number > 0 else 0.0


def spread_of(values: np.ndarray, readers: np.ndarray, cases: np.ndarray) -> Spread:
    """Mean of ratings with its variances.

    A component that is negative by chance is taken as 0, so that the variance is never less than that of independent
    ratings, and Hillis' degrees of freedom never less than readers - 1.

    Args:
        values: float (n,), at least one.
        readers: int (n,), which reader gave each, from 0.
        cases: int (n,), which case each is of, from 0.
    """
    import numpy as np

    n, mean = len(values), float(values.mean())
    centred = values - mean
    many_readers = int((np.bincount(readers) > 0).sum())
    many_cases = int((np.bincount(cases) > 0).sum())
    of_cases = np.bincount(cases, centred)
    these = float((of_cases**2).sum()) / n**2 * _over(many_cases, many_cases - 1)
    if many_readers < 2:
        return Spread(mean, these, many_cases - 1, these, n, many_readers, many_cases)
    products = moments(centred, readers, cases)
    reader = max(products.same_reader - products.neither, 0.0)
    case = max(products.same_case - products.neither, 0.0)
    rest = max(products.same_both - products.neither - reader - case, 0.0)
    # What the readers' means alone would show.
    of_readers = reader * products.squared_readers / n**2 + rest / n
    variance = max(of_readers + case * products.squared_cases / n**2, these)
    degrees = float(many_cases - 1)
    if of_readers > 0:
        degrees = min(degrees, max((variance / of_readers) ** 2, 1.0) * (many_readers - 1))
    return Spread(mean, variance, degrees, these, n, many_readers, many_cases)


def t_quantile(degrees: float) -> float:
    """Student's t that leaves 5 % on both sides together; NaN without a degree of freedom."""
    if degrees <= 0:
        return math.nan
    from scipy import special

    return float(special.stdtrit(degrees, (1 + CONFIDENCE) / 2))


def mean_limits(mean: float, variance: float, degrees: float) -> tuple[float, float] | None:
    """Student's interval of a mean; None where nothing varies or nothing can vary."""
    if variance <= 0 or degrees <= 0:
        return None
    half = t_quantile(degrees) * math.sqrt(variance)
    return mean - half, mean + half


def share_limits(share: float, variance: float, degrees: float, cases: int) -> tuple[float, float]:
    """Wilson's interval of a share for as many independent ratings as would have its variance, with Student's t.

    Where all or none are hits, no spread is seen: each case counts as one independent rating then.

    Args:
        share: 0..1.
        variance: Of the share.
        degrees: Of freedom behind the variance.
        cases: How many cases the ratings are of, at least 1.

    Source: Wilson, J Am Stat Assoc 22 (1927) 209-212; Korn & Graubard, Surv Methodol 24 (1998) 193-201.
    """
    if variance <= 0 or degrees <= 0:
        from radtui.measures.intervals import wilson_limits

        return wilson_limits(round(share * cases), cases)
    effective = share * (1 - share) / variance
    t2 = t_quantile(degrees) ** 2
    centre = (share + t2 / (2 * effective)) / (1 + t2 / effective)
    half = math.sqrt(t2 * (share * (1 - share) / effective + t2 / (4 * effective**2))) / (1 + t2 / effective)
    return centre - half, centre + half
