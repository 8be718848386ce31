"""Whether what a file says of a rating can be: kinds of values, and the range of each answer."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from radtui.measures.scheme import parse_answer
from radtui.records import Rating

_RANGES = {"acceptability": (1, 5), "checked": (0, 1), "accepted": (0, 1), "error": (0, 10_000)}


def value_of(row: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    """A value of JSON that is of a kind; a truth value is no number.

    Raises:
        KeyError: There is none.
        ValueError: It is of another kind.
    """
    value = row[name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} is {value!r}")
    return value


def whole(row: Mapping[str, Any], name: str) -> int:
    """A whole number. Raises as `value_of`."""
    return int(value_of(row, name, int))


def texts_by(row: Any) -> dict[str, str]:
    """Texts by arm. Raises ValueError for anything else."""
    if not isinstance(row, dict) or not all(isinstance(text, str) for text in row.values()):
        raise ValueError("corrections are no texts by arm")
    return dict(row)


def sound(rating: Rating, arms: Collection[str]) -> Rating:
    """The rating itself, when each of its answers is one that somebody can have given.

    Raises:
        ValueError: One is not; says which.
    """
    if rating.preference is not None:
        _within("preference", rating.preference, -2, 2)
    if rating.occasion not in (0, 1):
        raise ValueError(f"occasion {rating.occasion} is neither 0 nor 1")
    if rating.pair < 0:
        raise ValueError(f"pair {rating.pair} is below 0")
    for key, value in rating.answers.items():
        about = parse_answer(key)
        if about is None:
            _within(key, value, -2, 2)
        elif about.arm not in arms:
            raise ValueError(f"{key} is about none of {', '.join(arms)}")
        else:
            _within(key, value, *_RANGES[about.kind])
    for arm in rating.corrections:
        if arm not in arms:
            raise ValueError(f"{arm!r} was corrected and is none of {', '.join(arms)}")
    for name in ("active_s", "wall_s", "rated_at"):
        seconds = getattr(rating, name)
        if not math.isfinite(seconds) or seconds < 0:
            raise ValueError(f"{name} is {seconds}")
    return rating


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: {value} is not within {low} to {high}")
