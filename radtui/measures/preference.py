"""Which text was preferred: wins and losses, win rate, means on the five-point scale, and whether chance explains them.

Everything points to the later of two arms: a win is a pair in which its text was preferred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radtui.measures.answers import Answers, AnswerTable, table_of
from radtui.measures.intervals import Estimate, Proportion
from radtui.measures.plain import PlainFields
from radtui.measures.significance import ALPHA, TOO_FEW, sign_test, wilcoxon
from radtui.records import Rating

if TYPE_CHECKING:
    import numpy as np


SCALE = (-2.0, 2.0)  # of a comparative question


@dataclass(frozen=True, slots=True)
class Comparative(PlainFields):
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

    @property
    def verdict(self) -> str:
        """What may be concluded, in words.

        The sign test takes the readers as the only ones there are; where several readers' interval says no more than
        that, so does the verdict.
        """
        if self.sign_p is None or self.sign_p >= ALPHA:
            few = self.cases_won + self.cases_lost < TOO_FEW
            return "too few to conclude" if few else "no difference shown"
        preferred = f"{self.later if self.cases_won > self.cases_lost else self.earlier} preferred"
        low, high = self.win_rate.low, self.win_rate.high
        of_others = (
            self.deciding_readers > 1 and low is not None and high is not None and not low <= 0.5 <= high
        )
        return preferred if self.mean.readers < 2 or of_others else f"{preferred} by these readers"

    @property
    def deciding_readers(self) -> int:
        """How many readers preferred a text at all: the others called every pair equal."""
        return self.win_rate.readers if self.win_rate.n else 0


def win_rate_of(answers: Answers) -> Proportion:
    """Wins of non-ties with a 95 % interval."""
    decided = answers.where(answers.values != 0)
    return decided.share(decided.values > 0)


def compare(answers: Answers, arms: tuple[str, str], seed: int = 0) -> Comparative:
    """Everything there is to say about one comparative question.

    Args:
        answers: -2..+2 towards the later arm.
        arms: Names of the earlier and the later.
        seed: Of the bootstraps.
    """
    values = answers.values
    independent = answers.independent
    won, lost = int((independent > 0).sum()), int((independent < 0).sum())
    return Comparative(
        earlier=arms[0],
        later=arms[1],
        counts={step: int((values == step).sum()) for step in (-2, -1, 0, 1, 2)},
        wins=int((values > 0).sum()),
        ties=int((values == 0).sum()),
        losses=int((values < 0).sum()),
        win_rate=win_rate_of(answers),
        mean=answers.mean(seed, SCALE),
        cases_won=won,
        cases_lost=lost,
        sign_p=sign_test(won, lost),
        wilcoxon_p=wilcoxon(independent),
    )


def choices_of(ratings: Sequence[Rating] | AnswerTable) -> Answers:
    """The preferences among ratings; both-bad has none."""
    return table_of(ratings).preferences


def preferred_or_equal(ratings: Sequence[Rating] | AnswerTable) -> Proportion:
    """Share of judged pairs in which the later arm's text was preferred or equal.

    Both-bad counts as judged and as neither, so that two useless texts do not speak for the later arm.
    """
    table = table_of(ratings)
    judged = _judged(table)
    return table.everyone.where(judged).share((table.preference >= 0)[judged])


def both_bad_share(ratings: Sequence[Rating] | AnswerTable) -> Proportion:
    """Share of judged pairs in which neither text was of use."""
    table = table_of(ratings)
    judged = _judged(table)
    return table.everyone.where(judged).share(table.flags("both_bad")[judged])


def _judged(table: AnswerTable) -> np.ndarray:
    """Which ratings have a preference, or call both texts bad."""
    import numpy as np

    judged: np.ndarray = ~np.isnan(table.preference) | table.flags("both_bad")
    return judged
