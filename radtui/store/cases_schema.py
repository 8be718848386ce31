"""The tables of schema 5: images, cases, arms, texts, studies, assignments, ratings.

DDL only; `cases_migration` makes the tables and moves older rows into them. Never edited once released.
"""

from __future__ import annotations

# A table whose name an older schema uses for something else is made as new_NAME and takes its name at the end.
NEW_TABLES = """
CREATE TABLE new_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('import', 'train', 'generate', 'ask', 'score')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'running', 'done', 'stopped', 'failed', 'lost')),
    name TEXT NOT NULL, dataset TEXT NOT NULL, settings TEXT NOT NULL,
    parent_job_id INTEGER REFERENCES jobs(id), after_job_id INTEGER REFERENCES jobs(id),
    step INTEGER NOT NULL DEFAULT 0, total_steps INTEGER NOT NULL DEFAULT 0,
    stop_requested TEXT NOT NULL DEFAULT '' CHECK (stop_requested IN ('', 'checkpoint', 'now')),
    message TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '', result TEXT NOT NULL DEFAULT '{}',
    pid INTEGER, created_at REAL NOT NULL, started_at REAL, heartbeat_at REAL, ended_at REAL,
    note TEXT NOT NULL DEFAULT '', archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1))
);
CREATE TABLE new_metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL REFERENCES jobs(id),
    step INTEGER NOT NULL, epoch REAL NOT NULL, elapsed_s REAL NOT NULL,
    name TEXT NOT NULL, value REAL
);
CREATE TABLE new_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL REFERENCES jobs(id),
    step INTEGER NOT NULL, elapsed_s REAL NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL
);
CREATE TABLE new_images (
    sha256 TEXT PRIMARY KEY, format TEXT NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT NULL,
    mode TEXT NOT NULL, error TEXT NOT NULL DEFAULT '',
    link_path TEXT NOT NULL DEFAULT '', link_bytes INTEGER, link_modified_ns INTEGER
) WITHOUT ROWID;
CREATE TABLE cases (
    id INTEGER PRIMARY KEY,
    dataset TEXT NOT NULL REFERENCES datasets(name),
    split TEXT NOT NULL, position INTEGER NOT NULL, source_key TEXT NOT NULL,
    question TEXT NOT NULL DEFAULT '', reference TEXT NOT NULL, examination TEXT NOT NULL,
    patient TEXT NOT NULL DEFAULT '', exam TEXT NOT NULL DEFAULT '',
    facts TEXT NOT NULL DEFAULT '{}',
    error TEXT NOT NULL DEFAULT '',
    leaked INTEGER NOT NULL DEFAULT 0 CHECK (leaked IN (0, 1)),
    UNIQUE (dataset, split, source_key)
);
CREATE TABLE case_images (
    case_id INTEGER NOT NULL REFERENCES cases(id), ordinal INTEGER NOT NULL,
    sha256 TEXT NOT NULL REFERENCES images(sha256),
    name TEXT NOT NULL DEFAULT '', role TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (case_id, ordinal)
) WITHOUT ROWID;
CREATE TABLE new_truths (
    case_id INTEGER NOT NULL REFERENCES cases(id), ordinal INTEGER NOT NULL,
    finding TEXT NOT NULL, side TEXT NOT NULL, zone TEXT NOT NULL, size TEXT NOT NULL,
    PRIMARY KEY (case_id, ordinal)
) WITHOUT ROWID;
CREATE TABLE problems (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL REFERENCES jobs(id),
    place TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE new_work (
    job_id INTEGER NOT NULL REFERENCES jobs(id), case_id INTEGER NOT NULL REFERENCES cases(id),
    PRIMARY KEY (job_id, case_id)
) WITHOUT ROWID;
CREATE TABLE prompts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE arms (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name != ''),
    kind TEXT NOT NULL CHECK (kind IN ('model', 'reference', 'file')),
    model TEXT NOT NULL DEFAULT '', weights TEXT NOT NULL DEFAULT '', adapter TEXT NOT NULL DEFAULT '',
    instruction TEXT NOT NULL DEFAULT '', images TEXT NOT NULL DEFAULT '', decoding TEXT NOT NULL DEFAULT '',
    sample INTEGER NOT NULL DEFAULT 0,
    UNIQUE (name, kind, model, weights, adapter, instruction, images, decoding, sample)
);
CREATE TABLE job_arms (
    job_id INTEGER NOT NULL REFERENCES jobs(id), position INTEGER NOT NULL,
    arm_id INTEGER NOT NULL REFERENCES arms(id),
    PRIMARY KEY (job_id, position), UNIQUE (job_id, arm_id)
) WITHOUT ROWID;
CREATE TABLE texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, case_id INTEGER NOT NULL REFERENCES cases(id),
    model TEXT NOT NULL, weights TEXT NOT NULL, adapter TEXT NOT NULL, images TEXT NOT NULL,
    prompt_id INTEGER NOT NULL REFERENCES prompts(id), decoding TEXT NOT NULL, sample INTEGER NOT NULL,
    text TEXT NOT NULL, reasoning TEXT NOT NULL DEFAULT '',
    tokens INTEGER NOT NULL, seconds REAL NOT NULL, truncated INTEGER NOT NULL CHECK (truncated IN (0, 1)),
    created_at REAL NOT NULL
);
CREATE TABLE arm_texts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER REFERENCES jobs(id), arm_id INTEGER NOT NULL REFERENCES arms(id),
    case_id INTEGER NOT NULL REFERENCES cases(id), step INTEGER,
    text_id INTEGER NOT NULL REFERENCES texts(id)
);

CREATE TABLE studies (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
    job_id INTEGER UNIQUE REFERENCES jobs(id), dataset TEXT NOT NULL, seed INTEGER NOT NULL,
    protocol TEXT NOT NULL DEFAULT '{}', created_at REAL NOT NULL, locked_at REAL
);
CREATE TABLE study_arms (
    study_id INTEGER NOT NULL REFERENCES studies(id), position INTEGER NOT NULL,
    name TEXT NOT NULL CHECK (name != ''), arm_id INTEGER NOT NULL REFERENCES arms(id),
    job_id INTEGER REFERENCES jobs(id),
    PRIMARY KEY (study_id, position), UNIQUE (study_id, name)
) WITHOUT ROWID;
CREATE TABLE study_cases (
    study_id INTEGER NOT NULL REFERENCES studies(id), case_id INTEGER NOT NULL REFERENCES cases(id),
    PRIMARY KEY (study_id, case_id)
) WITHOUT ROWID;
CREATE TABLE new_assignments (
    study_id INTEGER NOT NULL REFERENCES studies(id), case_id INTEGER NOT NULL REFERENCES cases(id),
    rater TEXT NOT NULL, pair INTEGER NOT NULL DEFAULT 0, occasion INTEGER NOT NULL DEFAULT 0,
    role TEXT NOT NULL CHECK (role IN ('normal', 'calibration', 'repeat')),
    left_arm TEXT NOT NULL, right_arm TEXT NOT NULL CHECK (right_arm <> left_arm),
    left_text_id INTEGER REFERENCES texts(id), right_text_id INTEGER REFERENCES texts(id),
    sort_key TEXT NOT NULL,
    PRIMARY KEY (study_id, rater, case_id, pair, occasion)
) WITHOUT ROWID;
CREATE TABLE new_ratings (
    id INTEGER PRIMARY KEY, study_id INTEGER NOT NULL REFERENCES studies(id),
    case_id INTEGER NOT NULL REFERENCES cases(id),
    rater TEXT NOT NULL, pair INTEGER NOT NULL DEFAULT 0, occasion INTEGER NOT NULL,
    scheme TEXT NOT NULL, scheme_hash TEXT NOT NULL,
    earlier_arm TEXT NOT NULL, later_arm TEXT NOT NULL CHECK (later_arm <> earlier_arm),
    later_left INTEGER NOT NULL CHECK (later_left IN (0, 1)),
    earlier_text_id INTEGER REFERENCES texts(id), later_text_id INTEGER REFERENCES texts(id),
    preference INTEGER CHECK (preference BETWEEN -2 AND 2),
    both_bad INTEGER NOT NULL CHECK (both_bad IN (0, 1)),
    answers TEXT NOT NULL, corrections TEXT NOT NULL DEFAULT '{}', note TEXT NOT NULL,
    flagged INTEGER NOT NULL CHECK (flagged IN (0, 1)), skipped INTEGER NOT NULL CHECK (skipped IN (0, 1)),
    blinded INTEGER NOT NULL CHECK (blinded IN (0, 1)),
    active_s REAL NOT NULL, wall_s REAL NOT NULL, rated_at REAL NOT NULL,
    undoes INTEGER REFERENCES ratings(id), chain TEXT NOT NULL DEFAULT ''
);
CREATE TABLE new_reveals (
    study_id INTEGER NOT NULL REFERENCES studies(id), rater TEXT NOT NULL,
    case_id INTEGER NOT NULL REFERENCES cases(id),
    shown TEXT NOT NULL DEFAULT 'arms' CHECK (shown IN ('arms', 'reference')), revealed_at REAL NOT NULL,
    PRIMARY KEY (study_id, rater, case_id, shown)
) WITHOUT ROWID;
CREATE TABLE set_aside (
    kind TEXT NOT NULL, name TEXT NOT NULL, sql TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
"""

