"""Kept answers on their way into a database: each is put in once, and the newest of a comparison counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from radtui.records import Rating, Study
from radtui.store import ratings, studies
from radtui.store.place import database_of
from radtui.store.ratings import Assignment, Reveal
from radtui.study.undo import History, Undo, slot_of

FIRST_ID = 1 << 40  # of answers that no database has numbered yet: above all that one has

Row = Rating | Assignment | Reveal


@dataclass(slots=True)
class Kept:
    """What waits for one study.

    Attributes:
        study: Its number and when it was made: another folder has other studies.
        home: The folder that was gone, its disk and its database, as `Home.values` has them; {} from an older radtui.
    """

    study: dict[str, object]
    home: dict[str, object] = field(default_factory=dict)
    ratings: list[Rating] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    reveals: list[Reveal] = field(default_factory=list)

    @property
    def readers(self) -> set[str]:
        """Who answered, or has seen which text is whose."""
        return {row.rater for row in self.ratings} | {row.rater for row in self.reveals}

    def add(self, row: Row) -> None:
        """Take in one more row."""
        if isinstance(row, Rating):
            self.ratings.append(row)
        elif isinstance(row, Assignment):
            self.assignments.append(row)
        else:
            self.reveals.append(row)

    def forget(self, delivered: Kept) -> bool:
        """Let go of what was delivered; whether nothing is left."""
        contents = {content_of(row) for row in delivered.ratings}
        self.ratings = [row for row in self.ratings if content_of(row) not in contents]
        self.assignments = [row for row in self.assignments if row not in delivered.assignments]
        self.reveals = [row for row in self.reveals if row not in delivered.reveals]
        return not (self.ratings or self.assignments or self.reveals)


def put_in(db: sqlite3.Connection, study_id: int, kept: Kept) -> int:
    """Append what is not there yet, all or nothing; how many answers that were."""
    raters = {row.rater for row in kept.ratings}
    while True:
        read = {(study_id, rater): ratings.newest_id(db, study_id, rater) for rater in raters}
        rows = _rows_there(db, study_id, kept)
        new = _not_among(rows, kept)
        there, slots = {content_of(row): row.id for row in rows}, {row.id: slot_of(row) for row in rows}
        # A copy that was taken back may have given the number to another answer.
        known = {n: n for row in new if (n := row.undoes) is not None and slots.get(n) == slot_of(row)}
        known |= {row.id: there[content] for row in kept.ratings if (content := content_of(row)) in there}
        newest = _put_back(rows, new, kept)
        if ratings.restore(db, [*new, *newest], kept.assignments, known, kept.reveals, read):
            return len(new)  # otherwise another session of this rater has just put in something


def missing_answers(db: sqlite3.Connection, kept: Kept) -> list[Rating]:
    """Answers that a database does not have though they are about one of its studies."""
    study_id = study_here(db, kept)
    return [] if study_id is None else _not_among(_rows_there(db, study_id, kept), kept)


def missing_reveals(db: sqlite3.Connection, kept: Kept) -> list[Reveal]:
    """What was seen of one of a database's studies, and what it does not know of."""
    study_id = study_here(db, kept)
    if study_id is None:
        return []
    return [
        row
        for row in kept.reveals
        if not ratings.is_revealed(db, study_id, row.rater, row.case_id, row.shown)
    ]


def _not_among(rows: Sequence[Rating], kept: Kept) -> list[Rating]:
    """What of a study's answers is not in a database; what took back an answer that is not there is nothing."""
    there, slots = {content_of(row) for row in rows}, {row.id: slot_of(row) for row in [*rows, *kept.ratings]}
    return [
        row
        for row in kept.ratings
        if content_of(row) not in there
        and not (row.empty and row.undoes is not None and slots.get(row.undoes) != slot_of(row))
    ]


def _put_back(there: Sequence[Rating], new: Sequence[Rating], kept: Kept) -> list[Rating]:
    """Rows that take back older answers where newer ones are there already: the newest answer counts, not the last row.

    Args:
        there: A study's rows of the same cases, each rater's oldest first.
        new: What is going to be appended to them.
        kept: These, and what else was kept with them.
    """
    current, last = History(there).current, {slot_of(row): row for row in new}
    overtaken = [(current[slot], row) for slot, row in last.items() if slot in current]
    return [
        replace(Undo(row, before).snapshot(before.rated_at), id=-number)
        for number, (before, row) in enumerate(overtaken, 1)
        if before.rated_at > row.rated_at and not _was_known(before, kept)
    ]


def _was_known(stored: Rating, kept: Kept) -> bool:
    """Whether an answer was there when what is kept was given, which then came after it, whatever a clock said.

    A row bears the chain of the one that it was changed from until it has its own.
    """
    own = [row for row in kept.ratings if slot_of(row) == slot_of(stored)]
    return stored.chain in {row.chain for row in own if row.chain} or content_of(stored) in map(
        content_of, own
    )


def _rows_there(db: sqlite3.Connection, study_id: int, kept: Kept) -> list[Rating]:
    """What a database has of the cases that answers are about, each rater's oldest first: no other row matters here."""
    cases: dict[str, set[int]] = {}
    for row in kept.ratings:
        cases.setdefault(row.rater, set()).add(row.case_id)
    return [row for rater, ids in cases.items() for row in ratings.history_of_cases(db, study_id, rater, ids)]


def study_here(db: sqlite3.Connection, kept: Kept) -> int | None:
    """The number of the study that answers are about; None where this database does not have it."""
    study = studies.get(db, int(str(kept.study["id"])))
    database = kept.home.get("database") or database_of(db)
    return (
        study.id
        if study is not None and key_of(study) == kept.study and database == database_of(db)
        else None
    )


def content_of(rating: Rating) -> str:
    """What tells an answer from every other one, wherever it is: not its number, nor that of what it undoes."""
    return ratings.link("", replace(rating, undoes=None))


def both(written: Kept | None, own: Kept | None) -> Kept:
    """What a file and a session have of one study, each row once, those of the file first."""
    if written is None or own is None:
        kept = own or written
        assert kept is not None
        return Kept(kept.study, kept.home, [*kept.ratings], [*kept.assignments], [*kept.reveals])
    there = {content_of(row) for row in written.ratings}
    return Kept(
        written.study,
        written.home,
        [*written.ratings, *(row for row in own.ratings if content_of(row) not in there)],
        [*written.assignments, *(row for row in own.assignments if row not in written.assignments)],
        [*written.reveals, *(row for row in own.reveals if row not in written.reveals)],
    )


def key_of(study: Study) -> dict[str, object]:
    """What tells a study in a line of a file."""
    return {"id": study.id, "name": study.name, "created_at": study.created_at}


def name_of(key: Mapping[str, object], home: Mapping[str, object]) -> str:
    """What tells a study from every other: two folders of one name may each have a first study."""
    return json.dumps([key, home.get("database", "")], sort_keys=True)
