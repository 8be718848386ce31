"""Data sets and their cases: adding, finding, reading back."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields

from radtui.records import Case, CaseImage, Problem, Truth
from radtui.store.database import READ_CHUNK, writing
from radtui.store.incoming import KeptCase, Link, Probe, add
from radtui.store.ratings import JUDGED

__all__ = [
    "CaseQuery", "DatasetSummary", "KeptCase", "Link", "Probe", "add", "add_problems", "any_dataset", "datasets",
    "distinct", "ensure_dataset", "find", "forget_problems", "fts_expression", "get", "get_many", "ids_of",
    "mark_leaks", "move", "problems", "set_fact", "shared_patients", "total", "usable",
]  # fmt: skip

SORT_COLUMNS = {
    "position": "cases.split DESC, cases.position",
    "name": "cases.source_key",
    "reference": "cases.reference",
    "size": "(SELECT i.width_px * i.height_px FROM case_images c JOIN images i ON i.sha256 = c.sha256"
    " WHERE c.case_id = cases.id AND c.ordinal = 0) DESC",
}
OTHER_WORDS = "question source_key examination"  # columns of the search that tell nothing of a reference
COLUMNS = tuple(each.name for each in fields(Case) if each.name not in ("images", "truth"))
RANKED = 5_000  # a search that finds more comes in the list's own order


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """One data set and its counts; `splits` maps a split's name to its number of cases."""

    name: str
    source: str
    created_at: float
    splits: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    leaked: int = 0

    @property
    def total(self) -> int:
        """Cases of all splits, unreadable ones included."""
        return sum(self.splits.values())


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """What the list shows. Empty strings and None do not filter; `search` is words, all of which must occur."""

    dataset: str
    split: str = ""
    search: str = ""
    examination: str = ""
    finding: str = ""
    unreadable: bool | None = None
    leaked: bool | None = None
    rated: bool | None = None
    sort: str = "position"


def ensure_dataset(db: sqlite3.Connection, name: str, source: str) -> None:
    """Create the data set's row unless it is there."""
    with writing(db):
        db.execute(
            "INSERT INTO datasets (name, source, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
            (name, source, time.time()),
        )


def datasets(db: sqlite3.Connection) -> list[DatasetSummary]:
    """All data sets, newest first, with their counts."""
    counts: dict[str, dict[str, int]] = {}
    troubles: dict[str, list[int]] = {}
    rows = db.execute(
        "SELECT dataset, split, count(*) AS n, sum(error != '') AS unreadable, sum(leaked) AS leaked"
        " FROM cases GROUP BY dataset, split ORDER BY dataset, split DESC"
    )
    for row in rows:
        counts.setdefault(row["dataset"], {})[row["split"]] = row["n"]
        trouble = troubles.setdefault(row["dataset"], [0, 0])
        trouble[0] += row["unreadable"]
        trouble[1] += row["leaked"]
    return [
        DatasetSummary(
            row["name"], row["source"], row["created_at"], counts.get(row["name"], {}),
            *troubles.get(row["name"], [0, 0]),
        )
        for row in db.execute("SELECT * FROM datasets ORDER BY created_at DESC, rowid DESC")
    ]  # fmt: skip


def any_dataset(db: sqlite3.Connection) -> bool:
    """Whether anything has been imported, or has begun to be."""
    return db.execute("SELECT 1 FROM datasets LIMIT 1").fetchone() is not None


def any_case(db: sqlite3.Connection) -> bool:
    """Whether there is anything to look at, also where an import has left nothing but its data set's name."""
    return db.execute("SELECT 1 FROM cases LIMIT 1").fetchone() is not None


def total(db: sqlite3.Connection) -> int:
    """How many cases there are, of all data sets."""
    return int(db.execute("SELECT count(*) FROM cases").fetchone()[0])


def set_fact(db: sqlite3.Connection, ids: Sequence[int], name: str, value: str) -> None:
    """Add one fact to cases that are there, beside those of their source."""
    with writing(db):
        db.executemany(
            "UPDATE cases SET facts = json_set(facts, ?, ?) WHERE id = ?",
            [(f'$."{name}"', value, case_id) for case_id in ids],
        )


