"""Doing something with jobs from a screen: in a thread, which may have to start a process."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from radtui.paths import DataDir
from radtui.tui.aside import aside
from radtui.tui.screens.base import RadScreen

Made = TypeVar("Made")


def submit(
    screen: RadScreen,
    do: Callable[[DataDir, sqlite3.Connection], Made],
    then: Callable[[Made], object] | None = None,
    refused: Callable[[str], object] | None = None,
    create: bool = False,
) -> None:
    """Do something with jobs in a thread, with a connection of its own; then show what came of it.

    Args:
        screen: Where it was asked for.
        do: Returns something, or raises UserError.
        then: Takes what it returned, on the event loop.
        refused: Takes the error's sentence, on the event loop; a notice by default.
        create: Make the data folder where there is none: for imports.
    """
    rad = screen.rad

    def work() -> Made:
        try:
            return rad.write(lambda db: do(rad.data, db), create=create)
        finally:
            rad.poller.nudge()

    def take(made: Made) -> object:
        return then(made) if then is not None else None

    aside(screen, work, take, refused, group="submit", exclusive=False)
