"""Which text was preferred: wins and losses, win rate, means on the five-point scale, and whether chance explains them.

Everything points to the later of two arms: a win is a pair in which its text was preferred.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from radtui.measures.intervals import (
    Estimate,
    Proportion,
    clustered_ratio,
    mean_of,
    proportion,
    wilson_limits,
)
from radtui.measures.significance import ALPHA, TOO_FEW, sign_test, wilcoxon
from radtui.records import Rating


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to one question with the case each is about."""

    case_ids: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def clustered(self) -> bool:
        """Whether some case was answered for more than once, so that answers are not independent."""
        return len(set(self.case_ids)) < len(self.case_ids)

    @property
    def by_case(self) -> dict[int, list[float]]:
        """Answers of each case."""
        found: dict[int, list[float]] = {}
        for case_id, value in zip(self.case_ids, self.values, strict=True):
            found.setdefault(case_id, []).append(value)
        return found

    @property
    def independent(self) -> list[float]:
        """One value per case, the mean of its answers: what a test that assumes independence may see."""
        return [fmean(values) for values in self.by_case.values()]

    def share(self, hits: Sequence[bool], seed: int = 0) -> Proportion:
        """Share of hits with Wilson's interval, or one that resamples cases when they are answered for repeatedly.

        Where all or none are hits, resampling shows no spread; the interval is Wilson's then, a case counting once.

        Args:
            hits: One per answer.
            seed: Of the resampling.
        """
        total = sum(hits)
        if not self.clustered:
            return proportion(total, len(hits))
        if total in (0, len(hits)):
            cases = len(set(self.case_ids))
            return Proportion(
                total, len(hits), *wilson_limits(cases if total else 0, cases), "wilson by case"
            )
        per_case: dict[int, tuple[float, float]] = {}
        for case_id, hit in zip(self.case_ids, hits, strict=True):
            over, under = per_case.get(case_id, (0.0, 0.0))
            per_case[case_id] = (over + hit, under + 1)
        found = clustered_ratio(list(per_case.values()), len(hits), seed)
        return Proportion(total, len(hits), found.low, found.high, found.method)

    def mean(self, seed: int = 0) -> Estimate:
        """Mean with a BCa bootstrap interval, or one that resamples cases."""
        if not self.clustered:
            return mean_of(self.values, seed)
        totals = [(sum(values), float(len(values))) for values in self.by_case.values()]
        return clustered_ratio(totals, len(self.values), seed)

    def where(self, keep: Sequence[bool]) -> Answers:
        """Only the answers marked true."""
        kept = [
            pair
            for pair, wanted in zip(zip(self.case_ids, self.values, strict=True), keep, strict=True)
            if wanted
        ]
        return Answers(tuple(case_id for case_id, _ in kept), tuple(value for _, value in kept))


def answers_of(pairs: Sequence[tuple[int, float]]) -> Answers:
    """Answers from (case id, value) pairs."""
    return Answers(tuple(case_id for case_id, _ in pairs), tuple(value for _, value in pairs))


@dataclass(frozen=True, slots=True)
class Comparative:
    """One comparative question on the five-point scale, towards the later arm."""

    earlier: str
    later: str
    counts: dict[int, int]  # -2..2 -> answers
    wins: int
    ties: int
    losses: int
    win_rate: Proportion  # wins of non-ties
    mean: Estimate
    cases_won: int  # their answers taken together: what the sign test counts
    cases_lost: int
    sign_p: float | None  # exact, by case
    wilcoxon_p: float | None  # zeros by Pratt's method, by case
    holm_p: float | None = None  # Wilcoxon's, adjusted over the dimensions; None for the preference

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        told = asdict(self)
        told["counts"] = {str(value): count for value, count in self.counts.items()}
        return told | {"win_rate": self.win_rate.to_dict(), "mean": self.mean.to_dict()}

    @property
    def verdict(self) -> str:
        """What may be concluded, in words."""
        if self.cases_won + self.cases_lost < TOO_FEW:
            return "too few to conclude"
        if self.sign_p is None or self.sign_p >= ALPHA:
            return "no difference shown"
        return f"{self.later if self.cases_won > self.cases_lost else self.earlier} preferred"


def win_rate_of(answers: Answers, seed: int = 0) -> Proportion:
    """Wins of non-ties with a 95 % interval."""
    decided = answers.where([value != 0 for value in answers.values])
    return decided.share([value > 0 for value in decided.values], seed)


def compare(answers: Answers, arms: tuple[str, str], seed: int = 0) -> Comparative:
    """Everything there is to say about one comparative question.

    Args:
        answers: -2..+2 towards the later arm.
        arms: Names of the earlier and the later.
        seed: Of the bootstraps.
    """
    values = answers.values
    independent = answers.independent
    won, lost = sum(value > 0 for value in independent), sum(value < 0 for value in independent)
    counted = Counter(round(value) for value in values)
    return Comparative(
        earlier=arms[0],
        later=arms[1],
        counts={step: counted[step] for step in (-2, -1, 0, 1, 2)},
        wins=sum(value > 0 for value in values),
        ties=sum(value == 0 for value in values),
        losses=sum(value < 0 for value in values),
        win_rate=win_rate_of(answers, seed),
        mean=answers.mean(seed),
        cases_won=won,
        cases_lost=lost,
        sign_p=sign_test(won, lost),
        wilcoxon_p=wilcoxon(independent),
    )


def preferences_of(ratings: Sequence[Rating]) -> Answers:
    """The preferences among ratings; both-bad has none."""
    return answers_of(
        [(rating.case_id, float(rating.preference)) for rating in ratings if rating.preference is not None]
    )


def preferred_or_equal(ratings: Sequence[Rating], seed: int = 0) -> Proportion:
    """Share of judged pairs in which the later arm's text was preferred or equal.

    Both-bad counts as judged and as neither, so that two useless texts do not speak for the later arm.
    """
    judged = [rating for rating in ratings if rating.preference is not None or rating.both_bad]
    hits = [rating.preference is not None and rating.preference >= 0 for rating in judged]
    return answers_of([(rating.case_id, 0.0) for rating in judged]).share(hits, seed)


def both_bad_share(ratings: Sequence[Rating], seed: int = 0) -> Proportion:
    """Share of judged pairs in which neither text was of use."""
    judged = [rating for rating in ratings if rating.preference is not None or rating.both_bad]
    return answers_of([(rating.case_id, 0.0) for rating in judged]).share([r.both_bad for r in judged], seed)
