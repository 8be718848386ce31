"""Noticing that the terminal is gone or the app is to end: a window is closed, a connection lost, a machine shut down.

The kernel says so with SIGHUP, but only to a process whose terminal it is: one started through `setsid` or by another
program would go on drawing for nobody, and one that dies of the signal at once drops what waits for the database.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from threading import Event, Thread

LOOK_MS = 1000  # the kernel wakes the look at once; where it does not, the next one sees it
SETTLED_MS = 200  # in which a terminal whose end has just been signalled is seen to be gone
SAVING_S = 35.0  # in which what waits for a busy database is written; SQLite itself waits for 30
EXIT_CODE = 128 + 1  # of a process that SIGHUP has ended


def watch(fileno: int, gone: Callable[[], None]) -> None:
    """Call `gone` from a thread once the terminal is gone; a process that is still there after `SAVING_S` is ended.

    Args:
        fileno: Of the terminal that keys come from.
        gone: Has the process leave.
    """
    signalled = Event()
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda number, frame: signalled.set())

    def look() -> None:
        while not signalled.is_set() and not hung_up(fileno, LOOK_MS):
            pass
        gone()
        time.sleep(SAVING_S)
        # The loop waits for a terminal that takes nothing; what was called saved is synced.
        os._exit(EXIT_CODE)

    Thread(target=look, name="hangup", daemon=True).start()


def hung_up(fileno: int, wait_ms: int = 0) -> bool:
    """Whether a terminal is there no more; wait so long for it to go."""
    poll = select.poll()
    poll.register(fileno, 0)  # whatever is asked for, being hung up is answered
    return any(events & (select.POLLHUP | select.POLLNVAL) for _, events in poll.poll(wait_ms))
