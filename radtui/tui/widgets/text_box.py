"""One text in a frame: scrolled when it is long, and never taken for markup."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.widget import Widget

from radtui.plural import many

WHEEL_ROWS = 2


class TextBox(Widget, can_focus=False):
    """A titled frame around plain text.

    One widget that scrolls by itself: a child in a scrolled container would be laid out, and then drawn, once more
    for each text of another height.

    Args:
        id: CSS id.
    """

    DEFAULT_CSS = """
    TextBox {
        border: round $faint; border-title-color: $foreground; border-title-style: bold;
        border-subtitle-color: $muted; padding: 0 1; height: auto;
    }
    TextBox.-chosen { border: round $accent; border-title-color: $accent; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text = self._title = self._note = ""
        self.top = 0  # the first row in sight
        self._rows: list[Content] = []
        self._rows_of: tuple[str, int] = ("", 0)

    def show(self, title: str, text: str, *, note: str = "", chosen: bool = False) -> None:
        """Show a text, from its beginning when it is another one.

        Args:
            title: In the frame.
            text: Already harmless to a terminal.
            note: In the frame below, such as a number of words.
            chosen: Whether the frame is lit.
        """
        self.set_class(chosen, "-chosen")
        if (title, text, note) == (self._title, self.text, self._note):
            return
        before = len(self.rows(self.content_size.width))
        if text != self.text:
            self.text, self.top = text, 0
        self._title, self._note = title, note
        self.border_title = Content(title).markup
        # A layout costs more than all the rest of a key, so it is asked for only when the height changes.
        same = self.styles.height is None or not self.styles.height.is_auto
        self.refresh(layout=not same and len(self.rows(self.content_size.width)) != before)
        self._say_more()

    def rows(self, width_cells: int) -> list[Content]:
        """The text wrapped to a width."""
        made_of = (self.text, width_cells)
        if made_of != self._rows_of:
            content = Content(self.text) if self.text else Content.styled("(nothing was written)", "$muted")
            self._rows, self._rows_of = content.wrap(max(1, width_cells)), made_of
        return self._rows

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many rows as the text needs at a width."""
        del container, viewport
        return len(self.rows(width))

    def render(self) -> Content:
        """The rows in sight."""
        width, height = self.content_size
        return Content("\n").join(self.rows(width)[self.top : self.top + height])

    def scroll_by(self, rows: int) -> None:
        """Scroll, when there is more than fits."""
        width, height = self.content_size
        top = max(0, min(self.top + rows, len(self.rows(width)) - height))
        if top != self.top:
            self.top = top
            self.refresh()
            self._say_more()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Towards the end."""
        event.stop()
        self.scroll_by(WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Towards the beginning."""
        event.stop()
        self.scroll_by(-WHEEL_ROWS)

    def on_resize(self, event: events.Resize) -> None:
        """Another size may hide or show the end."""
        del event
        self.scroll_by(0)
        self._say_more()

    def _say_more(self) -> None:
        """What is out of sight, in the frame; the note where nothing is."""
        width, height = self.content_size
        below = len(self.rows(width)) - height - self.top if height else 0
        hints = [f"↑ {self.top}"] if self.top > 0 else []
        hints += [f"↓ {many(below, 'more line')}"] if below > 0 else []
        subtitle = Content(" · ".join(hints) or self._note).markup
        if subtitle != self.border_subtitle:
            self.border_subtitle = subtitle
