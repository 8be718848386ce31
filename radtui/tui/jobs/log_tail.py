"""The end of a job's log."""

from __future__ import annotations

from collections.abc import Sequence

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class LogTail(VerticalScroll):
    """Lines of a log; follows the end until the user scrolls up."""

    DEFAULT_CSS = """
    LogTail { scrollbar-size-vertical: 1; padding: 0 1; }
    LogTail Static { width: 1fr; color: $muted; }
    """

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._text = Static("", markup=False)

    def compose(self):  # type: ignore[no-untyped-def]  # ComposeResult of one widget
        """The lines."""
        yield self._text

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines."""
        at_end = self.is_vertical_scroll_end
        # Content of plain text: a log's brackets are no markup, and its control characters are no commands.
        text = "\n".join("".join(c if c.isprintable() else " " for c in line.expandtabs(4)) for line in lines)
        self._text.update(Content(text or "The log is empty so far."))
        if at_end:
            self.scroll_end(animate=False)
