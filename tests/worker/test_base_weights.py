"""Which weights a generation job loads on a GPU, with the GPU's memory made up."""

from __future__ import annotations

import json

import pytest

from radtui.settings import GenerateSettings
from radtui.worker.model import base_weights
from radtui.worker.model.backend import LoadPlan

ON_GPU = LoadPlan("unsloth", True, True, "bfloat16")


@pytest.fixture
def adapter(tmp_path, mllama):
    """An adapter trained on a quantised repository that is on this machine."""
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(mllama)}))
    return folder


def chosen(monkeypatch, free_gib: float = 100.0, how: LoadPlan = ON_GPU, **settings: object):
    monkeypatch.setattr(base_weights.memory, "free_gpu_gib", lambda: free_gib)
    return base_weights.choose(GenerateSettings(**settings), how)  # type: ignore[arg-type]


def test_16_bits_where_they_are_at_hand_and_fit(monkeypatch, mllama, adapter):
    name, how = chosen(monkeypatch, model=str(mllama), adapter=str(adapter))
    assert name == str(mllama) and how.weights == "bfloat16" and how.backend == "transformers"


@pytest.mark.parametrize(("free_gib", "changes"), [(0.001, {}), (100.0, {"prefer_16_bit": False})])
def test_4_bits_where_16_do_not_fit_or_are_not_wanted(monkeypatch, mllama, adapter, free_gib, changes):
    name, how = chosen(monkeypatch, free_gib, model=str(mllama), adapter=str(adapter), **changes)
    assert name == str(mllama) and how.weights == "4-bit"


def test_nothing_is_fetched_when_what_was_trained_on_is_here(monkeypatch, mllama, adapter):
    name, how = chosen(monkeypatch, model="someone/not-on-this-machine", adapter=str(adapter))
    assert name == str(mllama) and how.weights == "4-bit"


def test_a_named_backend_is_kept(monkeypatch, mllama, adapter):
    _, how = chosen(monkeypatch, model=str(mllama), adapter=str(adapter), backend="unsloth")
    assert how.backend == "unsloth"


def test_without_a_gpu_nothing_changes(monkeypatch):
    how = LoadPlan("transformers", False, False, "float32")
    assert chosen(monkeypatch, how=how, model="any/model") == ("any/model", how)
