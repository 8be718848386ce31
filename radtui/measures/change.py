"""Whether a new round of training is better than the one before: paired over the same cases, score by score."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from radtui.measures.paired import PairedDifference
from radtui.measures.plain import PlainFields
from radtui.measures.score_table import BY_KEY, Score
from radtui.measures.scores import ScoredText, compare_scores
from radtui.measures.words import estimate, p_value

NO_CHANGE = "no change shown"
MAIN = "f1"  # named before anything is looked at: its p needs no adjustment for the others
ASKED = (
    MAIN, "precision", "recall", "side", "zone", "invented_on_normal", "rouge_l", "words",
)  # fmt: skip
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Change(PlainFields):
    """What became of one score from the round before to this one."""

    score: Score
    paired: PairedDifference

    @property
    def p(self) -> float | None:
        """Of no change: as it is for the main score, adjusted by Holm for the others."""
        return self.paired.p if self.score.key == MAIN else self.paired.holm_p

    @property
    def shown(self) -> bool:
        """Whether a change is shown: p below 0.05, and an interval that does not hold 0."""
        low, high = self.paired.difference.low, self.paired.difference.high
        if self.p is None or low is None or high is None:
            return False
        return self.p < LEVEL and (low > 0 or high < 0)

    @property
    def verdict(self) -> str:
        """In a word: better, worse, more, less, or that no change is shown."""
        if not self.shown:
            return NO_CHANGE
        more = (self.paired.difference.value or 0) > 0
        if self.score.less_is_better is None:
            return "more" if more else "less"
        return "better" if more is not self.score.less_is_better else "worse"

    @property
    def sentence(self) -> str:
        """Verdict first, then the change with its interval: "better: +0.09 (0.03 to 0.14, n=300), p=0.002"."""
        change = estimate(self.paired.difference, signed=True, digits=max(2, self.score.digits))
        return (
            f"{self.verdict}: {change}, {p_value(self.p)}" if change != "-" else f"{self.verdict}: the same"
        )

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {**self.paired.to_dict(), "label": self.score.label, "verdict": self.verdict}


def changes_of(
    before: Sequence[ScoredText],
    after: Sequence[ScoredText],
    names: tuple[str, str],
    only: Collection[str] = (),
) -> list[Change]:
    """How the scores changed, the main one first.

    Args:
        before: Texts of the round before.
        after: Texts of the new one, of the same cases in the same order.
        names: The arms, the earlier first.
        only: Keys of the scores that are asked for; all of them where none is named.
    """
    texts = {names[0]: before, names[1]: after}
    differences = {each.score: each for each in compare_scores(texts, only=only)}
    return [Change(BY_KEY[key], differences[key]) for key in ASKED if key in differences]
