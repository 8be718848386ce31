"""Which score may stand in for a study's readers, from the database and in words."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from radtui.measures.concordance import Concordance, concordances, readers_accuracy, values_of_texts
from radtui.measures.intervals import Estimate
from radtui.measures.scores import all_parts
from radtui.measures.words import estimate, readers_named
from radtui.study.study import Review, every_scored_text

QUICK_TEXTS = 2000  # so many are read and ranked in a second or two


@dataclass(frozen=True, slots=True)
class StandIns:
    """Every score against the same readers, and how well these readers predict each other."""

    readers: tuple[str, ...]
    scores: tuple[Concordance, ...]
    another_reader: Estimate  # None as value where nobody else rated the same pair

    @property
    def sentence(self) -> str:
        """What may be concluded."""
        if not any(each.accuracy.value is not None for each in self.scores):
            return "No score can be set against these readers: no decided pair has two scored texts."
        able = [each.score.label for each in self.scores if each.stands_in]
        whose = readers_named(len(self.readers))
        if not able:
            return f"No score is shown to rank pairs as {whose} better than chance would: none may stand in."
        return (
            f"Better than chance at ranking pairs as {whose}: {', '.join(able)}. That holds for texts and readers like"
            " these, and says nothing of single errors."
        )

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "readers": list(self.readers),
            "another_reader": self.another_reader.to_dict(),
            "scores": [each.to_dict() for each in self.scores],
            "sentence": self.sentence,
        }


HEADER = (
    "Score", "Ranks the preferred text higher", "Tau with preference", "Tau with fewer significant errors",
    "Tau with fewer errors",
)  # fmt: skip


def stand_in_rows(standing: StandIns) -> list[tuple[str, ...]]:
    """The table under `HEADER`, one score a row, these readers last."""
    rows = [
        (
            each.score.name, estimate(each.accuracy),
            *(estimate(own, signed=True) for own in (each.tau, each.errors_tau, each.all_errors_tau)),
        )
        for each in standing.scores
    ]  # fmt: skip
    if standing.another_reader.value is not None:
        rows.append(("another of these readers", estimate(standing.another_reader), "-", "-", "-"))
    return rows


def stand_ins(db: sqlite3.Connection, review: Review, include_unblinded: bool = False) -> StandIns:
    """Set every score against the readers of a study; takes seconds for thousands of texts: call it on a thread."""
    kept, _ = review.counting(include_unblinded)
    texts = every_scored_text(db, review.study)
    case_ids = {arm: [scored.case_id for scored in own] for arm, own in texts.items()}
    values = values_of_texts(all_parts(texts), case_ids)
    readers = tuple(sorted({rating.rater for rating in kept}))
    return StandIns(readers, tuple(concordances(kept, values)), readers_accuracy(kept))


def text_count(review: Review) -> int:
    """How many texts would be scored: whoever waits for them may be told."""
    return sum(len(by_arm) for by_arm in review.words.values())
