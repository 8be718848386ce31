"""The screens by name, imported when they are first shown: with what they draw they cost more than the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen


def _data() -> Screen[None]:
    from radtui.tui.data.screen import DataScreen

    return DataScreen()


def _train() -> Screen[None]:
    from radtui.tui.train.screen import TrainScreen

    return TrainScreen()


def _review() -> Screen[None]:
    from radtui.tui.review.screen import ReviewScreen

    return ReviewScreen()


def _jobs() -> Screen[None]:
    from radtui.tui.jobs.screen import JobsScreen

    return JobsScreen()


def _welcome() -> Screen[None]:
    from radtui.tui.screens.welcome import WelcomeScreen

    return WelcomeScreen()


MODES: dict[str, str | Callable[[], Screen[Any]]] = {
    "welcome": _welcome, "data": _data, "train": _train, "review": _review, "jobs": _jobs,
}  # fmt: skip
