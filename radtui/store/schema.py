"""The tables, as numbered migrations that are never edited once released."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from radtui.store import own_objects
from radtui.store.cases_migration import move_to_cases
from radtui.store.schema_version import SCHEMA_VERSION
from radtui.store.statements import statements
from radtui.store.text_scores_schema import TEXT_SCORES
from radtui.store.third_variant import add_third_variant

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

# AUTOINCREMENT where rows are deleted and readers keep a cursor: an id used again would never be read.
FIRST_TABLES = """
CREATE TABLE datasets (
    name TEXT PRIMARY KEY, source TEXT NOT NULL, created_at REAL NOT NULL
);
CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    dataset TEXT NOT NULL REFERENCES datasets(name),
    split TEXT NOT NULL, position INTEGER NOT NULL, source_key TEXT NOT NULL,
    sha256 TEXT NOT NULL, format TEXT NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT NULL,
    mode TEXT NOT NULL, reference TEXT NOT NULL, examination TEXT NOT NULL,
    facts TEXT NOT NULL DEFAULT '{}',
    error TEXT NOT NULL DEFAULT '',
    leaked INTEGER NOT NULL DEFAULT 0 CHECK (leaked IN (0, 1)),
    UNIQUE (dataset, split, source_key)
);
CREATE INDEX images_by_split ON images (dataset, split, position);
CREATE INDEX images_by_sha256 ON images (dataset, sha256);
CREATE TABLE truths (
    image_id INTEGER NOT NULL REFERENCES images(id), ordinal INTEGER NOT NULL,
    finding TEXT NOT NULL, side TEXT NOT NULL, zone TEXT NOT NULL, size TEXT NOT NULL,
    PRIMARY KEY (image_id, ordinal)
) WITHOUT ROWID;
CREATE INDEX truths_by_finding ON truths (finding);
CREATE VIRTUAL TABLE images_fts USING fts5(
    reference, source_key, examination, content='images', content_rowid='id', tokenize='porter unicode61'
);
CREATE TRIGGER images_fts_insert AFTER INSERT ON images BEGIN
    INSERT INTO images_fts(rowid, reference, source_key, examination)
    VALUES (new.id, new.reference, new.source_key, new.examination);
END;
CREATE TRIGGER images_fts_update AFTER UPDATE OF reference, source_key, examination ON images BEGIN
    INSERT INTO images_fts(images_fts, rowid, reference, source_key, examination)
    VALUES ('delete', old.id, old.reference, old.source_key, old.examination);
    INSERT INTO images_fts(rowid, reference, source_key, examination)
    VALUES (new.id, new.reference, new.source_key, new.examination);
END;

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('import', 'train', 'generate')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'running', 'done', 'stopped', 'failed', 'lost')),
    name TEXT NOT NULL, dataset TEXT NOT NULL, settings TEXT NOT NULL,
    parent_job_id INTEGER REFERENCES jobs(id), after_job_id INTEGER REFERENCES jobs(id),
    step INTEGER NOT NULL DEFAULT 0, total_steps INTEGER NOT NULL DEFAULT 0,
    stop_requested TEXT NOT NULL DEFAULT '' CHECK (stop_requested IN ('', 'checkpoint', 'now')),
    message TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '', result TEXT NOT NULL DEFAULT '{}',
    pid INTEGER, created_at REAL NOT NULL, started_at REAL, heartbeat_at REAL, ended_at REAL
);
CREATE TABLE metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL REFERENCES jobs(id),
    step INTEGER NOT NULL, epoch REAL NOT NULL, elapsed_s REAL NOT NULL,
    name TEXT NOT NULL, value REAL
);
CREATE INDEX metrics_by_job ON metrics (job_id, id);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL REFERENCES jobs(id),
    step INTEGER NOT NULL, elapsed_s REAL NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL
);
CREATE INDEX events_by_job ON events (job_id, id);

CREATE TABLE work (
    job_id INTEGER NOT NULL REFERENCES jobs(id), image_id INTEGER NOT NULL REFERENCES images(id),
    PRIMARY KEY (job_id, image_id)
) WITHOUT ROWID;
CREATE TABLE descriptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL REFERENCES jobs(id),
    image_id INTEGER NOT NULL REFERENCES images(id),
    variant TEXT NOT NULL CHECK (variant IN ('base', 'tuned')),
    step INTEGER, text TEXT NOT NULL, prompt TEXT NOT NULL, decoding TEXT NOT NULL,
    tokens INTEGER NOT NULL, seconds REAL NOT NULL, truncated INTEGER NOT NULL CHECK (truncated IN (0, 1)),
    created_at REAL NOT NULL
);
CREATE UNIQUE INDEX descriptions_once ON descriptions (job_id, image_id, variant, coalesce(step, -1));

