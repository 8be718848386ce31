"""A source as one tree of regular files: a folder, a zip or tar file, or a folder with such archives in it.

Names are relative, with `/`; a file inside an archive is called `ARCHIVE/NAME`. What is no regular file (FIFOs,
devices, links that lead out of the source) is never opened: a data set from elsewhere must not reach other files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from radtui.paths import open_plain
from radtui.records import Problem, UserError
from radtui.sources.archives import Archive, archive_kind, open_archive, open_inner
from radtui.sources.base import MAX_FILE_BYTES, holds

_DEEPEST = 2  # archives in archives in the source
_PIECE_BYTES = 2**20
_HIDDEN = (".", "__MACOSX")
_HUB_SNAPSHOTS = "snapshots"  # the hub's cache links the files of a snapshot to ../../blobs


class Tree:
    """The files of a source.

    Attributes:
        names: Every regular file, sorted.
        problems: What of the tree is not used: links out of it, archives that cannot be read.
    """

    def __init__(self, root: Path, only: str = "") -> None:
        """Walk a folder, or list an archive.

        Args:
            root: The folder or the archive.
            only: The one file of the folder that is meant, or "" for all.

        Raises:
            UserError: The root is an archive that cannot be read.
        """
        self.root = root
        self.problems: list[Problem] = []
        self._archives: dict[str, Archive] = {}
        self.names: list[str] = []
        if root.is_dir():
            self._allowed = _allowed(root)
            self.names = [only] if only else sorted(self._walk())
            self._mount_archives()
        else:
            self.names = sorted(self._mount("", open_archive(root)))

    def __contains__(self, name: str) -> bool:
        return holds(self.names, name)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading. Raises OSError when that fails."""
        prefix, inner = self._place(name)
        if prefix is not None:
            return self._archives[prefix].open(inner)
        return open_plain(self.root / name)

    def read(self, name: str, most_bytes: int = MAX_FILE_BYTES) -> tuple[bytes, str]:
        """A file's bytes and "", or b"" and one sentence that says why there are none."""
        return read_whole(PurePosixPath(name).name, partial(self.open, name), most_bytes)

    def head(self, name: str, n_bytes: int) -> bytes:
        """The first bytes of a file; b"" where it cannot be read."""
        try:
            with self.open(name) as file:
                return file.read(n_bytes)
        except Exception:  # as in `read`, which will say so where the file is wanted
            return b""

    def local(self, name: str) -> Path | None:
        """The path of a file that is not in an archive, for libraries that want one."""
        prefix, _ = self._place(name)
        return self.root / name if prefix is None else None

    def _place(self, name: str) -> tuple[str | None, str]:
        for prefix in self._archives:  # those inside others come first
            if name.startswith(prefix + "/"):
                return prefix, name[len(prefix) + 1 :]
        return ("", name) if "" in self._archives else (None, name)

    def _walk(self) -> Iterator[str]:
        """Every regular file below the root; each real folder once, for a link to a parent would run for ever."""
        seen: set[str] = set()
        outside = 0
        waiting = [("", str(self.root))]
        while waiting:
            inside, here = waiting.pop()
            real = os.path.realpath(here)
            if real in seen:
                continue
            seen.add(real)
            try:
                entries = list(os.scandir(here))
            except OSError as error:
                self.problems.append(
                    Problem(inside or self.root.name, f"The folder cannot be read ({error.strerror}).")
                )
                continue
            for entry in entries:
                if entry.name.startswith(_HIDDEN):
                    continue
                name = f"{inside}/{entry.name}" if inside else entry.name
                # Nearly all: asked first, as each question takes its time.
                if entry.is_file(follow_symlinks=False):
                    yield name
                elif entry.is_symlink() and not self._leads_inside(entry.path):
                    outside += 1
                elif _is_broken(entry):
                    yield name  # named when it is read
                elif entry.is_dir():
                    waiting.append((name, entry.path))
                elif entry.is_file():
                    yield name
        if outside:
            self.problems.append(
                Problem("links", "Links that lead out of the source are not followed.", outside)
            )

    def _leads_inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        return any(real == folder or real.startswith(folder + os.sep) for folder in self._allowed)

    def _mount_archives(self) -> None:
        """Show the files of zip and tar files as if they lay in a folder of the archive's name."""
        archives = [name for name in self.names if archive_kind(name)]
        if not archives:
            return
        sizes: set[tuple[str, int]] | None = None
        mounted: list[str] = []
        for name in archives:
            try:
                archive = open_archive(self.root / name)
            except UserError as error:
                self.problems.append(Problem(name, str(error)))
                continue
            if sizes is None:
                plain = [file for file in self.names if not archive_kind(file)]
                sizes = {(PurePosixPath(file).name, _size(self.root / file)) for file in plain}
            inner = [(PurePosixPath(file).name, archive.sizes[file]) for file in archive.names]
            if inner and all(each in sizes for each in inner):
                reason = "The archive is not used: its files lie unpacked beside it."
                self.problems.append(Problem(name, reason))
                continue
            mounted += self._mount(name, archive)
        self.names = sorted([*(name for name in self.names if not archive_kind(name)), *mounted])

    def _mount(self, prefix: str, archive: Archive, depth: int = 0) -> list[str]:
        """Take an archive in, and those inside it; returns the names of their files."""
        before = f"{prefix}/" if prefix else ""
        self.problems += [Problem(before + each.where, each.reason, each.count) for each in archive.problems]
        names: list[str] = []
        for file in archive.names:
            name = before + file
            if not archive_kind(file):
                names.append(name)
            elif depth >= _DEEPEST:
                reason = f"Archives are read in one another {_DEEPEST} deep; unpack this one."
                self.problems.append(Problem(name, reason))
            else:
                try:
                    names += self._mount(name, open_inner(archive, file), depth + 1)
                except UserError as error:
                    self.problems.append(Problem(name, str(error)))
        self._archives[prefix] = archive  # after those inside it
        return names


