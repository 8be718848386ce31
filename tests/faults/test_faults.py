"""A few rounds of each fault; `python -m tests.faults` does hundreds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.power import NoCompiler
from tests.faults.scenarios import SCENARIOS, NotHere


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_nothing_is_lost_and_nothing_leaks(
    scenario: Callable[[Path, int], dict[str, object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    try:
        facts = scenario(tmp_path, SCENARIOS[scenario][0])
    except (NotHere, NoCompiler) as reason:
        pytest.skip(str(reason))
    assert facts
