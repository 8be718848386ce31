"""The ask screen: an image, what base and tuned model say of it as they write, and what was asked before."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from radtui.ask_settings import AskSettings
from radtui.harmless import visible
from radtui.paths import DataDir
from radtui.records import Case, Job, JobKind, JobState, UserError
from radtui.settings import INSTRUCTION
from radtui.store import asks, jobs
from radtui.store.asks import Ask
from radtui.store.blobs import image_bytes
from radtui.tui.ask.ask_words import earlier_lines, note_of, said_text, title_of, waiting_text
from radtui.tui.ask.question_line import QuestionLine
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadScreen
from radtui.tui.snapshot import Snapshot
from radtui.tui.widgets.image_view import ImageView
from radtui.tui.widgets.text_box import TextBox

FOLLOWS = "ask"
FAR_ROWS = 10**6
PAGE_ROWS = 8
ARMS = ("base", "tuned")
COLUMNS = [(0, "-narrow"), (100, "-medium"), (150, "-wide")]  # from which a class is set
ROWS = [(0, "-short"), (34, "-tall"), (48, "-high")]


class AskScreen(RadScreen):
    """Ask about one case; what it has been asked before with the newest model is shown, not asked again.

    Args:
        case: One that can be read.
    """

    CSS_PATH = "ask.tcss"
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = COLUMNS
    VERTICAL_BREAKPOINTS = ROWS
    BINDINGS: ClassVar[list[BindingType]] = bindings("ask")

    @dataclass
    class Handed(Message):
        """A worker has the question, or it could not be asked: `refusal` is one sentence then."""

        job_id: int = 0
        number: int = 0
        refusal: str = ""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self._case = case
        self._images = tuple(image.sha256 for image in case.images if not image.error)
        self._at = 0  # which of them is on show
        self._trained: list[Job] = []  # training jobs that can be asked, newest first
        self._model = 0  # which of them is asked
        self._earlier: list[Ask] = []
        self._shown: Ask | None = None
        self._refusal = ""

    def compose_body(self) -> ComposeResult:
        """Image, both texts, the question, and earlier questions."""
        with Vertical(classes="body"):
            yield Static("", id="line", markup=False)
            with Horizontal(id="sheet"):
                yield ImageView(empty="")
                with Horizontal(id="both"):
                    yield from (TextBox(arm) for arm in ARMS)
            with Horizontal(id="asking"):
                yield Static("Question")
                yield QuestionLine()
            yield Static("", id="said")
            yield Static("", id="earlier")

    def on_mount(self) -> None:
        """Show what was asked before; with a model that was not asked yet, ask at once."""
        self._trained = [job for job in jobs.all_jobs(self.rad.db) if _can_be_asked(self.rad.data, job)]
        self.action_view(0)
        self._earlier = asks.of_images(self.rad.db, self._images)
        newest = self._trained[0] if self._trained else None
        question = _usual_question(self._case, newest)
        self.query_one(QuestionLine).show(question)
        model = f"job {newest.id}" if newest is not None else ""
        same = (ask for ask in self._earlier if (ask.model, ask.question, ask.error) == (model, question, ""))
        known = next(same, None)
        if known is not None:
            self._show(known)
        elif self._trained:
            self.action_again()
        elif self._earlier:
            self._show(self._earlier[0])
        else:
            self._draw()

    def _show(self, ask: Ask) -> None:
        self._shown, self._refusal = ask, ""
        self.query_one(QuestionLine).show(ask.question)
        if ask.waits:
            self.rad.poller.follow(FOLLOWS, ask.job_id, metrics=True, quick=True)
        self._draw()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show what has come of the answer."""
        before = self._shown
        if before is None or not before.waits or snapshot.trouble:
            return
        self._shown = asks.get(self.rad.db, before.job_id, before.number) or before
        if not self._shown.waits:
            self.rad.poller.unfollow(FOLLOWS)
            self._earlier = asks.of_images(self.rad.db, self._images)
        self._draw()

    def _draw(self) -> None:
        """Everything but the image."""
        ask = self._shown
        several = f" · image {self._at + 1} of {len(self._images)}" if len(self._images) > 1 else ""
        about = visible(self._case.source_key)
        self.query_one("#line", Static).update(f" {about}{several} · not for clinical use")
        job = jobs.get(self.rad.db, ask.job_id) if ask is not None and ask.waits else None
        for arm in ARMS:
            box = self.query_one(f"#{arm}", TextBox)
            box.display = ask is None or arm in ask.arms
            answer = ask.answers.get(arm) if ask is not None else None
            text = visible(answer.text) if answer is not None else waiting_text(ask, arm, job)
            box.show(title_of(ask, arm), text, note=note_of(ask, arm))
            if answer is not None and not answer.whole:
                box.scroll_by(FAR_ROWS)  # the newest words are in sight
        model = f"job {self._trained[self._model].id}" if self._trained else ""
        self.query_one("#said", Static).update(said_text(ask, self._refusal, model, len(self._trained)))
        room = self.query_one("#earlier", Static).size.height or 3
        self.query_one("#earlier", Static).update(Content("\n").join(earlier_lines(self._earlier, ask, room)))
        self.refresh_bindings()

    def on_resize(self) -> None:
        """Another height has room for more of the earlier questions."""
        if self.is_mounted:
            self.call_after_refresh(self._draw)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not shown."""
        works = {
            "edit": bool(self._trained), "again": bool(self._trained) and not (self._shown and self._shown.waits),
            "model": len(self._trained) > 1, "choose": bool(self._earlier), "copy": self._shown is not None,
            "view": len(self._images) > 1,
        }  # fmt: skip
        return works.get(action, True)

    def action_edit(self) -> None:
        """Type another question."""
        self.query_one(QuestionLine).edit()

    @on(QuestionLine.Left)
    @on(QuestionLine.Asked)
    def _leave_line(self, event: QuestionLine.Left | QuestionLine.Asked) -> None:
        self.set_focus(None)
        if isinstance(event, QuestionLine.Asked):
            self._ask(event.question)

    def action_again(self) -> None:
        """Ask the question that stands in the line."""
        self._ask(self.query_one(QuestionLine).value)

    def action_model(self) -> None:
        """Ask another training job from now on, the same question at once."""
        self._model = (self._model + 1) % len(self._trained)
        self._ask(self.query_one(QuestionLine).value)

    def action_choose(self, by: int) -> None:
        """Show another earlier question."""
        places = [(ask.job_id, ask.number) for ask in self._earlier]
        now = (self._shown.job_id, self._shown.number) if self._shown is not None else (0, 0)
        at = places.index(now) + by if now in places else 0
        if 0 <= at < len(places):
            self._show(self._earlier[at])

    def action_view(self, by: int) -> None:
        """Show the next image of the case; the question is about all of them."""
        self._at = (self._at + by) % len(self._images)
        sha256 = self._images[self._at]
        self.query_one(ImageView).show(sha256, partial(image_bytes, self.rad.data, sha256))
        self._draw()

    def action_film(self) -> None:
        """Show the image over the whole screen."""
        from radtui.tui.screens.film import FilmScreen

        view = self.query_one(ImageView)
        film = FilmScreen.of_case(
            self._case, partial(image_bytes, self.rad.data), self._images[self._at], view.canvas.look
        )
        self.app.push_screen(film)

    def action_page(self, by: int) -> None:
        """Scroll both texts."""
        for box in self.query(TextBox):
            box.scroll_by(by * PAGE_ROWS)

    def action_copy(self) -> None:
        """Copy the question with its answers."""
        if self._shown is not None:
            texts = [f"{arm}: {answer.text}" for arm, answer in self._shown.answers.items()]
            self.rad.copy("\n\n".join([self._shown.question, *texts]), "the question and its answers")

    def action_back(self) -> None:
        """From the image to the texts; then back to where the image was."""
        if self.focused is not None:
            self.set_focus(None)
            return
        self.rad.poller.unfollow(FOLLOWS)
        self.dismiss()

    @work(thread=True, group="ask", exit_on_error=False)
    def _ask(self, question: str) -> None:
        """Hand the question to a worker, which may have to be started."""
        if not self._trained:
            return
        from radtui.jobs.ask import of_case, submit_ask

        settings = AskSettings(train_job=self._trained[self._model].id)

        def submit(db: sqlite3.Connection) -> tuple[int, int]:
            return submit_ask(self.rad.data, db, of_case(self._case), settings, question)

        try:
            handed = self.Handed(*self.rad.write(submit))
        except UserError as error:
            handed = self.Handed(refusal=str(error))
        self.post_message(handed)

    @on(Handed)
    def _follow(self, event: Handed) -> None:
        if event.refusal:
            self._refusal = event.refusal
            self._draw()
            return
        self._earlier = asks.of_images(self.rad.db, self._images)
        ask = asks.get(self.rad.db, event.job_id, event.number)
        if ask is not None:
            self._show(ask)
        self.rad.poller.nudge()


def _can_be_asked(data: DataDir, job: Job) -> bool:
    trained = job.kind is JobKind.TRAIN and job.state is JobState.DONE
    return trained and (data.adapter(job.id) / "adapter_config.json").exists()


def _usual_question(case: Case, newest: Job | None) -> str:
    """The case's own, else what the newest model was trained with."""
    instruction = newest.settings.get("instruction") if newest is not None else ""
    return case.question or str(instruction or INSTRUCTION)
