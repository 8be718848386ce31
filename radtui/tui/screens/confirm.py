"""One question before something that cannot be taken back."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from radtui.tui.screens.base import RadModal


class ConfirmScreen(RadModal[bool]):
    """A question, answered by `y` or `n`."""

    DEFAULT_CSS = """
    ConfirmScreen .sheet { width: 64; padding: 1 2; }
    ConfirmScreen .answers { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", tooltip="Do it"),
        Binding("n,escape,q", "answer(False)", "No", tooltip="Leave it"),
    ]

    def __init__(self, question: str, explanation: str, yes: str) -> None:
        super().__init__()
        self._question, self._explanation, self._yes = question, explanation, yes

    def compose(self) -> ComposeResult:
        """The question, what follows from it, and the keys."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = Content(self._question).markup
            yield Static(self._explanation, markup=False)
            yield Static(
                Content.assemble(
                    Content.styled("y", "bold $accent"), f" {self._yes}    ",
                    Content.styled("n", "bold $accent"), " leave it",
                ),
                classes="answers",
            )  # fmt: skip

    def action_answer(self, yes: bool) -> None:
        """Answer."""
        self.dismiss(yes)
