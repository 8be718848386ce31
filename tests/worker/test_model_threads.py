"""Threads by measurement: more only where they are clearly faster."""

from __future__ import annotations

import pytest

from radtui.worker.process import threads


@pytest.fixture
def torch_threads(monkeypatch):
    """Torch with four threads, put back afterwards."""
    import torch

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield torch
    torch.set_num_threads(before)


def test_a_free_machine_uses_its_cores_and_a_loaded_one_does_not(torch_threads):
    assert threads.choose({1: 0.8, 2: 0.41, 4: 0.22}.__getitem__) == 4 == torch_threads.get_num_threads()
    assert threads.choose({1: 0.8, 2: 12.0, 4: 40.0}.__getitem__) == 1 == torch_threads.get_num_threads()


def test_a_resumed_job_goes_on_with_as_many_as_before(torch_threads):
    assert threads.choose({}.__getitem__, before=2) == 2 == torch_threads.get_num_threads()


def test_a_small_gain_is_left_to_others():
    assert threads.fewest_that_are_fast({1: 1.0, 2: 0.95, 4: 0.92}) == 1
    assert threads.fewest_that_are_fast({1: 1.0, 2: 0.5, 4: 0.48}) == 2


def test_every_number_that_is_tried_is_measured_for_real(torch_threads):
    assert threads.counts(6) == [1, 2, 4, 6] and threads.counts(1) == [1]
    assert threads.choose() in threads.counts(4)


def test_what_the_environment_says_stays(torch_threads, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert threads.choose({}.__getitem__) == 4
