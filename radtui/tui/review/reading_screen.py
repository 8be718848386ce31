"""One arm's texts, one after the other: read, corrected or taken as they are, and the next."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.widgets import Static

from radtui.durations import clock_text
from radtui.measures.scheme import Scheme
from radtui.measures.word_changes import words_changed
from radtui.records import Study
from radtui.store.blobs import image_bytes
from radtui.store.place import FolderGoneError
from radtui.study.figures import figures_words, reading_figures
from radtui.study.reading import OpenText, Reading
from radtui.study.study import label_of
from radtui.tui.key_uses import bindings
from radtui.tui.keys import sign
from radtui.tui.review.correct_sheet import CorrectSheet
from radtui.tui.review.text_box import TextBox
from radtui.tui.screens.base import RadScreen
from radtui.tui.widgets.image_view import ImageView

NOT_SAVED = (sqlite3.Error, FolderGoneError)
KEYS = (
    f"{sign('accept')} accept · {sign('correct')} correct · space skip · u undo · ← → others · tab the image"
    " · esc the comparisons"
)


class ReadingScreen(RadScreen):
    """Read, correct, next; whose texts they are is said, so nothing here is blind.

    Args:
        study: The study.
        arm: Whose texts are read.
        scheme: What answers are kept under.
    """

    TAB = "review"
    CSS_PATH = "reading.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = bindings("reading")

    def __init__(self, study: Study, arm: str, scheme: Scheme) -> None:
        super().__init__()
        self._study, self._arm, self._scheme = study, arm, scheme
        self.reading: Reading | None = None
        self.message = ""
        self._drawn: int | None = None

    def compose_body(self) -> ComposeResult:
        """The image, the text and what the reader made of it."""
        with Vertical(classes="body"):
            yield Static("", id="line", markup=False)
            with Grid(id="sheet"):
                yield ImageView(empty="")
                with Vertical(id="texts"):
                    yield TextBox("text")
                    yield TextBox("original")
                    yield TextBox("known")
            yield Static("", id="message", markup=False)
            yield Static(KEYS, id="keys", markup=False)

    def on_mount(self) -> None:
        """Open the text where this reader stopped."""
        self.reading = Reading(self.rad.db, self._study, self._arm, self.rad.rater, self._scheme)
        if self.reading.start() is None:
            self.message = f"There is no text of {self._arm} to read yet. Press esc to go back."
        elif self.reading.queue.next_unrated() is None:
            self._end()
        self.draw()

    def draw(self) -> None:
        """Show the text on show, how far along one is, and what was said last."""
        reading = self.reading
        opened = reading.open if reading is not None else None
        self.query_one("#message", Static).update(self.message)
        if reading is None or opened is None:
            return
        progress = reading.queue.progress()
        pace = f"  ·  {clock_text(progress.pace_s)} a text" if progress.pace_s else ""
        line = f" Text {opened.place}  ·  {progress.rated}/{progress.total} read{pace}  ·  {label_of(self._study)}"
        self.query_one("#line", Static).update(
            Content.assemble(line, (f"  {self._arm}, not blind", "bold $warning"))
        )
        changed = words_changed(opened.written, opened.text)
        note = f"{changed} words changed" if changed else "accepted" if opened.read else "not read yet"
        if opened.rating is not None and opened.rating.skipped:
            note = "skipped"
        self.query_one("#text", TextBox).show(f"Text of {self._arm}", opened.text, note=note)
        original, known = self.query_one("#original", TextBox), self.query_one("#known", TextBox)
        original.display, known.display = bool(changed), bool(opened.reference)
        original.show("As the model wrote it", opened.written)
        known.show("Reference", opened.reference)
        self._draw_image(opened)

    def _draw_image(self, opened: OpenText) -> None:
        if opened.case.id == self._drawn:
            return
        self._drawn = opened.case.id
        view, image = self.query_one(ImageView), opened.case.shown
        if error := opened.case.error or image.error:
            view.clear(f"This image cannot be read: {error}")
        else:
            view.show(image.sha256, partial(image_bytes, self.rad.data, image.sha256))

    def _answered(self, said: str) -> None:
        """Say what was saved and show the next text."""
        self.message = f"Saved: {said} · u takes it back"
        if self.reading is not None and self.reading.next_unread() is None:
            self._end()
        self.draw()

    def _end(self) -> None:
        figures = reading_figures(self.rad.db, self._study, self.rad.rater).get(self._arm)
        said = f" {figures_words(figures)}" if figures is not None else ""
        self.message = f"All texts of {self._arm} are read.{said}"

    def _unsaved(self, error: Exception) -> None:
        self.message = "Not saved. Press the key again when the database can be written."
        self.notify(
            f"{self.rad.data.database} was not written: {error}.", title="Not saved", severity="error"
        )
        self.draw()

    def action_accept(self) -> None:
        """Take the text as it is."""
        self._keep(lambda reading: reading.accept(), "accepted as it is")

    def action_skip(self) -> None:
        """Skip the text."""
        self._keep(lambda reading: reading.skip(), "skipped")

    def _keep(self, answer: object, said: str) -> None:
        assert callable(answer)
        reading = self.reading
        if reading is None or reading.open is None:
            return
        reading.time.touch()
        try:
            answer(reading)
        except NOT_SAVED as error:
            self._unsaved(error)
        else:
            self._answered(said)

    def action_correct(self) -> None:
        """Open the text in an editor."""
        reading = self.reading
        opened = reading.open if reading is not None else None
        if reading is not None and opened is not None:
            reading.time.touch()
            self._edit(opened, opened.text)

    def _edit(self, opened: OpenText, text: str) -> None:
        def keep(left: str | None) -> None:
            reading = self.reading
            if left is None or reading is None:
                return
            count = words_changed(opened.written, left)
            said = f"{count} word{'' if count == 1 else 's'} changed" if count else "accepted as it is"
            reading.time.touch()
            try:
                reading.leave(left)
            except NOT_SAVED as error:
                self._unsaved(error)
                self._edit(opened, left)  # what was typed is not lost
            else:
                self._answered(said)

        self.app.push_screen(CorrectSheet(f"Text of {self._arm}", opened.written, text), keep)

    def action_undo(self) -> None:
        """Take back the last answer."""
        if self.reading is not None:
            self.message = (
                "Taken back." if self.reading.undo() is not None else "There is nothing to take back."
            )
            self.draw()

    def action_step(self, by: int) -> None:
        """Show a neighbour."""
        if self.reading is not None:
            self.message = ""
            self.reading.step(by)
            self.draw()

    def action_next(self) -> None:
        """Show the next text without an answer."""
        if self.reading is not None and self.reading.next_unread() is None:
            self._end()
        self.draw()

    def action_back(self) -> None:
        """From the image to the text; then back to the comparisons."""
        if self.focused is not None:
            self.set_focus(None)
            return
        if self.reading is not None:
            self.reading.time.pause()
        self.dismiss()
