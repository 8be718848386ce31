"""A database as the radtui of some commit made it, for the tests of migrations.

Run with that commit's package first on the path:

    git worktree add --detach OLD COMMIT
    PYTHONPATH=OLD python tools/old_database.py OUT_FOLDER

It writes `radtui.db` through that version's own store, with what migrations have to bring over: ratings of two
readers, an undo chain, a hidden repeat, reveals and a third variant where that schema has them, watched texts, a
deleted newest row, an unreadable image, and the user's own table, view, index and triggers.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path

from radtui.records import JobKind, NewImage, Rating, Truth, Variant
from radtui.store import descriptions, images, jobs, ratings
from radtui.store.database import connect
from radtui.store.images import Probe
from radtui.store.schema_version import SCHEMA_VERSION

HAS_THIRD = hasattr(Variant, "DPO")
CASES = 24
OWN = (
    "CREATE TABLE my_labels (image_id INTEGER, label TEXT)",
    "CREATE INDEX my_index ON images (examination)",
    "CREATE VIEW my_jobs AS SELECT id, name FROM jobs",
    "CREATE VIEW my_images AS SELECT id, reference, sha256 FROM images",
    'CREATE VIEW "a view; of mine" AS SELECT job_id, count(*) AS n FROM metrics GROUP BY job_id',
    "CREATE TRIGGER my_notes AFTER INSERT ON events BEGIN"
    " INSERT INTO my_labels VALUES (new.job_id, new.kind || '; seen'); END",
    "CREATE TRIGGER my_ratings AFTER INSERT ON ratings BEGIN"
    " INSERT INTO my_labels VALUES (new.image_id, new.rater); END",
)


def fill(folder: Path) -> None:
    """Make the database in an empty folder."""
    db = connect(folder)
    images.ensure_dataset(db, "drawn", "phantoms:0")
    batch = [
        (
            NewImage(
                "test" if number % 2 else "train", f"{number:03}.png", b"", f"Case {number}: no pleural effusion.",
                "chest PA" if number % 3 else "hand", {"cui": f"C{number}"},
                (Truth("normal"),) if number % 3 else (Truth("nodule", "left", "upper", "small"),),
                "The image cannot be decoded." if number == 5 else "",
            ),
            Probe(f"{number:064x}", "PNG", 40 + number, 30, "L"),
        )
        for number in range(CASES)
    ]  # fmt: skip
    images.add(db, "drawn", batch)
    images.add(
        db, "drawn", [(NewImage("train", "copy.png", b"", "A copy."), Probe(f"{3:064x}", "PNG", 43, 30, "L"))]
    )
    images.mark_leaks(db, "drawn")
    train = jobs.create(
        db, JobKind.TRAIN, "Tune", "drawn", {"model": "some/model", "instruction": "Describe.", "seed": 1}
    )
    ids = images.usable(db, "drawn", "test")
    for step in (0, 40):
        descriptions.add(db, train.id, [text(ids[0], Variant.TUNED, f"watched at {step}", step)])
    settings = {
        "model": "some/model", "adapter": "jobs/0001/adapter", "instruction": "Describe.", "seed": 7,
        "dataset": "drawn", "train_job": train.id,
    }  # fmt: skip
    describe(db, "Describe", settings, train.id, ids, [Variant.BASE, Variant.TUNED])
    if HAS_THIRD:
        third = settings | {"dpo_adapter": "jobs/0002/adapter"}
        describe(db, "Describe again", third, train.id, ids, [Variant.BASE, Variant.TUNED, Variant.DPO])
    for sql in OWN:
        db.execute(sql)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("PRAGMA journal_mode=DELETE")
    db.close()


def describe(db, name, settings, parent, ids, variants):  # type: ignore[no-untyped-def]
    """A generation job, its texts, and what two readers said of them."""
    job = jobs.create(db, JobKind.GENERATE, name, "drawn", settings, parent_job_id=parent, image_ids=ids)
    for case_id in ids:
        descriptions.add(
            db,
            job.id,
            [text(case_id, variant, f"{variant} of {case_id}\n= and, more") for variant in variants],
        )
    newest = db.execute("SELECT max(id) FROM descriptions").fetchone()[0]
    descriptions.add(db, parent, [text(ids[1], Variant.TUNED, "a text that is deleted", 80 + job.id)])
    db.execute("DELETE FROM descriptions WHERE id > ?", (newest,))
    pairs = [(a, b) for a in variants for b in variants if a != b]
    for rater in ("anna", "ben"):
        for at, case_id in enumerate(ids[:8]):
            left, right = pairs[(at + len(rater)) % len(pairs)]
            rate(db, job.id, case_id, rater, at, left, right)
    if hasattr(ratings, "reveal"):
        ratings.reveal(db, ratings.Reveal(job.id, ids[2], "anna", 1_700_000_500.0))


def rate(db, job_id, case_id, rater, at, left, right):  # type: ignore[no-untyped-def]
    """One pair shown, answered, and on some answered again, taken back or met a second time."""
    assign(db, job_id, case_id, rater, 0, "calibration" if at == 7 else "normal", left, right)
    error = f"error.{right}.2.significant"
    first = rating(
        job_id, case_id, rater, 0, at % 5 - 2, left, right, at,
        answers={"dim.correctness": 1, error: 2}, note="first, \"quoted\"\nline" if at == 1 else "", flagged=at == 1,
        blinded=at != 2,
    )  # fmt: skip
    stored = ratings.add(db, first)
    if at == 3:
        changed = ratings.add(db, rating(job_id, case_id, rater, 0, 2, left, right, at + 20))
        ratings.add(
            db, rating(job_id, case_id, rater, 0, at % 5 - 2, left, right, at + 40, undoes=changed.id)
        )
    if at == 4:
        empty = rating(
            job_id, case_id, rater, 0, None, left, right, at + 50, acceptable=False, undoes=stored.id
        )
        ratings.add(db, empty)
    if at == 5:
        ratings.add(db, rating(job_id, case_id, rater, 0, None, left, right, at + 60, skipped=True))
    if at == 6:
        assign(db, job_id, case_id, rater, 1, "repeat", right, left)
        ratings.add(db, rating(job_id, case_id, rater, 1, None, right, left, at + 80, both_bad=True))


def text(case_id, variant, words, step=None):  # type: ignore[no-untyped-def]
    """A description as its job would commit it."""
    return descriptions.NewDescription(case_id, variant, words, "Describe.", "greedy", 9, 0.25, False, step)


def assign(db, job_id, case_id, rater, occasion, role, left, right):  # type: ignore[no-untyped-def]
    """Which text stands where."""
    more = {"shown_right": right} if "shown_right" in inspect.signature(ratings.Assignment).parameters else {}
    ratings.assign(
        db,
        [
            ratings.Assignment(
                job_id, case_id, rater, occasion, role, left, f"{occasion}-{case_id:04}", **more
            )
        ],
    )


def rating(job_id, case_id, rater, occasion, preference, left, right, at, **more):  # type: ignore[no-untyped-def]
    """A snapshot; both shown texts are given an acceptability."""
    acceptable = more.pop("acceptable", True)
    shown = {left, right} if acceptable else set()
    fields = {
        "id": 0, "job_id": job_id, "image_id": case_id, "rater": rater, "occasion": occasion,
        "scheme": "radtui-default", "scheme_hash": "0" * 64, "preference": preference, "both_bad": False,
        "base_acceptability": 2 if Variant.BASE in shown else None,
        "tuned_acceptability": 4 if Variant.TUNED in shown else None, "answers": {}, "note": "", "flagged": False,
        "skipped": False, "blinded": True, "shown_left": left, "active_s": 3.5 + at, "wall_s": 4.5 + at,
        "rated_at": 1_700_000_000.0 + at, "undoes": None,
    } | more  # fmt: skip
    if HAS_THIRD:
        fields |= {"shown_right": right, "dpo_acceptability": 5 if Variant.DPO in shown else None}
    return Rating(**fields)


if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    fill(out)
    print(json.dumps({"schema": SCHEMA_VERSION, "database": str(out / "radtui.db")}))
