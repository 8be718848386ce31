"""Every schema there has been, as its own radtui made it, brought up to the present one without loss."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import ArmKind
from radtui.store import (
    arms,
    cases,
    cases_schema,
    jobs,
    ratings,
    schema,
    studies,
    text_scores_schema,
    texts,
    third_variant,
)
from radtui.store.database import connect

from .old_databases import SCHEMAS, old_database

RELEASED = (schema.FIRST_TABLES, schema.FASTER_SEARCH, schema.REVEALS)
NAMES = (
    "m001_first_tables", "m002_faster_search", "m003_reveals", "m004_third_variant", "m005_cases",
    "m006_text_scores",
)  # fmt: skip
BEFORE_CASES = tuple(version for version in SCHEMAS if version < 5)


def opened(folder: str) -> int:
    """Open (and so migrate) in a process of its own; returns the schema's version there."""
    with closing(connect(Path(folder))) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def rows(db: sqlite3.Connection, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in db.execute(sql)]


def definitions(db: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """What radtui's tables, indexes, views and triggers are, whatever way they came about."""
    found = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {
        (kind, name): " ".join(sql.replace('"', "").split())
        for kind, name, sql in found
        if "_sqlite_migrations" not in name and "my_" not in name and "of mine" not in name
    }


def test_there_is_a_fixture_of_every_older_schema() -> None:
    assert tuple(range(1, schema.SCHEMA_VERSION)) == SCHEMAS


@pytest.mark.parametrize("version", SCHEMAS)
def test_every_older_schema_is_brought_up_by_several_processes_at_once(tmp_path: Path, version: int) -> None:
    old, new = old_database(version, tmp_path / "old"), DataDir(tmp_path / "new").create()
    with closing(sqlite3.connect(old.database)) as yesterdays:  # yesterday's app is open meanwhile
        with multiprocessing.get_context("spawn").Pool(3) as pool:
            assert set(pool.map(opened, [str(old.root)] * 6, chunksize=1)) == {schema.SCHEMA_VERSION}
        with closing(connect(new)) as fresh:
            assert definitions(yesterdays) == definitions(fresh)
        assert yesterdays.execute("PRAGMA foreign_key_check").fetchall() == []
        assert yesterdays.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        found = yesterdays.execute("SELECT count(*) FROM cases_fts WHERE cases_fts MATCH 'effus*'").fetchone()
        assert found == (24,)


@pytest.mark.parametrize("version", BEFORE_CASES)
def test_every_row_is_there_under_its_new_noun(tmp_path: Path, version: int) -> None:
    data = old_database(version, tmp_path)
    with closing(sqlite3.connect(data.database)) as db:
        images = rows(db, "SELECT id, dataset, split, position, source_key, reference, examination, facts, error,"
                          " leaked FROM images ORDER BY id")  # fmt: skip
        bytes_of = rows(db, "SELECT id, sha256, format, width_px, height_px, mode FROM images ORDER BY id")
        truths = rows(db, "SELECT * FROM truths ORDER BY 1, 2")
        descriptions = rows(db, "SELECT id, job_id, image_id, variant, step, text, prompt, decoding, tokens, seconds,"
                                " truncated, created_at FROM descriptions ORDER BY id")  # fmt: skip
        work = rows(db, "SELECT * FROM work ORDER BY 1, 2")
        reveals = rows(db, "SELECT * FROM reveals ORDER BY 1, 2, 3") if version >= 3 else []
        metrics = rows(db, "SELECT * FROM metrics")
    with closing(connect(data)) as db:
        assert images == rows(db, "SELECT id, dataset, split, position, source_key, reference, examination, facts,"
                                  " error, leaked FROM cases ORDER BY id")  # fmt: skip
        assert bytes_of == rows(db, "SELECT c.case_id, i.sha256, format, width_px, height_px, mode FROM case_images c"
                                    " JOIN images i ON i.sha256 = c.sha256 WHERE ordinal = 0 ORDER BY 1")  # fmt: skip
        assert truths == rows(db, "SELECT * FROM truths ORDER BY 1, 2")
        assert descriptions == rows(db, "SELECT id, job_id, case_id, arm, step, text, prompt, decoding, tokens,"
                                        " seconds, truncated, created_at FROM descriptions ORDER BY id")  # fmt: skip
        assert rows(db, "SELECT id FROM texts ORDER BY id") == [(row[0],) for row in descriptions]
        assert work == rows(db, "SELECT * FROM work ORDER BY 1, 2")
        assert reveals == rows(
            db, "SELECT study_id, rater, case_id, revealed_at FROM reveals ORDER BY 1, 2, 3"
        )
        assert metrics == rows(db, "SELECT * FROM metrics")
        assert len(images) == 25 and len(descriptions) >= 24


@pytest.mark.parametrize("version", BEFORE_CASES)
def test_what_readers_said_is_the_same(tmp_path: Path, version: int) -> None:
    data = old_database(version, tmp_path)
    same = (
        "id, rater, occasion, scheme, scheme_hash, preference, both_bad, note, flagged, skipped, blinded, active_s,"
        " wall_s, rated_at, undoes"
    )
    names = ("base", "tuned", "dpo")
    with closing(sqlite3.connect(data.database)) as db:
        db.row_factory = sqlite3.Row
        before = rows(db, f"SELECT job_id, image_id, {same} FROM ratings ORDER BY id")
        old = [dict(row) for row in db.execute("SELECT * FROM ratings ORDER BY id")]
        shown = [
            dict(row)
            for row in db.execute("SELECT * FROM assignments ORDER BY job_id, rater, sort_key, image_id")
        ]
    with closing(connect(data)) as db:
        assert before == rows(db, f"SELECT study_id, case_id, {same} FROM ratings ORDER BY id")
        stored = rows(db, f"SELECT {', '.join(ratings.READ)} FROM ratings ORDER BY id")
        for was, rating in zip(old, ratings.ratings_of_rows(stored), strict=True):
            right = was.get("shown_right") or ("base" if was["shown_left"] == "tuned" else "tuned")
            assert (rating.left_arm, rating.right_arm) == (was["shown_left"], right)
            assert names.index(rating.earlier_arm) < names.index(rating.later_arm)
            said = {name: was.get(f"{name}_acceptability") for name in names}
            assert {name: rating.acceptability(name) for name in names} == said
            others = {key: n for key, n in rating.answers.items() if not key.startswith("acceptability.")}
            assert others == json.loads(was["answers"])
            assert rating.chain == ""
            text = db.execute(
                "SELECT arm, case_id FROM descriptions WHERE text_id = ?", (rating.later_text_id,)
            )
            assert tuple(text.fetchone()) == (rating.later_arm, rating.case_id)
        for job_id in {was["job_id"] for was in shown}:
            for rater in ("anna", "ben"):
                now = [(a.case_id, a.occasion, a.role, *a.sides) for a in ratings.assigned(db, job_id, rater)]
                assert now == [
                    (was["image_id"], was["occasion"], was["role"], was["shown_left"],
                     was.get("shown_right") or ("base" if was["shown_left"] == "tuned" else "tuned"))
                    for was in shown if (was["job_id"], was["rater"]) == (job_id, rater)
                ]  # fmt: skip


def test_what_a_schema_of_cases_holds_stays_to_the_byte(tmp_path: Path) -> None:
    data = old_database(5, tmp_path)
    with closing(sqlite3.connect(data.database)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [name for name in tables if not name.startswith(("sqlite_", "_sqlite_", "cases_fts"))]
        before = {name: rows(db, f'SELECT * FROM "{name}"') for name in kept}
    with closing(connect(data)) as db:
        assert before == {name: rows(db, f'SELECT * FROM "{name}"') for name in kept}
        assert len(before["ratings"]) > 10 and rows(db, "SELECT * FROM text_scores") == []


@pytest.mark.parametrize("version", SCHEMAS)
def test_a_generation_job_is_a_study_of_its_arms(tmp_path: Path, version: int) -> None:
    with closing(connect(old_database(version, tmp_path))) as db:
        study = studies.of_job(db, 2)
        assert (
            study is not None
            and study.arm_names == ("base", "tuned")
            and (study.seed, study.draw_id) == (7, 2)
        )
        if version >= 4:
            third = studies.of_job(db, 3)
            assert third is not None and third.arm_names == ("base", "tuned", "dpo")
        base, tuned = arms.of_job(db, 2)
        assert (base.kind, base.model, base.adapter) == (ArmKind.MODEL, "some/model", "")
        assert tuned.adapter == "jobs/0001/adapter" and tuned.instruction == "Describe."
        ids = studies.comparison_ids(db, study)
        assert ids == sorted(texts.work_list(db, 2)) and len(ids) == 11
        pair = studies.comparison(db, study, ids[0])
        assert pair is not None and pair.by("tuned").text.startswith("tuned of")
        assert studies.with_comparisons(db) == ({3: 11, 2: 11} if version >= 4 else {2: 11})
        watched = [text for text in texts.since(db, 1, 0) if text.step is not None]
        assert [(text.step, text.text) for text in watched] == [(0, "watched at 0"), (40, "watched at 40")]


@pytest.mark.parametrize("version", SCHEMAS)
def test_an_id_is_never_given_twice(tmp_path: Path, version: int) -> None:
    data = old_database(version, tmp_path)
    with closing(sqlite3.connect(data.database)) as db:
        highest = {"descriptions": db.execute("SELECT max(id) FROM descriptions").fetchone()[0]}
        highest |= dict(db.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        highest["descriptions"] = highest.get("arm_texts", highest["descriptions"])
    with closing(connect(data)) as db:
        arm = arms.of_job(db, 1)[0]
        case_id = cases.usable(db, "drawn", "train")[0]
        texts.add(db, 1, [texts.NewText(case_id, arm.id, "Describe.", "new", 3, 0.1, False, 99)])
        assert db.execute("SELECT max(id) FROM arm_texts").fetchone()[0] == highest["descriptions"] + 1
        assert jobs.create(db, jobs.JobKind.IMPORT, "i", "drawn", {}).id == highest["jobs"] + 1


@pytest.mark.parametrize("version", SCHEMAS)
def test_the_users_own_objects_are_kept_or_set_aside_with_the_reason(tmp_path: Path, version: int) -> None:
    with closing(connect(old_database(version, tmp_path))) as db:
        there = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        assert {"my_labels", "my_jobs", "my_notes", "a view; of mine"} <= there
        aside = {row["name"]: row for row in db.execute("SELECT * FROM set_aside")}
        assert set(aside) == {"my_index", "my_images", "my_ratings"}
        assert "new.image_id" in aside["my_ratings"]["reason"]
        assert (
            aside["my_images"]["sql"] == "CREATE VIEW my_images AS SELECT id, reference, sha256 FROM images"
        )
        db.execute("INSERT INTO events (job_id, step, elapsed_s, kind, text) VALUES (1, 0, 0.0, 'data', '')")
        assert rows(db, "SELECT * FROM my_labels")[-1] == (1, "data; seen")
        before = ratings.history(db, 2, "anna")
        ratings.add(db, before[0])  # the trigger that no longer fits keeps no rating from being saved
        assert len(ratings.history(db, 2, "anna")) == len(before) + 1


def test_what_has_been_released_is_not_edited() -> None:
    """A database that has run a migration never runs it again: a change belongs into a new one."""
    parts = (*RELEASED, third_variant.DESCRIPTIONS, third_variant.ASSIGNMENTS, third_variant.RATINGS)
    assert hashlib.sha256("".join(parts).encode()).hexdigest()[:16] == "cc03b70c235acce4"
    fifth = cases_schema.NEW_TABLES + cases_schema.INDEXES_AND_VIEWS
    assert hashlib.sha256(fifth.encode()).hexdigest()[:16] == "2a78ab2f73bc194e"
    sixth = text_scores_schema.TEXT_SCORES
    assert hashlib.sha256(sixth.encode()).hexdigest()[:16] == "d336921c84755fe8"
    assert len(NAMES) == schema.SCHEMA_VERSION, (
        "a new schema needs a new migration, a fixture, and a row here"
    )
