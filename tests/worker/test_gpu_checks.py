"""The checks meant for a GPU, run here in small so that they go on running."""

from __future__ import annotations

import json
import os
from unittest import mock

import pytest

from tests.bench import gpu_checks
from tests.worker.tiled import write_tiled_mllama

ROLES = ("train", "texts", "fourbit_unsloth")


@pytest.mark.long  # half a minute, and of a bench: what it checks of the product has tests of its own
def test_the_checks_run_and_hold_on_a_small_model(tmp_path):
    model, work, out = write_tiled_mllama(tmp_path / "model"), tmp_path / "work", tmp_path / "out"
    common = [str(model), "--work", str(work), "--out", str(out), "--steps", "6", "--stop-at", "3", "--images", "3",
              "--tokens", "8"]  # fmt: skip
    options = gpu_checks.parsed(common)
    with mock.patch.dict(os.environ):  # a worker's own settings stay in this test
        gpu_checks.prepare(options, gpu_checks.DataDir(work).create())
        for role in ROLES:
            gpu_checks.main([*common, "--role", role])
    found = json.loads(gpu_checks.json_of(out).read_text())
    assert not [stage for role in ROLES for stage, facts in found[role].items() if "error" in facts]
    for name in ("resumed_where_it_stopped", "base_through_disabled_adapter_texts", "adapter_counts_texts",
                 "fast_paths_give_pefts_gradients",
                 "base_through_disabled_adapter_fourbit_unsloth"):  # fmt: skip
        assert found["checks"][name], name
    train, texts = found["train"], found["texts"]
    assert len(train["seed"]["losses"]) == train["seed"]["adapter_step"] == 3
    assert len(train["resume"]["losses"]) == 6 and train["resume"]["losses"][:3] == train["seed"]["losses"]
    assert train["curve"]["mean_difference"] < 1e-3  # in 32 bits both presets compute the same
    assert texts["disabled"]["tokens"] == 24 and texts["merged"]["tokens"] == 24
    assert texts["job"]["descriptions"] == 6 and texts["job"]["base_texts_unlike_the_base_alone"] == 0
    assert found["fourbit_unsloth"]["job"]["tokens_per_s"] > 0
