"""The migration to a third variant, from the schema as it was: every row, index and id counter is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import JobKind, Rating, Variant
from radtui.store import descriptions, jobs, ratings
from radtui.store import schema as schema_of
from radtui.store.database import connect
from radtui.store.ratings import Assignment

OLD = 3
# As they were written before there was a third variant.
ROWS = """
INSERT INTO datasets VALUES ('drawn', 'a test', 1.0);
INSERT INTO images (id, dataset, split, position, source_key, sha256, format, width_px, height_px, mode, reference,
    examination) VALUES (1, 'drawn', 'test', 0, 'a.png', 'aa', 'PNG', 4, 4, 'L', 'A nodule.', 'chest PA');
INSERT INTO images (id, dataset, split, position, source_key, sha256, format, width_px, height_px, mode, reference,
    examination) VALUES (2, 'drawn', 'test', 1, 'b.png', 'bb', 'PNG', 4, 4, 'L', 'Normal.', 'chest PA');
INSERT INTO jobs (id, kind, state, name, dataset, settings, created_at)
    VALUES (1, 'generate', 'done', 'g', 'drawn', '{"seed": 7}', 1.0);
INSERT INTO descriptions (id, job_id, image_id, variant, step, text, prompt, decoding, tokens, seconds, truncated,
    created_at) VALUES (5, 1, 1, 'base', NULL, 'one', 'ask', 'greedy', 3, 0.5, 0, 2.0);
INSERT INTO descriptions (id, job_id, image_id, variant, step, text, prompt, decoding, tokens, seconds, truncated,
    created_at) VALUES (6, 1, 1, 'tuned', NULL, 'two', 'ask', 'greedy', 3, 0.5, 1, 2.0);
INSERT INTO descriptions (id, job_id, image_id, variant, step, text, prompt, decoding, tokens, seconds, truncated,
    created_at) VALUES (9, 1, 2, 'tuned', 40, 'watched', 'ask', 'greedy', 3, 0.5, 0, 2.0);
DELETE FROM descriptions WHERE id = 9;
INSERT INTO assignments VALUES (1, 1, 'ana', 0, 'normal', 'tuned', '1-00');
INSERT INTO assignments VALUES (1, 1, 'ana', 1, 'repeat', 'base', '1-01');
INSERT INTO ratings (id, job_id, image_id, rater, occasion, scheme, scheme_hash, preference, both_bad,
    base_acceptability, tuned_acceptability, answers, note, flagged, skipped, blinded, shown_left, active_s, wall_s,
    rated_at, undoes) VALUES (3, 1, 1, 'ana', 0, 'radtui-default', 'h', 2, 0, 2, 5, '{"dim.correctness": 1}', 'n', 1, 0,
    1, 'tuned', 3.5, 4.5, 10.0, NULL);
INSERT INTO ratings (id, job_id, image_id, rater, occasion, scheme, scheme_hash, preference, both_bad,
    base_acceptability, tuned_acceptability, answers, note, flagged, skipped, blinded, shown_left, active_s, wall_s,
    rated_at, undoes) VALUES (4, 1, 1, 'ana', 0, 'radtui-default', 'h', -1, 0, 2, 5, '{}', '', 0, 0, 1, 'tuned', 3.5,
    4.5, 11.0, 3);
INSERT INTO reveals VALUES (1, 'ana', 1, 12.0);
"""


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataDir:
    """A data folder of schema 3 with rows in every table that is made anew."""
    folder = DataDir(tmp_path / "old").create()
    db = sqlite3.connect(folder.database, isolation_level=None)
    with monkeypatch.context() as before:
        before.setattr(schema_of, "add_third_variant", lambda db: None)
        schema_of.migrate(db)
    # The list of what was applied is as the old radtui left it.
    db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm004_third_variant'")
    db.execute(f"PRAGMA user_version = {OLD}")
    for statement in schema_of._statements(ROWS):
        db.execute(statement)
    with pytest.raises(sqlite3.IntegrityError):
        db.execute("UPDATE descriptions SET variant = 'dpo' WHERE id = 5")
    db.close()
    return folder


TABLES = ("images", "jobs", "descriptions", "assignments", "ratings", "reveals")


def everything(db: sqlite3.Connection, tables: Sequence[str] = TABLES) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the tables concerned, without the columns that are new."""
    found = {}
    for table in tables:
        names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        kept = [name for name in names if name not in ("shown_right", "dpo_acceptability")]
        found[table] = [
            tuple(row) for row in db.execute(f"SELECT {', '.join(kept)} FROM {table} ORDER BY 1, 2, 3, 4")
        ]
    return found