def read_whole(
    base: str, opened: Callable[[], BinaryIO], most_bytes: int = MAX_FILE_BYTES
) -> tuple[bytes, str]:
    """A file's bytes and "", or b"" and one sentence that says why there are none.

    Args:
        base: What the file is called.
        opened: Opens it.
        most_bytes: More is refused.
    """
    try:
        with opened() as file:
            data = _read_most(file, most_bytes + 1)
    except Exception as error:  # zipfile, tarfile and zlib raise errors of many kinds on damaged members
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return b"", f"{base} cannot be read ({reason})."
    if len(data) > most_bytes:
        size = f"{most_bytes // 2**30} GiB" if most_bytes >= 2**30 else f"{most_bytes // 2**20} MiB"
        return b"", f"{base} is larger than {size}, the most radtui imports."
    return data, ""


def _read_most(file: BinaryIO, n_bytes: int) -> bytes:
    """All of a file, or its first bytes. In pieces: Python makes room for as many bytes as are asked for at once."""
    # A plain file, whose size is known (a member of a tar file is a subclass): one read, into as much room as it needs.
    if type(file) is BufferedReader:
        data = file.read(min(n_bytes, os.fstat(file.fileno()).st_size + 1))
        return data + file.read(n_bytes - len(data)) if file.peek(1) else data
    pieces, left = [], n_bytes
    while left and (piece := file.read(min(left, _PIECE_BYTES))):
        pieces.append(piece)
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _is_broken(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a link to nothing, or to itself."""
    return entry.is_symlink() and not Path(entry.path).exists()  # no Path for each of many files


def _allowed(root: Path) -> list[str]:
    real = os.path.realpath(root)
    folders = [real]
    if root.parent.name == _HUB_SNAPSHOTS:
        folders.append(str(Path(os.path.realpath(root.parent.parent)) / "blobs"))
    return folders


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
