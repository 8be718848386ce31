"""Strengths of any number of arms from blind pairs drawn among them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from radtui.measures.intervals import CONFIDENCE

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
    """One arm's strength on the log-odds scale, against a baseline, with its 95 % interval."""

    arm: str
    log_odds: float
    standard_error: float  # 0 for the baseline
    low: float
    high: float
    win_rate: float  # chance to be preferred to the baseline, 0..1
    n: int  # pairs it was in
    method: str = "wald"  # or "cluster sandwich", where some cluster holds several pairs

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def strengths(
    matches: Sequence[Match], baseline: str, clusters: Sequence[Hashable] = ()
) -> list[Strength] | None:
    """Bradley-Terry strengths by maximum likelihood, ties as half a win each.

    Intervals are Wald's, from the inverse of the observed information. Where several raters judged the same case,
    what they say resembles each other, and the interval comes from the spread between cases instead; it is never
    narrower than if all were independent.

    Args:
        matches: Judged pairs.
        baseline: Arm whose log odds are 0, usually the first of the study.
        clusters: Of each match, what it shares with those it resembles: its case. None named: all are independent.

    Returns:
        Strongest first; None when no finite strengths exist, since some arms never lost to, or were never
        compared with, the rest.

    Raises:
        ValueError: The baseline is in no pair, or a score is outside 0..1.

    Source: Bradley & Terry, Biometrika 39 (1952) 324-345; existence: Ford, Am Math Monthly 64 (1957) no. 8, 28-33;
    clusters: Cameron & Miller, J Hum Resour 50 (2015) 317-372, sections II.C and VI.
    """
    import numpy as np

    names = sorted({name for match in matches for name in match[:2]})
    if baseline not in names:
        raise ValueError(f"{baseline!r} was not compared with anything")
    wins = _wins(matches, names)
    if not _connected(wins):
        return None
    fitted, covariance = _fit(wins, names.index(baseline))
    errors, method = np.sqrt(np.diag(covariance)), "wald"
    halves = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * errors
    if 1 < len(set(clusters)) < len(clusters):  # a single one has nothing to be compared with
        method = "cluster sandwich"
        robust, factor = _between_clusters(matches, clusters, names, fitted, covariance)
        errors, halves = np.maximum(errors, robust), np.maximum(halves, factor * robust)
    games = wins.sum(axis=1) + wins.sum(axis=0)
    found = [
        Strength(
            arm=name,
            log_odds=float(value),
            standard_error=float(error),
            low=float(value - half),
            high=float(value + half),
            win_rate=1 / (1 + math.exp(-value)),
            n=round(float(count)),
            method=method,
        )
        for name, value, error, half, count in zip(names, fitted, errors, halves, games, strict=True)
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
    """Whether every arm beats every other, directly or through others: Ford's condition for a finite fit."""
    import numpy as np

    reach = (wins > 0) | np.eye(len(wins), dtype=bool)
    for _ in range(len(wins)):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    return bool(reach.all())


def _fit(wins: np.ndarray, baseline: int) -> tuple[np.ndarray, np.ndarray]:
    """Log odds, (n,), and their covariance, (n, n), by Newton's method, the baseline held at 0."""
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
    covariance = np.zeros_like(wins)
    covariance[np.ix_(free, free)] = np.linalg.inv(information[np.ix_(free, free)])
    return ability, covariance


def _between_clusters(
    matches: Sequence[Match],
    clusters: Sequence[Hashable],
    names: Sequence[str],
    ability: np.ndarray,
    covariance: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Standard errors, (n,), from how far whole clusters differ from the fit, and Student's t to multiply them with."""
    import numpy as np
    from scipy import stats

    place = {name: index for index, name in enumerate(names)}
    row = {cluster: index for index, cluster in enumerate(dict.fromkeys(clusters))}
    scores = np.zeros((len(row), len(names)))  # of the likelihood, summed in each cluster
    for (first, second, score), cluster in zip(matches, clusters, strict=True):
        i, j = place[first], place[second]
        surprise = score - 1 / (1 + math.exp(ability[j] - ability[i]))
        scores[row[cluster], i] += surprise
        scores[row[cluster], j] -= surprise
    spread = covariance @ scores.T @ scores @ covariance * len(row) / (len(row) - 1)
    return np.sqrt(np.diag(spread)), float(stats.t.ppf((1 + CONFIDENCE) / 2, len(row) - 1))


def matches_of(pairs: Sequence[tuple[str, str, int]]) -> list[Match]:
    """Matches from preferences: (first, second, preference), where a positive preference is for the second."""
    return [Match(first, second, 0.5 if not value else float(value < 0)) for first, second, value in pairs]
