"""The line over a list that a search is typed in; it is there only while it holds or takes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from radtui.tui.key_uses import bindings

TYPING_S = 0.12  # after the last letter, before the search is made


class SearchLine(Input):
    """Words to search for; posts `Searched` when typing rests, and `Left` when the keys are to go to the list."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("search")

    @dataclass
    class Searched(Message):
        """Other words are to be searched for; none when `words` is empty."""

        words: str

    class Left(Message):
        """The line needs the keys no more."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True)
        self.display = False
        self._typing: Timer | None = None

    def open(self) -> None:
        """Take the keys."""
        self.display = True
        self.focus()

    def forget(self) -> None:
        """Search for nothing, out of sight."""
        self.value, self.display = "", False

    def action_keep(self) -> None:
        """Leave for what was found."""
        self.display = bool(self.value)
        self.post_message(self.Left())

    def action_clear(self) -> None:
        """Forget the search and leave."""
        self.forget()
        self.post_message(self.Left())

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(TYPING_S, self._rested)

    def _rested(self) -> None:
        self.post_message(self.Searched(self.value))
