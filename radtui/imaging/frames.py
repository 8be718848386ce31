"""Which frame of many stands for a file: one that shows something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radtui.records import UserError

_CLEAR = 0.02  # of the depth: a frame whose greys spread so far shows something, whatever the others show
_SAMPLES = 12  # frames decoded to choose among, where the first choice shows little
_NEAR_BEST = 0.5  # of the widest spread


def standing(
    frames: int, first_choice: int, decode: Callable[[int], NDArray[Any]]
) -> tuple[int, NDArray[Any]]:
    """Choose the frame that a person or a model is shown first.

    The first and the last frame of a cine or a tomosynthesis are often empty; the one in the middle seldom is.

    Args:
        frames: How many there are, >= 1.
        first_choice: The frame to take when it shows something.
        decode: Returns the values of a frame by its index.

    Returns:
        The index and the values: the first choice, unless its greys hardly differ or it is damaged; then, of some
        frames spread over the file, the one nearest to it whose greys differ at least half as much as the best one's.

    Raises:
        UserError: None of them can be decoded; it is the first choice's.
    """
    trouble: UserError | None = None
    try:
        chosen = decode(first_choice)
        if frames == 1 or shows(chosen) >= _CLEAR:
            return first_choice, chosen
    except UserError as error:
        trouble = error
    indexes = {first_choice, *np.unique(np.linspace(0, frames - 1, _SAMPLES).astype(int)).tolist()}
    spread = {index: shown for index in sorted(indexes) if (shown := _shown(decode, index)) is not None}
    if not spread and trouble is not None:
        raise trouble
    enough = _NEAR_BEST * max(spread.values())
    best = min((index for index in spread if spread[index] >= enough), key=lambda i: abs(i - first_choice))
    return best, decode(best)


def _shown(decode: Callable[[int], NDArray[Any]], index: int) -> float | None:
    try:
        return shows(decode(index))
    except UserError:  # one damaged frame among many is not shown
        return None


def shows(values: NDArray[Any]) -> float:
    """How far the greys of a frame spread: the standard deviation as a share of what its type can hold."""
    sample = values[:: max(1, values.shape[0] // 256), :: max(1, values.shape[1] // 256)]
    whole = float(np.iinfo(values.dtype).max) if values.dtype.kind in "iu" else float(np.ptp(sample)) or 1.0
    return float(np.std(sample.astype(np.float32))) / whole


def note(frame: int, frames: int, noun: str = "frame") -> str:
    """Say which of many stands for a file: "frame 15 of 30, the middle one"; "" where there is only one."""
    if frames <= 1:
        return ""
    place = ""
    if frames > 2 and frame == (frames - 1) // 2:
        place = ", the middle one"
    elif frame == 0:
        place = ", the first"
    return f"{noun} {frame + 1} of {frames:,}{place}"
