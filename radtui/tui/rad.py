"""What screens and widgets know of the app they are in; the app knows the screens, and they not it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from textual.dom import DOMNode

from radtui.paths import DataDir
from radtui.records import Job
from radtui.store.place import Connection
from radtui.tui.opening import Opens
from radtui.tui.poll import Poller
from radtui.tui.snapshot import Snapshot
from radtui.user_choices import UserChoices

if TYPE_CHECKING:
    from radtui.study.unsaved import Unsaved

Result = TypeVar("Result")


class Rad(Protocol):
    """The app over one data folder, for one rater.

    Attributes:
        data: The data folder.
        db: The event loop's own connection, for single rows; whatever reads more goes through `read`, in a thread.
        rater: Who rates.
        rater_from_login: Nobody has chosen the rater's name.
        snapshot: What the poller has seen last.
        poller: Looks for what is new.
        opens: What the app was opened for.
        choices: What its user has chosen, now and in earlier sessions.
    """

    data: DataDir
    db: Connection
    rater: str
    rater_from_login: bool
    snapshot: Snapshot
    poller: Poller
    opens: Opens
    choices: UserChoices

    @property
    def unsaved(self) -> Unsaved:
        """What this rater answers while the data folder is gone."""

    def read(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a query on a connection of the calling thread, which writes nothing."""

    def write(self, change: Callable[[sqlite3.Connection], Result], create: bool = False) -> Result:
        """Change something on a connection of the calling thread."""

    def own_database(self, before: Connection | None) -> Connection:
        """A connection of a screen's own, for any thread, one after another; `before` while that is still in place."""

    def remember(self, **choices: object) -> object:
        """Keep choices, fields of `UserChoices`, for the next time."""

    def copy(self, text: str, what: str) -> None:
        """Copy a text to the terminal's clipboard, and say so."""

    def show_job(self, job: Job) -> None:
        """Go to where a job is seen."""

    def new_from(self, job: Job) -> None:
        """Go to the form of a training job, filled with another one's settings."""

    def learn_corrections(self, job_id: int = 0) -> None:
        """Go to the form of a training job, filled with what is proposed for learning corrected texts.

        Args:
            job_id: The training job whose texts they are; 0 takes the newest with enough of them.
        """


def rad_of(node: DOMNode) -> Rad:
    """The app that a widget is in."""
    return cast(Rad, node.app)