def ids_of(db: sqlite3.Connection, dataset: str, keys: Iterable[tuple[str, str]]) -> list[int]:
    """Ids of the cases that a data set knows by (split, source key)."""
    sql = "SELECT id FROM cases WHERE dataset = ? AND split = ? AND source_key = ?"
    return [row[0] for key in keys for row in db.execute(sql, (dataset, *key))]


def move(db: sqlite3.Connection, case_ids: Sequence[int], after: str) -> int:
    """Move cases to a split in which none of their keys is; returns how many."""
    with writing(db):
        return sum(
            db.execute("UPDATE cases SET split = ? WHERE id = ?", (after, case_id)).rowcount
            for case_id in case_ids
        )


def mark_leaks(db: sqlite3.Connection, dataset: str) -> int:
    """Mark the cases whose bytes, or whose patient, also occur in another split of the data set.

    Returns:
        How many cases are marked.
    """
    # What is in several splits is gathered first: asking for each case who shares with it takes hours for 100,000.
    patients = (
        "SELECT patient FROM cases WHERE dataset = :dataset AND patient != '' AND error = ''"
        " GROUP BY patient HAVING min(split) != max(split)"
    )
    same_bytes = (
        "SELECT p.sha256 FROM cases k JOIN case_images p ON p.case_id = k.id WHERE k.dataset = :dataset"
        " AND k.error = '' GROUP BY p.sha256 HAVING min(k.split) != max(k.split)"
    )
    leaks = (
        f"error = '' AND (patient IN ({patients})"
        f" OR id IN (SELECT case_id FROM case_images WHERE sha256 IN ({same_bytes})))"
    )
    with writing(db):
        db.execute(
            f"UPDATE cases SET leaked = NOT leaked WHERE dataset = :dataset AND leaked != ({leaks})",
            {"dataset": dataset},
        )
    row = db.execute("SELECT count(*) FROM cases WHERE dataset = ? AND leaked", (dataset,)).fetchone()
    return int(row[0])


def leaked_ids(db: sqlite3.Connection, dataset: str) -> frozenset[int]:
    """Cases of a data set that `mark_leaks` has marked."""
    rows = db.execute("SELECT id FROM cases WHERE dataset = ? AND leaked", (dataset,))
    return frozenset(row[0] for row in rows)


def shared_patients(db: sqlite3.Connection, dataset: str) -> int:
    """How many patients have readable cases in more than one split of a data set."""
    row = db.execute(
        "SELECT count(*) FROM (SELECT patient FROM cases WHERE dataset = ? AND patient != '' AND error = ''"
        " GROUP BY patient HAVING count(DISTINCT split) > 1)",
        (dataset,),
    ).fetchone()
    return int(row[0])


def contradictions(db: sqlite3.Connection, dataset: str) -> list[tuple[str, str]]:
    """Keys of readable cases of one picture each, in twos: the bytes and the question are the same, the texts are not.

    Rows that name one file with several texts, as sets with five captions a picture have them, are none.
    """
    alone = "NOT EXISTS (SELECT 1 FROM case_images WHERE case_id = k.id AND ordinal = 1)"
    twice = (
        "SELECT p.sha256 FROM cases k JOIN case_images p ON p.case_id = k.id AND p.ordinal = 0"
        " WHERE k.dataset = :dataset AND k.error = '' AND k.reference != '' GROUP BY p.sha256 HAVING count(*) > 1"
    )
    # A key is the file's path, with #2 behind it where the file comes again; of what is no file it tells nothing.
    file = (
        "CASE WHEN p.name != '' AND instr(k.source_key, p.name)"
        " THEN substr(k.source_key, 1, instr(k.source_key || '#', '#') - 1) ELSE p.name END"
    )
    rows = db.execute(
        "SELECT min(k.source_key), max(k.source_key) FROM cases k"
        " JOIN case_images p ON p.case_id = k.id AND p.ordinal = 0"
        f" WHERE k.dataset = :dataset AND k.error = '' AND k.reference != '' AND p.sha256 IN ({twice}) AND {alone}"
        f" GROUP BY p.sha256, k.question HAVING min(k.reference) != max(k.reference) AND min({file}) != max({file})"
        " ORDER BY min(k.id)",
        {"dataset": dataset},
    )
    return [(first, last) for first, last in rows]


