"""Signals stop a job, but no module in the middle of its import."""

from __future__ import annotations

import importlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from radtui.worker.process import stopping
from radtui.worker.process.reporter import Stopped


@pytest.fixture
def reporter() -> Iterator[Any]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    voice = SimpleNamespace(terminated=False)
    stopping.stop_on_signals(voice)  # type: ignore[arg-type]
    yield voice
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_at_the_next_line(reporter: Any, number: signal.Signals) -> None:
    with pytest.raises(Stopped):
        signal.raise_signal(number)
    assert reporter.terminated


def test_a_module_is_imported_to_its_end_before_its_process_stops(
    reporter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "import signal", "signal.raise_signal(signal.SIGTERM)", "whole = True"
    (tmp_path / "stopped_meanwhile.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(stopping, "ASK_AGAIN_S", 0.01)
    module = importlib.import_module("stopped_meanwhile")
    with pytest.raises(Stopped):
        time.sleep(60)  # it is interrupted
    assert module.whole and reporter.terminated


def test_who_listens_no_longer_is_not_asked_again(
    reporter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stopped_at_last.py").write_text("import signal\nsignal.raise_signal(signal.SIGTERM)")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(stopping, "ASK_AGAIN_S", 0.01)
    importlib.import_module("stopped_at_last")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as for what the user wants done at the end
    time.sleep(0.05)  # it would end the tests
    assert reporter.terminated
