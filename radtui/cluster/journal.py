"""A job's journal: one append-only, checksummed file for each process that says something, on a shared file system.

A line is `CRC JSON`: eight hexadecimal digits of the CRC-32 of this line's bytes and of all lines before it, then one
entry. A file is written by one process and by no other: whoever goes on after it begins a new one, so a line that was
cut short stays what it is and is never written over.

Names sort by time: `ATTEMPT.LAUNCH.WRITER`, where an attempt is one start of the job by Slurm, a launch one start of
its ranks, and a writer `main` or `rank-0`. An entry may say what must have been read before it: `after` gives lengths
of other files, `cuts` too, and that nothing behind them counts, whoever may still write there.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = "journal"
ENDING = ".journal"
MAIN = "main"
SYNC_S = 1.0  # what only says how far a job is reaches the disk this often at least
QUIET_KINDS = ("progress", "step")
CRC_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing a worker says: see `store.entries` for the kinds."""

    kind: str
    facts: dict[str, Any]
    at: float  # Unix seconds, of the machine that wrote it
    after: dict[str, int] = field(default_factory=dict)  # file name -> bytes to have been read before
    cuts: dict[str, int] = field(default_factory=dict)  # as `after`, and nothing behind them counts


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a file has been read: bytes, and the checksum of these."""

    offset: int = 0
    crc: int = 0


START = Cursor()


@dataclass(frozen=True, slots=True)
class JournalLine:
    """An entry with where its line ends."""

    entry: Entry
    end: Cursor


def file_name(attempt: str, launch: int, writer: str) -> str:
    """The name of a process's file."""
    return f"{attempt}.{launch:03d}.{writer}{ENDING}"


def attempt_of(name: str) -> str:
    """Which start of the job a file is of; attempts sort by time."""
    return name.split(".", 1)[0]


def is_main(name: str) -> bool:
    """Whether a file is of a process that begins and ends an attempt."""
    return name.endswith(f".{MAIN}{ENDING}")


def files(folder: Path) -> list[Path]:
    """A journal's files, oldest attempt first; of one attempt the one that begins it first."""
    paths = [path for path in folder.glob(f"*{ENDING}") if path.is_file()]
    return sorted(paths, key=lambda path: (attempt_of(path.name), not is_main(path.name), path.name))


class Writer:
    """Appends entries to a file of its own.

    Args:
        path: The file; made here, with its folder.

    Raises:
        FileExistsError: Another process has written it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o666)
        self.cursor = START  # what a reader has who has read all of it
        self._synced_at = float("-inf")

    @property
    def length(self) -> int:
        """Bytes written so far."""
        return self.cursor.offset

    def append(self, entry: Entry) -> None:
        """Write an entry whole, or raise OSError; what is more than progress is on the disk before this returns."""
        line, after = _line(entry, self.cursor)
        view = memoryview(line)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError:
            # A full disk or quota: what comes when there is room again must not follow half a line.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.length)
            raise
        self.cursor = after
        now = time.monotonic()
        if entry.kind not in QUIET_KINDS or now - self._synced_at >= SYNC_S:
            os.fsync(self._file)  # on a network file system this is also what other machines see
            self._synced_at = now

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _line(entry: Entry, before: Cursor) -> tuple[bytes, Cursor]:
    values: dict[str, Any] = {"kind": entry.kind, "at": entry.at, "facts": entry.facts}
    values |= {"after": entry.after} if entry.after else {}
    values |= {"cuts": entry.cuts} if entry.cuts else {}
    body = json.dumps(values, separators=(",", ":")).encode("ascii")
    crc = zlib.crc32(body, before.crc)
    line = b"%08x %s\n" % (crc, body)
    return line, Cursor(before.offset + len(line), crc)


def read(path: Path, cursor: Cursor = START, until: int | None = None) -> Iterator[JournalLine]:
    """The whole, sound lines of a file behind a cursor; ends before the first that is not.

    A line that is not whole may still be on its way, and so may one whose checksum is wrong: a network file system
    may show a file's new length before its new bytes. Reading again later tells.

    Args:
        path: A journal's file; one that is not there has no lines.
        cursor: From an earlier read.
        until: Where the file is cut, bytes; None where it is not.
    """
    try:
        file = path.open("rb")  # anew each time: on NFS that is what asks the server for what has come
    except FileNotFoundError:
        return
    with file:
        file.seek(cursor.offset)
        for line in file:
            entry, crc = _sound(line, cursor.crc)
            end = cursor.offset + len(line)
            if entry is None or (until is not None and end > until):
                return
            cursor = Cursor(end, crc)
            yield JournalLine(entry, cursor)


def unread_bytes(path: Path, cursor: Cursor) -> int:
    """Bytes behind a cursor: those of lines that are torn, damaged, or have come since."""
    try:
        return max(0, path.stat().st_size - cursor.offset)
    except FileNotFoundError:
        return 0


def _sound(line: bytes, before_crc: int) -> tuple[Entry | None, int]:
    """The entry of a line; None where it is torn or damaged."""
    if not line.endswith(b"\n") or line[CRC_DIGITS : CRC_DIGITS + 1] != b" ":
        return None, before_crc
    body = line[CRC_DIGITS + 1 : -1]
    crc = zlib.crc32(body, before_crc)
    if line[:CRC_DIGITS] != b"%08x" % crc:
        return None, before_crc
    values: Mapping[str, Any] = json.loads(body)
    entry = Entry(
        values["kind"], values["facts"], values["at"], values.get("after", {}), values.get("cuts", {})
    )
    return entry, crc