RENAMED = ("jobs", "metrics", "events", "images", "truths", "work", "assignments", "ratings", "reveals")
"""Tables that are made anew: new_NAME takes the place of NAME."""

INDEXES_AND_VIEWS = """
CREATE INDEX metrics_by_job ON metrics (job_id, id);
CREATE INDEX events_by_job ON events (job_id, id);
CREATE INDEX cases_by_split ON cases (dataset, split DESC, position);
CREATE INDEX cases_by_patient ON cases (dataset, patient) WHERE patient != '';
CREATE INDEX case_images_by_sha256 ON case_images (sha256);
CREATE INDEX truths_by_finding ON truths (finding);
CREATE INDEX problems_by_job ON problems (job_id, id);
CREATE UNIQUE INDEX texts_once ON texts
    (case_id, prompt_id, model, weights, adapter, images, decoding, sample);
CREATE UNIQUE INDEX arm_texts_once ON arm_texts (coalesce(job_id, 0), arm_id, case_id, coalesce(step, -1));
CREATE INDEX arm_texts_by_job ON arm_texts (job_id, id);
CREATE INDEX arm_texts_by_case ON arm_texts (case_id);
CREATE INDEX ratings_by_comparison ON ratings (study_id, rater, case_id, pair, occasion, id);
CREATE INDEX ratings_by_reader ON ratings (study_id, rater, id);
CREATE VIRTUAL TABLE cases_fts USING fts5(
    reference, question, source_key, examination, content='cases', content_rowid='id',
    tokenize='porter unicode61', prefix='1 2'
);
INSERT INTO cases_fts(cases_fts) VALUES ('rebuild');
CREATE TRIGGER cases_fts_insert AFTER INSERT ON cases BEGIN
    INSERT INTO cases_fts(rowid, reference, question, source_key, examination)
    VALUES (new.id, new.reference, new.question, new.source_key, new.examination);
END;
CREATE TRIGGER cases_fts_update AFTER UPDATE OF reference, question, source_key, examination ON cases BEGIN
    INSERT INTO cases_fts(cases_fts, rowid, reference, question, source_key, examination)
    VALUES ('delete', old.id, old.reference, old.question, old.source_key, old.examination);
    INSERT INTO cases_fts(rowid, reference, question, source_key, examination)
    VALUES (new.id, new.reference, new.question, new.source_key, new.examination);
END;
CREATE VIEW descriptions AS
    SELECT l.id, l.text_id, l.job_id, l.case_id, a.name AS arm, l.step, t.text, p.text AS prompt, t.decoding,
           t.tokens, t.seconds, t.truncated, t.reasoning, t.created_at
    FROM arm_texts l JOIN texts t ON t.id = l.text_id JOIN arms a ON a.id = l.arm_id
    JOIN prompts p ON p.id = t.prompt_id;
CREATE VIEW current_ratings AS
    SELECT * FROM ratings WHERE id IN (
        SELECT max(id) FROM ratings GROUP BY study_id, rater, case_id, pair, occasion
    );
"""
