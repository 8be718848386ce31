"""The review screen: image and both texts, blind; one key rates, saves and moves on."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingsMap, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from radtui.measures.scheme import modes_of
from radtui.records import JobKind, UserError
from radtui.study.session import ReviewSession
from radtui.study.study import scheme_for
from radtui.tui.key_uses import bindings
from radtui.tui.review import stints
from radtui.tui.review.acts import ACTS, TURNS_IMAGE, act
from radtui.tui.review.answer_panel import SIDES
from radtui.tui.review.choosing import choose_study
from radtui.tui.review.following import DELIVER_S, Following
from radtui.tui.review.keys import bindings_of
from radtui.tui.review.pair_body import PairBody
from radtui.tui.review.rater_line import RaterLine
from radtui.tui.review.reviewing import Reviewing
from radtui.tui.screens.base import RadScreen
from radtui.tui.snapshot import Snapshot
from radtui.tui.widgets.image_view import ImageView

TURNS = 6  # of the event loop, until each changed widget has told the screen
BREAKPOINTS = [(0, "-narrow"), (110, "-medium"), (150, "-wide")]  # columns from which a class is set
ROWS = [(0, "-short"), (34, "-tall"), (48, "-high")]


class ReviewScreen(RadScreen):
    """Rate the pairs of one study.

    The screen has the keys and the frame. What is reviewed is in `reviewing`, what keys do to it in `acts`, what comes
    by itself in `following`, and `PairBody` draws it.
    """

    TAB = "review"
    SHOWS = JobKind.GENERATE
    CSS_PATH = "review.tcss"
    AUTO_FOCUS = ""  # keys rate; the image has them only while it is looked at
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS
    VERTICAL_BREAKPOINTS = ROWS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("review studies"), *bindings("review lists")]

    def __init__(self) -> None:
        super().__init__()
        self.reviewing = Reviewing(self, self.draw, self._draw_in_a_frame)
        self.reviewing.counted = lambda: stints.close(self.reviewing)
        self.following = Following(self.reviewing, partial(_say_nothing, self))
        self.saving = self.reviewing.answers

    @property
    def session(self) -> ReviewSession | None:
        """The sitting on show."""
        return self.reviewing.session

    def compose_body(self) -> ComposeResult:
        """The comparison, and what stands in its place while there is none."""
        yield Static("", id="nothing", markup=False)
        yield PairBody(RaterLine(self.rad.data, self.rad.rater, self.rad.rater_from_login), self.rad.data)

    def on_mount(self) -> None:
        """Read the scheme, then the newest study that can be reviewed."""
        self.query_one(PairBody).display = False
        try:
            scheme = scheme_for(self.rad.data)
        except UserError as error:
            _say_nothing(self, str(error))
            return
        self.reviewing.scheme = scheme
        # The scheme is known only now. Its keys come before those of every screen: tab is one of them.
        self._bindings = BindingsMap.merge([BindingsMap(bindings_of(scheme)), self._bindings])
        self.following.load(self.rad.opens.study_id or None)
        self.set_interval(DELIVER_S, self.following.deliver_again)

    def draw(self) -> None:
        """Show what is reviewed as it stands."""
        session, answers = self.session, self.reviewing.answers
        body = self.query_one(PairBody)
        if session is None and answers.words:
            _say_nothing(self, answers.words)
        if answers.under_way:  # what the session is now is not saved yet
            if answers.words:
                body.wait(answers.words)
            return
        if session is None:
            return
        shown = session.shown()
        self.query_one("#nothing").display = shown is None
        if shown is None:
            body.display = False
            if not session.queue.pairs:
                self.following.say_all_tied(session)
            return
        body.display = True
        self.reviewing.drawn = shown.pair
        if self.reviewing.several_images != (len(shown.case.images) > 1):
            self.reviewing.several_images = not self.reviewing.several_images
            self.refresh_bindings()
        if body.is_new(shown.pair):
            self.reviewing.panels.close()
        roomy = self.size.height >= ROWS[1][0]
        body.show(self.reviewing, session, shown, self.rad.db, self.rad.unsaved, roomy=roomy)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Take in pairs that a running job has written."""
        self.following.take(snapshot)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key works in the modes that the scheme says, and with a pair on show."""
        reviewing = self.reviewing
        if action != "act":
            return _works(reviewing, action, parameters)
        name = str(parameters[0])
        if name in TURNS_IMAGE and not reviewing.several_images:
            return False
        if reviewing.looking and self.has_class("-narrow") and ACTS[name.partition(".")[0]].needs_texts:
            return False  # the image has the whole width: nobody judges texts that are out of sight
        session = reviewing.session
        if session is None or (session.pair is None and name != "summary"):
            return False
        return reviewing.panels.mode in modes_of(name)

    async def action_act(self, name: str) -> None:
        """Do what the scheme calls `name`, such as `preference.2` or `undo`; it waits its turn."""
        await self.reviewing.answers.do(lambda: self.act(name))

    async def _draw_in_a_frame(self) -> None:
        """Show what became of a key in one frame.

        Each widget tells the screen on a turn of its own that it has changed. Without waiting for these turns half
        of them would come too late for the first frame, and the next one is drawn 20 to 30 ms later.
        """
        with self.app.batch_update():
            self.refresh_bindings()
            self.draw()
            for _ in range(TURNS):
                await asyncio.sleep(0)
        self.check_idle()

    def act(self, name: str) -> None:
        """Do what the scheme calls `name`; it is drawn when it is saved."""
        if self.session is not None:
            self.query_one(PairBody).noticed()
            act(self.reviewing, name)

    def action_leave(self) -> None:
        """From the image back to the texts; then from a filtered list to all pairs."""
        if self.reviewing.looking:
            self._look(False)
            self.draw()
        else:
            self.reviewing.show_only("", None)

    def on_descendant_focus(self) -> None:
        """The image may be reached by tab or by the mouse as well."""
        if not self.reviewing.looking:
            self._look(True)
            self.draw()

    def _look(self, on: bool) -> None:
        """Give the keys to the image, or take them back."""
        self.reviewing.looking = on
        self.set_class(on, "-looking")
        if on:
            self.query_one(ImageView).focus()
        else:
            self.set_focus(None)
        self.refresh_bindings()

    def action_texts(self, move: str, amount: int) -> None:
        """Move in the texts; while qualities are compared, up and down mark another one of these."""
        session, panels = self.session, self.reviewing.panels
        if session is None:
            return
        session.time.touch()
        if panels.mode == "dimensions" and move in ("scroll", "quality"):
            panels.move(amount, session)
            self.draw()
        else:
            self.query_one(PairBody).move_texts(move, amount)

    def action_copy(self) -> None:
        """Copy both texts as they stand here, by their sides alone."""
        shown = self.session.shown() if self.session is not None else None
        if shown is not None:
            both = "\n\n".join(f"{side}: {text}" for side, text in zip(SIDES, shown.texts, strict=True))
            self.rad.copy(both, "both texts")

    def action_learn(self) -> None:
        """Go to the form that learns corrected and accepted texts."""
        if not self.reviewing.answers.count:
            self.rad.learn_corrections()

    def action_stint(self) -> None:
        """Set out for a number of pairs."""
        stints.ask(self.reviewing)

    def action_studies(self) -> None:
        """Choose another study's pairs."""
        choose_study(self.reviewing, self.following)

    def on_screen_resume(self, event: object) -> None:
        """Time runs again; a job may have become reviewable since."""
        super().on_screen_resume(event)  # type: ignore[arg-type]
        if self.session is not None:
            self.session.time.resume()
        elif self.is_mounted:
            self.following.load(None)

    def on_screen_suspend(self) -> None:
        """Time stops on other screens, but not while a note is written."""
        if self.session is not None and not isinstance(self.app.screen, ModalScreen):
            self.session.time.pause()


def _works(reviewing: Reviewing, action: str, parameters: tuple[object, ...]) -> bool:
    """Whether a key that is none of the scheme's works now."""
    mode = reviewing.panels.mode
    if action == "leave":
        return mode == "main" and (reviewing.looking or bool(reviewing.list_name))
    if action == "texts" and parameters[0] == "quality":
        return mode == "dimensions"
    if action == "stint":
        return mode == "main" and reviewing.session is not None and not reviewing.looking
    return True


def _say_nothing(screen: ReviewScreen, sentence: str) -> None:
    """Say why no pair is on show."""
    screen.query_one("#nothing", Static).update(sentence)
