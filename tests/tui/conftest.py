"""What several tests of the app need."""

from __future__ import annotations

import pytest

from radtui.jobs import launch


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Jobs that were launched; no process is started for them."""
    ids: list[int] = []
    monkeypatch.setattr(launch, "launch", lambda data, db, job_id: ids.append(job_id))
    return ids
