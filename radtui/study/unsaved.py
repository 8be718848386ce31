"""Answers that the data folder cannot take: kept in a file of the user's, and put in once it can.

The folder may be gone, or its disk full, read-only or failing.

Each line tells which database it is for, so that `kept_files.py` finds the answers of a folder that was renamed.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import types
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, is_dataclass, replace
from enum import Enum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from radtui.durable import sync_folder
from radtui.paths import DataDir, kept_folder
from radtui.plural import many
from radtui.records import Rating, Study, UserError
from radtui.store.gone import is_of_the_disk
from radtui.store.place import Home, known_home
from radtui.store.ratings import Assignment, Reveal
from radtui.study.delivery import (
    FIRST_ID,
    Kept,
    Row,
    both,
    key_of,
    missing_answers,
    name_of,
    put_in,
    study_here,
)
from radtui.study.kept_lines import end_of_lines, locked, write_all

NEWEST = 20  # rows of the last answers

KINDS: dict[str, type[Row]] = {kind.__name__: kind for kind in (Rating, Assignment, Reveal)}
KeptRow = TypeVar("KeptRow", bound=Row)


class Unsaved:
    """What one rater has answered that the data folder could not take.

    Every answer is a line of a file, written and synced before the screen says that it is kept; where no file can be
    written, it is kept in memory and `file` is None. All sessions of a rater write into one file, each at its end.

    Args:
        data: The data folder that is gone.
        rater: Who rates.
        file: Another file than theirs: what was kept of a folder under another name.

    Attributes:
        trouble: What the data folder's disk said when it took nothing; "" while it is not known to refuse. Nothing more
            is tried by keys then, so that they wait for no broken disk: `deliver` tries, and clears it.

    Raises:
        UserError: An earlier session's file is damaged.
    """

    def __init__(self, data: DataDir, rater: str, file: Path | None = None) -> None:
        whose = os.fsencode(data.root) + b"\n" + rater.encode(errors="surrogateescape")
        self._data, self._path, self.trouble = data, file, ""
        self._turn: list[tuple[Study, Row]] = []  # written by what is not committed yet
        self._newest: deque[tuple[Study, Row]] = deque(maxlen=NEWEST)  # of what is
        if file is None:
            with suppress(OSError):  # without a home folder they are kept in memory
                self._path = kept_folder() / f"{sha256(whose).hexdigest()[:16]}.jsonl"
        self._unwritten: list[str] = []  # lines that the file has not taken
        self._kept, _ = self._read()
        # Two sessions must not call two answers by one number: which of them is undone could not be told.
        self._next_id = FIRST_ID + (int.from_bytes(os.urandom(3), "big") << 24)
        self._guard = threading.Lock()  # a thread delivers while keys are answered

    @property
    def file(self) -> Path | None:
        """Where everything that waits is written down; None where some of it is in memory alone."""
        return None if self._unwritten else self._path

    @property
    def path(self) -> Path | None:
        """Where they are or would be written down; None without a home folder."""
        return self._path

    @property
    def count(self) -> int:
        """Answers that wait."""
        return sum(len(kept.ratings) for kept in list(self._kept.values()))  # a thread may take some out

    @property
    def waits(self) -> bool:
        """Whether anything waits for the data folder, be it only that a pair was seen."""
        return bool(self._kept)

    def keep(self, study: Study, row: KeptRow) -> KeptRow:
        """Keep a row, be it in memory alone; returns it, an answer with a number of its own."""
        with self._guard:
            row = self._numbered(row)
            self._append([(study, row)])
        return row

    def keep_written(self, study: Study, row: KeptRow) -> KeptRow | None:
        """As `keep`, but only where the file takes it: None, with nothing kept, where it does not."""
        with self._guard:
            row = self._numbered(row)
            return row if self._append([(study, row)], only_in_file=True) else None

    def begin_turn(self) -> None:
        """A write transaction begins: what is noted from here on is of it, and what was before is saved."""
        self._newest.extend(self._turn)
        self._turn = []

    def note(self, study: Study, row: Row) -> None:
        """Take note of a row on its way into the database, for `rescue`."""
        self._turn.append((study, row))

    def rescue(self, error: Exception) -> bool:
        """Keep all that a transaction was to write which the data folder has not taken; whether the file has it now.

        Args:
            error: Why it was not committed; only a disk that takes nothing is a reason.
        """
        rows, self._turn = self._turn, []
        if not rows or not is_of_the_disk(error):
            return False
        return self._refused([(study, self._numbered(row)) for study, row in rows], error)

    def rescue_row(self, study: Study, row: KeptRow, error: Exception) -> KeptRow | None:
        """As `rescue`, of a row that is a transaction by itself; None where it is not kept."""
        if not is_of_the_disk(error):
            return None
        row = self._numbered(row)
        return row if self._refused([(study, row)], error) else None

    def _refused(self, rows: Sequence[tuple[Study, Row]], error: Exception) -> bool:
        """Keep to the file from now on, since the disk takes nothing; whether the file took these rows.

        A disk that has just become read-only may have called the last rows synced that it did not write (ext4 does):
        they go into the file before these, and are put in where they are missing.
        """
        before, ids = [], dict[int, int]()
        for study, row in self._newest:
            again = self._numbered(row)
            if isinstance(row, Rating) and isinstance(again, Rating):
                ids[row.id] = again.id
                again = replace(again, undoes=ids.get(row.undoes or 0, row.undoes))
            before.append((study, again))
        with self._guard:
            is_kept = self._append(rows, only_in_file=True, before=before)
        if is_kept:
            self.trouble = str(error)
            self._newest.clear()
        return is_kept

    def waiting_for(self, db: sqlite3.Connection, study: Study) -> Kept | None:
        """What waits for a study because its folder's disk takes nothing, without answers that it has; else None."""
        kept = self._kept.get(name_of(key_of(study), _home_values(self._data))) if self.trouble else None
        if kept is None:
            return None
        return replace(both(None, kept), ratings=missing_answers(db, kept))

    def deliver(self, db: sqlite3.Connection, *, also_beneath: bool = False) -> int:
        """Put everything into a data folder that has the studies it is about; returns the number of answers.

        What other sessions of this rater have written into the file since comes along. An answer that is in the
        folder already is not put in again, whoever did that. What is about a study that this folder does not have
        stays: it is another folder under the same name. So does all of it where the folder's disk is not mounted, and
        what lies beneath is an old copy.

        Args:
            db: The data folder's database.
            also_beneath: Whether the folder is the right one also where it was on another disk.

        Raises:
            FolderGoneError: The folder is gone again.
            sqlite3.Error: It cannot be written; all of a study's answers stay.
        """
        try:
            written, n_bytes = self._read()
        except UserError:  # what this session has kept does not wait for a damaged file, which stays
            written, n_bytes = {}, -1
        with self._guard:
            waiting = {key: both(written.get(key), self._kept.get(key)) for key in {**written, **self._kept}}
        delivered, is_all = 0, True
        for name, kept in waiting.items():
            home = Home.of_values(kept.home)
            is_beneath = home is not None and home.is_away(self._data.database) and not also_beneath
            study_id = None if is_beneath else study_here(db, kept)
            if study_id is None:
                is_all = False
                continue
            try:
                delivered += put_in(db, study_id, kept)
            except (sqlite3.Error, OSError) as error:
                if is_of_the_disk(error):
                    self.trouble = str(error)
                raise
            with self._guard:
                if name in self._kept and self._kept[name].forget(kept):
                    del self._kept[name]
        self.trouble = ""
        if is_all:
            self._remove(n_bytes)
        return delivered

    def sentence(self) -> str:
        """What became of the answers, for a screen."""
        answers = many(self.count, "answer is", "answers are")
        if self.file is None:
            return f"{answers} kept until radtui is left, and saved if the data folder is back before."
        if self.trouble:
            return f"{answers} kept in {self.file}, and saved when its disk can be written again ({self.trouble})."
        return f"{answers} kept in {self.file}, and saved when the data folder is back."

    def _numbered(self, row: KeptRow) -> KeptRow:
        if not isinstance(row, Rating):
            return row
        row, self._next_id = replace(row, id=self._next_id), self._next_id + 1
        return row

    def _append(
        self,
        rows: Sequence[tuple[Study, Row]],
        only_in_file: bool = False,
        before: Sequence[tuple[Study, Row]] = (),
    ) -> bool:
        """Keep rows, all or none; whether they are kept. Those that could not be written earlier are written too.

        `before` is what the file is to have before them, and the database most likely has.
        """
        home = _home_values(self._data)
        self._unwritten += [_line(study, home, row) for study, row in (*before, *rows)]
        self._write_down()
        if self._unwritten and only_in_file:
            del self._unwritten[-len(rows) - len(before) :]
            return False
        for study, row in rows:
            self._kept.setdefault(name_of(key_of(study), home), Kept(key_of(study), home)).add(row)
        return True

    def _write_down(self) -> None:
        """Write what the file has not taken; the sentence on the screen says where it is."""
        if self._path is None:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self._path, os.O_RDWR | os.O_CREAT) as file:
                is_new = not end_of_lines(file)
                write_all(file, "".join(f"{each}\n" for each in self._unwritten).encode())
            if is_new:  # a file without a name is none after a power cut
                sync_folder(self._path.parent)
                sync_folder(self._path.parent.parent)
            self._unwritten = []

    def _read(self) -> tuple[dict[str, Kept], int]:
        return ({}, -1) if self._path is None else read_kept(self._path)

    def _remove(self, n_bytes: int) -> None:
        """Remove the file, unless this session or another has written into it since it had so many bytes."""
        with self._guard:
            if not self._kept:
                self._unwritten = []
            if self._path is None or n_bytes < 0:
                return
            with suppress(OSError), locked(self._path, os.O_RDONLY) as file:
                if os.fstat(file.fileno()).st_size == n_bytes:
                    self._path.unlink()