CREATE TABLE assignments (
    job_id INTEGER NOT NULL REFERENCES jobs(id), image_id INTEGER NOT NULL REFERENCES images(id),
    rater TEXT NOT NULL, occasion INTEGER NOT NULL DEFAULT 0,
    role TEXT NOT NULL CHECK (role IN ('normal', 'calibration', 'repeat')),
    shown_left TEXT NOT NULL CHECK (shown_left IN ('base', 'tuned')),
    sort_key TEXT NOT NULL,
    PRIMARY KEY (job_id, rater, image_id, occasion)
) WITHOUT ROWID;
CREATE TABLE ratings (
    id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL REFERENCES jobs(id),
    image_id INTEGER NOT NULL REFERENCES images(id),
    rater TEXT NOT NULL, occasion INTEGER NOT NULL,
    scheme TEXT NOT NULL, scheme_hash TEXT NOT NULL,
    preference INTEGER CHECK (preference BETWEEN -2 AND 2),
    both_bad INTEGER NOT NULL CHECK (both_bad IN (0, 1)),
    base_acceptability INTEGER CHECK (base_acceptability BETWEEN 1 AND 5),
    tuned_acceptability INTEGER CHECK (tuned_acceptability BETWEEN 1 AND 5),
    answers TEXT NOT NULL, note TEXT NOT NULL,
    flagged INTEGER NOT NULL CHECK (flagged IN (0, 1)), skipped INTEGER NOT NULL CHECK (skipped IN (0, 1)),
    blinded INTEGER NOT NULL CHECK (blinded IN (0, 1)),
    shown_left TEXT NOT NULL CHECK (shown_left IN ('base', 'tuned')),
    active_s REAL NOT NULL, wall_s REAL NOT NULL, rated_at REAL NOT NULL,
    undoes INTEGER REFERENCES ratings(id)
);
CREATE INDEX ratings_by_comparison ON ratings (job_id, rater, image_id, occasion, id);
CREATE VIEW current_ratings AS
    SELECT * FROM ratings WHERE id IN (
        SELECT max(id) FROM ratings GROUP BY job_id, rater, image_id, occasion
    );
CREATE VIEW comparisons AS
    SELECT b.job_id AS job_id, i.id AS image_id, i.dataset, i.split, i.source_key, i.sha256, i.reference,
           b.id AS base_id, t.id AS tuned_id, b.text AS base_text, t.text AS tuned_text, b.prompt, b.decoding
    FROM descriptions b
    JOIN descriptions t ON t.job_id = b.job_id AND t.image_id = b.image_id
        AND t.variant = 'tuned' AND coalesce(t.step, -1) = -1
    JOIN images i ON i.id = b.image_id
    WHERE b.variant = 'base' AND coalesce(b.step, -1) = -1;
"""

# The first letters of a search are those that match most: their lists of images are kept ready, which costs 170
# bytes a caption. The list's own order comes from an index as it is, without sorting.
FASTER_SEARCH = """
DROP TABLE images_fts;
CREATE VIRTUAL TABLE images_fts USING fts5(
    reference, source_key, examination, content='images', content_rowid='id', tokenize='porter unicode61',
    prefix='1 2'
);
INSERT INTO images_fts(images_fts) VALUES ('rebuild');
DROP INDEX images_by_split;
CREATE INDEX images_by_split ON images (dataset, split DESC, position);
"""

# Who has asked which text is whose, and when: whatever they judge of that image afterwards is not blind.
REVEALS = """
CREATE TABLE reveals (
    job_id INTEGER NOT NULL REFERENCES jobs(id), rater TEXT NOT NULL,
    image_id INTEGER NOT NULL REFERENCES images(id), revealed_at REAL NOT NULL,
    PRIMARY KEY (job_id, rater, image_id)
) WITHOUT ROWID;
"""


def migrate(db: sqlite3.Connection) -> None:
    """Bring the database to `SCHEMA_VERSION`, safely when several processes try at once.

    The write lock is held from before the look at the version to the commit: without it, five of six
    processes that open a new file together fail. sqlite-utils is imported here only, because reading the
    app's rows does not need it and its import costs more than everything else at start-up.
    """
    from sqlite_utils import Database

    db.execute("BEGIN IMMEDIATE")
    try:
        older = int(db.execute("PRAGMA user_version").fetchone()[0]) < SCHEMA_VERSION
        kept = own_objects.of_user(db) if older else []
        own_objects.drop(db, [(kind, name) for kind, name, _ in kept])
        _migrations().apply(Database(db, execute_plugins=False))
        own_objects.make_anew(db, kept)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _migrations() -> Migrations:
    from sqlite_utils import Migrations

    migrations = Migrations("radtui")

    @migrations()
    def m001_first_tables(db: Database) -> None:
        # Raw DDL, because sqlite-utils' create() has no CHECK; one statement at a time, because
        # executescript() would commit the transaction that makes this safe.
        for statement in statements(FIRST_TABLES):
            db.conn.execute(statement)

    @migrations()
    def m002_faster_search(db: Database) -> None:
        for statement in statements(FASTER_SEARCH):
            db.conn.execute(statement)

    @migrations()
    def m003_reveals(db: Database) -> None:
        for statement in statements(REVEALS):
            db.conn.execute(statement)

    @migrations()
    def m004_third_variant(db: Database) -> None:
        add_third_variant(db.conn)

    @migrations()
    def m005_cases(db: Database) -> None:
        move_to_cases(db.conn)

    @migrations()
    def m006_text_scores(db: Database) -> None:
        for statement in statements(TEXT_SCORES):
            db.conn.execute(statement)

    return migrations
