"""Zip and tar files read in place: their regular members, with bounds on what they inflate to."""

from __future__ import annotations

import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Protocol, cast

from radtui.records import Problem, UserError
from radtui.sources.base import MAX_FILE_BYTES

_ZIP = (".zip",)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_MAX_RATIO = 1000  # a text deflates to a hundredth at best; what inflates more is made to fill a disk
_RATIO_FROM_BYTES = 2**26
_MAX_UNPACKED_BYTES = 2**38  # of a packed tar file, which must be unpacked to be read in any order
_COPY_BYTES = 2**20
_SAYS_UTF_8 = 0x800  # flag of a member of a zip


class Archive(Protocol):
    """The regular files of an archive."""

    names: list[str]
    sizes: dict[str, int]
    problems: list[Problem]

    def open(self, name: str) -> BinaryIO:
        """Open a member for reading; OSError or the library's own errors when that fails."""


def archive_kind(name: str) -> str:
    """Tell by its name whether a file is an archive that is read: "zip", "tar" or ""."""
    lower = name.lower()
    return "zip" if lower.endswith(_ZIP) else "tar" if lower.endswith(_TAR) else ""


def open_archive(path: Path) -> Archive:
    """Open an archive and list its members.

    Raises:
        UserError: It is damaged, encrypted as a whole, or inflates to more than is believable.
    """
    with _as_sentence(path.name):
        file = path.open("rb")
        try:
            return _opened(path.name, file, path.stat().st_size)
        except BaseException:
            file.close()
            raise


def open_inner(outer: Archive, name: str) -> Archive:
    """Open an archive that is a member of another, by way of a temporary file.

    Raises:
        UserError: As `open_archive`, or there is no room for it.
    """
    with _as_sentence(PurePosixPath(name).name):
        copy = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the archive is
        with outer.open(name) as source:
            size = _copy(source, copy, _MAX_UNPACKED_BYTES)
        copy.seek(0)
        return _opened(name, cast(BinaryIO, copy), size)


def _opened(name: str, file: BinaryIO, size: int) -> Archive:
    return _Zip(file) if archive_kind(name) == "zip" else _Tar(name, file, size)


@contextmanager
def _as_sentence(name: str) -> Iterator[None]:
    """Turn what is raised on an archive that cannot be read into a sentence."""
    try:
        yield
    except (OSError, zipfile.BadZipFile, tarfile.TarError, EOFError, ValueError, zlib.error) as error:
        raise UserError(f"{name} cannot be read as an archive ({error}); fetch or pack it again.") from error


def _copy(source: BinaryIO, target: IO[bytes], most_bytes: int) -> int:
    """Copy a file that is inflated on the way. Raises ValueError where it becomes too large, or the disk is full."""
    total = 0
    while chunk := source.read(_COPY_BYTES):
        total += len(chunk)
        if total > most_bytes:
            raise ValueError("it inflates to more than a thousand times its size")
        if total % 2**28 < _COPY_BYTES and shutil.disk_usage(tempfile.gettempdir()).free < 2**28:
            raise ValueError(f"there is no room to unpack it in {tempfile.gettempdir()}")
        target.write(chunk)
    return total


def _plain_name(name: str) -> str:
    """A member's name as a path inside the archive; "" for hidden ones and those that lead out of it."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    hidden = any(part == ".." or part.startswith((".", "__MACOSX")) for part in parts)
    return "" if hidden or not parts else str(PurePosixPath(*parts))


def _name_of(info: zipfile.ZipInfo) -> str:
    """A member's name; many programs write it in UTF-8 or in the code page of Chinese Windows without saying so."""
    name = info.filename
    if info.flag_bits & _SAYS_UTF_8 or name.isascii():
        return name
    written = name.encode("cp437")  # as zipfile reads what says nothing
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if not any("\u2500" <= sign <= "\u259f" for sign in name):  # frames and blocks are in nobody's names
        return name
    try:
        chinese = written.decode("gbk")
    except UnicodeDecodeError:
        return name
    return chinese if all(sign.isascii() or sign.isalpha() for sign in chinese) else name


class _Zip:
    """A zip file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = zipfile.ZipFile(file)
        self._members: dict[str, zipfile.ZipInfo] = {}
        self.problems: list[Problem] = []
        for info in self._file.infolist():
            name = _plain_name(_name_of(info))
            if not name or info.is_dir():
                continue
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
                self.problems.append(Problem(name, "It is no regular file."))
            elif info.flag_bits & 1:
                self.problems.append(
                    Problem(name, "It is encrypted; unpack the archive with its password first.")
                )
            elif _blown_up(info.file_size, info.compress_size):
                self.problems.append(Problem(name, "It inflates to more than a thousand times its size."))
            else:
                self._members[name] = info
        self.names = list(self._members)
        self.sizes = {name: info.file_size for name, info in self._members.items()}

    def open(self, name: str) -> BinaryIO:
        """Open a member; zipfile inflates no more than the member says it holds."""
        info = self._members[name]
        if info.file_size > MAX_FILE_BYTES * 16:
            raise OSError("it is too large")
        return cast(BinaryIO, self._file.open(info))


class _Tar:
    """A tar file; a packed one is unpacked into a temporary file first."""

    def __init__(self, name: str, file: BinaryIO, size: int) -> None:
        self._file = self._plain(name.lower(), file, size)
        self._members: dict[str, tarfile.TarInfo] = {}
        self.problems: list[Problem] = []
        for member in self._file:
            name = _plain_name(member.name)
            if name and member.isreg():
                self._members[name] = member
            elif name and not member.isdir():
                self.problems.append(Problem(name, "It is no regular file."))
        self.names = list(self._members)
        self.sizes = {name: member.size for name, member in self._members.items()}

    def open(self, name: str) -> BinaryIO:
        """Open a member."""
        file = self._file.extractfile(self._members[name])
        if file is None:
            raise OSError("it is no regular file")
        return cast(BinaryIO, file)

    def _plain(self, lower: str, file: BinaryIO, size: int) -> tarfile.TarFile:
        if lower.endswith(".tar"):
            return tarfile.open(fileobj=file, mode="r:")
        unpacked = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the archive is
        with _opener(lower)(file) as source:
            _copy(
                source, unpacked, min(_MAX_UNPACKED_BYTES, max(_RATIO_FROM_BYTES, _MAX_RATIO * max(size, 1)))
            )
        unpacked.seek(0)
        return tarfile.open(fileobj=unpacked, mode="r:")


def _opener(lower: str):  # type: ignore[no-untyped-def]  # three modules with one signature
    import bz2
    import gzip
    import lzma

    if lower.endswith((".gz", ".tgz")):
        return gzip.open
    return bz2.open if lower.endswith(("bz2",)) else lzma.open


def _blown_up(size: int, packed: int) -> bool:
    return size > _RATIO_FROM_BYTES and size > _MAX_RATIO * max(packed, 1)
