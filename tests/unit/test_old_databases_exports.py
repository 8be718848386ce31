"""What an older radtui exported of its database, the present one exports of the same database brought up to date."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.store import ratings
from radtui.store.database import connect
from tests.commands import invoked

from .old_databases import FOLDER, SCHEMAS, old_database

JOBS = [
    (schema, job_id)
    for schema in SCHEMAS
    for job_id in (2, 3)
    if (FOLDER / str(schema) / f"job-{job_id}-errors.csv").exists()
]


def exported(data: DataDir, job_id: int, form: str, out: Path) -> bytes:
    done = invoked(data, "export", "--job", job_id, "--format", form, "--out", out)
    assert done.exit_code == 0, done.output
    return out.read_bytes()


def test_every_schema_was_exported() -> None:
    assert {schema for schema, _ in JOBS} == set(SCHEMAS) and (4, 3) in JOBS


@pytest.mark.parametrize(("schema", "job_id"), JOBS)
@pytest.mark.parametrize(("form", "name"), [("csv", "comparisons.csv"), ("errors", "errors.csv")])
def test_tables_are_the_same_to_the_byte(
    tmp_path: Path, schema: int, job_id: int, form: str, name: str
) -> None:
    data = old_database(schema, tmp_path / "data")
    assert (
        exported(data, job_id, form, tmp_path / name)
        == (FOLDER / str(schema) / f"job-{job_id}-{name}").read_bytes()
    )


@pytest.mark.parametrize(("schema", "job_id"), JOBS)
@pytest.mark.parametrize("name", ["comparisons.csv", "ratings.jsonl"])
def test_what_an_older_radtui_exported_comes_back(
    tmp_path: Path, schema: int, job_id: int, name: str
) -> None:
    """Into the same study with its ratings gone: the same judgements, and the same table exported of them."""
    data = old_database(schema, tmp_path / "data")
    with closing(connect(data)) as db:
        before = {(r.case_id, r.rater, r.occasion): r for r in ratings.current(db, job_id)}
        db.execute("PRAGMA foreign_keys=OFF")
        for table in ("ratings", "assignments", "reveals"):
            db.execute(f"DELETE FROM {table} WHERE study_id = ?", (job_id,))
    source = FOLDER / str(schema) / f"job-{job_id}-{name}"
    done = invoked(data, "import-ratings", source, "--json")
    assert done.exit_code == 0, done.output
    with closing(connect(data)) as db:
        after = {(r.case_id, r.rater, r.occasion): r for r in ratings.current(db, job_id)}
    assert after.keys() == before.keys() and len(after) == 16
    for key, rating in after.items():
        was = before[key]
        assert (rating.shown, rating.later_left, rating.preference, rating.answers, rating.note, rating.blinded) == (
            was.shown, was.later_left, was.preference, was.answers, was.note, was.blinded,
        )  # fmt: skip
    again = exported(data, job_id, "csv", tmp_path / "again.csv")
    assert again == (FOLDER / str(schema) / f"job-{job_id}-comparisons.csv").read_bytes()


@pytest.mark.parametrize(("schema", "job_id"), JOBS)
def test_jsonl_holds_at_least_what_it_held(tmp_path: Path, schema: int, job_id: int) -> None:
    data = old_database(schema, tmp_path / "data")
    now = [json.loads(line) for line in exported(data, job_id, "jsonl", tmp_path / "now.jsonl").splitlines()]
    old = FOLDER / str(schema) / f"job-{job_id}-ratings.jsonl"
    then = [json.loads(line) for line in old.read_bytes().splitlines()]
    for new, was in zip(now, then, strict=True):
        kept = {key: new.get(key) for key in was if key not in ("rating", "history", "export_schema")}
        assert kept == {key: value for key, value in was.items() if key in kept}
