"""Strengths of more than two variants from blind pairs drawn among them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from radtui.review.intervals import CONFIDENCE

if TYPE_CHECKING:
    import numpy as np

_STEPS = 100
_CLOSE = 1e-10


class Match(NamedTuple):
    """One judged pair: the share of the win that went to `first`, 1, 0.5 for a tie, or 0."""

    first: str
    second: str
    score: float


@dataclass(frozen=True, slots=True)
class Strength:
    """One variant's strength on the log-odds scale, against a baseline, with its 95 % interval."""

    variant: str
    log_odds: float
    standard_error: float  # 0 for the baseline
    low: float
    high: float
    win_rate: float  # chance to be preferred to the baseline, 0..1
    n: int  # pairs it was in

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def strengths(matches: Iterable[Match], baseline: str) -> list[Strength] | None:
    """Bradley-Terry strengths by maximum likelihood, ties as half a win each.

    Intervals are Wald's, from the inverse of the observed information.

    Args:
        matches: Judged pairs.
        baseline: Variant whose log odds are 0, usually `base`.

    Returns:
        Strongest first; None when no finite strengths exist, since some variants never lost to, or were never
        compared with, the rest.

    Raises:
        ValueError: The baseline is in no pair, or a score is outside 0..1.

    Source: Bradley & Terry, Biometrika 39 (1952) 324-345; existence: Ford, Am Math Monthly 64 (1957) no. 8, 28-33.
    """
    played = list(matches)
    names = sorted({name for match in played for name in match[:2]})
    if baseline not in names:
        raise ValueError(f"{baseline!r} was not compared with anything")
    wins = _wins(played, names)
    if not _connected(wins):
        return None
    fitted, errors = _fit(wins, names.index(baseline))
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    games = wins.sum(axis=1) + wins.sum(axis=0)
    found = [
        Strength(
            variant=name,
            log_odds=float(value),
            standard_error=float(error),
            low=float(value - z * error),
            high=float(value + z * error),
            win_rate=1 / (1 + math.exp(-value)),
            n=round(float(count)),
        )
        for name, value, error, count in zip(names, fitted, errors, games, strict=True)
    ]
    return sorted(found, key=lambda strength: -strength.log_odds)


def _wins(played: Sequence[Match], names: Sequence[str]) -> np.ndarray:
    """Wins of each name (row) over each other (column), (n, n) float64."""
    import numpy as np

    wins = np.zeros((len(names), len(names)))
    place = {name: index for index, name in enumerate(names)}
    for first, second, score in played:
        if not 0 <= score <= 1:
            raise ValueError(f"a score is from 0 to 1, not {score}")
        wins[place[first], place[second]] += score
        wins[place[second], place[first]] += 1 - score
    return wins


def _connected(wins: np.ndarray) -> bool:
    """Whether every variant beats every other, directly or through others: Ford's condition for a finite fit."""
    import numpy as np

    reach = (wins > 0) | np.eye(len(wins), dtype=bool)
    for _ in range(len(wins)):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    return bool(reach.all())


def _fit(wins: np.ndarray, baseline: int) -> tuple[np.ndarray, np.ndarray]:
    """Log odds and standard errors by Newton's method, the baseline held at 0."""
    import numpy as np

    free = [index for index in range(len(wins)) if index != baseline]
    games = wins + wins.T
    ability = np.zeros(len(wins))
    information = np.zeros_like(wins)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(ability[np.newaxis, :] - ability[:, np.newaxis]))
        gradient = (wins - games * chance).sum(axis=1)
        weight = games * chance * (1 - chance)
        information = np.diag(weight.sum(axis=1)) - weight
        step = np.linalg.solve(information[np.ix_(free, free)], gradient[free])
        ability[free] += np.clip(step, -2, 2)  # a full step can overshoot far from the optimum
        if np.abs(step).max(initial=0) < _CLOSE:
            break
    errors = np.zeros(len(wins))
    errors[free] = np.sqrt(np.diag(np.linalg.inv(information[np.ix_(free, free)])))
    return ability, errors


def matches_of(pairs: Sequence[tuple[str, str, int]]) -> list[Match]:
    """Matches from preferences: (first, second, preference), where a positive preference is for the second."""
    return [Match(first, second, 0.5 if not value else float(value < 0)) for first, second, value in pairs]
