"""Ratings: an append-only history of snapshots, and who is shown what on which side."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from radtui.records import Rating, Variant
from radtui.store.database import writing

COLUMNS = (
    "job_id, image_id, rater, occasion, scheme, scheme_hash, preference, both_bad, base_acceptability,"
    " tuned_acceptability, answers, note, flagged, skipped, blinded, shown_left, active_s, wall_s, rated_at, undoes,"
    " shown_right, dpo_acceptability"
)

JUDGED = "(preference IS NOT NULL OR both_bad OR skipped)"  # the opposite of `Rating.empty`


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a rater is shown: two texts of one comparison, their sides and the place in the order.

    `shown_right` is the other of base and tuned unless it is named.
    `role` is `normal`, `calibration` or `repeat`; a repeat has occasion 1.
    """

    job_id: int
    image_id: int
    rater: str
    occasion: int
    role: str
    shown_left: Variant
    sort_key: str
    shown_right: Variant = None  # type: ignore[assignment]  # never None: see above

    def __post_init__(self) -> None:
        """Fill in the side that need not be named."""
        if self.shown_right in (None, self.shown_left):
            object.__setattr__(self, "shown_right", self.shown_left.opposite)

    @property
    def sides(self) -> tuple[Variant, Variant]:
        """The variants that stand left and right."""
        return self.shown_left, self.shown_right


@dataclass(frozen=True, slots=True)
class Reveal:
    """A rater has seen which text of an image is whose, at a Unix time, s."""

    job_id: int
    image_id: int
    rater: str
    revealed_at: float


def add(db: sqlite3.Connection, rating: Rating) -> Rating:
    """Append a snapshot in a transaction of its own; returns it with its id.

    When this returns, the row survives a killed process: the screen may move on.
    """
    with writing(db):
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
        read: (job id, rater) -> the newest snapshot that this was planned by, 0 for none.

    Returns:
        False, with nothing written, when such a rater has gone on since: appended rows count before older ones.
    """
    new_ids = dict(known or {})
    with writing(db):
        if any(_newest_id(db, *whose) != last for whose, last in (read or {}).items()):
            return False
        _assign(db, assignments)
        for seen in reveals:
            _reveal(db, seen)
        for snapshot in snapshots:
            undoes = None if snapshot.undoes is None else new_ids.get(snapshot.undoes)
            new_ids[snapshot.id] = _insert(db, replace(snapshot, undoes=undoes)).id
    return True


def _newest_id(db: sqlite3.Connection, job_id: int, rater: str) -> int:
    row = db.execute("SELECT max(id) FROM ratings WHERE job_id = ? AND rater = ?", (job_id, rater)).fetchone()
    return row[0] or 0


def _insert(db: sqlite3.Connection, rating: Rating) -> Rating:
    values = (
        rating.job_id, rating.image_id, rating.rater, rating.occasion, rating.scheme, rating.scheme_hash,
        rating.preference, rating.both_bad, rating.base_acceptability, rating.tuned_acceptability,
        json.dumps(rating.answers, sort_keys=True), rating.note, rating.flagged, rating.skipped, rating.blinded,
        rating.shown_left, rating.active_s, rating.wall_s, rating.rated_at, rating.undoes,
        rating.shown_right, rating.dpo_acceptability,
    )  # fmt: skip
    row_id = db.execute(f"INSERT INTO ratings ({COLUMNS}) VALUES ({','.join('?' * 22)})", values).lastrowid
    assert row_id is not None
    return replace(rating, id=row_id)


def history(db: sqlite3.Connection, job_id: int, rater: str) -> list[Rating]:
    """Every snapshot of one rater in one job, oldest first."""
    rows = db.execute("SELECT * FROM ratings WHERE job_id = ? AND rater = ? ORDER BY id", (job_id, rater))
    return [_rating(row) for row in rows]


def since(db: sqlite3.Connection, job_id: int, rater: str, cursor: int) -> list[Rating]:
    """One rater's snapshots in one job with `id > cursor`, oldest first: by the rows' ids, whatever came before."""
    rows = db.execute(
        "SELECT * FROM ratings WHERE id > ? AND +job_id = ? AND +rater = ? ORDER BY id",  # +: not by their index
        (cursor, job_id, rater),
    )
    return [_rating(row) for row in rows]


def current(db: sqlite3.Connection, job_id: int, rater: str = "") -> list[Rating]:
    """The snapshot that counts for each comparison (of one rater, or of all), emptied ones left out."""
    sql, values = "SELECT * FROM current_ratings WHERE job_id = ?", [str(job_id)]
    if rater:
        sql += " AND rater = ?"
        values.append(rater)
    found = [_rating(row) for row in db.execute(sql + " ORDER BY id", values)]
    return [rating for rating in found if not (rating.empty and rating.undoes is not None)]


def raters(db: sqlite3.Connection, job_id: int) -> list[str]:
    """Who has rated anything in a job."""
    rows = db.execute("SELECT DISTINCT rater FROM ratings WHERE job_id = ? ORDER BY rater", (job_id,))
    return [row[0] for row in rows]


def rated_training_jobs(db: sqlite3.Connection, dataset: str = "") -> list[int]:
    """Finished training jobs, newest first, of whose descriptions somebody preferred one; of a data set when named."""
    rows = db.execute(
        "SELECT id FROM jobs t WHERE kind = 'train' AND state = 'done' AND (? = '' OR dataset = ?) AND EXISTS ("
        " SELECT 1 FROM jobs g JOIN ratings r ON r.job_id = g.id"
        " WHERE g.parent_job_id = t.id AND g.kind = 'generate' AND r.preference <> 0) ORDER BY id DESC",
        (dataset, dataset),
    )
    return [row[0] for row in rows]


def rated_images(db: sqlite3.Connection) -> set[int]:
    """Images that anybody's current rating in any job judges."""
    return {row[0] for row in db.execute(f"SELECT DISTINCT image_id FROM current_ratings WHERE {JUDGED}")}


