"""What every screen of the app has: the bar above with tabs and the running job, the bar of keys below."""

from __future__ import annotations

import gc
from typing import ClassVar, Protocol, TypeVar

from textual import events, on
from textual._styles_cache import StylesCache
from textual.app import ComposeResult
from textual.message_pump import MessagePump
from textual.screen import ModalScreen, Screen
from textual.worker import Worker, WorkerState

from radtui.records import Job, JobKind, JobState, UserError
from radtui.tui.rad import Rad, rad_of
from radtui.tui.snapshot import Snapshot
from radtui.tui.widgets.key_bar import KeyBar
from radtui.tui.widgets.top_bar import TopBar

Result = TypeVar("Result")
SET_UP_S = 1.5  # after its first frame a screen has imported and made what it works with


def _set_up() -> None:
    gc.freeze()
    gc.enable()


class Lasting(MessagePump):
    """A screen of which nothing is left when it closes; troubles of its `exit_on_error=False` threads are sentences."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """One sentence, whatever was raised."""
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            sentence = str(error) if isinstance(error, UserError) else f"That did not work: {error}."
            self.app.notify(sentence, severity="error")

    def on_unmount(self) -> None:
        """Let go of the drawn lines of this screen's widgets.

        Textual remembers a thousand pairs of backgrounds for the class of these lines' caches, each with a cache and
        all its lines: the help opened every minute would hold 80 MiB after half an hour.
        """
        StylesCache.get_inner_outer.cache_clear()


class Saving(Protocol):
    """What is on its way into the database."""

    @property
    def count(self) -> int:
        """How much of it would be lost if the app were left now."""

    def close(self) -> None:
        """Wait for what is being written."""


class RadScreen(Lasting, Screen[None]):
    """Base of the app's screens.

    A screen sets `TAB`, yields its widgets in `compose_body`, and draws what is new in `show_snapshot`, which is
    called with every snapshot whether the screen is the one on show or not.
    """

    TAB: ClassVar[str] = ""
    SIGNS: ClassVar[str] = ""  # what stands before rows without a word, for the help
    SHOWS: ClassVar[JobKind | None] = None  # what such a job leaves is what one works with here
    saving: Saving | None = None  # what waits for the database, of a screen that writes

    @property
    def rad(self) -> Rad:
        """The app, as screens know it."""
        return rad_of(self)

    def compose(self) -> ComposeResult:
        """The bars around the body."""
        yield TopBar(self.TAB)
        yield from self.compose_body()
        yield KeyBar()

    def compose_body(self) -> ComposeResult:
        """The screen's own widgets."""
        yield from ()

    @on(TopBar.Painted)
    def _leave_to_itself(self) -> None:
        """Spare what is there by now from garbage collection, which stops every key for 60 ms to look through it.

        It is modules and widgets, which stay to the end anyway. Not in tests, whose apps are to be freed.
        Until here nothing was collected at all: see `Session.open_app`.
        """
        if not self.app.is_headless:
            self.set_timer(SET_UP_S, _set_up)

    def on_unmount(self) -> None:
        """Let the last of what waits be saved."""
        if self.saving is not None:
            self.saving.close()

    def on_recoloured(self) -> None:
        """Draw in the colours of the theme of now what asks for them itself."""
        from radtui.tui.widgets.virtual_table import VirtualTable

        for table in self.query(VirtualTable):
            table.reload()
        self.deliver(self.rad.snapshot)
        for widget in self.query("*"):
            widget.refresh()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw what is new; nothing by default."""

    def shows_end(self, job: Job) -> bool:
        """Whether one sees here that a job has ended, and what comes next, so that no notice need say it."""
        return job.state is JobState.DONE and job.kind is self.SHOWS

    def deliver(self, snapshot: Snapshot) -> None:
        """Take a snapshot from the app; a screen that is still being composed has nothing to draw on."""
        if len(self.query(TopBar)) and len(self.query(KeyBar)):
            self.query_one(TopBar).show(snapshot)
            self.show_snapshot(snapshot)

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Be up to date from the first frame."""
        del event
        if self.is_mounted and self.query(TopBar):
            self.query_one(TopBar).show(self.rad.snapshot)


class RadModal(Lasting, ModalScreen[Result]):
    """Base of the app's modal screens.

    A sheet yields its widgets in `compose_sheet`; its keys stand in the line below, over those of the screen, which do
    nothing now. A click beside it is the key that closes it.
    """

    def compose(self) -> ComposeResult:
        """The sheet, and its keys."""
        yield from self.compose_sheet()
        yield KeyBar()

    def compose_sheet(self) -> ComposeResult:
        """The sheet's own widgets."""
        yield from ()

    async def on_click(self, event: events.Click) -> None:
        """Close, or ask first where something would be lost, as the key does."""
        bound = self.active_bindings.get("escape")
        if bound is not None and bound.enabled and self.get_widget_at(*event.screen_offset)[0] is self:
            await self.app.run_action(bound.binding.action, bound.node)

    @property
    def rad(self) -> Rad:
        """The app, as screens know it."""
        return rad_of(self)
