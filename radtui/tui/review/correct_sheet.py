"""The sheet in which a text is corrected: typed above, with what was changed against the original below."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static, TextArea

from radtui.measures.word_changes import changes, words_changed
from radtui.plural import many
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal
from radtui.tui.screens.confirm import ConfirmScreen

STYLES = {"same": "$muted", "removed": "$error strike", "added": "bold $success"}


class CorrectSheet(RadModal[str | None]):
    """Correct a text; dismissed with it as it is left, or None when nothing is to be kept.

    Args:
        title: Whose text, as far as that may be seen.
        written: The text as the model wrote it, which changes are shown against.
        text: As the reader left it before; the same as `written` the first time.
        note: What follows from a correction, where that has to be said before; else "".
    """

    CSS_PATH = "correct.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("correct sheet", priority=True)

    def __init__(self, title: str, written: str, text: str, note: str = "") -> None:
        super().__init__()
        self._title, self._written, self._text, self._note = title, written, text, note

    def compose_sheet(self) -> ComposeResult:
        """The editor, the changes, and what follows."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = self._title
            yield TextArea(self._text, soft_wrap=True, show_line_numbers=False)
            yield Static("", id="count", markup=False)
            with VerticalScroll(id="changes", can_focus=False):
                yield Static("", id="words", markup=False)
            if self._note:
                yield Static(self._note, id="note", markup=False)

    def on_mount(self) -> None:
        """Type on at the end."""
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)
        self._show_changes()

    @on(TextArea.Changed)
    def _show_changes(self) -> None:
        text = self.query_one(TextArea).text
        count = words_changed(self._written, text)
        note = "as the model wrote it" if not count else f"{many(count, 'word')} changed"
        self.query_one("#count", Static).update(note)
        parts = [(f"{words} ", STYLES[kind]) for kind, words in changes(self._written, text)]
        self.query_one("#words", Static).update(Content.assemble(*parts))

    def action_save(self) -> None:
        """Close with what is written; nothing at all is no correction."""
        text = self.query_one(TextArea).text.strip()
        if text:
            self.dismiss(text)
        else:
            self.notify(
                "A text without a word is not kept: press esc to leave it as it was.", severity="error"
            )

    def action_leave(self) -> None:
        """Close; where something was typed, ask first."""
        if self.query_one(TextArea).text.split() == self._text.split():
            self.dismiss(None)
            return

        def left(yes: bool | None) -> None:
            if yes:
                self.dismiss(None)

        self.app.push_screen(
            ConfirmScreen("Leave without saving?", "What you have typed is not kept.", "leave"), left
        )
