"""Whether what a file says of a rating can be: kinds of values, the range of each answer, the two arms compared."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from radtui.measures.scheme import DIMENSION, parse_answer
from radtui.records import Rating

_RANGES = {"acceptability": (1, 5), "checked": (0, 1), "accepted": (0, 1), "error": (0, 10_000)}
_MOST = 2**63 - 1  # that SQLite holds
_LAST_S = 253_402_300_799.0  # 31 December 9999: no date is written later
_MOST_PAIRS = 1_000_000  # of one case

WRONG = (ValueError, KeyError, TypeError, AttributeError, IndexError, ArithmeticError, RecursionError)
"""What is raised by a line or row that no export of radtui holds."""


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
    """A whole number that a database can hold. Raises as `value_of`."""
    number = int(value_of(row, name, int))
    _within(name, number, -_MOST, _MOST)
    return number


def maybe_whole(row: Mapping[str, Any], name: str) -> int | None:
    """As `whole`, or None where there is none."""
    return None if row.get(name) is None else whole(row, name)


def plain_text(row: Mapping[str, Any], name: str) -> str:
    """A text that UTF-8 can hold. Raises as `value_of`."""
    text = str(value_of(row, name, str))
    text.encode("utf-8")  # half of a surrogate pair is a ValueError
    return text


def seconds(row: Mapping[str, Any], name: str) -> float:
    """A time, s. Raises as `value_of`, or ValueError for one that no clock shows."""
    value = float(value_of(row, name, (int, float)))
    _be_time(name, value)
    return value


def texts_by(row: Any) -> dict[str, str]:
    """Texts by arm. Raises as `plain_text`, or ValueError for anything else."""
    if not isinstance(row, dict):
        raise ValueError("there are no texts by arm")
    return {str(arm): plain_text(row, arm) for arm in row}


def sound(rating: Rating, arms: Collection[str]) -> Rating:
    """The rating itself, when each of its answers is one that somebody can have given.

    Raises:
        ValueError: One is not; says which.
    """
    if rating.preference is not None:
        _within("preference", rating.preference, -2, 2)
    if rating.occasion not in (0, 1):
        raise ValueError(f"occasion {rating.occasion} is neither 0 nor 1")
    _within("pair", rating.pair, 0, _MOST_PAIRS)
    if not rating.rater.strip():
        raise ValueError("it names no rater")
    if rating.later_arm not in arms or rating.earlier_arm not in (*arms, "") or len({*rating.shown}) < 2:
        raise ValueError(f"{rating.earlier_arm!r} and {rating.later_arm!r} are no two of {', '.join(arms)}")
    for key, value in rating.answers.items():
        about = parse_answer(key)
        if about is None and not key.startswith(DIMENSION):
            raise ValueError(f"{key!r} is no question")
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
        _be_time(name, getattr(rating, name))
    return rating


def _be_time(name: str, value_s: float) -> None:
    if not math.isfinite(value_s) or not 0 <= value_s <= _LAST_S:
        raise ValueError(f"{name} is {value_s}")


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: {value} is not within {low} to {high}")