def add_problems(db: sqlite3.Connection, job_id: int, batch: Iterable[Problem]) -> None:
    """Commit what an import did not use, in the order it was met."""
    with writing(db):
        db.executemany(
            "INSERT INTO problems (job_id, place, reason, count) VALUES (?, ?, ?, ?)",
            [(job_id, problem.where, problem.reason, problem.count) for problem in batch],
        )


def forget_problems(db: sqlite3.Connection, job_id: int) -> None:
    """Begin a job's list of problems anew: a repeated import meets them again."""
    with writing(db):
        db.execute("DELETE FROM problems WHERE job_id = ?", (job_id,))


def problems(db: sqlite3.Connection, job_id: int) -> list[Problem]:
    """What an import did not use, in the order it was met."""
    rows = db.execute("SELECT place, reason, count FROM problems WHERE job_id = ? ORDER BY id", (job_id,))
    return [Problem(place, reason, count) for place, reason, count in rows]


def find(db: sqlite3.Connection, query: CaseQuery, kept_back: Collection[int] = ()) -> list[int]:
    """Ids of the cases that a query shows, in its order; a search that finds few is ranked best first.

    Args:
        db: The database.
        query: What is asked for.
        kept_back: Cases whose reference and findings nothing may be learnt of: they are found by other words alone,
            by no finding, and come last in the order of references.
    """
    case_ids = _find(db, query, fts_expression(query.search) if query.search.strip() else "")
    if not kept_back:
        return case_ids
    if query.finding:
        return [case_id for case_id in case_ids if case_id not in kept_back]
    if query.search.strip():
        by_other_words = frozenset(_find(db, query, f"{{{OTHER_WORDS}}} : ({fts_expression(query.search)})"))
        case_ids = [case_id for case_id in case_ids if case_id not in kept_back or case_id in by_other_words]
    if query.sort == "reference":
        case_ids.sort(key=lambda case_id: (case_id in kept_back, case_id if case_id in kept_back else 0))
    return case_ids


def _find(db: sqlite3.Connection, query: CaseQuery, expression: str) -> list[int]:
    """Ids of the cases that a query shows; `expression` is its search as FTS5 has it, "" for none."""
    where, values = ["cases.dataset = ?"], [query.dataset]
    for column, wanted in (("split", query.split), ("examination", query.examination)):
        if wanted:
            where.append(f"cases.{column} = ?")
            values.append(wanted)
    if query.finding:
        where.append("EXISTS (SELECT 1 FROM truths WHERE case_id = cases.id AND finding = ?)")
        values.append(query.finding)
    if query.unreadable is not None:
        where.append("cases.error != ''" if query.unreadable else "cases.error = ''")
    if query.leaked is not None:
        where.append("cases.leaked" if query.leaked else "NOT cases.leaked")
    if query.rated is not None:
        # Not EXISTS, which would go through all ratings for each case.
        among = f"IN (SELECT case_id FROM current_ratings WHERE {JUDGED})"
        where.append(f"cases.id {among}" if query.rated else f"cases.id NOT {among}")
    tables, order = "cases", SORT_COLUMNS.get(query.sort, SORT_COLUMNS["position"])
    if expression:
        if query.sort == "position" and not _few(db, expression):
            # All hits at once and the rows in their index's order: half the time of looking each hit up.
            where.append("cases.id IN (SELECT rowid FROM cases_fts WHERE cases_fts MATCH ?)")
            values.append(expression)
        else:
            # CROSS JOIN keeps SQLite from asking the index once for every case, which takes minutes.
            tables = "cases_fts CROSS JOIN cases ON cases.id = cases_fts.rowid"
            where.insert(0, "cases_fts MATCH ?")
            values.insert(0, expression)
            order = "cases_fts.rank" if query.sort == "position" else order
    # One row of all ids: a hundred thousand rows take twice the time. SQLite keeps a subquery's order for
    # aggregates that depend on it. Source: SQLite, src/select.c, SF_OrderByReqd.
    ids = f"SELECT cases.id FROM {tables} WHERE {' AND '.join(where)} ORDER BY {order}"
    listed = db.execute(f"SELECT json_group_array(id) FROM ({ids})", values).fetchone()[0]
    return list(json.loads(listed))


