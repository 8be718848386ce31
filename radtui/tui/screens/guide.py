"""A few lines to begin with, in a box."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from radtui.tui.screens.base import RadModal


class GuideScreen(RadModal[None]):
    """Says something; any key closes it."""

    DEFAULT_CSS = "GuideScreen .sheet, GuideScreen Static { width: auto; }"

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The text."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "radtui"
            sheet.border_subtitle = "any key closes this"
            yield Static(self._text, markup=False)

    def on_key(self, event: events.Key) -> None:
        """Close."""
        event.stop()
        self.dismiss()
