"""The app object: modes with one key each, the poller, help, commands, and leaving."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.app import ScreenStackError
from textual.binding import BindingType
from textual.filter import ANSIToTruecolor, LineFilter

from radtui import user_choices
from radtui.harmless import visible
from radtui.paths import DataDir
from radtui.plural import listed, many
from radtui.records import Job, JobKind, JobState, UserError
from radtui.store.database import connect, in_place, move_log, only_read
from radtui.store.last_home import remember_home
from radtui.store.place import Connection
from radtui.tui import words
from radtui.tui.app_keys import AppKeys
from radtui.tui.first_screen import first_screen
from radtui.tui.harmless_lines import HarmlessLines
from radtui.tui.key_uses import bindings
from radtui.tui.messages import Tick
from radtui.tui.modes import MODES
from radtui.tui.opening import NEWEST, Opens
from radtui.tui.poll import Poller
from radtui.tui.remembering import TROUBLE_S, ring
from radtui.tui.screens.base import RadScreen
from radtui.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from radtui.study.unsaved import Unsaved
    from radtui.tui.rad import Rad
    from radtui.tui.train.screen import TrainScreen


Result = TypeVar("Result")
READ_PER_S = 15  # characters of a notice
LOOP_WAIT_S = 0.1  # for another writer: a key or a frame must not wait longer


class RadtuiApp(AppKeys):
    """The app over one data folder, for one rater.

    `db` is the event loop's own connection, for single rows; whatever reads more goes through `read`. It hardly waits
    for others who write: what must be written waits outside the loop.
    """

    TITLE = "radtui"
    CSS_PATH = "app.tcss"
    MODES = MODES
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")

    def __init__(
        self,
        data: DataDir,
        rater: str,
        screen: str = "",
        *,
        guide: str = "",
        from_login: bool = False,
        live: bool = True,
        opens: Opens = NEWEST,
    ) -> None:
        """See `run_app`; `live=False` starts no poller thread."""
        self.db = connect(data, busy_timeout_s=LOOP_WAIT_S)
        # Shown from the first frame on: a change of screens at the start would hold it back by 50 ms.
        remembered = user_choices.read()
        self.DEFAULT_MODE = screen or first_screen(self.db, rater, remembered[0].last_screen)  # type: ignore[misc]
        super().__init__(remembered)
        self._harmless = HarmlessLines()
        self.data, self.rater, self.rater_from_login = data, rater, from_login
        self.poller = Poller(data, self._post_snapshot, reconcile=_reconcile)
        self.snapshot = Snapshot(0.0)
        self._guide, self._live, self.opens = guide, live, opens
        self._states: dict[int, JobState] | None = None
        self._left_behind = 0  # answers that somebody who wants to leave was warned of

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and the last gate: what anybody wrote never reaches the terminal raw."""
        filters = list(super().get_line_filters())
        last = filters[-1] if filters else None
        before = last if isinstance(last, ANSIToTruecolor) else None
        if before is not None:
            filters.pop()
        if self._harmless.before is not before:
            self._harmless = HarmlessLines(before)
        return [*filters, self._harmless]

    def on_mount(self) -> None:
        """Say what to begin with, and start looking."""
        if self._guide:
            from radtui.tui.screens.guide import GuideScreen

            self.push_screen(GuideScreen(self._guide))
        if self._live:
            self.poller.start()
        remember_home(self.db)

    def on_unmount(self) -> None:
        """Let go of the database; jobs go on."""
        self.poller.stop()
        with suppress(sqlite3.Error):  # another process may be writing; then the log keeps the rows
            move_log(self.db)
            remember_home(self.db)  # of a folder that was made since
        self.db.close()

    def read(self, query: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a query on a connection of the calling thread, which writes nothing.

        Raises:
            UserError: What keeps the database from being read, in a sentence.
        """
        try:
            with closing(connect(self.data)) as db:
                only_read(db)
                return query(db)
        except (sqlite3.Error, OSError) as error:
            raise UserError(f"Cannot read {self.data.database}: {error}") from error

    def write(self, change: Callable[[sqlite3.Connection], Result], create: bool = False) -> Result:
        """Change something on a connection of the calling thread.

        Args:
            change: What to do.
            create: Make the data folder where there is none: for imports.

        Raises:
            UserError: What keeps the database from being written, in a sentence.
        """
        try:
            with closing(connect(self.data, create=create)) as db:
                return change(db)
        except sqlite3.Error as error:
            raise UserError(f"{self.data.database} was not written: {error}") from error

    def own_database(self, before: Connection | None) -> Connection:
        """A connection of a screen's own, for any thread, one after another; `before` while that is still in place.

        Raises:
            UserError: The data folder cannot be used.
        """
        if before is not None:
            return in_place(before, self.data, LOOP_WAIT_S, any_thread=True)
        return connect(self.data, busy_timeout_s=LOOP_WAIT_S, any_thread=True)

    def notify(self, message: str, **more: Any) -> None:
        """Say something in a corner, letter by letter: a file's name may hold brackets, which are no markup.

        It stays as long as it takes to read, and a trouble longer: whoever types looks up late.
        """
        least_s = TROUBLE_S if more.get("severity") == "error" else self.NOTIFICATION_TIMEOUT
        stays_s = max(least_s, len(message) / READ_PER_S)
        super().notify(message, **{"timeout": stays_s} | more | {"markup": False})

    def on_tick(self, tick: Tick) -> None:
        """Hand a snapshot to every screen there is: what a hidden one missed would not come again."""
        self._take_place(tick.snapshot, self.snapshot)
        self.snapshot = tick.snapshot
        self._tell_endings(tick.snapshot.jobs)
        for stack in list(self._screen_stacks.values()):  # a screen may go to another one, which is made then
            for screen in list(stack):
                if isinstance(screen, RadScreen) and screen.is_mounted:
                    screen.deliver(tick.snapshot)

    def _take_place(self, now: Snapshot, before: Snapshot) -> None:
        """Say that the database cannot be read; open it anew where the data folder has come, or come back."""
        if now.trouble:
            if now.trouble != before.trouble:
                self.notify(now.trouble, severity="error")
            return
        with suppress(UserError, sqlite3.Error):  # the poller finds it out too, and says so
            self.db = in_place(self.db, self.data, LOOP_WAIT_S)

    @cached_property
    def unsaved(self) -> Unsaved:
        """What this rater answers while the data folder is gone, and has answered in earlier sessions."""
        from radtui.study.unsaved import Unsaved

        return Unsaved(self.data, self.rater)

    def action_go(self, mode: str) -> None:
        """Show a mode's screen; Welcome in Data's place while there is nothing to show and nothing coming."""
        from radtui.tui.doors import nothing_to_show

        self.switch_mode("welcome" if mode == "data" and nothing_to_show(self) else mode)

    def show_job(self, job: Job) -> None:
        """Go to where a job is seen: training on Train, descriptions on Review, an import on Data, a question on it."""
        if job.kind is JobKind.ASK:
            from radtui.tui.ask.opening import show_newest

            show_newest(self, job)
        elif job.kind is JobKind.TRAIN:
            self.switch_mode("train")
            self._train_screen(lambda screen: screen.attach(job))
        elif job.kind is JobKind.IMPORT:
            from radtui.tui.palette import show_dataset

            show_dataset(self, job.dataset)
        else:
            from radtui.tui.palette import show_study_of

            show_study_of(self, job)

    def new_from(self, job: Job) -> None:
        """Go to the form of a training job, filled with another one's settings."""
        self.switch_mode("train")
        self._train_screen(lambda screen: screen.edit_from(job))

    def learn_corrections(self, job_id: int = 0) -> None:
        """Go to the form of a training job, filled with what is proposed for learning corrected texts."""
        self.switch_mode("train")
        self._train_screen(lambda screen: screen.action_learn(job_id))

    def _train_screen(self, tell: Callable[[TrainScreen], object]) -> None:
        from radtui.tui.train.screen import TrainScreen

        screen = self.screen
        assert isinstance(screen, TrainScreen)
        screen.call_later(tell, screen)  # it may be mounting only now

    async def action_quit(self) -> None:
        """Leave; say which jobs go on without the app. While answers wait for the database, it takes a second press."""
        screens = [screen for stack in self._screen_stacks.values() for screen in stack]
        waiting = sum(s.saving.count for s in screens if isinstance(s, RadScreen) and s.saving is not None)
        if waiting and waiting != self._left_behind:
            self._left_behind = waiting
            answers = many(waiting, "answer waits", "answers wait")
            self.notify(f"{answers} for the database and would be lost; the same key again leaves all the same.",
                        severity="warning")  # fmt: skip
            return
        going = [words.job_words(p.job) for p in self.snapshot.live]
        verb = "goes" if len(going) == 1 else "go"
        names = listed(going)
        lines = (
            [f"{names[:1].upper()}{names[1:]} {verb} on; start {self.data.command()} to see."]
            if going
            else []
        )
        if "unsaved" in self.__dict__ and self.unsaved.count:
            lines.append(self.unsaved.sentence())
        self.exit(message=visible("\n".join(lines)) if lines else None)

    def on_terminal_gone(self) -> None:
        """Leave without asking anybody; what waits for the database is written on the way out."""
        self.exit()

    def _post_snapshot(self, snapshot: Snapshot) -> None:
        self.post_message(Tick(snapshot))

    def _tell_endings(self, jobs: tuple[Job, ...]) -> None:
        """A line for each job that has ended since the last look, unless the screen in front shows it."""
        before, self._states = self._states, {job.id: job.state for job in jobs}
        try:
            front = self.screen if isinstance(self.screen, RadScreen) else None
        except ScreenStackError:  # the app is being left: there is nobody to tell
            return
        for job in jobs:
            was = before.get(job.id) if before is not None else None
            if was is None or not was.live or job.state.live:
                continue
            if job.kind is JobKind.ASK and job.state is JobState.DONE:
                continue  # a model that left memory is no news
            ring(self, job, words.KINDS[job.kind])
            if front is not None and front.shows_end(job):
                continue
            if job.state is JobState.DONE:
                self.notify(f"{words.KINDS[job.kind]} #{job.id} is done. {words.after(job)}")
            elif job.state in (JobState.FAILED, JobState.LOST):
                self.notify(
                    job.error, title=f"{words.KINDS[job.kind]} #{job.id} {job.state}", severity="error"
                )


def _as_screens_know_it(app: RadtuiApp) -> Rad:
    """Checked by types alone: the app is what screens take it for."""
    return app


def _reconcile(data: DataDir, db: sqlite3.Connection) -> None:
    from radtui.jobs import reconcile

    reconcile(data, db, waits=False)  # charts go on being drawn while Slurm takes its time


def run_app(
    data: DataDir,
    rater: str,
    screen: str = "",
    guide: str = "",
    from_login: bool = False,
    opens: Opens = NEWEST,
) -> None:
    """Open the app on the terminal and return when the user leaves it.

    Args:
        data: the data folder.
        rater: who rates.
        screen: the screen to open with: "data", "train", "review" or "jobs"; the fitting one when empty.
        guide: what to say first, in a box that any key closes.
        from_login: nobody has chosen the rater's name: it is that of the login.
        opens: the study to review, and how.

    Raises:
        UserError: the data folder cannot be used.
    """
    RadtuiApp(data, rater, screen, guide=guide, from_login=from_login, opens=opens).run()
