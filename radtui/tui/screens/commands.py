"""Textual's list of commands by name, with its own keys in the line below instead of those of the screen under it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.command import CommandPalette
from textual.content import Content
from textual.widgets import Static

from radtui.tui.keys import sign

KEYS_HERE = (
    ("back", "Close"),
    ("down", "To the list"),
    ("take", "Take"),
)  # they are Textual's, so no bar knows them


class Commands(CommandPalette):
    """Everything that a key does now, places, jobs and data sets: typed or walked to."""

    DEFAULT_CSS = """
    Commands > .commands-keys { dock: bottom; height: 1; width: 1fr; background: $surface; visibility: visible; }
    """

    def compose(self) -> ComposeResult:
        """Textual's list, and its keys."""
        yield from super().compose()
        parts = [
            Content.assemble(
                Content.styled(sign(key), "bold $accent"), Content.styled(f" {word}  ", "$muted")
            )
            for key, word in KEYS_HERE
        ]
        yield Static(Content.assemble(" ", *parts), classes="commands-keys")