def test_nothing_is_lost(old: DataDir) -> None:
    before = sqlite3.connect(old.database)
    rows = everything(before)
    views = before.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY 1").fetchall()
    indexes = before.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1").fetchall()
    triggers = before.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 1"
    ).fetchall()
    before.close()
    db = connect(old)
    assert everything(db) == rows and len(rows["ratings"]) == len(rows["assignments"]) == 2
    for kind, was in (("view", views), ("index", indexes), ("trigger", triggers)):
        sql = "SELECT name, sql FROM sqlite_master WHERE type = ? ORDER BY 1"
        assert [tuple(row) for row in db.execute(sql, (kind,))] == was
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert not list(db.execute("SELECT name FROM sqlite_master WHERE name LIKE 'new_%'"))
    assert db.execute("PRAGMA user_version").fetchone()[0] == schema_of.SCHEMA_VERSION > OLD


def test_what_was_shown_right_is_the_other_of_the_two(old: DataDir) -> None:
    db = connect(old)
    assert [(a.shown_left, a.shown_right) for a in ratings.assigned(db, 1, "ana")] == [
        (Variant.TUNED, Variant.BASE), (Variant.BASE, Variant.TUNED),
    ]  # fmt: skip
    first, last = ratings.history(db, 1, "ana")
    assert (first.shown_left, first.shown_right) == (Variant.TUNED, Variant.BASE)
    assert first.shown == (Variant.BASE, Variant.TUNED) and first.dpo_acceptability is None
    assert first.preference == 2 and first.answers == {"dim.correctness": 1} and last.undoes == 3
    assert [rating.id for rating in ratings.current(db, 1)] == [4]
    pair = descriptions.comparison(db, 1, 1)
    assert pair is not None and (pair.base.text, pair.tuned.text, pair.dpo) == ("one", "two", None)


def test_an_id_is_never_given_twice(old: DataDir) -> None:
    db = connect(old)
    descriptions.add(db, 1, [
        descriptions.NewDescription(2, Variant.DPO, "three", "ask", "greedy", 3, 0.1, False)
    ])  # fmt: skip
    assert db.execute("SELECT max(id) FROM descriptions").fetchone()[0] == 10  # 9 was read once and deleted


def test_the_third_variant_is_stored_and_nonsense_is_refused(old: DataDir) -> None:
    db = connect(old)
    new = Rating(0, 1, 2, "ana", 0, "s", "h", 1, False, None, 3, {}, "", False, False, True, Variant.DPO, 1.0, 1.0, 1.0,
                 shown_right=Variant.TUNED, dpo_acceptability=4)  # fmt: skip
    stored = ratings.add(db, new)
    assert ratings.current(db, 1)[-1] == stored and stored.shown == (Variant.TUNED, Variant.DPO)
    ratings.assign(db, [Assignment(1, 2, "ana", 0, "normal", Variant.DPO, "1-02", Variant.BASE)])
    assert ratings.stored_sides(db, 1, "ana", 2, 0) == (Variant.DPO, Variant.BASE)
    for sql in (
        "UPDATE ratings SET shown_right = shown_left",
        "UPDATE assignments SET shown_right = 'other'",
        "UPDATE descriptions SET variant = 'other'",
        "UPDATE ratings SET dpo_acceptability = 6",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(sql)


def test_only_a_job_with_that_adapter_waits_for_the_third_text(old: DataDir) -> None:
    db = connect(old)
    third = jobs.create(db, JobKind.GENERATE, "g3", "drawn", {"dpo_adapter": "/a"})
    assert descriptions.variants(db, 1) == (Variant.BASE, Variant.TUNED)
    assert descriptions.variants(db, third.id) == tuple(Variant)
    for number, variant in enumerate(Variant):
        assert descriptions.comparison_ids(db, third.id) == []
        descriptions.add(db, third.id, [
            descriptions.NewDescription(1, variant, f"text {number}", "ask", "greedy", 3, 0.1, False)
        ])  # fmt: skip
    assert descriptions.comparison_ids(db, third.id) == [1]
    pair = descriptions.comparison(db, third.id, 1)
    assert pair is not None and pair.dpo is not None and pair.by(Variant.DPO).text == "text 2"
    assert descriptions.jobs_with_comparisons(db) == {third.id: 1, 1: 1}
