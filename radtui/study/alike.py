"""Pairs of a job's own study whose two texts read the same: ties that no reader is asked about."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from radtui.measures.text import normalise
from radtui.records import Study
from radtui.store import studies
from radtui.study.blinding import shown_sides


def alike_pairs(
    db: sqlite3.Connection, study: Study, among: Collection[int] | None = None
) -> dict[int, tuple[str, str]]:
    """Cases of which the two texts that readers would see are the same, with the two arms in the study's order.

    One look at all texts of the study: ask once a sitting.

    Args:
        db: The database.
        study: Of a job.
        among: Only these cases; all by default.
    """
    by_case: dict[int, dict[str, str]] = {}
    for case_id, arm, text in studies.lengths(db, study):
        if among is None or case_id in among:
            by_case.setdefault(case_id, {})[arm] = text
    alike, names, least = {}, study.arm_names, max(2, studies.least_texts(study))
    for case_id, by_arm in by_case.items():
        if len(by_arm) < least:
            continue
        there = [arm for arm in names if arm in by_arm]
        if len(there) > 2:
            drawn = shown_sides(there, study.draw_id, case_id, "", 0, study.seed)
            there = sorted(drawn, key=study.arm_names.index)
        first, second = there
        if _read_alike(by_arm[first], by_arm[second]):
            alike[case_id] = first, second
    return alike


def _read_alike(first: str, second: str) -> bool:
    """Whether two texts are the same as a reader sees them."""
    return first == second or normalise(first) == normalise(second)
