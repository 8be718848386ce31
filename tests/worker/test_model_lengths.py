"""Kernels that are compiled for one length first are compiled for any length the next time."""

from __future__ import annotations

import pytest

from radtui.worker.memory import remembered

LENGTHS = (464, 456, 472)  # tokens of three batches


def compilations() -> int:
    """How often batches of these lengths are compiled for, as by a process that has compiled nothing."""
    import torch

    torch._dynamo.reset()
    graphs = []

    def keep(graph, _inputs):
        graphs.append(graph)
        return graph

    doubled = torch.compile(lambda rows: (rows * 2).sum(), backend=keep)
    for length in LENGTHS:
        doubled(torch.ones(8, length, 4))
    return len(graphs)


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """No compiled code, a cache of its own, and no name of a run."""
    import torch
    from torch.compiler import config

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(config, "job_id", None)
    yield config
    torch._dynamo.reset()


def test_the_second_run_compiles_once_for_all_lengths(fresh):
    remembered.know_lengths("a" * 64)
    assert compilations() == 2
    assert compilations() == 1


def test_without_a_name_every_run_compiles_the_second_length_again(fresh):
    assert compilations() == 2
    assert compilations() == 2


def test_what_the_user_calls_the_run_stays(fresh, monkeypatch):
    monkeypatch.setattr(fresh, "job_id", "mine")
    remembered.know_lengths("a" * 64)
    assert fresh.job_id == "mine"
