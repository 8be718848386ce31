"""Images on their way into the data folder: written whole, on the disk before they have their name, and swept up.

A kill leaves hidden files of the import alone, a power cut as well: an image has its name only when its bytes are on
the disk, and the name is on the disk before a row of the database speaks of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from radtui.durable import sync_folder
from radtui.paths import DataDir, is_locked
from radtui.records import UserError
from radtui.store.file_systems import file_system

_SYNCED_WHOLE = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs"})
"""Local file systems: others may sync a whole that is large, slow, or of other machines, or promise nothing."""
_TELLS_ERRORS = (5, 8)
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
        self._there: set[str] = set()  # folders of images that were seen to be there
        self._whole: WholeSync | None = None  # where all of a file system is synced in one call

    def begin(self) -> None:
        """Make the folder; what a killed run of the job has left in it goes."""
        try:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            self._whole = WholeSync.of(self.folder)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error

    def end(self) -> None:
        """Remove what was not needed, an import that was stopped between two steps included."""
        if self._whole is not None:
            self._whole.close()
            self._whole = None
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # another import is at work
            self._data.incoming.rmdir()

    def keep(self, written: Sequence[Written], threads: Executor) -> None:
        """Bring bytes to the disk, give each file its name, and bring the names: after this, rows may speak of them.

        Args:
            written: Images in hidden files.
            threads: Wait for the disk where each file must be waited for.

        Raises:
            UserError: the disk is full or cannot be written.
        """
        if not written:
            return
        if self._whole is not None:
            self._sync_whole(self._whole)
        else:
            _all_of(threads.map(_sync_file, written))
        folders: set[str] = set()
        for each in written:
            folder = each.target.rpartition("/")[0]
            try:
                if folder not in self._there:
                    if not Path(folder).exists():
                        Path(folder).mkdir(exist_ok=True)
                        folders.add(folder.rpartition("/")[0])
                    self._there.add(folder)
                os.replace(each.temporary, each.target)  # noqa: PTH105 - a Path for each takes longer than the call
            except OSError as error:
                raise _cannot_write(Path(each.target), error) from error
            folders.add(folder)
        if self._whole is not None:
            self._sync_whole(self._whole)
        else:
            _all_of(threads.map(sync_folder, map(Path, sorted(folders))))

    def _sync_whole(self, whole: WholeSync) -> None:
        try:
            whole.sync()
        except OSError as error:
            raise _cannot_write(self.folder, error) from error


class WholeSync:
    """Brings all of a local file system to the disk in one call: a thousand files in a fraction of the work.

    An error since it was made comes out of `sync`. Source: Linux, syncfs(2), which tells errors since 5.8.

    Args:
        folder: On the file system.
    """

    def __init__(self, folder: Path) -> None:
        self._handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        self._syncfs = ctypes.CDLL(None, use_errno=True).syncfs

    @classmethod
    def of(cls, folder: Path) -> WholeSync | None:
        """One for a folder; None where files must be synced one by one."""
        if not sys.platform.startswith("linux") or _kernel() < _TELLS_ERRORS:
            return None
        return cls(folder) if file_system(folder) in _SYNCED_WHOLE else None

    def sync(self) -> None:
        """Bring it to the disk. Raises OSError where that fails."""
        if self._syncfs(self._handle):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def close(self) -> None:
        """Let the file system go."""
        os.close(self._handle)


def _kernel() -> tuple[int, ...]:
    """The first two numbers of the kernel's version."""
    return tuple(map(int, re.findall(r"\d+", platform.release())[:2]))


def _all_of(results: Iterable[object]) -> None:
    """Wait for what threads do, and raise what one of them raised."""
    for _ in results:
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
