"""The faults, and how often each is done: in the tests, and in the whole."""

from __future__ import annotations

from tests.faults import (
    clocks,
    damage,
    disks,
    folders,
    kills_of_commands,
    kills_of_jobs,
    kills_of_raters,
    locks,
    mutated_ratings,
    planted_identity,
    planted_strings,
    power_cuts,
    schemas,
    soak,
    sockets,
    ssh,
    writers,
)
from tests.faults.harness import Fault

FAULTS: dict[Fault, tuple[int, int]] = {
    kills_of_raters.kills_while_rating: (2, 100),
    kills_of_raters.kills_of_the_app: (1, 60),
    kills_of_jobs.kills_of_training: (2, 70),
    kills_of_jobs.kills_of_describing: (2, 70),
    kills_of_jobs.kills_of_imports: (2, 60),
    kills_of_commands.kills_of_commands: (3, 100),
    kills_of_commands.kills_of_migrations: (2, 40),
    power_cuts.power_cuts_while_rating: (2, 120),
    power_cuts.power_cuts_of_commands: (2, 60),
    power_cuts.power_cuts_of_migrations: (1, 20),
    folders.vanishing_folder: (2, 20),
    folders.restored_folder: (1, 5),
    folders.read_only_folder: (1, 1),
    folders.lost_permission: (1, 1),
    disks.full_disk: (1, 5),
    disks.full_disk_of_a_job: (1, 1),
    disks.quota: (1, 5),
    clocks.clock_set_back: (1, 5),
    locks.lock_held: (1, 2),
    locks.locked_while_rating: (3, 60),
    writers.many_writers: (3, 120),
    damage.damaged_database: (2, 80),
    damage.damaged_log: (2, 80),
    schemas.every_schema: (0, 1),
    mutated_ratings.mutated_ratings: (60, 4000),
    planted_strings.planted_strings: (1, 2),
    planted_identity.planted_identity: (1, 1),
    sockets.no_sockets: (1, 1),
    ssh.ssh_sessions: (1, 3),
    soak.soak: (5, 60),
}
"""How many times, or seconds. The last one's whole is 1,800 seconds: `--soak`."""

WHOLE_ONLY = frozenset({planted_strings.planted_strings})
"""Left out of the quick subset: a tour that waits for every screen to stand still needs a machine of its own."""

TIMED = frozenset({locks.locked_while_rating, writers.many_writers, soak.soak})
"""Faults that are done for so many seconds."""
