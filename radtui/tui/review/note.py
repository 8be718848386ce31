"""The sheet for a note: letters typed here rate nothing, and nothing typed is ever lost."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import TextArea

from radtui.study import edits
from radtui.study.session import ReviewSession
from radtui.tui.key_uses import bindings
from radtui.tui.review.reviewing import Reviewing
from radtui.tui.screens.base import RadModal


class NoteSheet(RadModal[str]):
    """Write a note; dismissed with its text, which is kept whichever way it is closed."""

    CSS_PATH = "note.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("note", priority=True)

    def __init__(self, note: str) -> None:
        super().__init__()
        self._note = note

    def compose_sheet(self) -> ComposeResult:
        """A text area in a sheet."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "Note on this pair"
            yield TextArea(self._note, soft_wrap=True, show_line_numbers=False)

    def on_mount(self) -> None:
        """Type on at the end."""
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)

    def action_done(self) -> None:
        """Close with what is written."""
        self.dismiss(self.query_one(TextArea).text.strip())


def open_note(reviewing: Reviewing, session: ReviewSession) -> None:
    """Write a note on the pair on show."""
    shown = session.shown()
    before = shown.rating.note if shown is not None and shown.rating is not None else ""

    def keep(note: str | None) -> None:
        if note is not None and note != before and reviewing.session is not None:
            reviewing.session.answer(lambda rating: edits.noted(rating, note), judges=False)
            reviewing.last = "note"

    def refused(note: str | None) -> None:
        reviewing.open_sheet(NoteSheet(note or ""), keep, refused)  # what was typed is not lost

    reviewing.open_sheet(NoteSheet(before), keep, refused)
