"""Ratings made up for tests, with every field settable, and parts of a score."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from radtui.measures.paired import CaseParts
from radtui.records import Rating

_ids = count(1)


def rating(case_id=1, preference=None, **fields):
    """A blinded rating by "ana" of base and tuned in study 1 with a fresh id, unless told otherwise."""
    values = {
        "id": next(_ids),
        "study_id": 1,
        "case_id": case_id,
        "rater": "ana",
        "occasion": 0,
        "scheme": "radtui-default",
        "scheme_hash": "",
        "earlier_arm": "base",
        "later_arm": "tuned",
        "later_left": True,
        "preference": preference,
        "both_bad": False,
        "answers": {},
        "note": "",
        "flagged": False,
        "skipped": False,
        "blinded": True,
        "active_s": 5.0,
        "wall_s": 6.0,
        "rated_at": 1000.0,
    }
    return Rating(**(values | fields))


def mean_parts(values: Sequence[float | None]) -> CaseParts:
    """Parts of a mean over the cases that have a value."""
    return CaseParts(
        tuple(0.0 if value is None else float(value) for value in values),
        tuple(0.0 if value is None else 1.0 for value in values),
    )
