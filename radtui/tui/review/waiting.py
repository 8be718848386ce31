"""Keys that wait for their turn while another program writes to the database: in their order, and nothing freezes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable

from radtui.store.database import is_free
from radtui.store.place import is_in_place

LOOK_S = 0.05  # between looks at whether the database is free


class Waiting:
    """The keys that wait. A key with nobody before it and a free database is done at once.

    Args:
        db: Gives the event loop's connection.
        do: Does a key.
        say: Takes how many wait, after each change; the screen says for what.
    """

    def __init__(
        self,
        db: Callable[[], sqlite3.Connection],
        do: Callable[[str], Awaitable[None]],
        say: Callable[[int], None],
    ) -> None:
        self._db, self._do, self._say = db, do, say
        self._names: deque[str] = deque()

    def must_wait(self) -> bool:
        """Whether a key that is pressed now has to wait."""
        return bool(self._names) or not self._is_free()

    def add(self, name: str) -> bool:
        """Put a key behind those that wait; whether it is the first, so that `serve` must be started."""
        self._names.append(name)
        self._say(len(self._names))
        return len(self._names) == 1

    async def serve(self) -> None:
        """Do the keys one after another, each as soon as the database is free."""
        while self._names:
            while not self._is_free():
                await asyncio.sleep(LOOK_S)
            await self._do(self._names[0])
            self._names.popleft()
            if self._names:
                self._say(len(self._names))

    def _is_free(self) -> bool:
        db = self._db()
        try:
            return not is_in_place(db) or is_free(db)
        except sqlite3.Error:
            return True  # the write itself will say what is wrong
