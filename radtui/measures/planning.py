"""How many cases and readers a study needs: simulated from the variances that a pilot shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from radtui.measures.readers import Spread, moments, spread_of, t_quantile

if TYPE_CHECKING:
    import numpy as np

RUNS = 1000  # of a simulation: a power of 0.8 is then known to +-0.025
MOST_CASES = 3000
FEWEST_CASES = 5


class Aim(StrEnum):
    """What a study is to show of the later arm."""

    SUPERIORITY = "superiority"  # preferred more often: the interval lies above 0
    NON_INFERIORITY = "non-inferiority"  # not worse by the margin: the interval lies above -margin
    EQUIVALENCE = "equivalence"  # no difference that matters: the interval lies within the margin


@dataclass(frozen=True, slots=True)
class Components:
    """Mean and variances of ratings by what they come from: of a reader, a case, and what is left of each rating."""

    mean: float
    reader: float
    case: float
    rest: float


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A number of readers with the fewest cases that reach the power; None where none up to `MOST_CASES` do."""

    readers: int
    cases: int | None
    power: float  # simulated, with these cases, or with `MOST_CASES`


def components_of(values: np.ndarray, readers: np.ndarray, cases: np.ndarray) -> Components:
    """Variances in ratings of any design; one that is negative by chance is 0.

    Args:
        values: float (n,).
        readers: int (n,), which reader gave each, from 0.
        cases: int (n,), which case each is of, from 0.

    Raises:
        ValueError: Every rating is of one reader or one case: the parts cannot be told apart.
    """
    import numpy as np

    if len(np.unique(readers)) < 2 or len(np.unique(cases)) < 2 or len(values) == len(np.unique(cases)):
        raise ValueError("two readers at least must have rated some of the same cases")
    mean = float(values.mean())
    products = moments(values - mean, readers, cases)
    reader = max(products.same_reader - products.neither, 0.0)
    case = max(products.same_case - products.neither, 0.0)
    return Components(mean, reader, case, max(products.same_both - products.neither - reader - case, 0.0))


def power_of(
    parts: Components,
    effect: float,
    aim: Aim,
    margin: float,
    readers: int,
    cases: int,
    runs: int = RUNS,
) -> float:
    """Share of simulated studies that show their aim; every reader rates every case.

    Args:
        parts: Gives the variances; its mean is not used.
        effect: The true mean.
        aim: What is to be shown.
        margin: Of non-inferiority and equivalence, > 0.
        readers: At least 1.
        cases: At least 2.
        runs: How many studies.
    """
    import numpy as np

    rng = np.random.default_rng([1, readers, cases])  # the same studies each time
    reader_of, case_of = np.repeat(np.arange(readers), cases), np.tile(np.arange(cases), readers)
    hits = 0
    for _ in range(runs):
        values = effect + rng.normal(0, math.sqrt(parts.rest), readers * cases)
        values += rng.normal(0, math.sqrt(parts.reader), readers)[reader_of]
        values += rng.normal(0, math.sqrt(parts.case), cases)[case_of]
        hits += shows(spread_of(values, reader_of, case_of), aim, margin)
    return hits / runs


def shows(spread: Spread, aim: Aim, margin: float) -> bool:
    """Whether the interval of a mean, for readers and cases like these, shows the aim."""
    half = t_quantile(spread.degrees) * math.sqrt(spread.variance)
    if not half > 0:  # nothing varies, or nothing can vary
        return False
    low, high = spread.mean - half, spread.mean + half
    if aim is Aim.SUPERIORITY:
        return low > 0
    if aim is Aim.NON_INFERIORITY:
        return low > -margin
    return -margin < low and high < margin


def plan(
    parts: Components, effect: float, aim: Aim, margin: float, readers: Sequence[int], power: float = 0.8,
    runs: int = RUNS,
) -> list[PlanLine]:  # fmt: skip
    """The fewest cases for each number of readers, found by doubling and halving; to about a twentieth."""
    lines = []
    for count in readers:

        def reached(cases: int, count: int = count) -> float:
            return power_of(parts, effect, aim, margin, count, cases, runs)

        low, high, best = FEWEST_CASES, FEWEST_CASES, reached(FEWEST_CASES)
        while best < power and high < MOST_CASES:
            low, high = high, min(high * 2, MOST_CASES)
            best = reached(high)
        if best < power:
            lines.append(PlanLine(count, None, best))
            continue
        while high - low > max(1, high // 20):
            middle = (low + high) // 2
            there = reached(middle)
            low, high, best = (low, middle, there) if there >= power else (middle, high, best)
        lines.append(PlanLine(count, high, best))
    return lines
