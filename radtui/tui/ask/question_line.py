"""The line that a question is typed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Input

from radtui.tui.key_uses import bindings


class QuestionLine(Input):
    """A question; posts `Asked` when it is taken, and `Left` when the keys are to go back to the screen."""

    DEFAULT_CSS = "QuestionLine { height: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = bindings("field")

    @dataclass
    class Asked(Message):
        """The question is to be asked."""

        question: str

    class Left(Message):
        """The line needs the keys no more."""

    def __init__(self) -> None:
        super().__init__(placeholder="as the model was trained to be asked", compact=True)
        self._before = ""

    def show(self, question: str) -> None:
        """Show a question, unless one is being typed."""
        if not self.has_focus:
            self.value = question

    def edit(self) -> None:
        """Take the keys, the whole question marked: the first letter begins another one."""
        self._before = self.value
        self.focus()
        self.action_select_all()

    def action_give_up(self) -> None:
        """Leave the question as it was."""
        self.value = self._before
        self.post_message(self.Left())

    async def action_submit(self) -> None:
        """Ask."""
        self.post_message(self.Asked(self.value))
