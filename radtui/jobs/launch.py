"""Starting a worker so that it outlives whoever started it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from radtui.paths import DataDir, is_locked
from radtui.records import UserError
from radtui.store import jobs

WORKER_NICENESS = 10  # below the app, so that a key is answered while training fills every core
NOW_VARIABLE = "RADTUI_GPU_NOW"  # 1: a job takes its GPU although another job holds it
LOCK_WAIT_S = 5.0  # a worker that has just written its end still takes a moment to leave

_children: dict[int, subprocess.Popen[bytes]] = {}


@contextlib.contextmanager
def starting(data: DataDir) -> Iterator[None]:
    """Held from before a job's row says that it starts until its worker holds the job's lock.

    So a row without a worker is told from one whose worker is on its way without looking at a clock. The kernel takes
    the lock back however the holder ends.
    """
    handle = _open_lock(data.launch_lock)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)  # shared: jobs may be started side by side
        except OSError as error:
            raise UserError(
                f"The file system of {data.root} takes no lock ({error.strerror}), by which a job is known to live:"
                " name a data folder on another one with --data-dir."
            ) from error
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def nobody_starts(data: DataDir) -> Iterator[bool]:
    """Whether no process is about to start a job; while it is so, none begins to."""
    handle = _open_lock(data.launch_lock)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def launch(data: DataDir, db: sqlite3.Connection, job_id: int) -> None:
    """Start the worker of a job, detached: own session, output to the job's log, holding the job's lock.

    The lock is taken here and inherited: it belongs to the open file, so it is held exactly as long as the
    worker lives, whatever becomes of this process, and no look at a process number can be mistaken.

    Raises:
        UserError: a worker of this job is alive already, or no process could be started.
    """
    try:
        data.job(job_id).mkdir(parents=True, exist_ok=True)
        lock = _open_lock(data.lock(job_id))
        try:
            if not _try_lock(lock):
                raise UserError(f"Job {job_id} is running already; see radtui jobs show {job_id}.")
            child = _started(data, job_id, lock)
        finally:
            os.close(lock)
    except OSError as error:
        raise UserError(f"Cannot start the worker of job {job_id}: {error.strerror}.") from error
    os.setpriority(os.PRIO_PROCESS, child.pid, WORKER_NICENESS)
    _children[job_id] = child
    jobs.started(db, job_id, child.pid)


def _started(data: DataDir, job_id: int, lock: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "radtui.worker", "--data-dir", str(data.root), str(job_id)]
    with _opened_log(data.log(job_id)) as log:
        # A pipe that the app drains would break with the app, so the output is a file.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=data.job(job_id),
            start_new_session=True,
            pass_fds=(lock,),
        )


def _opened_log(path: Path) -> BinaryIO:
    """A job's log, to be written at its end. Raises OSError for what is no regular file."""
    # Without O_NONBLOCK a pipe in its place would wait for a reader for ever, with the lock of all starts held.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    handle = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "its log is no regular file", str(path))
    return os.fdopen(handle, "ab")


def terminate(data: DataDir, job_id: int, pid: int) -> bool:
    """Send SIGTERM to the worker of a job, if the process with its number is the one that holds the job's lock.

    A number is given to another process once its own is gone; and where the data folder is another container's too,
    the number of a worker there is some other process here.

    Returns:
        Whether it was sent; False as well where the system cannot tell whose a number is.
    """
    with contextlib.suppress(OSError, AttributeError):  # gone, or another user's; or not on Linux
        process = os.pidfd_open(pid)  # stands for this process alone, also once its number is another's
        try:
            if _has_open(pid, data.lock(job_id)):
                signal.pidfd_send_signal(process, signal.SIGTERM)
                return True
        finally:
            os.close(process)
    return False


def _has_open(pid: int, file: Path) -> bool:
    wanted = file.stat()
    for handle in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):  # closed meanwhile
            status = handle.stat()
            if (status.st_dev, status.st_ino) == (wanted.st_dev, wanted.st_ino):
                return True
    return False


def alive(data: DataDir, job_id: int) -> bool:
    """Whether the worker of a job lives: its lock is held. A worker that ended is also reaped."""
    exit_code(job_id)
    lock = data.lock(job_id)
    return is_locked(lock) or _is_held_without_name(lock)


def _is_held_without_name(lock: Path) -> bool:
    """Whether a process has a lock open whose file was removed or replaced: two workers of one job would meet.

    Asked where nobody holds the file under its name, which for a live job is rare. Without Linux's /proc, False.
    """
    removed = f"{lock.resolve()} (deleted)"
    for handles in Path("/proc").glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):  # another user's process, or one that has just ended
            for handle in os.scandir(handles):
                with contextlib.suppress(OSError):
                    if str(Path(handle.path).readlink()) == removed:
                        return True
    return False


def exit_code(job_id: int) -> int | None:
    """How a worker started by this process ended, negative for a signal; None when unknown or alive."""
    child = _children.get(job_id)
    return child.poll() if child else None


def _try_lock(lock: int) -> bool:
    end = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        else:
            return True
