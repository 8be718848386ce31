"""What tuning is worth over several trainings of the same run: the doubt that chance in training adds.

An interval over cases alone says how far other cases might change the score of this one adapter. The same run with
another seed gives another adapter, so for the recipe itself trainings and cases are both drawn from many: a crossed
design, with trainings in the place of readers. With three trainings that differ much its 95 % interval holds the truth
in 91 of 100 studies (simulated), one over cases alone in about half.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radtui.measures.intervals import Estimate
from radtui.measures.paired import Parts, summed
from radtui.measures.readers import mean_limits, spread_of

if TYPE_CHECKING:
    import numpy as np

FIRST, BEFORE = "tuned", "base"
FURTHER = re.compile(r"seed \d+")
FEWEST_TRAININGS = 2
STEP = 1e-4  # of a sum, to either side: how steep a score is there


@dataclass(frozen=True, slots=True)
class TrainingGain:
    """How much one score gains on the base over all trainings of a job.

    The interval of `gain` is for trainings and cases like these; its `these_readers` for these trainings only.
    """

    score: str
    gain: Estimate
    each: tuple[float, ...]  # of every training, in their order

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"score": self.score, "gain": self.gain.to_dict(), "each": list(self.each)}


def trainings_of(arms: Sequence[str]) -> list[str]:
    """The arms that are trainings of one job; none where there are not several beside a base."""
    trainings = [arm for arm in arms if arm == FIRST or FURTHER.fullmatch(arm)]
    return trainings if BEFORE in arms and FIRST in trainings and len(trainings) >= FEWEST_TRAININGS else []


def training_gains(parts: Mapping[str, Mapping[str, Parts]]) -> list[TrainingGain]:
    """The gain of each score over a job's trainings.

    A score that is no mean, such as F1, is taken by what each case adds to it to first order (the delta method).

    Args:
        parts: Score's key -> arm -> its parts, of the same cases in the same order for all arms.
    """
    import numpy as np

    gains = []
    for score, own in parts.items():
        arms = trainings_of(tuple(own))
        if not arms:
            continue
        before = _shares(own[BEFORE])
        table = np.array([_shares(own[arm]) - before for arm in arms])  # (trainings, cases)
        if not np.isfinite(table).all():
            continue
        count, cases = table.shape
        spread = spread_of(
            table.ravel(), np.repeat(np.arange(count), cases), np.tile(np.arange(cases), count)
        )
        low, high = mean_limits(spread.mean, spread.variance, spread.degrees) or (None, None)
        these = mean_limits(spread.mean, spread.variance_these, cases - 1)
        estimate = Estimate(spread.mean, low, high, spread.n, "crossed", count, cases, these)
        gains.append(TrainingGain(score, estimate, tuple(float(value) for value in table.mean(axis=1))))
    return gains


def _shares(parts: Parts) -> np.ndarray:
    """Values of the cases whose mean is the score, float (cases,); NaN where the score is not defined.

    To first order around the mean case: exact for a mean, the delta method for every other score of sums.
    """
    import numpy as np

    of_sums = summed(parts)
    table = of_sums.table.astype(float)
    mean = table.mean(axis=0)
    steps = np.diag(np.maximum(np.abs(mean), 1e-3) * STEP)
    gradient = (of_sums.score(mean + steps) - of_sums.score(mean - steps)) / (2 * np.diag(steps))
    shares: np.ndarray = of_sums.whole + (table - mean) @ gradient
    return shares
