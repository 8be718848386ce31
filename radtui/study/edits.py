"""What one key changes in a rating: pure functions from a snapshot to the next one."""

from __future__ import annotations

from dataclasses import replace

from radtui.measures.scheme import (
    Dimension,
    Scheme,
    acceptability_answer,
    checked_answer,
    dimension_answer,
    error_answer,
    toward_later,
)
from radtui.records import Rating
from radtui.study.queue import Pair


def blank(pair: Pair, rater: str, scheme: Scheme, earlier: str, later: str, later_left: bool) -> Rating:
    """A snapshot in which nothing has been judged; its id is 0 until it is stored.

    Args:
        pair: The comparison, and which showing of it.
        rater: Who rates.
        scheme: What is asked.
        earlier: The one arm, the earlier in the study's order.
        later: The other.
        later_left: Whether the later one stands left, as A.
    """
    return Rating(
        id=0, study_id=pair.study_id, case_id=pair.case_id, rater=rater, occasion=pair.occasion, pair=pair.pair,
        scheme=scheme.id, scheme_hash=scheme.sha256, earlier_arm=earlier, later_arm=later, later_left=later_left,
        preference=None, both_bad=False, answers={}, note="", flagged=False, skipped=False, blinded=True,
        active_s=0.0, wall_s=0.0, rated_at=0.0,
    )  # fmt: skip


def preferred(rating: Rating, scheme: Scheme, level: int) -> Rating:
    """Set the preference.

    Args:
        rating: The snapshot before.
        scheme: Gives the scale.
        level: Index into `scheme.preference`, 0 based.
    """
    value = toward_later(scheme.preference[level].value, later_left=rating.later_left)
    return replace(rating, preference=value, both_bad=False, skipped=False)


def both_bad(rating: Rating) -> Rating:
    """Neither text is of use; takes the place of a preference."""
    return replace(rating, preference=None, both_bad=True, skipped=False)


def skipped(rating: Rating) -> Rating:
    """The rater cannot judge the pair; takes the place of a preference."""
    return replace(rating, preference=None, both_bad=False, skipped=True)


def accepted(rating: Rating, arm: str, value: int) -> Rating:
    """Set how usable one arm's text is, 1..5."""
    return replace(rating, answers={**rating.answers, acceptability_answer(arm): value})


def compared(rating: Rating, scheme: Scheme, dimension: Dimension, level: int) -> Rating:
    """Answer one dimension, on the preference's scale (`level` as in `preferred`)."""
    value = toward_later(scheme.preference[level].value, later_left=rating.later_left)
    return replace(rating, answers={**rating.answers, dimension_answer(dimension.id): value})


def counted(rating: Rating, arm: str, category_id: str, significant: bool, by: int) -> Rating:
    """Raise or lower the count of one kind of error; a count of 0 leaves no answer."""
    key = error_answer(arm, category_id, significant=significant)
    answers = {**rating.answers, key: max(0, rating.answers.get(key, 0) + by)}
    return replace(rating, answers={name: value for name, value in answers.items() if name != key or value})


def checked(rating: Rating, arm: str) -> Rating:
    """Say that errors were looked for in an arm's text, and what is counted is all there is; or take that back."""
    key = checked_answer(arm)
    answers = {name: value for name, value in rating.answers.items() if name != key}
    return replace(rating, answers=answers if key in rating.answers else {**answers, key: 1})


def noted(rating: Rating, note: str) -> Rating:
    """Set the note."""
    return replace(rating, note=note)


def flag_turned(rating: Rating) -> Rating:
    """Flag the pair, or take the flag off."""
    return replace(rating, flagged=not rating.flagged)


def chosen_level(rating: Rating | None, scheme: Scheme, answer: str = "") -> int | None:
    """Index into `scheme.preference` of what was chosen, as A and B stand for this rater; None when nothing was.

    Args:
        rating: The snapshot, if any.
        scheme: Gives the scale.
        answer: An answer's key such as `dim.correctness`; "" for the preference itself.
    """
    if rating is None:
        return None
    value = rating.answers.get(answer) if answer else rating.preference
    if value is None:
        return None
    toward_b = toward_later(value, later_left=rating.later_left)
    return next((at for at, level in enumerate(scheme.preference) if level.value == toward_b), None)


def in_words(rating: Rating, scheme: Scheme) -> str:
    """A judgement as A and B stood, which gives nothing away; "" without one."""
    if rating.both_bad or rating.skipped:
        return "Both bad" if rating.both_bad else "Skipped"
    level = chosen_level(rating, scheme)
    return scheme.preference[level].label if level is not None else ""


def acceptability_of(rating: Rating | None, arm: str) -> int | None:
    """What one arm's text was given, or None."""
    return None if rating is None else rating.acceptability(arm)
