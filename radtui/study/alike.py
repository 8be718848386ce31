"""Pairs of a job's own study whose two texts read the same: ties that no reader is asked about."""

from __future__ import annotations

import sqlite3

from radtui.measures.text import normalise
from radtui.records import Study
from radtui.store import studies
from radtui.study.blinding import shown_sides


def alike_pairs(db: sqlite3.Connection, study: Study) -> dict[int, tuple[str, str]]:
    """Cases of which the two texts that readers would see are the same, with the two arms in the study's order.

    One look at all texts of the study: ask once a sitting.
    """
    by_case: dict[int, dict[str, str]] = {}
    for case_id, arm, text in studies.lengths(db, study):
        by_case.setdefault(case_id, {})[arm] = text
    alike = {}
    for case_id, by_arm in by_case.items():
        if len(by_arm) < max(2, studies.least_texts(study)):
            continue
        there = [arm for arm in study.arm_names if arm in by_arm]
        first, second = there if len(there) == 2 else sorted(
            shown_sides(there, study.draw_id, case_id, "", 0, study.seed), key=study.arm_names.index
        )  # fmt: skip
        if by_arm[first] == by_arm[second] or normalise(by_arm[first]) == normalise(by_arm[second]):
            alike[case_id] = first, second
    return alike
