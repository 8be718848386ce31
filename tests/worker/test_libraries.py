"""What a worker imports before its model: in the right order, while nothing looks for cycles."""

from __future__ import annotations

import gc
import importlib
import sys
from types import SimpleNamespace

import pytest

from radtui.worker.process import libraries


@pytest.mark.parametrize("backend", ["unsloth", "transformers"])
@pytest.mark.parametrize("is_broken", [False, True])
def test_the_collector_rests_while_libraries_load_and_works_afterwards(monkeypatch, backend, is_broken):
    order, frozen = [], []

    def load(name: str) -> SimpleNamespace:
        order.append(name)
        assert not gc.isenabled()
        if is_broken and name == "peft":
            raise ImportError(name)
        return SimpleNamespace(**dict.fromkeys(libraries.MODELS))

    monkeypatch.delitem(sys.modules, "peft", raising=False)
    monkeypatch.setattr(importlib, "import_module", load)
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    if is_broken:
        with pytest.raises(ImportError):
            libraries.load(backend)
    else:
        libraries.load(backend)
    assert gc.isenabled() and frozen == ([] if is_broken else [True])
    assert order == ["unsloth"] * (backend == "unsloth") + ["transformers", "peft"]