def marked_images(db: sqlite3.Connection) -> dict[int, bool]:
    """Images that anybody's current rating judges or flags, each with whether one flags it; never how it was judged."""
    rows = db.execute(
        f"SELECT image_id, max(flagged) FROM current_ratings WHERE {JUDGED} OR flagged GROUP BY image_id"
    )
    return {image_id: bool(flagged) for image_id, flagged in rows}


def assign(db: sqlite3.Connection, assignments: Iterable[Assignment]) -> None:
    """Store assignments; one that is there already keeps its side and place for ever."""
    with writing(db):
        _assign(db, assignments)


def _assign(db: sqlite3.Connection, assignments: Iterable[Assignment]) -> None:
    db.executemany(
        "INSERT INTO assignments (job_id, image_id, rater, occasion, role, shown_left, sort_key, shown_right)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (a.job_id, a.image_id, a.rater, a.occasion, a.role, a.shown_left, a.sort_key, a.shown_right)
            for a in assignments
        ],
    )


def assigned(db: sqlite3.Connection, job_id: int, rater: str) -> list[Assignment]:
    """A rater's queue of a job, in order."""
    rows = db.execute(
        "SELECT job_id, image_id, rater, occasion, role, shown_left, sort_key, shown_right FROM assignments"
        " WHERE job_id = ? AND rater = ? ORDER BY sort_key, image_id",
        (job_id, rater),
    )
    return [
        Assignment(job, image, who, occasion, role, Variant(left), key, Variant(right))
        for job, image, who, occasion, role, left, key, right in rows
    ]


def stored_sides(
    db: sqlite3.Connection, job_id: int, rater: str, image_id: int, occasion: int
) -> tuple[Variant, Variant] | None:
    """Which variants stand left and right for a rater, or None while the comparison was never shown."""
    row = db.execute(
        "SELECT shown_left, shown_right FROM assignments WHERE job_id = ? AND rater = ? AND image_id = ?"
        " AND occasion = ?",
        (job_id, rater, image_id, occasion),
    ).fetchone()
    return (Variant(row[0]), Variant(row[1])) if row else None


def reveal(db: sqlite3.Connection, seen: Reveal) -> None:
    """Remember for good that a rater knows which text is whose; the first time counts."""
    with writing(db):
        _reveal(db, seen)


def _reveal(db: sqlite3.Connection, seen: Reveal) -> None:
    db.execute(
        "INSERT INTO reveals (job_id, rater, image_id, revealed_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (seen.job_id, seen.rater, seen.image_id, seen.revealed_at),
    )


def revealed(db: sqlite3.Connection, job_id: int, rater: str) -> dict[int, float]:
    """Images of a job of which a rater knows which text is whose, with the Unix time of asking, s."""
    rows = db.execute(
        "SELECT image_id, revealed_at FROM reveals WHERE job_id = ? AND rater = ?", (job_id, rater)
    )
    return dict(rows)


def is_revealed(db: sqlite3.Connection, job_id: int, rater: str, image_id: int) -> bool:
    """Whether a rater knows which text of one image is whose."""
    sql = "SELECT 1 FROM reveals WHERE job_id = ? AND rater = ? AND image_id = ?"
    return db.execute(sql, (job_id, rater, image_id)).fetchone() is not None


def _rating(row: sqlite3.Row) -> Rating:
    fields = dict(row)
    fields["answers"] = json.loads(fields["answers"])
    fields["shown_left"] = Variant(fields["shown_left"])
    fields["shown_right"] = Variant(fields["shown_right"])
    for name in ("both_bad", "flagged", "skipped", "blinded"):
        fields[name] = bool(fields[name])
    return Rating(**fields)
