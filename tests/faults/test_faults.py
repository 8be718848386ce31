"""A few rounds of each fault, by `make full`; `python -m tests.faults` does hundreds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.harness import Fault, NotHere
from tests.faults.power import NoCompiler
from tests.faults.table import FAULTS


@pytest.mark.faults
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_nothing_is_lost_and_nothing_leaks(
    fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("RADTUI_CONFIG", str(tmp_path / "config.toml"))
    try:
        facts = fault(tmp_path, FAULTS[fault][0])
    except (NotHere, NoCompiler) as reason:
        pytest.skip(str(reason))
    assert facts
