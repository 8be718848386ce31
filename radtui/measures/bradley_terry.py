"""Strengths of any number of arms from blind pairs drawn among them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from radtui.measures.intervals import CONFIDENCE
from radtui.measures.plain import PlainFields
from radtui.measures.readers import spread_of, t_quantile
from radtui.measures.significance import holm

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
class Strength(PlainFields):
    """One arm's strength on the log-odds scale, against a baseline, with its 95 % interval."""

    arm: str
    log_odds: float
    standard_error: float  # 0 for the baseline
    low: float
    high: float
    win_rate: float  # chance to be preferred to the baseline, 0..1
    n: int  # pairs it was in
    method: str = "wald"  # or "cases", where some case holds several pairs, or "readers and cases"
    # Interval for these readers only, where there are several.
    these_readers: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Difference(PlainFields):
    """Two arms compared on the scale: how much stronger the later is, with a test that pairs them."""

    earlier: str
    later: str
    log_odds: float  # later - earlier
    low: float
    high: float
    p: float  # of no difference, two-sided
    holm_p: float  # adjusted over every two arms
    method: str
    these_readers: tuple[float, float] | None = None


class Scale(NamedTuple):
    """All arms on one scale."""

    strengths: list[Strength]  # strongest first
    differences: list[Difference]  # every two arms


class _Contrast(NamedTuple):
    """One weighted sum of strengths with what is known of its spread; `degrees` are None for a normal one."""

    value: float
    error: float
    degrees: float | None
    these: tuple[float, float] | None

    @property
    def limits(self) -> tuple[float, float]:
        factor = _normal() if self.degrees is None else t_quantile(self.degrees)
        return self.value - factor * self.error, self.value + factor * self.error

    @property
    def p(self) -> float:
        if self.error <= 0:
            return 1.0
        from scipy import special

        ratio = -abs(self.value) / self.error
        return 2 * float(special.ndtr(ratio) if self.degrees is None else special.stdtr(self.degrees, ratio))


def _normal() -> float:
    return NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def scale_of(
    matches: Sequence[Match],
    baseline: str,
    cases: Sequence[Hashable] = (),
    readers: Sequence[Hashable] = (),
    arms: Sequence[str] = (),
) -> Scale | None:
    """Bradley-Terry strengths by maximum likelihood, ties as half a win each, and every two arms compared.

    Intervals are Wald's, from the inverse of the observed information. Where several pairs are of the same case, or
    several readers judged them, what they say resembles each other, and the interval comes from the spread between
    cases, and between readers, instead; it is never narrower than if all were independent.

    Args:
        matches: Judged pairs.
        baseline: Arm whose log odds are 0, usually the first of the study.
        cases: Of each match, its case. None named: all are independent.
        readers: Of each match, its reader. None named: one read them all.
        arms: In which order two arms are earlier and later; by name, unless told.

    Returns:
        None when no finite strengths exist, since some arms never lost to, or were never compared with, the rest.

    Raises:
        ValueError: The baseline is in no pair, or a score is outside 0..1.

    Source: Bradley & Terry, Biometrika 39 (1952) 324-345; existence: Ford, Am Math Monthly 64 (1957) no. 8, 28-33;
    clusters: Cameron & Miller, J Hum Resour 50 (2015) 317-372, sections II.C and VI; readers:
    `radtui.measures.readers`.
    """
    import numpy as np

    names = sorted({name for match in matches for name in match[:2]})
    if baseline not in names:
        raise ValueError(f"{baseline!r} was not compared with anything")
    wins = _wins(matches, names)
    if not _connected(wins):
        return None
    fitted, covariance = _fit(wins, names.index(baseline))
    surprise = _surprises(matches, names, fitted)
    design = _design(cases, readers, len(matches))
    games = wins.sum(axis=1) + wins.sum(axis=0)

    def contrast(weights: np.ndarray) -> _Contrast:
        wald = math.sqrt(max(float(weights @ covariance @ weights), 0.0))
        return _contrast(float(weights @ fitted), wald, surprise @ (covariance @ weights), design)

    unit = np.eye(len(names))
    method = "wald" if design is None else "readers and cases" if design[0].any() else "cases"
    strengths = [
        _strength(name, contrast(unit[place]), round(float(games[place])), method)
        for place, name in enumerate(names)
    ]
    order = [names.index(name) for name in arms or names if name in names]
    pairs = [
        (names[earlier], names[later], contrast(unit[later] - unit[earlier]))
        for earlier, later in combinations(order, 2)
    ]
    return Scale(sorted(strengths, key=lambda strength: -strength.log_odds), _differences(pairs, method))


