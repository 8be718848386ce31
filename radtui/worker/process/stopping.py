"""SIGTERM and SIGINT stop a job: at the next line of Python, or at the next row at the latest."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from radtui.worker.process.reporter import Reporter, Stopped

ASK_AGAIN_S = 0.1
IMPORTS = "<frozen importlib._bootstrap>"


def stop_on_signals(reporter: Reporter) -> None:
    """Let both signals stop this process's job.

    A module that is being imported comes to its end first: an exception that leaves the C++ of torch or of others
    while they begin ends the process by abort(), and the job would be lost instead of stopped.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        # A library may swallow the exception (a finalizer does); the flag is read with the next row then.
        reporter.terminated = True
        if not _is_importing(frame):
            raise Stopped
        again = threading.Timer(ASK_AGAIN_S, send_again, (number,))
        again.daemon = True
        again.start()

    def send_again(number: int) -> None:
        if signal.getsignal(number) is stop:  # else the job has ended meanwhile
            signal.pthread_kill(threading.main_thread().ident or 0, number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _is_importing(frame: FrameType | None) -> bool:
    """Whether an import is under way in the calls that a frame ends."""
    while frame is not None:
        if frame.f_code.co_filename == IMPORTS:
            return True
        frame = frame.f_back
    return False
