"""What the machines of a job say at its end, and what that comes to."""

from __future__ import annotations

import pytest

from radtui.records import UserError
from radtui.worker.process import nodes
from radtui.worker.process.torch_launcher import LaunchProblem


def test_what_machines_say_tells_a_lost_one_from_a_cause():
    full = LaunchProblem(3, 1, "UserError: The disk is full.", 5)
    reset = LaunchProblem(0, 1, "UserError: The job failed with RuntimeError (Connection reset by peer).", 4)
    unmet = LaunchProblem(
        -1, 1, "UserError: Machine 2 could not run its processes (RendezvousConnectionError: x)", 4
    )
    assert nodes._outcome([True, True], 0) is None
    assert nodes._outcome([reset, full], 0) == full
    assert nodes._outcome([full, None], 1) == full
    for follower in (True, reset, unmet):
        with pytest.raises(nodes.LostNodeError, match="Machine 1 of 2 ended without a word"):
            nodes._outcome([None, follower], 1)
    with pytest.raises(UserError, match="srun ended with code 7 before any machine had begun"):
        nodes._outcome([None, None], 7)