def _home_values(data: DataDir) -> dict[str, object]:
    home = known_home(data.database)
    return {"folder": str(data.root)} | (home.values() if home is not None else {})


def _line(study: Study, home: Mapping[str, object], row: Row) -> str:
    return json.dumps({"study": key_of(study), "home": home, "kind": type(row).__name__, "row": asdict(row)})


def read_kept(path: Path) -> tuple[dict[str, Kept], int]:
    """What a file holds, by study, and its size, -1 for none; a last line that was cut short is none.

    Raises:
        UserError: Another line cannot be read.
    """
    kept: dict[str, Kept] = {}
    try:
        with locked(path, os.O_RDONLY) as file:
            content = file.read()
    except OSError:
        return kept, -1
    lines = content.split(b"\n")
    for number, line in enumerate(lines):
        if not line:
            continue
        try:
            entry = json.loads(line)
            study, home = entry["study"], {**entry.get("home", {})}
            row = rebuilt(KINDS[entry["kind"]], entry["row"])
            kept.setdefault(name_of(study, home), Kept(study, home)).add(row)
        except (ValueError, KeyError, TypeError) as error:
            if number + 1 < len(lines):
                raise UserError(
                    f"{path} holds answers that cannot be read ({error}); move it away and keep it."
                ) from error
    return kept, len(content)


_hints = cache(get_type_hints)  # of a few kinds, for each of thousands of rows


def rebuilt(kind: Callable[..., Row], values: Mapping[str, object]) -> Row:
    """A record from what `asdict` and JSON made of it.

    Raises:
        TypeError: There are other fields than the record has.
    """
    hints = _hints(kind)
    return kind(**{name: _value(hints.get(name, object), value) for name, value in values.items()})


def _value(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if value is None:
        built: Any = None
    elif origin in (Union, types.UnionType):
        built = _value(next(part for part in arguments if part is not type(None)), value)
    elif origin is tuple:
        kinds = arguments[:1] * len(value) if arguments[1:] == (...,) else arguments
        built = tuple(_value(each, part) for each, part in zip(kinds, value, strict=True))
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        built = {_key_of(arguments[0], key): _value(arguments[1], part) for key, part in value.items()}
    elif isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        built = kind(
            **{f.name: _value(hints[f.name], value[f.name]) for f in fields(kind) if f.name in value}
        )
    else:
        built = kind(value) if isinstance(kind, type) and issubclass(kind, Enum) else value
    return built


def _key_of(kind: Any, key: str) -> Any:
    """JSON knows only text as a key."""
    return int(key) if kind is int else _value(kind, key)
