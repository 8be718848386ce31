"""Correcting a text, or taking it as it is: edits of a rating, and what they do to blindness."""

from __future__ import annotations

from dataclasses import replace

from radtui.measures.scheme import accepted_answer
from radtui.records import Rating
from radtui.study.session import ReviewSession


def corrected(rating: Rating, arm: str, text: str) -> Rating:
    """Keep an arm's text as the reader wants it; it is then not taken as it is."""
    answers = {key: value for key, value in rating.answers.items() if key != accepted_answer(arm)}
    return replace(rating, answers=answers, corrections={**rating.corrections, arm: text}, skipped=False)


def taken_as_is(rating: Rating, arm: str) -> Rating:
    """Take an arm's text as it is; a correction of it no longer counts."""
    corrections = {name: text for name, text in rating.corrections.items() if name != arm}
    answers = {**rating.answers, accepted_answer(arm): 1}
    return replace(rating, answers=answers, corrections=corrections, skipped=False)


def is_taken_as_is(rating: Rating | None, arm: str) -> bool:
    """Whether the reader took an arm's text as it is."""
    return rating is not None and rating.answers.get(accepted_answer(arm)) == 1


def left_as(rating: Rating, arm: str, written: str, text: str) -> Rating:
    """The rating after an editor was closed: the text corrected, or taken as it is where no word was changed.

    Args:
        rating: The snapshot before.
        arm: Whose text was edited.
        written: The text as it was shown.
        text: As the reader left it.
    """
    if text.split() == written.split():
        return taken_as_is(rating, arm)
    return corrected(rating, arm, text.strip())


def correct(session: ReviewSession, side: int, text: str) -> Rating | None:
    """Store a correction of the text on one side of the pair on show.

    Before a preference it un-blinds the comparison, since the reader has then worked on one of its texts; a preference
    made before stays blind. What the reader answers of this case afterwards is un-blinded in either way.

    Args:
        session: The reader's, with a pair on show.
        side: 0 for A, 1 for B.
        text: As the reader left it.

    Returns:
        The stored row; None where no pair is on show.
    """
    shown = session.shown()
    if shown is None:
        return None
    arm, written = shown.arm(side), shown.texts[side]
    changed = text.split() != written.split()
    preferred = shown.rating is not None and (shown.rating.preference is not None or shown.rating.both_bad)

    def edit(rating: Rating) -> Rating:
        edited = left_as(rating, arm, written, text)
        return replace(edited, blinded=edited.blinded and not (changed and not preferred))

    row = session.answer(edit, judges=False)
    if row is not None and changed:
        session.reveal()
    return row


def better_side(rating: Rating | None) -> int | None:
    """The side of the text that was preferred, 0 for A or 1 for B; None without a preference for one of them."""
    if rating is None or not rating.preference:
        return None
    later_better = rating.preference > 0
    return 0 if later_better == rating.later_left else 1
