"""A few lines to begin with, in a box."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static

from radtui.tui.screens.base import RadModal


class GuideScreen(RadModal[None]):
    """Says something; any key closes it, and one that leads to a screen or to help does so at once.

    Other keys only close it: one pressed at random is not to leave the app or to stop a job.
    """

    DEFAULT_CSS = "GuideScreen .sheet, GuideScreen Static { width: auto; }"

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose_sheet(self) -> ComposeResult:
        """The text."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "radtui"
            sheet.border_subtitle = "any key closes this"
            yield Static(self._text, markup=False)

    async def on_click(self, event: events.Click) -> None:
        """Close wherever it is clicked."""
        event.stop()
        self.dismiss()

    def on_key(self, event: events.Key) -> None:
        """Close, and go where the key leads."""
        event.stop()
        self.dismiss()
        app = self.app
        bound = [
            binding for binding in app.BINDINGS if isinstance(binding, Binding) and binding.action != "quit"
        ]
        if event.key in [key for binding in bound for key in binding.key.split(",")]:
            app.call_later(app.simulate_key, event.key)
