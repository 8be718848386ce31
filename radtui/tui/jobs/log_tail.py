"""The end of a job's log."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from radtui.tui import theme
from radtui.tui.widgets.keyed import KeyedScroll


class LogTail(KeyedScroll):
    """Lines of a log; follows the end until the user scrolls up. Words that are searched for are marked in them."""

    DEFAULT_CSS = """
    LogTail { scrollbar-size-vertical: 1; padding: 0 1; }
    LogTail Static { width: 1fr; color: $muted; }
    """

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._text = Static("", markup=False)
        self._lines: list[str] = []
        self._words = ""
        self._hits: list[int] = []  # lines with the words
        self._hit = 0  # which of them was gone to last

    def compose(self):  # type: ignore[no-untyped-def]  # ComposeResult of one widget
        """The lines."""
        yield self._text

    @property
    def hits(self) -> int:
        """How many lines hold the words that are searched for."""
        return len(self._hits)

    @property
    def place_words(self) -> str:
        """Which hit is in sight: "hit 2 of 7"; "" without a search."""
        if not self._words:
            return ""
        return f"hit {self._hit + 1} of {self.hits}" if self._hits else f"nothing has {self._words!r}"

    def show(self, lines: Sequence[str]) -> None:
        """Show these lines."""
        at_end = self.is_vertical_scroll_end
        # A log's control characters are no commands.
        self._lines = ["".join(c if c.isprintable() else " " for c in line.expandtabs(4)) for line in lines]
        self._draw()
        if at_end and not self._hits:
            self.scroll_end(animate=False)

    def search(self, words: str) -> None:
        """Mark some words wherever they stand, in either case, and go to the last of them."""
        self._words = words.strip()
        self._draw()
        self._hit = max(0, self.hits - 1)
        self.go_to_hit(0)

    def go_to_hit(self, by: int) -> None:
        """Go on by hits, from the last to the first."""
        if self._hits:
            self._hit = (self._hit + by) % self.hits
            above = Content("\n".join(self._lines[: self._hits[self._hit]]))
            rows = above.get_height({}, max(1, self._text.size.width)) if str(above) else 0
            self.scroll_to(y=max(0, rows - self.size.height // 2), animate=False)
            self._draw()

    def _draw(self) -> None:
        """The lines as plain text, whose brackets are no markup."""
        words = self._words.casefold()
        self._hits = [at for at, line in enumerate(self._lines) if words and words in line.casefold()]
        self._hit = min(self._hit, max(0, self.hits - 1))
        text = Content("\n".join(self._lines) or "The log is empty so far.")
        start = 0
        for at, line in enumerate(self._lines):
            column = line.casefold().find(words) if words else -1
            if column >= 0:
                style = theme.LIT if self._hits[self._hit] == at else "bold $accent"
                text = text.stylize(style, start + column, start + column + len(words))
            start += len(line) + 1
        self._text.update(text)
