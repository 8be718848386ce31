"""Ratings: an append-only, chained history of snapshots, and who is shown what on which side."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, make_dataclass, replace
from itertools import chain
from typing import Any, cast

from radtui.records import Rating
from radtui.store.database import writing
from radtui.store.studies import WROTE_IT

FIELDS = (
    "study_id", "case_id", "rater", "occasion", "scheme", "scheme_hash", "earlier_arm", "later_arm", "later_left",
    "preference", "both_bad", "answers", "note", "flagged", "skipped", "blinded", "active_s", "wall_s", "rated_at",
    "undoes", "pair", "earlier_text_id", "later_text_id", "corrections",
)  # fmt: skip
"""Columns of a rating in its record's order, without id and chain."""

READ = tuple(field.name for field in fields(Rating))
"""Columns of a rating in the order of its record's fields."""

ANSWERS, CORRECTIONS = READ.index("answers"), READ.index("corrections")
READ_AT_ONCE = 2000  # rows

JUDGED = (  # the opposite of `Rating.empty`
    "(preference IS NOT NULL OR both_bad OR skipped OR corrections <> '{}' OR answers LIKE '%\"accepted.%')"
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a reader is shown: two texts of one case, their sides and the place in the order.

    `role` is `normal`, `calibration` or `repeat`; a repeat has occasion 1. `pair` numbers the pairs of a case where
    a reader sees several. The text ids are None in rows from before texts had ids of their own.
    """

    study_id: int
    case_id: int
    rater: str
    occasion: int
    role: str
    left_arm: str
    right_arm: str
    sort_key: str
    pair: int = 0
    left_text_id: int | None = None
    right_text_id: int | None = None

    @property
    def sides(self) -> tuple[str, str]:
        """The arms that stand left and right."""
        return self.left_arm, self.right_arm


ASSIGNED = "study_id, case_id, rater, occasion, role, left_arm, right_arm, sort_key, pair, left_text_id, right_text_id"


@dataclass(frozen=True, slots=True)
class Reveal:
    """What a reader has seen of a case that un-blinds what they judge of it afterwards, at a Unix time, s.

    `shown` is `arms` (which text is whose) or `reference` (the reference, and the truth where it is known).
    """

    study_id: int
    case_id: int
    rater: str
    revealed_at: float
    shown: str = "arms"


def add(db: sqlite3.Connection, rating: Rating) -> Rating:
    """Append a snapshot in a transaction of its own; returns it with its id.

    When this returns, the row survives a killed process: the screen may move on.
    """
    with writing(db, synced=True):
        return _insert(db, rating)


def restore(
    db: sqlite3.Connection,
    snapshots: Iterable[Rating],
    assignments: Iterable[Assignment] = (),
    known: Mapping[int, int] | None = None,
    reveals: Iterable[Reveal] = (),
    read: Mapping[tuple[int, str], int] | None = None,
) -> bool:
    """Append snapshots that another data folder gave ids, all of them or none.

    Args:
        db: The database.
        snapshots: In their order; `undoes` names an old id.
        assignments: Sides and places of their pairs; one that is there already stays.
        known: Old id -> id here, of snapshots that are here already.
        reveals: What raters have seen; one that is there already keeps its time.
        read: (study id, rater) -> the newest snapshot that this was planned by, 0 for none.

    Returns:
        False, with nothing written, when such a rater has gone on since: appended rows count before older ones.
    """
    new_ids = dict(known or {})
    with writing(db, synced=True):
        if any(newest_id(db, *whose) != last for whose, last in (read or {}).items()):
            return False
        _assign(db, assignments)
        for seen in reveals:
            _reveal(db, seen)
        for snapshot in snapshots:
            undoes = None if snapshot.undoes is None else new_ids.get(snapshot.undoes)
            new_ids[snapshot.id] = _insert(db, replace(snapshot, undoes=undoes)).id
    return True


def newest_id(db: sqlite3.Connection, study_id: int, rater: str) -> int:
    """The id of one reader's newest snapshot in one study; 0 for none."""
    row = db.execute(
        "SELECT max(id) FROM ratings WHERE study_id = ? AND rater = ?", (study_id, rater)
    ).fetchone()
    return row[0] or 0


def _insert(db: sqlite3.Connection, rating: Rating) -> Rating:
    chained = replace(rating, chain=link(_last_chain(db, rating), rating))
    row_id = db.execute(
        f"INSERT INTO ratings ({', '.join(FIELDS)}, chain) VALUES ({','.join('?' * (len(FIELDS) + 1))})",
        (*_values(chained), chained.chain),
    ).lastrowid
    assert row_id is not None
    return replace(chained, id=row_id)


def _values(rating: Rating) -> list[object]:
    """A rating's columns in the order of `FIELDS`, as SQLite stores them."""
    packed = {
        "answers": json.dumps(rating.answers, sort_keys=True),
        "corrections": json.dumps(rating.corrections, sort_keys=True, ensure_ascii=False),
    }
    return [packed.get(name, getattr(rating, name)) for name in FIELDS]


def _last_chain(db: sqlite3.Connection, rating: Rating) -> str:
    row = db.execute(
        "SELECT chain FROM ratings WHERE study_id = ? AND rater = ? ORDER BY id DESC LIMIT 1",
        (rating.study_id, rating.rater),
    ).fetchone()
    return str(row[0]) if row else ""


def link(before: str, rating: Rating) -> str:
    """The chain value of a row: SHA-256 over the one before it of the same study and reader, and the row itself.

    The row is written as JSON with its field names. Rows that go to another database get a chain of that database's,
    since cases have other ids there.

    Args:
        before: The chain value of the row before; "" for the first, or where rows from before chains precede.
        rating: The row.
    """
    facts = {name: getattr(rating, name) for name in FIELDS}
    for name in BOOLEANS:
        facts[name] = bool(facts[name])
    row = json.dumps(facts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{row}".encode()).hexdigest()


BOOLEANS = ("later_left", "both_bad", "flagged", "skipped", "blinded")


TRUTHS = tuple(READ.index(name) for name in BOOLEANS)


def history(db: sqlite3.Connection, study_id: int, rater: str) -> list[Rating]:
    """Every snapshot of one reader in one study, oldest first."""
    sql = f"SELECT {', '.join(READ)} FROM ratings WHERE study_id = ? AND rater = ? ORDER BY id"
    return list(_ratings_of(db.execute(sql, (study_id, rater))))


def history_of_cases(
    db: sqlite3.Connection, study_id: int, rater: str, case_ids: Iterable[int]
) -> list[Rating]:
    """As `history`, of these cases alone: a few are had at once, however many have been rated."""
    sql = f"SELECT {', '.join(READ)} FROM ratings WHERE study_id = ? AND rater = ? AND case_id = ?"
    of_each = (_ratings_of(db.execute(sql, (study_id, rater, case_id))) for case_id in case_ids)
    return sorted(chain.from_iterable(of_each), key=lambda row: row.id)


def since(db: sqlite3.Connection, study_id: int, rater: str, cursor: int) -> list[Rating]:
    """One reader's snapshots in one study with `id > cursor`, oldest first: by the rows' ids, whatever came before."""
    rows = db.execute(
        f"SELECT {', '.join(READ)} FROM ratings WHERE id > ? AND +study_id = ? AND +rater = ?"  # +: not by their index
        " ORDER BY id",
        (cursor, study_id, rater),
    )
    return list(_ratings_of(rows))


def current(db: sqlite3.Connection, study_id: int, rater: str = "") -> list[Rating]:
    """The snapshot that counts for each comparison (of one reader, or of all), emptied ones left out."""
    return _current(db, study_id, rater)


def current_of_texts(db: sqlite3.Connection, study_id: int, rater: str = "") -> list[Rating]:
    """As `current`, of those alone in which a text was corrected, or taken as it is."""
    return _current(db, study_id, rater, " AND (corrections <> '{}' OR answers LIKE '%\"accepted.%')")


def current_one_by_one(db: sqlite3.Connection, study_id: int, rater: str = "") -> Iterator[Rating]:
    """As `current`, a few held at once: for what goes through a hundred thousand."""
    return _current_rows(db, study_id, rater)


def _current(db: sqlite3.Connection, study_id: int, rater: str, more: str = "") -> list[Rating]:
    return list(_current_rows(db, study_id, rater, more))


def _current_rows(db: sqlite3.Connection, study_id: int, rater: str, more: str = "") -> Iterator[Rating]:
    # As the view `current_ratings`, for one study: its rows' ids alone are gathered, and looked up in their order.
    whose = "study_id = :study AND rater = :rater" if rater else "study_id = :study"
    newest = f"SELECT max(id) FROM ratings WHERE {whose} GROUP BY rater, case_id, pair, occasion"
    sql = f"SELECT {', '.join(READ)} FROM ratings WHERE id IN ({newest}){more} ORDER BY id"
    for rating in _ratings_of(db.execute(sql, {"study": study_id, "rater": rater})):
        if rating.undoes is None or not rating.empty:
            yield rating


def _ratings_of(cursor: sqlite3.Cursor) -> Iterator[Rating]:
    cursor.row_factory = None  # plain tuples: a hundred thousand rows are read at once
    while rows := cursor.fetchmany(READ_AT_ONCE):
        yield from ratings_of_rows(rows)


# Its rows become ratings in a quarter of the time that a frozen record's own constructor takes.
_Unfrozen = make_dataclass("_Unfrozen", READ, slots=True)


def ratings_of_rows(rows: Sequence[tuple[Any, ...]]) -> Iterator[Rating]:
    """Ratings of rows of the columns `READ`; their JSON is parsed in one piece, several times sooner."""
    answers = json.loads(f"[{','.join(row[ANSWERS] for row in rows)}]")
    corrections = json.loads(f"[{','.join(row[CORRECTIONS] for row in rows)}]")
    for row, answered, corrected in zip(rows, answers, corrections, strict=True):
        values = list(row)
        values[ANSWERS], values[CORRECTIONS] = answered, corrected
        for at in TRUTHS:
            values[at] = values[at] != 0
        rating = _Unfrozen(*values)
        rating.__class__ = Rating
        yield cast(Rating, rating)


def pairs_judged(db: sqlite3.Connection, study_id: int, rater: str, case_id: int) -> int:
    """How many pairs of two texts of one case a reader has judged, hidden repeats and texts read alone left out."""
    row = db.execute(
        "SELECT count(*) FROM (SELECT *, max(id) FROM ratings WHERE study_id = ? AND rater = ? AND case_id = ?"
        f" AND occasion = 0 AND earlier_arm <> '' GROUP BY pair) WHERE {JUDGED}",
        (study_id, rater, case_id),
    ).fetchone()
    return int(row[0])


def raters(db: sqlite3.Connection, study_id: int) -> list[str]:
    """Who has rated anything in a study."""
    rows = db.execute("SELECT DISTINCT rater FROM ratings WHERE study_id = ? ORDER BY rater", (study_id,))
    return [row[0] for row in rows]


def rated_training_jobs(db: sqlite3.Connection, dataset: str = "") -> list[int]:
    """Finished training jobs, newest first, of whose descriptions somebody preferred one; of a data set when named."""
    rows = db.execute(
        "SELECT id FROM jobs t WHERE kind = 'train' AND state = 'done' AND (? = '' OR dataset = ?) AND EXISTS ("
        " SELECT 1 FROM jobs g JOIN studies s ON s.job_id = g.id JOIN ratings r ON r.study_id = s.id"
        " WHERE g.parent_job_id = t.id AND g.kind = 'generate' AND r.preference <> 0) ORDER BY id DESC",
        (dataset, dataset),
    )
    return [row[0] for row in rows]


def read_training_jobs(db: sqlite3.Connection, dataset: str = "") -> list[int]:
    """Finished training jobs, newest first, of whose adapters' texts somebody corrected or judged one by itself."""
    rows = db.execute(
        "SELECT id FROM jobs t WHERE kind = 'train' AND state = 'done' AND (? = '' OR dataset = ?) AND EXISTS ("
        " SELECT 1 FROM arms a JOIN study_arms s ON s.arm_id = a.id JOIN ratings r ON r.study_id = s.study_id"
        f" WHERE {WROTE_IT} = t.id AND (r.corrections <> '{{}}'"
        " OR r.answers LIKE '%\"accepted.%' OR r.answers LIKE '%\"acceptability.%')) ORDER BY id DESC",
        (dataset, dataset),
    )
    return [row[0] for row in rows]


def rated_cases(db: sqlite3.Connection) -> set[int]:
    """Cases that anybody's current rating in any job judges."""
    return {row[0] for row in db.execute(f"SELECT DISTINCT case_id FROM current_ratings WHERE {JUDGED}")}


def marked_cases(db: sqlite3.Connection) -> dict[int, bool]:
    """Cases that anybody's current rating judges or flags, each with whether one flags it; never how it was judged."""
    rows = db.execute(
        f"SELECT case_id, max(flagged) FROM current_ratings WHERE {JUDGED} OR flagged GROUP BY case_id"
    )
    return {case_id: bool(flagged) for case_id, flagged in rows}


def assign(db: sqlite3.Connection, assignments: Iterable[Assignment]) -> None:
    """Store assignments; one that is there already keeps its side and place for ever."""
    with writing(db, synced=True):
        _assign(db, assignments)


def _assign(db: sqlite3.Connection, assignments: Iterable[Assignment]) -> None:
    db.executemany(
        f"INSERT INTO assignments ({ASSIGNED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [astuple(assignment) for assignment in assignments],
    )


def assigned(db: sqlite3.Connection, study_id: int, rater: str) -> list[Assignment]:
    """A reader's queue of a study, in order."""
    rows = db.execute(
        f"SELECT {ASSIGNED} FROM assignments WHERE study_id = ? AND rater = ? ORDER BY sort_key, case_id",
        (study_id, rater),
    )
    return [Assignment(*row) for row in rows]


def stored_sides(
    db: sqlite3.Connection, study_id: int, rater: str, case_id: int, occasion: int, pair: int = 0
) -> tuple[str, str] | None:
    """Which arms stand left and right for a reader, or None while the comparison was never shown."""
    row = db.execute(
        "SELECT left_arm, right_arm FROM assignments WHERE study_id = ? AND rater = ? AND case_id = ?"
        " AND occasion = ? AND pair = ?",
        (study_id, rater, case_id, occasion, pair),
    ).fetchone()
    return (row[0], row[1]) if row else None


def reveal(db: sqlite3.Connection, seen: Reveal) -> None:
    """Remember for good what a reader has seen; the first time counts."""
    with writing(db, synced=True):
        _reveal(db, seen)


def _reveal(db: sqlite3.Connection, seen: Reveal) -> None:
    db.execute(
        "INSERT INTO reveals (study_id, case_id, rater, revealed_at, shown) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        astuple(seen),
    )


def revealed(db: sqlite3.Connection, study_id: int, rater: str, shown: str = "arms") -> dict[int, float]:
    """Cases of a study of which a reader has seen something, with the Unix time when they asked, s."""
    rows = db.execute(
        "SELECT case_id, revealed_at FROM reveals WHERE study_id = ? AND rater = ? AND shown = ?",
        (study_id, rater, shown),
    )
    return dict(rows)


def is_revealed(db: sqlite3.Connection, study_id: int, rater: str, case_id: int, shown: str = "arms") -> bool:
    """Whether a reader has seen which text of one case is whose, or its reference."""
    sql = "SELECT 1 FROM reveals WHERE study_id = ? AND rater = ? AND case_id = ? AND shown = ?"
    return db.execute(sql, (study_id, rater, case_id, shown)).fetchone() is not None
