"""The tables of migration 6: what packages of scores say of single texts. Never edited once released."""

from __future__ import annotations

# A scorer is one score as one version of a package computes it with one revision of its weights. `detail` is JSON:
# what a score over many texts is made of, such as labels.
TEXT_SCORES = """
CREATE TABLE scorers (
    id INTEGER PRIMARY KEY, score TEXT NOT NULL, package TEXT NOT NULL, version TEXT NOT NULL,
    revision TEXT NOT NULL, licence TEXT NOT NULL, made_for TEXT NOT NULL, created_at REAL NOT NULL,
    UNIQUE (score, package, version, revision)
);
CREATE TABLE text_scores (
    scorer_id INTEGER NOT NULL REFERENCES scorers(id), text_id INTEGER NOT NULL REFERENCES texts(id),
    value REAL, detail TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (scorer_id, text_id)
) WITHOUT ROWID;
CREATE INDEX text_scores_by_text ON text_scores (text_id);
"""
