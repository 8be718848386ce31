"""What reading one arm's texts came to, from the database and in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from radtui.durations import clock_text
from radtui.measures.readings import ReadArm, read_arms
from radtui.measures.scheme import accepted_answer
from radtui.measures.words import share
from radtui.plural import many
from radtui.records import Rating, Study
from radtui.store import ratings, studies


def reading_figures(
    db: sqlite3.Connection, study: Study, rater: str = "", known: Iterable[Rating] | None = None
) -> dict[str, ReadArm]:
    """Figures of each arm of which texts were taken or corrected; of one reader when named.

    Args:
        db: The database.
        study: Whose texts.
        rater: Only this reader's answers.
        known: Current ratings of these, where they were read already.
    """
    accepted = frozenset(map(accepted_answer, study.arm_names))
    answers = ratings.current_of_texts(db, study.id, rater) if known is None else known
    rows = [
        row
        for row in answers
        if (row.corrections or not accepted.isdisjoint(row.answers)) and not row.occasion
    ]
    listed = sorted({row.case_id for row in rows if row.corrections})
    texts = studies.comparisons(db, study, listed)
    return read_arms(rows, study.arm_names, lambda case_id, arm: texts[case_id].by(arm).text)


def figures_words(read: ReadArm) -> str:
    """One sentence: "12 texts, unchanged 75.0 % (...), words changed in a corrected one 2 (median), ..."."""
    parts = [
        many(read.texts, "text"),
        f"unchanged {share(read.unchanged, n=False)}",
    ]
    if read.words_changed is not None:
        parts.append(f"words changed in a corrected one {read.words_changed:g} (median)")
    if read.seconds is not None:
        parts.append(f"{clock_text(read.seconds)} a text (median)")
    return f"{', '.join(parts)}."
