"""Ratings made up for tests, with every field settable."""

from itertools import count

from radtui.records import Rating, Variant

_ids = count(1)


def rating(image_id=1, preference=None, **fields):
    """A blinded rating by "ana" in job 1 with a fresh id, unless told otherwise."""
    values = {
        "id": next(_ids),
        "job_id": 1,
        "image_id": image_id,
        "rater": "ana",
        "occasion": 0,
        "scheme": "radtui-default",
        "scheme_hash": "",
        "preference": preference,
        "both_bad": False,
        "base_acceptability": None,
        "tuned_acceptability": None,
        "answers": {},
        "note": "",
        "flagged": False,
        "skipped": False,
        "blinded": True,
        "shown_left": Variant.TUNED,
        "active_s": 5.0,
        "wall_s": 6.0,
        "rated_at": 1000.0,
    }
    return Rating(**(values | fields))
