"""What tuning is worth over several trainings of the same run: the doubt that chance in training adds.

An interval over cases alone says how far other cases might change the score of this one adapter. The same run with
another seed gives another adapter, so for the recipe itself trainings and cases are both drawn from many: a crossed
design, with trainings in the place of readers. With three trainings that differ much its 95 % interval holds the truth
in 91 of 100 studies (simulated), one over cases alone in about half.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radtui.measures.intervals import Estimate
from radtui.measures.paired import Parts, summed
from radtui.measures.plain import PlainFields
from radtui.measures.readers import mean_limits, spread_of
from radtui.records import Rating

if TYPE_CHECKING:
    import numpy as np

FIRST, BEFORE = "tuned", "base"
PREFERENCE = "preference"  # in place of a score's key: what readers say
FURTHER = re.compile(r"seed \d+")
FEWEST_TRAININGS = 2
STEP = 1e-4  # of a sum, to either side: how steep a score is there


@dataclass(frozen=True, slots=True)
class TrainingGain(PlainFields):
    """How much one score, or readers' preference, gains on the base over all trainings of a job.

    The interval of `gain` is for trainings and cases like these; its `these_readers` for these trainings only.
    """

    score: str
    gain: Estimate
    each: tuple[float, ...]  # of every training, in their order


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
        estimate = _crossed(
            table.ravel(), np.repeat(np.arange(count), cases), np.tile(np.arange(cases), count)
        )
        gains.append(TrainingGain(score, estimate, tuple(float(value) for value in table.mean(axis=1))))
    return gains


def preference_gain(ratings: Iterable[Rating], arms: Sequence[str]) -> TrainingGain | None:
    """What readers prefer over all trainings of a job, -2 to 2 towards the trained texts; None without two of them.

    The answers of several readers about one training's text of a case are averaged first: the interval holds what
    trainings and cases differ by, for these readers.

    Args:
        ratings: Those that count.
        arms: Of the study.
    """
    import numpy as np

    named = trainings_of(arms)
    answers: dict[tuple[int, int], list[int]] = {}
    for rating in ratings:
        if rating.preference is None or BEFORE not in rating.shown:
            continue
        towards = 1 if rating.earlier_arm == BEFORE else -1
        trained = rating.later_arm if towards == 1 else rating.earlier_arm
        if trained in named:
            key = named.index(trained), rating.case_id
            answers.setdefault(key, []).append(towards * rating.preference)
    seen = sorted({training for training, _ in answers})
    if len(seen) < FEWEST_TRAININGS:
        return None
    cases = sorted({case for _, case in answers})
    values = np.array([sum(own) / len(own) for own in answers.values()])
    training = np.array([seen.index(key[0]) for key in answers])
    case = np.array([cases.index(key[1]) for key in answers])
    each = tuple(float(values[training == number].mean()) for number in range(len(seen)))
    return TrainingGain(PREFERENCE, _crossed(values, training, case), each)


def _crossed(values: np.ndarray, trainings: np.ndarray, cases: np.ndarray) -> Estimate:
    """The mean with its interval for trainings and cases like these, and for these trainings only."""
    spread = spread_of(values, trainings, cases)
    low, high = mean_limits(spread.mean, spread.variance, spread.degrees) or (None, None)
    these = mean_limits(spread.mean, spread.variance_these, spread.cases - 1)
    return Estimate(spread.mean, low, high, spread.n, "crossed", spread.readers, spread.cases, these)


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
