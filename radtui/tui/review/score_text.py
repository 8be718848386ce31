"""Scores of descriptions as lines of text: the first two arms side by side, then each further one."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from radtui.measures.score_table import GROUPS, SCORES, Score
from radtui.measures.scores import ArmScores
from radtui.measures.words import NOT_ENGLISH
from radtui.plural import many
from radtui.tui.review.summary_text import compared, labelled, title


def score_lines(scores: dict[str, ArmScores]) -> list[Content]:
    """Everything that can be said without a rater: every score that both arms have, by its group.

    Args:
        scores: Of each arm in the study's order, over the same cases; two arms at least.
    """
    first, second, *others = scores
    rows = [line for arm in others for line in _alone(arm, scores[arm])]
    both = [score for score in SCORES if all(_has(score, scores[arm]) for arm in (first, second))]
    for group in dict.fromkeys(score.group for score in both):
        name, note = GROUPS.get(group, (group.capitalize(), ""))
        images = many(scores[second].cases, "image")
        rows.append(title(name, "; ".join(part for part in (images, note) if part)))
        rows += [_side_by_side(score, scores, (first, second)) for score in both if score.group == group]
        rows.append(Content(""))
    if not all(own.english for own in scores.values()):
        rows.append(Content(NOT_ENGLISH))
    return rows


def _has(score: Score, scores: ArmScores) -> bool:
    """Whether an arm has this score, or at least cases that it could be taken over."""
    value = score.value(scores)
    return value is not None and (isinstance(value, float | int) or value.n > 0)


def _side_by_side(score: Score, scores: dict[str, ArmScores], arms: Sequence[str]) -> Content:
    """One score of two arms; a label that is too long stands over its figures."""
    label = score.name[:1].upper() + score.name[1:]
    first, second = ((arm, score.brief(scores[arm])) for arm in arms)
    return compared(label, first, second)


def _alone(arm: str, scores: ArmScores) -> list[Content]:
    """A further arm's scores."""
    lines = [
        Content(f"{labelled(score.name[:1].upper() + score.name[1:])}{score.brief(scores)}")
        for score in SCORES
        if _has(score, scores)
    ]
    return [title(f"The arm {arm}", many(scores.cases, "image")), *lines, Content("")] if lines else []
