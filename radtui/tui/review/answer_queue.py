"""Answers on their way into the database: in the order they were typed, and none of their waiting is the screen's."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from radtui.records import UserError
from radtui.store.holding import commit, has_written, hold, let_go
from radtui.store.place import Connection, FolderGoneError

if TYPE_CHECKING:
    from radtui.study.unsaved import Unsaved

PATIENCE_S = 0.25  # before the screen says that an answer waits, and for what
LOOK_S = 0.02  # between tries to take the write lock

LOCKED = "another program is writing to the database"
SLOW = "the disk has not taken it yet"


def _nothing() -> None:
    """What is done where nothing is asked for."""


@dataclass(eq=False, slots=True)
class _Turn:
    """One thing to do, and what comes of it."""

    act: Callable[[], object]
    then: Callable[[], object]  # once it is saved
    failed: Callable[[], object]  # once nothing of it is
    over: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass(frozen=True, slots=True)
class Rescue:
    """What keeps a turn's answers elsewhere.

    Attributes:
        unsaved: Where they are kept.
        rescued: Called once they are: what is known of the database is to be read anew.
    """

    unsaved: Callable[[], Unsaved]
    rescued: Callable[[], object]

    def answers(self) -> Unsaved | None:
        """Where they are kept; None where what was kept earlier cannot be read, which Review says as it opens."""
        try:
            return self.unsaved()
        except UserError:
            return None


class AnswerQueue:
    """Does one thing after another, each in a write transaction of its own, synced before anything of it is drawn.

    What a key does runs on the event loop, inside the transaction, where it waits for nobody. What may take long does
    not: the write lock is asked for again and again without waiting, and the commit with its sync runs in a thread.

    Args:
        open_database: Gives the connection that all turns write by, or another where the data folder has come back.
        start: Runs a coroutine beside the screen's messages.
        ended: Draws what became of a turn; takes the error where nothing of it was saved.
        say: Called when `words` have changed.
        rescue: What keeps a turn's answers elsewhere where the disk takes nothing.
    """

    def __init__(
        self,
        open_database: Callable[[Connection | None], Connection],
        start: Callable[[Coroutine[None, None, None]], object],
        ended: Callable[[Exception | None], Awaitable[None]],
        say: Callable[[], object],
        rescue: Rescue,
    ) -> None:
        self._rescue = rescue
        self._open, self._start, self._ended, self._say = open_database, start, ended, say
        self._turns: deque[_Turn] = deque()
        self._serving = False
        self._db: Connection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self.under_way = False  # what was done is not saved yet: nothing of it may be drawn
        self.words = ""  # what waits, and for what; "" while nothing does for long

    @property
    def count(self) -> int:
        """How many turns are not saved yet."""
        return len(self._turns)

    @property
    def database(self) -> Connection:
        """The connection that all turns write by, opened anew where the data folder has come back.

        Raises:
            UserError: The data folder cannot be used.
        """
        if self._db is None or not self.under_way:
            self._db = self._open(self._db)
        return self._db

    def writes_by(self, db: sqlite3.Connection) -> bool:
        """Whether a connection is the one that turns write by: it is not once the data folder has come back."""
        try:
            return db is self.database
        except (UserError, sqlite3.Error):  # whoever writes finds out, and says so
            return True

    def add(
        self,
        act: Callable[[], object],
        then: Callable[[], object] = _nothing,
        failed: Callable[[], object] = _nothing,
    ) -> asyncio.Future[None]:
        """Do something when all before it is saved.

        Args:
            act: What to do; everything that it writes is saved together.
            then: Called when it is saved, before that is drawn.
            failed: Called when nothing of it was saved, after that was said.

        Returns:
            What is done when it is over, one way or the other.
        """
        turn = _Turn(act, then, failed)
        self._turns.append(turn)
        if not self._serving:
            self._serving = True
            self._start(self._serve())
        if self.words:
            self._tell()
        return turn.over

    async def do(self, act: Callable[[], object]) -> None:
        """As `add`, and wait for it; but not for long, since keys that answer nothing come after this one."""
        waited_for_already = bool(self.words)
        over = self.add(act)
        if waited_for_already:
            return
        await asyncio.wait({over}, timeout=PATIENCE_S)
        if not over.done():
            self._tell()

    def close(self) -> None:
        """Wait for a commit that is under way, and let go of the database."""
        if self._thread is not None:
            self._thread.shutdown()
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()

    async def _serve(self) -> None:
        while self._turns:
            turn = self._turns[0]
            late = asyncio.get_running_loop().call_later(PATIENCE_S, self._tell)
            error = await self._saved(turn)
            late.cancel()
            self._turns.popleft()
            if self.words:
                self._tell()
            if error is None:
                turn.then()
            await self._ended(error)
            if error is not None:
                turn.failed()
            turn.over.set_result(None)
        self._serving = False

    async def _saved(self, turn: _Turn) -> Exception | None:
        """Do a turn and save it; what kept it from being saved."""
        try:
            db = await self._held()
        except (sqlite3.Error, UserError, OSError) as error:
            return error
        self.under_way = True
        failed: Exception | None = None
        unsaved = self._rescue.answers() if db.held else None
        try:
            if unsaved is not None:
                unsaved.begin_turn()
            turn.act()
            if db.held and has_written(db):
                await self._committed(db)
            elif db.held:
                commit(db)
        except (sqlite3.Error, UserError, OSError) as error:
            failed = error
        finally:
            self.under_way = False
            with suppress(sqlite3.Error):
                let_go(db)
        if failed is not None and unsaved is not None and unsaved.rescue(failed):
            self._rescue.rescued()
            return None
        return failed

    async def _held(self) -> Connection:
        """The database with its write lock; without it where none can be had at all, which whoever writes finds out."""
        while True:
            db = self.database
            try:
                if hold(db):
                    return db
            except (FolderGoneError, sqlite3.Error):
                return db
            await asyncio.sleep(LOOK_S)

    async def _committed(self, db: Connection) -> None:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "radtui-save")
        await asyncio.get_running_loop().run_in_executor(self._thread, commit, db)

    def _tell(self) -> None:
        """Let the screen say what waits."""
        many = "This answer waits" if self.count == 1 else f"{self.count:,} answers wait"
        why = SLOW if self.under_way else LOCKED
        self.words = f"{many}: {why}. Not saved yet." if self.count else ""
        self._say()
