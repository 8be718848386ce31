"""One question before something that cannot be taken back."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from radtui.tui.key_uses import bindings
from radtui.tui.keys import sign
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.answer_keys import AnswerKeys


class ConfirmScreen(RadModal[bool]):
    """A question; enter says yes, everything that closes says no."""

    DEFAULT_CSS = """
    ConfirmScreen .sheet { width: 64; padding: 1 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("confirm")

    def __init__(self, question: str, explanation: str, yes: str) -> None:
        super().__init__()
        self._question, self._explanation, self._yes = question, explanation, yes

    def compose_sheet(self) -> ComposeResult:
        """The question, what follows from it, and the keys."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = Content(self._question).markup
            yield Static(self._explanation, markup=False)
            yield AnswerKeys(
                (sign("take"), self._yes, "answer(True)"), (sign("back"), "leave it", "answer(False)")
            )

    def action_answer(self, yes: bool) -> None:
        """Answer."""
        self.dismiss(yes)
