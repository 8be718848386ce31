"""Answers given while the data folder is gone: kept in a file of the user's, and put in when the folder is back."""

from __future__ import annotations

import json
import os
import sqlite3
import types
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from radtui.paths import DataDir, state_folder
from radtui.records import Rating, Study, UserError
from radtui.store import ratings, studies
from radtui.store.ratings import Assignment, Reveal

FIRST_ID = 1 << 40  # of answers that no database has numbered yet: above all that one has

Row = TypeVar("Row", Rating, Assignment, Reveal)


@dataclass(slots=True)
class _Kept:
    """What waits for one study."""

    study: dict[str, object]  # its number and when it was made: another folder has other studies
    ratings: list[Rating] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    reveals: list[Reveal] = field(default_factory=list)


class Unsaved:
    """What one rater has answered that the data folder could not take.

    Every answer is a line of a file, written and synced before the screen says that it is kept; where no file can be
    written, it is kept in memory and `file` is None.

    Args:
        data: The data folder that is gone.
        rater: Who rates.
    """

    def __init__(self, data: DataDir, rater: str) -> None:
        name = sha256(f"{data.root}\n{rater}".encode()).hexdigest()[:16]
        self.file: Path | None = None
        with suppress(OSError):  # without a home folder they are kept in memory
            self.file = state_folder() / "unsaved" / f"{name}.jsonl"
        self._kept: dict[int, _Kept] = {}
        self._read()

    @property
    def count(self) -> int:
        """Answers that wait."""
        return sum(len(kept.ratings) for kept in self._kept.values())

    @property
    def waits(self) -> bool:
        """Whether anything waits for the data folder, be it only that a pair was seen."""
        return bool(self._kept)

    def keep_rating(self, study: Study, rating: Rating) -> Rating:
        """Keep an answer; returns it with a number of its own."""
        rating = replace(rating, id=FIRST_ID + self.count)
        self._of(study).ratings.append(rating)
        self._append(study, rating)
        return rating

    def keep_assignment(self, study: Study, assignment: Assignment) -> None:
        """Keep which sides a pair was shown on."""
        self._of(study).assignments.append(assignment)
        self._append(study, assignment)

    def keep_reveal(self, study: Study, seen: Reveal) -> None:
        """Keep that it was seen which text is whose."""
        self._of(study).reveals.append(seen)
        self._append(study, seen)

    def deliver(self, db: sqlite3.Connection) -> int:
        """Put everything into a data folder that has the studies it is about; returns the number of answers.

        What is about a study that this folder does not have stays: it is another folder under the same name.

        Raises:
            FolderGoneError: The folder is gone again.
            sqlite3.Error: It cannot be written; all of a study's answers stay.
        """
        delivered = 0
        for study_id, kept in list(self._kept.items()):
            study = studies.get(db, study_id)
            if study is None or _key(study) != kept.study:
                continue
            if kept.ratings and _is_there(
                db, kept.ratings[0]
            ):  # put in, then killed before the file was removed
                del self._kept[study_id]
                continue
            stored = {row.undoes: row.undoes for row in kept.ratings if row.undoes and row.undoes < FIRST_ID}
            ratings.restore(db, kept.ratings, kept.assignments, stored, kept.reveals)
            delivered += len(kept.ratings)
            del self._kept[study_id]
        if not self._kept and self.file is not None:
            self.file.unlink(missing_ok=True)
        return delivered

    def sentence(self) -> str:
        """What became of the answers, for a screen."""
        many = "1 answer is" if self.count == 1 else f"{self.count:,} answers are"
        if self.file is None:
            return f"{many} kept until radtui is left, and saved if the data folder is back before."
        return f"{many} kept in {self.file}, and saved when the data folder is back."

    def _of(self, study: Study) -> _Kept:
        return self._kept.setdefault(study.id, _Kept(_key(study)))

    def _append(self, study: Study, row: Rating | Assignment | Reveal) -> None:
        if self.file is None:
            return
        line = {"study": _key(study), "kind": type(row).__name__, "row": asdict(row)}
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            self.file = None  # the sentence on the screen says so

    def _read(self) -> None:
        """Take up what an earlier session left; a last line that was cut short is none."""
        if self.file is None:
            return
        try:
            lines = self.file.read_text(encoding="utf-8").splitlines()
        except OSError:
            return
        for line in lines:
            try:
                entry = json.loads(line)
                kept = self._kept.setdefault(int(entry["study"]["id"]), _Kept(entry["study"]))
                self._take(kept, entry["kind"], entry["row"])
            except (ValueError, KeyError, TypeError) as error:
                if line is not lines[-1]:
                    raise UserError(
                        f"{self.file} holds answers that cannot be read ({error}); move it away and keep it."
                    ) from error

    @staticmethod
    def _take(kept: _Kept, kind: str, row: Mapping[str, object]) -> None:
        if kind == Rating.__name__:
            kept.ratings.append(rebuilt(Rating, row))
        elif kind == Assignment.__name__:
            kept.assignments.append(rebuilt(Assignment, row))
        else:
            kept.reveals.append(rebuilt(Reveal, row))


def _is_there(db: sqlite3.Connection, rating: Rating) -> bool:
    rows = ratings.history(db, rating.study_id, rating.rater)
    return any((row.rated_at, row.case_id) == (rating.rated_at, rating.case_id) for row in rows)


def _key(study: Study) -> dict[str, object]:
    return {"id": study.id, "name": study.name, "created_at": study.created_at}


def rebuilt(kind: type[Row], values: Mapping[str, object]) -> Row:
    """A record from what `asdict` and JSON made of it.

    Raises:
        TypeError: There are other fields than the record has.
    """
    hints = get_type_hints(kind)
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
        hints = get_type_hints(kind)
        built = kind(
            **{f.name: _value(hints[f.name], value[f.name]) for f in fields(kind) if f.name in value}
        )
    else:
        built = kind(value) if isinstance(kind, type) and issubclass(kind, Enum) else value
    return built


def _key_of(kind: Any, key: str) -> Any:
    """JSON knows only text as a key."""
    return int(key) if kind is int else _value(kind, key)
