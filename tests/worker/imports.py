"""Imports into one data folder, for tests of what they bring in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import Case, Job, JobKind
from radtui.settings import ImportSettings
from radtui.store import cases, jobs
from radtui.store.cases import CaseQuery
from radtui.store.database import connect
from radtui.worker.importing import ingest
from radtui.worker.process.reporter import Reporter


class Import:
    """Imports into one data folder, one job each."""

    def __init__(self, data: DataDir, db: sqlite3.Connection) -> None:
        self.data = data
        self.db = db

    def job(self, source: Path | str, **settings: object) -> Job:
        chosen = ImportSettings(source=str(source), **{"name": "set", **settings})  # type: ignore[arg-type]
        return jobs.create(self.db, JobKind.IMPORT, "import", chosen.name, chosen.to_dict())

    def __call__(self, source: Path | str, **settings: object) -> Job:
        """Import to the end; the job's row as it is then."""
        job = self.job(source, **settings)
        ingest.run(job, self.data, self.db, Reporter(self.db, job.id))
        return jobs.must_get(self.db, job.id)

    def rows(self, **query: object) -> list[Case]:
        return cases.get_many(self.db, cases.find(self.db, CaseQuery("set", **query)))  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Import]:
    data = DataDir(tmp_path / "store").create()
    db = connect(data)
    yield Import(data, db)
    db.close()
