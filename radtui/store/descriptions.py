"""What the models wrote: work lists, descriptions, and the comparisons made of them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from radtui.records import TWO_VARIANTS, Comparison, Description, Variant
from radtui.store.database import READ_CHUNK, writing

COLUMNS = "id, job_id, image_id, variant, step, text, prompt, decoding, tokens, seconds, truncated"
WANTED = "(2 + (coalesce(json_extract(j.settings, '$.dpo_adapter'), '') <> ''))"  # variants of a job j


@dataclass(frozen=True, slots=True)
class NewDescription:
    """A description on its way into the store."""

    image_id: int
    variant: Variant
    text: str
    prompt: str
    decoding: str
    tokens: int
    seconds: float
    truncated: bool
    step: int | None = None


def add(db: sqlite3.Connection, job_id: int, batch: list[NewDescription]) -> int:
    """Commit descriptions; one that is there already stays as it is. Returns how many are new."""
    now = time.time()
    with writing(db):
        before = db.total_changes
        db.executemany(
            "INSERT INTO descriptions (job_id, image_id, variant, step, text, prompt, decoding, tokens, seconds,"
            " truncated, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (job_id, d.image_id, d.variant, d.step, d.text, d.prompt, d.decoding, d.tokens, d.seconds,
                 d.truncated, now)
                for d in batch
            ],
        )  # fmt: skip
        return db.total_changes - before


def work_list(db: sqlite3.Connection, job_id: int) -> list[int]:
    """Image ids a generation job was asked to describe, in their data set's order."""
    rows = db.execute(
        "SELECT image_id FROM work JOIN images ON images.id = image_id WHERE job_id = ? ORDER BY split DESC, position",
        (job_id,),
    )
    return [row[0] for row in rows]


def ensure_work(db: sqlite3.Connection, job_id: int, image_ids: list[int]) -> None:
    """Give a job its work list unless it has one: a job queued behind an import cannot have it sooner."""
    with writing(db):
        if db.execute("SELECT 1 FROM work WHERE job_id = ? LIMIT 1", (job_id,)).fetchone() is None:
            db.executemany(
                "INSERT INTO work (job_id, image_id) VALUES (?, ?)",
                [(job_id, image_id) for image_id in image_ids],
            )


def missing(db: sqlite3.Connection, job_id: int, variant: Variant) -> list[int]:
    """Image ids of the work list that this variant has not described yet."""
    rows = db.execute(
        "SELECT image_id FROM work JOIN images ON images.id = image_id WHERE job_id = ? AND NOT EXISTS ("
        " SELECT 1 FROM descriptions d WHERE d.job_id = work.job_id AND d.image_id = work.image_id"
        " AND d.variant = ? AND coalesce(d.step, -1) = -1) ORDER BY split DESC, position",
        (job_id, variant),
    )
    return [row[0] for row in rows]


def count(db: sqlite3.Connection, job_id: int) -> int:
    """How many descriptions a generation job has."""
    row = db.execute(
        "SELECT count(*) FROM descriptions WHERE job_id = ? AND step IS NULL", (job_id,)
    ).fetchone()
    return int(row[0])


def since(db: sqlite3.Connection, job_id: int, cursor: int, limit: int = 5_000) -> list[Description]:
    """Descriptions of a job with `id > cursor`, watched ones (with a step) included, oldest first."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM descriptions WHERE job_id = ? AND id > ? ORDER BY id LIMIT ?",
        (job_id, cursor, limit),
    )
    return [_description(row) for row in rows]


def of_image(db: sqlite3.Connection, image_id: int) -> list[Description]:
    """Every finished description of an image, newest first, watched ones left out."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM descriptions WHERE image_id = ? AND step IS NULL ORDER BY id DESC",
        (image_id,),
    )
    return [_description(row) for row in rows]


def finished(db: sqlite3.Connection, job_id: int) -> list[Description]:
    """A generation job's descriptions, without watched ones, in order of writing."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM descriptions WHERE job_id = ? AND step IS NULL ORDER BY id", (job_id,)
    )
    return [_description(row) for row in rows]


def variants(db: sqlite3.Connection, job_id: int) -> tuple[Variant, ...]:
    """Whose texts a generation job writes: base and tuned, and dpo where its settings name that adapter."""
    row = db.execute(f"SELECT {WANTED} FROM jobs j WHERE id = ?", (job_id,)).fetchone()
    return tuple(Variant)[: row[0]] if row else TWO_VARIANTS


def comparison_ids(db: sqlite3.Connection, job_id: int) -> list[int]:
    """Image ids of which a job has a description by every one of its variants."""
    rows = db.execute(
        "SELECT image_id FROM descriptions WHERE job_id = ? AND step IS NULL GROUP BY image_id"
        " HAVING count(DISTINCT variant) >= ? ORDER BY image_id",
        (job_id, len(variants(db, job_id))),
    )
    return [row[0] for row in rows]


def comparison(db: sqlite3.Connection, job_id: int, image_id: int) -> Comparison | None:
    """The texts about one image in one job, or None while one of base and tuned is missing."""
    return comparisons(db, job_id, [image_id]).get(image_id)


def comparisons(db: sqlite3.Connection, job_id: int, image_ids: Sequence[int]) -> dict[int, Comparison]:
    """The texts about images in one job, by image; one of which base or tuned is missing is left out."""
    third = Variant.DPO in variants(db, job_id)
    found: dict[int, Comparison] = {}
    for start in range(0, len(image_ids), READ_CHUNK):
        chunk = image_ids[start : start + READ_CHUNK]
        marks = ",".join("?" * len(chunk))
        references = dict(db.execute(f"SELECT id, reference FROM images WHERE id IN ({marks})", chunk))
        texts: dict[int, dict[Variant, Description]] = {}
        for row in db.execute(
            f"SELECT {COLUMNS} FROM descriptions WHERE job_id = ? AND step IS NULL AND image_id IN ({marks})",
            (job_id, *chunk),
        ):
            texts.setdefault(row["image_id"], {})[Variant(row["variant"])] = _description(row)
        for image_id, of in texts.items():
            if of.keys() >= set(TWO_VARIANTS):
                found[image_id] = Comparison(
                    job_id, image_id, of[Variant.BASE], of[Variant.TUNED], references[image_id],
                    of.get(Variant.DPO) if third else None,
                )  # fmt: skip
    return found


def jobs_with_comparisons(db: sqlite3.Connection) -> dict[int, int]:
    """Generation jobs that can be reviewed, newest first, with their number of comparisons."""
    rows = db.execute(
        "SELECT job_id, count(*) FROM (SELECT job_id, image_id, count(DISTINCT variant) AS there FROM descriptions"
        f" WHERE step IS NULL GROUP BY job_id, image_id) JOIN jobs j ON j.id = job_id WHERE there >= {WANTED}"
        " GROUP BY job_id ORDER BY job_id DESC"
    )
    return dict(rows)


def _description(row: sqlite3.Row) -> Description:
    fields = dict(row)
    fields["variant"] = Variant(fields["variant"])
    fields["truncated"] = bool(fields["truncated"])
    return Description(**fields)