def _few(db: sqlite3.Connection, expression: str) -> bool:
    """Whether so few cases match that ranking them is quick, and says something."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM cases_fts WHERE cases_fts MATCH ? LIMIT ?)"
    return int(db.execute(sql, (expression, RANKED + 1)).fetchone()[0]) <= RANKED


def fts_expression(search: str) -> str:
    """An FTS5 expression in which every word must occur and the last may be half typed.

    Each word is quoted, so that no character of a search is FTS5 syntax.
    """
    # A NUL would end the expression inside a quote, and half a surrogate pair cannot be bound at all.
    text = search.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    words = ['"' + word.replace('"', '""') + '"' for word in text.split()]
    return " ".join(words) + "*" if words else '""'


def get(db: sqlite3.Connection, case_id: int) -> Case | None:
    """One case, or None."""
    cases = get_many(db, [case_id])
    return cases[0] if cases else None


def get_many(db: sqlite3.Connection, ids: Sequence[int]) -> list[Case]:
    """Cases by id, in the order asked for; unknown ids are left out."""
    cases: dict[int, Case] = {}
    for start in range(0, len(ids), READ_CHUNK):
        chunk = ids[start : start + READ_CHUNK]
        marks = ",".join("?" * len(chunk))
        truths: dict[int, list[Truth]] = {}
        for row in db.execute(f"SELECT * FROM truths WHERE case_id IN ({marks}) ORDER BY ordinal", chunk):
            truths.setdefault(row["case_id"], []).append(
                Truth(row["finding"], row["side"], row["zone"], row["size"])
            )
        pictures: dict[int, list[CaseImage]] = {}
        for case_id, *values in db.execute(
            "SELECT c.case_id, i.sha256, i.format, i.width_px, i.height_px, i.mode, c.name, c.role, c.note, i.error"
            f" FROM case_images c JOIN images i ON i.sha256 = c.sha256 WHERE c.case_id IN ({marks}) ORDER BY c.ordinal",
            chunk,
        ):
            pictures.setdefault(case_id, []).append(CaseImage(*values))
        for row in db.execute(f"SELECT * FROM cases WHERE id IN ({marks})", chunk):
            case_id = row["id"]
            cases[case_id] = _case(row, tuple(pictures.get(case_id, ())), tuple(truths.get(case_id, ())))
    return [cases[case_id] for case_id in ids if case_id in cases]


def _case(row: sqlite3.Row, pictures: tuple[CaseImage, ...], truth: tuple[Truth, ...]) -> Case:
    values = {name: row[name] for name in COLUMNS}
    values["facts"] = json.loads(values["facts"])
    values["leaked"] = bool(values["leaked"])
    return Case(images=pictures, truth=truth, **values)


def usable(
    db: sqlite3.Connection, dataset: str, split: str, limit: int = 0, with_reference: bool = False
) -> list[int]:
    """Ids of a split's readable cases in their order; `limit` 0 means all of them."""
    sql = "SELECT id FROM cases WHERE dataset = ? AND split = ? AND error = ''"
    if with_reference:
        sql += " AND trim(reference) != ''"
    sql += " ORDER BY position" + (f" LIMIT {int(limit)}" if limit else "")
    return [row[0] for row in db.execute(sql, (dataset, split))]


def source_keys(db: sqlite3.Connection, dataset: str, split: str) -> dict[int, str]:
    """What the source calls each case of a split, by its id."""
    rows = db.execute("SELECT id, source_key FROM cases WHERE dataset = ? AND split = ?", (dataset, split))
    return {row[0]: row[1] for row in rows}


def distinct(db: sqlite3.Connection, dataset: str, what: str) -> list[str]:
    """The values to filter by: `split`, `examination` or `finding`, sorted."""
    if what == "finding":
        sql = "SELECT DISTINCT finding FROM truths JOIN cases ON cases.id = case_id WHERE dataset = ?"
    elif what in ("split", "examination"):
        sql = f"SELECT DISTINCT {what} FROM cases WHERE dataset = ? AND {what} != ''"
    else:
        raise ValueError(f"no filter over {what}")
    return sorted(row[0] for row in db.execute(sql, (dataset,)))
