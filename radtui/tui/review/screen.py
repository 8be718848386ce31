"""The review screen: image and both texts, blind; one key rates, saves and moves on."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingsMap, BindingType
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from radtui.measures.scheme import Scheme
from radtui.records import ArmKind, Job, JobKind, JobState, Study, UserError
from radtui.store import cases, jobs, studies
from radtui.store.blobs import image_bytes
from radtui.study.queue import Pair
from radtui.study.session import ReviewSession, Sitting, read_sitting
from radtui.study.shown import Shown
from radtui.study.study import label_of, scheme_for
from radtui.tui.jobs.job_words import saying
from radtui.tui.key_uses import bindings
from radtui.tui.keys import sign
from radtui.tui.review import correcting
from radtui.tui.review.actions import ReviewActions
from radtui.tui.review.answer_panel import SIDES, AnswerPanel, Asking, key_text
from radtui.tui.review.dialogs import PickSheet, study_lines
from radtui.tui.review.keys import bindings_of
from radtui.tui.review.new_study import NewStudySheet
from radtui.tui.review.rater_line import RaterLine
from radtui.tui.review.review_line import ReviewLine
from radtui.tui.review.text_box import TextBox
from radtui.tui.snapshot import Snapshot
from radtui.tui.widgets.image_facts import finding
from radtui.tui.widgets.image_view import ImageView

PREFETCH_AFTER_S = 0.03  # decoding takes turns with drawing, so it begins when the frame of a key is out
GROW_S = 1.0  # between looks for new pairs while a job writes them
BREAKPOINTS = [(0, "-narrow"), (110, "-medium"), (150, "-wide")]  # columns from which a class is set
FIRST = "One key says which text is better, saves it and shows the next pair."
LOOK_KEYS = "+ - zoom · arrows move · p window · [ ] brightness · = fit · esc the texts"
NOTHING = "Nothing to review yet."
RATER_CELLS = 16  # of a rater's name in the line above the pair
NEW_STUDY = Content.styled("A new study of other arms ...", "$accent")
ROWS = [(0, "-short"), (34, "-tall"), (48, "-high")]


class ReviewScreen(ReviewActions):
    """Rate the pairs of one study."""

    TAB = "review"
    SHOWS = JobKind.GENERATE
    CSS_PATH = "review.tcss"
    AUTO_FOCUS = ""  # keys rate; the image has them only while it is looked at
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS
    VERTICAL_BREAKPOINTS = ROWS
    BINDINGS: ClassVar[list[BindingType]] = bindings("review studies")

    @dataclass
    class Loaded(Message):
        """A thread has read a study's pairs; without a `sitting` nothing can be reviewed: `trouble` says why."""

        sitting: Sitting | None
        trouble: str = ""
        delivered: int = 0  # answers that were kept while the data folder was gone, and are saved now

    @dataclass
    class Grown(Message):
        """A thread has read the order with the pairs that came since."""

        study_id: int
        pairs: list[Pair]

    def __init__(self) -> None:
        super().__init__()
        self.scheme: Scheme | None = None
        self._loading = False
        self._drawn: Pair | None = None
        self._grown_at_s = 0.0
        self._grown_step = -1
        self._again_at_s = 0.0
        self._told_job_id = 0
        self._undelivered = 0  # answers that wait for another folder than this one

    def compose_body(self) -> ComposeResult:
        """The comparison, and what stands in its place while there is none."""
        yield Static("", id="nothing", markup=False)
        with Vertical(id="review", classes="body"):
            yield RaterLine(self.rad.data, self.rad.rater, self.rad.rater_from_login)
            yield ReviewLine()
            with Grid(id="pair"):
                yield ImageView(empty="")
                with Vertical(id="texts"):
                    with Vertical(id="both"):
                        yield TextBox("a")
                        yield TextBox("b")
                    yield TextBox("reference")
                with Vertical(id="answers"):
                    yield AnswerPanel()
                    yield Static("", id="last", markup=False)

    def on_mount(self) -> None:
        """Read the scheme, then the newest study that can be reviewed."""
        self.query_one("#review").display = False
        try:
            self.scheme = scheme_for(self.rad.data)
        except UserError as error:
            self.query_one("#nothing", Static).update(str(error))
            return
        # The scheme is known only now. Its keys come before those of every screen: tab is one of them.
        self._bindings = BindingsMap.merge([BindingsMap(bindings_of(self.scheme)), self._bindings])
        self.load(self.rad.opens.study_id or None)

    def load(self, study_id: int | None) -> None:
        """Open a study's pairs; None takes the newest study that has any."""
        if self.scheme is not None and not self._loading:
            self._loading = True
            self._read(study_id, self.scheme)

    @work(thread=True, group="load")
    def _read(self, study_id: int | None, scheme: Scheme) -> None:
        def read(db: sqlite3.Connection) -> ReviewScreen.Loaded:
            delivered = self.rad.unsaved.deliver(db)
            counts = studies.with_comparisons(db)
            chosen = study_id if study_id is not None else next(iter(counts), None)
            sitting = read_sitting(db, chosen, self.rad.rater, scheme) if chosen in counts else None
            return self.Loaded(sitting, delivered=delivered)

        try:
            loaded = self.rad.read(read)
        except UserError as error:
            loaded = self.Loaded(None, str(error))
        except (sqlite3.Error, OSError) as error:
            loaded = self.Loaded(None, f"Cannot read {self.rad.data.database}: {error}")
        self.post_message(loaded)

    @on(Loaded)
    def _show_loaded(self, event: Loaded) -> None:
        self._loading = False
        if not event.trouble:
            self._undelivered = self.rad.unsaved.count
        if event.sitting is None:
            self._say_nothing(event.trouble)
            return
        self.session = ReviewSession(self.rad.db, event.sitting, unsaved=self.rad.unsaved)
        self.list_name, self.last, self.message = "", "", ""
        job = job_in(self.rad.snapshot, event.sitting.study.job_id)
        self._grown_step = job.step if job is not None else -1
        self.session.start()
        if self.session.queue.next_unrated() is None:
            self.ended, self.message = self.session.pair, self.all_rated()
        if event.delivered:
            self.message = f"The data folder is back, and {event.delivered:,} kept answers are saved in it."
        if self.app.screen is not self:
            self.session.time.pause()
        self.refresh_bindings()
        self.draw()
        correcting.open_wanted(self, self.session)

    def draw(self) -> None:
        """Show the session's pair: texts, answers, progress, and the image when it is another one."""
        session = self.session
        shown = session.shown() if session is not None else None
        if session is None or shown is None:
            return
        self.query_one("#nothing").display = False
        self.query_one("#review").display = True
        self._draw_texts(shown)
        panels = self.panels
        if shown.pair != self._drawn:
            panels.close()
            self._draw_image(shown)
        self._drawn = shown.pair
        at = (panels.mode, panels.side, panels.significant, panels.at)
        roomy = self.size.height >= ROWS[1][0]
        self.query_one(AnswerPanel).ask(Asking(session.scheme, shown, *at, self.message, roomy))
        self.query_one(ReviewLine).show(
            shown.place, session.queue.progress(), label_of(session.study),
            marks(shown, session.rater, self.list_name, len(session.among or ())),
        )  # fmt: skip
        last = FIRST if panels.mode == "main" and not session.queue.progress().rated else ""
        if self.looking:
            last = LOOK_KEYS
        elif self.rad.unsaved.count:
            last = f"Not in the data folder: {self.rad.unsaved.sentence()}"
        elif self.last:
            last = f"Saved: {self.last} · {key_text(session.scheme, 'undo')} takes it back"
        self.query_one("#last", Static).update(Content.styled(last, "$muted"), layout=False)

    def _draw_texts(self, shown: Shown) -> None:
        panels = self.panels
        for side, box_id in enumerate(("#a", "#b")):
            title = SIDES[side]
            if shown.identity_known and self.session is not None:
                title += f" · {arm_words(self.session.study, shown.arm(side))}"
            lit = panels.mode in ("acceptability", "errors") and panels.side == side
            words = len(shown.texts[side].split())
            self.query_one(box_id, TextBox).show(title, shown.texts[side], note=f"{words} words", chosen=lit)
        box = self.query_one("#reference", TextBox)
        box.display = bool(shown.reference)
        if shown.reference:
            truth = "; ".join(finding(one) for one in shown.case.truth)
            note = f"known: {truth}" if truth else ""
            box.show("Reference", shown.reference, note=note)

    def _draw_image(self, shown: Shown) -> None:
        view, image = self.query_one(ImageView), shown.case.first
        if error := shown.case.error or image.error:
            view.clear(f"This image cannot be read: {error}")
            return
        view.show(image.sha256, partial(image_bytes, self.rad.data, image.sha256))
        self.set_timer(PREFETCH_AFTER_S, self._prefetch)

    def _prefetch(self) -> None:
        """Decode the image that comes next while this one is read."""
        session = self.session
        following = session.queue.next_unrated(session.pair) if session is not None else None
        case = cases.get(self.rad.db, following.case_id) if following is not None else None
        if case is not None and not case.error:
            image = case.first
            loader = partial(image_bytes, self.rad.data, image.sha256)
            self.query_one(ImageView).prefetch(image.sha256, loader)

    def all_rated(self) -> str:
        """What is said when no pair is left, with the next key."""
        session = self.session
        if self.list_name:
            return "That was the last one of this list. Press esc for all pairs."
        job = job_in(self.rad.snapshot, session.study.job_id) if session is not None else None
        if session is not None and job is not None and job.state.live:
            return f"All {len(session.queue.pairs):,} pairs so far are rated; more come as job {job.id} writes them."
        keys = session.scheme.keys if session is not None else {}
        return f"All pairs are rated. Press {keys.get('summary', 'T')} for the summary."

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Take in pairs that a running job has written."""
        now_s = time.monotonic()
        if self.scheme is None:
            return
        known = None if self._loading or snapshot.trouble else self.session
        if known is not None and self._is_back(known):
            self.load(known.study.id)
            return
        if self._loading or now_s - self._grown_at_s < GROW_S:
            if now_s >= self._again_at_s:  # an ended job changes nothing more: this snapshot may be the last
                self._again_at_s = now_s + GROW_S
                self.set_timer(GROW_S, lambda: self.show_snapshot(self.rad.snapshot))
            return
        if self.session is None:
            if any(job.kind is JobKind.GENERATE for job in snapshot.jobs):
                self._grown_at_s = now_s
                self.load(None)
            self._say_nothing()
            return
        self._tell_newer(self.session, snapshot)
        job = job_in(snapshot, self.session.study.job_id)
        if job is not None and job.step != self._grown_step:
            self._grown_at_s, self._grown_step = now_s, job.step
            self._grow(self.session.sitting)

    @work(thread=True, exclusive=True, group="grow", exit_on_error=False)
    def _grow(self, sitting: Sitting) -> None:
        ids = self.rad.read(lambda db: studies.comparison_ids(db, sitting.study))
        self.post_message(self.Grown(sitting.study.id, sitting.order(ids)))

    @on(Grown)
    def _take_in(self, event: Grown) -> None:
        session = self.session
        if session is None or session.study.id != event.study_id or not session.grow(event.pairs):
            return
        if self.message and session.queue.rated(session.pair or event.pairs[0]):
            self.message = ""  # was waiting for these
            session.next_unrated()
        self.draw()

    def _is_back(self, session: ReviewSession) -> bool:
        """Whether the data folder was gone: what is known is of the old one, and answers wait to be put in."""
        return session.db is not self.rad.db or self.rad.unsaved.count != self._undelivered

    def _say_nothing(self, trouble: str = "") -> None:
        """Why there is nothing to review, and the next key; `trouble` is why it could not be read."""
        if self.session is None and not self._loading:
            self.query_one("#nothing", Static).update(trouble or nothing_text(self.rad.db))
        elif trouble:
            self.message = trouble
            self.draw()

    def on_screen_resume(self, event: object) -> None:
        """Time runs again; a job may have become reviewable since."""
        super().on_screen_resume(event)  # type: ignore[arg-type]
        if self.session is not None:
            self.session.time.resume()
        elif self.is_mounted:
            self.load(None)

    def on_screen_suspend(self) -> None:
        """Time stops on other screens, but not while a note is written."""
        if self.session is not None and not isinstance(self.app.screen, ModalScreen):
            self.session.time.pause()

    @work(thread=True, exclusive=True, group="jobs", exit_on_error=False)
    def action_studies(self) -> None:
        """Choose another study's pairs; counted in a thread, since there may be many."""
        counts = self.rad.read(studies.with_comparisons)
        self.app.call_from_thread(self._choose_study, counts)

    def _choose_study(self, counts: dict[int, int]) -> None:
        listed = [study for study in studies.all_studies(self.rad.db) if study.id in counts]
        ids = [study.id for study in listed]
        now = self.session.study.id if self.session is not None else None

        def take(index: int | None) -> None:
            if index == len(ids):
                self.app.push_screen(NewStudySheet(), lambda made: self.load(made) if made else None)
            elif index is not None and ids[index] != now:
                self.load(ids[index])

        if ids:
            current = ids.index(now) if now in ids else 0
            lines = [*study_lines(listed, counts, jobs.live(self.rad.db)), NEW_STUDY]
            self.app.push_screen(PickSheet("Review which study", lines, current), take)

    def _tell_newer(self, session: ReviewSession, snapshot: Snapshot) -> None:
        """A job that began to write after the one on show: opened when nothing is left to do here, else named."""
        newest = next((job for job in snapshot.jobs if job.kind is JobKind.GENERATE and job.step), None)
        if newest is None or newest.created_at <= session.study.created_at or newest.id <= self._told_job_id:
            return
        study = studies.of_job(self.rad.db, newest.id)
        if study is None or study.id == session.study.id:
            return
        self._told_job_id = newest.id
        if self.app.screen is not self and session.queue.next_unrated() is None:
            self.load(study.id)
        else:
            self.message = f"Job {newest.id} has pairs to rate, too. Press {sign('other')} to open them."
            self.draw()