def _differences(pairs: Sequence[tuple[str, str, _Contrast]], method: str) -> list[Difference]:
    adjusted = holm({str(at): between.p for at, (_, _, between) in enumerate(pairs)})
    return [
        Difference(
            earlier, later, between.value, *between.limits, between.p, adjusted[str(at)] or 0.0, method, between.these
        )
        for at, (earlier, later, between) in enumerate(pairs)
    ]  # fmt: skip


def _strength(arm: str, contrast: _Contrast, n: int, method: str) -> Strength:
    return Strength(
        arm=arm,
        log_odds=contrast.value,
        standard_error=contrast.error,
        low=contrast.limits[0],
        high=contrast.limits[1],
        win_rate=1 / (1 + math.exp(-contrast.value)),
        n=n,
        method=method,
        these_readers=contrast.these,
    )


def _contrast(
    value: float, wald: float, influence: np.ndarray, design: tuple[np.ndarray, np.ndarray] | None
) -> _Contrast:
    """A contrast with the widest of the intervals that its design gives it.

    Args:
        value: Of the contrast.
        wald: Its standard error if all matches were independent.
        influence: float (matches,), what each match adds to the contrast beyond what was expected of it.
        design: Reader and case of each match, from 0; None where all are independent.
    """
    if design is None or wald == 0:
        return _Contrast(
            value, wald, None, (value, value) if design is not None and design[0].any() else None
        )
    spread = spread_of(influence, *design)
    these = _wider(value, wald, math.sqrt(spread.variance_these) * spread.n, spread.cases - 1)
    if spread.readers < 2:
        return these
    for_others = _wider(value, wald, math.sqrt(spread.variance) * spread.n, spread.degrees)
    return for_others._replace(these=these.limits)


def _wider(value: float, wald: float, error: float, degrees: float) -> _Contrast:
    if degrees > 0 and t_quantile(degrees) * error > _normal() * wald:
        return _Contrast(value, max(error, wald), degrees, None)
    return _Contrast(value, max(error, wald), None, None)


def _design(
    cases: Sequence[Hashable], readers: Sequence[Hashable], n: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Reader and case of each match, from 0; None where nothing is shared, or a single case is all there is."""
    import numpy as np

    several = len(set(readers)) > 1
    clustered = 1 < len(set(cases)) < len(cases)
    if not (several and len(set(cases)) > 1) and not clustered:
        return None
    place = {case: index for index, case in enumerate(dict.fromkeys(cases))}
    reader = {name: index for index, name in enumerate(dict.fromkeys(readers))}
    by_reader = np.array([reader[name] for name in readers]) if several else np.zeros(n, dtype=np.int64)
    return by_reader, np.array([place[case] for case in cases])


def _surprises(matches: Sequence[Match], names: Sequence[str], ability: np.ndarray) -> np.ndarray:
    """Gradient of each match's likelihood, (matches, names): how far it went otherwise than expected."""
    import numpy as np

    place = {name: index for index, name in enumerate(names)}
    first = np.array([place[match.first] for match in matches])
    second = np.array([place[match.second] for match in matches])
    score = np.array([match.score for match in matches])
    surprise = score - 1 / (1 + np.exp(ability[second] - ability[first]))
    scores = np.zeros((len(matches), len(names)))
    rows = np.arange(len(matches))
    scores[rows, first] += surprise
    scores[rows, second] -= surprise
    return scores


def _wins(played: Sequence[Match], names: Sequence[str]) -> np.ndarray:
    """Wins of each name (row) over each other (column), (n, n) float64."""
    import numpy as np

    wins = np.zeros((len(names), len(names)))
    place = {name: index for index, name in enumerate(names)}
    for (first, second, score), count in Counter(played).items():
        if not 0 <= score <= 1:
            raise ValueError(f"a score is from 0 to 1, not {score}")
        wins[place[first], place[second]] += count * score
        wins[place[second], place[first]] += count * (1 - score)
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


def matches_of(pairs: Sequence[tuple[str, str, int]]) -> list[Match]:
    """Matches from preferences: (first, second, preference), where a positive preference is for the second."""
    return [Match(first, second, 0.5 if not value else float(value < 0)) for first, second, value in pairs]
