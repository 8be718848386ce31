"""A file of lines that several sessions append to, each line whole and on the disk before it counts."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LOOK_BACK_BYTES = 4096  # most often a few lines


@contextmanager
def locked(path: Path, flags: int) -> Iterator[BinaryIO]:
    """A file that one session at a time reads, writes or removes, at its end. Raises OSError for what is none."""
    while True:
        with os.fdopen(
            os.open(path, flags | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, 0o600), "r+b"
        ) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError(errno.EINVAL, "It is no regular file", str(path))
            with suppress(OSError):  # a file system without locks: there one session must do
                fcntl.flock(file, fcntl.LOCK_EX)
            if _is_under(path, file):
                yield file
                return
        # Another session has removed it while its lock was waited for: a new one is made, or there is none.


def _is_under(path: Path, file: BinaryIO) -> bool:
    with suppress(FileNotFoundError):
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    return False


def end_of_lines(file: BinaryIO) -> int:
    """Make a file end with a whole line: a full disk may have cut the last one short; its size before.

    Only that line is read, however long the file is: each kept answer comes by here.
    """
    size = start = file.seek(0, os.SEEK_END)
    last = b""
    while start and b"\n" not in last:
        end, start = start, max(0, start - LOOK_BACK_BYTES)
        file.seek(start)
        last = file.read(end - start) + last
    last = last[last.rfind(b"\n") + 1 :]
    if last:
        try:
            json.loads(last)
            file.seek(0, os.SEEK_END)
            file.write(b"\n")
        except ValueError:
            file.truncate(size - len(last))
    return size


def write_all(file: BinaryIO, content: bytes) -> None:
    """Append bytes and bring them to the disk, all or none. Raises OSError for none."""
    file.flush()
    size = os.fstat(file.fileno()).st_size
    try:
        if os.write(file.fileno(), content) < len(content):
            raise OSError(errno.ENOSPC, "No room for all of it")
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            os.ftruncate(file.fileno(), size)
        raise
