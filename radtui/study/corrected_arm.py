"""Corrected texts as an arm: what readers made of earlier texts of the cases that a new study asks about."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from radtui.records import ArmKind, Study
from radtui.store import ratings, studies
from radtui.study.correcting import is_taken_as_is

CORRECTIONS = "corrections"  # the arm's name, and how it is asked for


def texts_as_left(
    db: sqlite3.Connection, dataset: str, case_ids: Collection[int], job_id: int | None = None
) -> dict[int, str]:
    """The text of each case as readers left it; nothing of a case of which no text was corrected or taken as it is.

    A correction counts before a text that was taken as it is, and of several the newest.

    Args:
        db: The database.
        dataset: Of which the studies are.
        case_ids: Cases that are asked about.
        job_id: The generation job whose texts alone are meant; every study's where none is named.
    """
    wanted = set(case_ids)
    left: dict[int, tuple[bool, float, str]] = {}
    for study in studies.all_studies(db):
        if study.dataset != dataset or (job_id is not None and study.job_id != job_id):
            continue
        for case_id, corrected, rated_at, text in _of_study(db, study, wanted):
            left[case_id] = max(left.get(case_id, (False, 0.0, "")), (corrected, rated_at, text))
    return {case_id: text for case_id, (_, _, text) in left.items() if text}


def _of_study(db: sqlite3.Connection, study: Study, wanted: set[int]) -> list[tuple[int, bool, float, str]]:
    """Case, whether the text was corrected, when (Unix s), and the text as it was left."""
    rows = [row for row in ratings.current_of_texts(db, study.id) if row.case_id in wanted]
    pairs = studies.comparisons(db, study, sorted({row.case_id for row in rows}))
    models = [arm.name for arm in study.arms if arm.kind is not ArmKind.REFERENCE]
    left = []
    for row in rows:
        for arm in (arm for arm in row.shown if arm in models):
            if arm in row.corrections:
                left.append((row.case_id, True, row.rated_at, row.corrections[arm].strip()))
            elif is_taken_as_is(row, arm) and row.case_id in pairs:
                left.append((row.case_id, False, row.rated_at, pairs[row.case_id].by(arm).text.strip()))
    return left
