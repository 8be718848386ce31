"""What a reader knows of texts: those that they corrected, and those that they read one by one, told whose they are."""

from __future__ import annotations

import json
import sqlite3


def known_texts(db: sqlite3.Connection, rater: str) -> dict[int, set[str]]:
    """By case, the texts that a reader would know again, in whatever study: corrected, before and after, or read alone.

    One look at all ratings: ask once a sitting.
    """
    rows = db.execute(
        "SELECT r.case_id, r.earlier_arm, r.later_arm, r.corrections, e.text AS earlier, l.text AS later"
        " FROM ratings r LEFT JOIN texts e ON e.id = r.earlier_text_id LEFT JOIN texts l ON l.id = r.later_text_id"
        " WHERE r.rater = ? AND (r.corrections <> '{}' OR r.earlier_arm = '')",
        (rater,),
    )
    known: dict[int, set[str]] = {}
    for row in rows:
        corrections = json.loads(row["corrections"])
        of_case = known.setdefault(row["case_id"], set())
        of_case.update(corrections.values())
        for arm, text in ((row["earlier_arm"], row["earlier"]), (row["later_arm"], row["later"])):
            if text is not None and (arm in corrections or not row["earlier_arm"]):
                of_case.add(text)
    return known
