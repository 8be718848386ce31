"""One arm's texts, one after the other: read, corrected or taken as they are, and the next."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
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
from radtui.plural import many
from radtui.records import Study, UserError
from radtui.store import studies
from radtui.store.blobs import image_bytes
from radtui.study.queue import Pair
from radtui.study.reading import OpenText, Reading
from radtui.study.study import label_of
from radtui.tui.key_uses import bindings
from radtui.tui.review.answer_queue import AnswerQueue, Rescue
from radtui.tui.review.correct_sheet import CorrectSheet
from radtui.tui.review.reading_desk import ReadingDesk
from radtui.tui.review.seeing import show_film
from radtui.tui.screens.base import RadScreen
from radtui.tui.snapshot import Snapshot
from radtui.tui.widgets.case_images import CaseImages
from radtui.tui.widgets.text_box import TextBox


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
        self._drawn: int | None = None
        self._shown: Pair | None = None
        # All that is done to the texts goes through it, in its order.
        self.answers = self.saving = AnswerQueue(
            lambda before: self.rad.own_database(before),  # noqa: PLW0108 - there is no app yet
            partial(self.run_worker, group="answers"),
            self.acted,
            self.draw,
            Rescue(lambda: self.rad.unsaved, lambda: self.desk.rescued()),  # noqa: PLW0108 - there is none yet
        )

    def compose_body(self) -> ComposeResult:
        """The image, the text and what the reader made of it."""
        with Vertical(classes="body"):
            yield Static("", id="line", markup=False)
            with Grid(id="sheet"):
                yield CaseImages()
                with Vertical(id="texts"):
                    yield TextBox("text")
                    yield TextBox("original")
                    yield TextBox("known")
            yield Static("", id="message", markup=False)

    def on_mount(self) -> None:
        """Open the text where this reader stopped."""
        rad = self.rad
        self.desk = ReadingDesk(self.answers, self._study, self._arm, rad.rater, self._scheme, rad.unsaved)
        self.answers.add(self.desk.begin)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Read anew where the data folder has come back; the comparisons under this screen put in what was kept."""
        if not snapshot.trouble and not self.answers.count and self.desk.is_outdated:
            self.answers.add(lambda: self.desk.begin(self._shown))

    def draw(self) -> None:
        """Show the text on show, how far along one is, and what was said last."""
        reading = None if self.answers.under_way else self.desk.reading
        opened = reading.open if reading is not None else None
        self.query_one("#message", Static).update(self.answers.words or self.desk.message)
        if reading is None or opened is None:
            return
        self._shown = reading.pair
        progress = reading.queue.progress()
        pace = f"  ·  {clock_text(progress.pace_s)} a text" if progress.pace_s else ""
        line = f" Text {opened.place}  ·  {progress.rated}/{progress.total} read{pace}  ·  "
        blind = (f"{self._arm}, not blind", "bold $warning")
        self.query_one("#line", Static).update(Content.assemble(line, blind, f"  ·  {label_of(self._study)}"))
        changed = words_changed(opened.written, opened.text)
        note = (
            f"{many(changed, 'word')} changed" if changed else "accepted" if opened.read else "not read yet"
        )
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
        self.query_one(CaseImages).show_case(opened.case, partial(image_bytes, self.rad.data))
        self.refresh_bindings()

    async def acted(self, error: Exception | None) -> None:
        """Show what became of a key; where nothing of it was saved, say so and go back to what is."""
        if error is not None:
            with suppress(sqlite3.Error, UserError):  # a text that has been shown is opened without writing
                self.desk.begin(self._shown)
            self.desk.message = "Not saved. Press the key again when the database can be written."
            self.notify(
                f"{self.rad.data.database} was not written: {error}.", title="Not saved", severity="error"
            )
        self.draw()

    async def action_accept(self) -> None:
        """Take the text as it is."""
        await self.answers.do(lambda: self.desk.keep(Reading.accept, "accepted as it is"))

    async def action_skip(self) -> None:
        """Skip the text."""
        await self.answers.do(lambda: self.desk.keep(Reading.skip, "skipped"))

    async def action_correct(self) -> None:
        """Open the text in an editor."""
        await self.answers.do(self._open_editor)

    def _open_editor(self) -> None:
        opened = self.desk.touched()
        if opened is not None:
            self._edit(opened, opened.text)

    def _edit(self, opened: OpenText, text: str) -> None:
        def keep(left: str | None) -> None:
            if left is not None:  # where it cannot be saved, what was typed is not lost
                self.answers.add(
                    lambda: self.desk.leave(opened, left), failed=lambda: self._edit(opened, left)
                )

        self.app.push_screen(CorrectSheet(f"Text of {self._arm}", opened.written, text), keep)

    def action_film(self) -> None:
        """Show the image over the whole screen; time runs on, as the text is read by it."""
        opened = self.desk.touched()
        if opened is not None:
            show_film(self, opened.case)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One image has no next one."""
        return action != "view" or self.query_one(CaseImages).several

    def action_view(self, by: int) -> None:
        """Show the next image of the case, and after the last the first."""
        self.desk.touched()
        self.query_one(CaseImages).turn(by)

    async def action_undo(self) -> None:
        """Take back the last answer."""
        await self.answers.do(self.desk.undo)

    async def action_step(self, by: int) -> None:
        """Show a neighbour."""
        await self.answers.do(lambda: self.desk.step(by))

    async def action_next(self) -> None:
        """Show the next text without an answer."""
        await self.answers.do(self.desk.next_unread)

    def action_learn(self) -> None:
        """Go to the form that learns these texts, once all is saved; the comparisons are under this screen."""
        if not self.answers.count:
            self.desk.pause()
            self.dismiss()
            self.rad.learn_corrections(studies.adapter_job(self.rad.db, self._study, self._arm) or 0)

    def action_back(self) -> None:
        """From the image to the text; then back to the comparisons, once all is saved."""
        if self.focused is not None:
            self.set_focus(None)
        elif not self.answers.count:
            self.desk.pause()
            self.dismiss()
