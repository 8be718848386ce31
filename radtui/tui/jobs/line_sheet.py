"""A sheet with one line to type in: a job's name, or a note on it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input

from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.typed_line import TypedLine


class LineSheet(RadModal[str | None]):
    """Type a line; dismissed with it, or with None.

    Args:
        title: What is typed.
        text: What stands there already.
        hint: In the empty line.
    """

    DEFAULT_CSS = """
    LineSheet .sheet { width: 76; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("typing")

    def __init__(self, title: str, text: str, hint: str) -> None:
        super().__init__()
        self._title, self._text, self._hint = title, text, hint

    def compose_sheet(self) -> ComposeResult:
        """The line in a box."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = self._title
            yield TypedLine(self._text, placeholder=self._hint, compact=True, select_on_focus=False)

    @on(Input.Submitted)
    def _keep(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip())