def arm_words(study: Study, arm: str) -> str:
    """An arm as a frame's title names it: "tuned model", "gpt.csv"."""
    model = any(each.name == arm and each.kind is ArmKind.MODEL for each in study.arms)
    return f"{arm} model" if model else arm


def job_in(snapshot: Snapshot, job_id: int | None) -> Job | None:
    """A job as it was last seen; None for none."""
    return next((job for job in snapshot.jobs if job.id == job_id), None)


def marks(shown: Shown, rater: str, list_name: str, listed: int) -> list[Content]:
    """What is special about the pair on show, the list that is gone through, and who rates."""
    found = [Content.styled(f"{list_name}: {listed:,}, esc all", "$accent")] if list_name else []
    if shown.rated:
        found.append(Content.styled("rated", "bold $accent"))
    if shown.rating is not None and shown.rating.flagged:
        found.append(Content.styled("flagged", "bold $warning"))
    blind = not shown.identity_known
    name = rater if len(rater) <= RATER_CELLS else f"{rater[: RATER_CELLS - 1]}…"
    found.append(Content.styled(name, "$muted"))
    found.append(Content.styled("blind" if blind else "not blind", "$muted" if blind else "bold $warning"))
    return found


def nothing_text(db: sqlite3.Connection) -> str:
    """Why there is no pair to rate, and what to do about it."""
    live = [job for job in jobs.live(db) if job.kind is JobKind.GENERATE]
    if live:
        when = f"once job {live[0].after_job_id} is done" if live[0].state is JobState.QUEUED else "now"
        return f"Job {live[0].id} describes the images {when}; the first pair appears here by itself."
    ended = jobs.newest(db, JobKind.GENERATE)
    if ended is not None and ended.state is not JobState.DONE:
        return _ended_text(db, ended)
    train = sign("train")
    if any(job.kind is JobKind.TRAIN for job in jobs.all_jobs(db)):
        return (
            f"{NOTHING} Press {train}, then {sign('describe')} to let both models describe the test images."
        )
    if cases.any_dataset(db):
        return f"{NOTHING} Press {train} to train a model; then both models describe the test images."
    return f"{NOTHING} Press {sign('data')}, then {sign('import')} to import images first."


def _ended_text(db: sqlite3.Connection, job: Job) -> str:
    """Why a job that was to describe images left no pair: what it waited for ended early, or it did itself."""
    before = jobs.get(db, job.after_job_id) if job.after_job_id else None
    if before is not None and before.state is not JobState.DONE:
        began = f"Job {job.id} describes no images, because job {before.id}, which it waited for,"
    else:
        began, before = f"Job {job.id}, which was to describe images,", job
    why = f": {before.error}" if before.error else "."
    then = saying(before, None, 0.0).next
    return f"{began} is {before.state}{why}\n\nPress {sign('jobs')} and choose job {before.id}: {then}"
