"""One text in a frame: scrolled when it is long, and never taken for markup."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class TextBox(VerticalScroll, can_focus=False):
    """A titled frame around plain text.

    Args:
        id: CSS id.
    """

    DEFAULT_CSS = """
    TextBox {
        border: round $faint; border-title-color: $foreground; border-title-style: bold;
        border-subtitle-color: $muted; padding: 0 1; scrollbar-size-vertical: 1;
    }
    TextBox.-chosen { border: round $accent; border-title-color: $accent; }
    TextBox > Static { width: 1fr; height: auto; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = Static("", markup=False)
        self._note = ""

    def compose(self) -> ComposeResult:
        """The text."""
        yield self._text

    def show(self, title: str, text: str, *, note: str = "", chosen: bool = False) -> None:
        """Show a text from its beginning.

        Args:
            title: In the frame.
            text: Already harmless to a terminal.
            note: In the frame below, such as a number of words.
            chosen: Whether the frame is lit.
        """
        content = Content(text) if text else Content.styled("(nothing was written)", "$muted")
        self.border_title = Content(title).markup
        self.set_class(chosen, "-chosen")
        rows = content.get_height({}, max(1, self._text.size.width))
        self._note = note
        # A layout costs more than all the rest of a key, so it is asked for only when the height changes.
        self._text.update(content, layout=rows != self._text.size.height)
        self.scroll_home(animate=False)
        self._say_more(rows)
        self.call_after_refresh(self._say_more)

    def scroll_by(self, rows: int) -> None:
        """Scroll, when there is more than fits."""
        self.scroll_relative(y=rows, animate=False)
        self.call_after_refresh(self._say_more)

    def on_resize(self, event: events.Resize) -> None:
        """Another size may hide or show the end."""
        del event
        self.call_after_refresh(self._say_more)

    def _say_more(self, rows: int | None = None) -> None:
        """A word in the frame while some of the text is out of sight below; `rows` before they are laid out."""
        hidden = self.max_scroll_y - self.scroll_offset.y if rows is None else rows - self.size.height
        subtitle = Content("↓ more" if hidden > 0 else self._note).markup
        if subtitle != self.border_subtitle:
            self.border_subtitle = subtitle
