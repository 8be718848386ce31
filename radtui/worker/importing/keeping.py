"""Images on their way into the data folder: written whole, on the disk before they have their name, and swept up.

A kill leaves hidden files of the import alone, a power cut as well: an image has its name only when its bytes are on
the disk, and the name is on the disk before a row of the database speaks of it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import threading
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from radtui.durable import sync_folder
from radtui.paths import DataDir, is_locked
from radtui.records import UserError

_COUNT = itertools.count()  # of this process: with its number, a name that nothing else has


@dataclass(frozen=True, slots=True)
class Written:
    """A new image's bytes in a hidden file, not yet on the disk."""

    temporary: str
    target: str


def write_hidden(folder: Path, target: Path, data: bytes) -> Written | None:
    """Write bytes into a hidden file; None where the image is there already, of the same size.

    Args:
        folder: The import's own, inside the data folder.
        target: What the image will be called.
        data: Its bytes.

    Raises:
        UserError: the disk is full or cannot be written.
    """
    place, temporary = str(target), f"{folder}/{os.getpid()}-{next(_COUNT)}"
    try:
        if _size(place) == len(data):
            return None
        handle = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666 & _mode(folder)
        )
        try:
            _write_all(handle, data)
            os.fchmod(handle, 0o666 & _mode(folder))  # whatever the umask
            # It begins to go to the disk now, beside others, so that little is left to wait for when it is synced.
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)
    except OSError as error:
        raise _cannot_write(target, error) from error
    return Written(temporary, place)


def _write_all(handle: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]


def _size(path: str) -> int:
    """Bytes of a file, -1 where there is none."""
    try:
        return Path(path).stat().st_size
    except FileNotFoundError:
        return -1


@cache
def _mode(folder: Path) -> int:
    """Who may read what comes into a folder."""
    return folder.stat().st_mode


class IncomingFolder:
    """The hidden folder of one import, and what has gone from it to its place.

    Args:
        data: The data folder.
        job_id: The import's job.
    """

    def __init__(self, data: DataDir, job_id: int) -> None:
        self._data = data
        self.folder = data.incoming / f"{job_id:04d}"
        self._lock = threading.Lock()  # of `_unsynced`, which several threads fill
        self._unsynced: set[str] = set()  # folders that have got names since they were last on the disk
        self._there: set[str] = set()  # folders of images that were seen to be there

    def begin(self) -> None:
        """Make the folder; what a killed run of the job has left in it goes."""
        try:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error

    def end(self) -> None:
        """Remove what was not needed, an import that was stopped between two steps included."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # another import is at work
            self._data.incoming.rmdir()

    def name(self, written: Iterable[Written]) -> None:
        """Bring bytes to the disk, and then give each file its name.

        Raises:
            UserError: the disk is full or cannot be written.
        """
        batch = list(written)
        for each in batch:
            _sync_file(each)
        for each in batch:
            folder = each.target.rpartition("/")[0]
            try:
                if folder not in self._there:
                    if not Path(folder).exists():
                        Path(folder).mkdir(exist_ok=True)
                        with self._lock:
                            self._unsynced.add(folder.rpartition("/")[0])
                    self._there.add(folder)
                Path(each.temporary).replace(each.target)
            except OSError as error:
                raise _cannot_write(Path(each.target), error) from error
            with self._lock:
                self._unsynced.add(folder)

    def sync_names(self, threads: Executor) -> None:
        """Bring the names that were given to the disk: after this, rows may speak of them."""
        with self._lock:
            folders, self._unsynced = self._unsynced, set()
        for _ in threads.map(sync_folder, map(Path, folders)):
            pass


def _sync_file(written: Written) -> None:
    try:
        handle = os.open(written.temporary, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise _cannot_write(Path(written.target), error) from error


def _cannot_write(target: Path, error: OSError) -> UserError:
    return UserError(
        f"Cannot write to {target.parent.parent} ({error.strerror}); make room and import again: what is in stays."
    )


def sweep(data: DataDir) -> int:
    """Remove what killed imports have left of images; returns how many files that were.

    Those of imports at work stay. Files that began with a dot beside the images themselves are of older radtuis.
    """
    count = 0
    at_work = False
    for folder in data.incoming.glob("*"):
        if folder.name.isdigit() and is_locked(data.lock(int(folder.name))):
            at_work = True
            continue
        count += sum(1 for _ in folder.glob("*"))
        shutil.rmtree(folder, ignore_errors=True)
    if not at_work:
        shutil.rmtree(data.incoming, ignore_errors=True)
    for left in (data.root / "images").glob("[0-9a-f][0-9a-f]/.*"):
        left.unlink(missing_ok=True)
        count += 1
    return count


def clean(text: str) -> str:
    """Text as SQLite takes it: without NUL, and with "?" for halves of surrogate pairs (undecodable file names)."""
    if text.isascii() and "\0" not in text:  # nearly always, and a dozen times a case
        return text
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
