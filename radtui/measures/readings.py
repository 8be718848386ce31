"""What reading and correcting came to: how many texts were taken as they are, words changed, seconds a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import mean, median

from radtui.measures.intervals import Proportion, proportion
from radtui.measures.plain import PlainFields
from radtui.measures.scheme import accepted_answer
from radtui.measures.word_changes import words_changed
from radtui.records import Rating


@dataclass(frozen=True, slots=True)
class ReadArm(PlainFields):
    """How readers left one arm's texts. Seconds are of texts that were read by themselves, None where none was."""

    arm: str
    texts: int
    unchanged: Proportion
    words_changed: float | None  # median over the corrected ones
    words_changed_mean: float | None  # over all, the unchanged ones with 0
    seconds: float | None  # median of active time


def read_arms(
    ratings: Iterable[Rating], arms: Iterable[str], text_of: Callable[[int, str], str]
) -> dict[str, ReadArm]:
    """Figures of each arm of which a reader took or corrected a text.

    Args:
        ratings: Current ones, blind or not.
        arms: Names, in the study's order.
        text_of: The text of a case by an arm.
    """
    rows = list(ratings)
    figures = ((arm, _read_arm(arm, rows, text_of)) for arm in arms)
    return {arm: own for arm, own in figures if own.texts}


def _read_arm(arm: str, rows: list[Rating], text_of: Callable[[int, str], str]) -> ReadArm:
    corrected = [row for row in rows if arm in row.corrections]
    taken = [row for row in rows if arm not in row.corrections and row.answers.get(accepted_answer(arm)) == 1]
    words = [words_changed(text_of(row.case_id, arm), row.corrections[arm]) for row in corrected]
    alone = [row.active_s for row in (*corrected, *taken) if not row.earlier_arm]
    return ReadArm(
        arm, len(corrected) + len(taken), proportion(len(taken), len(corrected) + len(taken)),
        median(words) if words else None,
        mean([*words, *[0] * len(taken)]) if corrected or taken else None,
        median(alone) if alone else None,
    )  # fmt: skip
