"""The faults, and how often each is done: in the tests, and in the whole."""

from __future__ import annotations

from tests.faults import (
    arrivals,
    clocks,
    copies,
    damage,
    disks,
    failing_calls,
    folders,
    hosts,
    job_logs,
    kills_at_calls,
    kills_in_packs,
    kills_of_commands,
    kills_of_fetch,
    kills_of_jobs,
    kills_of_raters,
    locks,
    mounts,
    mutated_ratings,
    mutated_tables,
    odd_folders,
    odd_surroundings,
    planted_identity,
    planted_strings,
    power_cuts,
    schemas,
    signals,
    soak,
    sockets,
    ssh,
    stopped_workers,
    versions,
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
    copies.kills_of_restores: (1, 40),
    kills_at_calls.kills_at_calls: (3, 400),
    kills_in_packs.kills_in_packs: (2, 80),
    kills_of_fetch.kills_of_fetch: (1, 30),
    signals.signals_to_the_app: (1, 10),
    signals.signals_to_workers: (1, 10),
    power_cuts.power_cuts_while_rating: (2, 120),
    power_cuts.power_cuts_of_commands: (2, 60),
    power_cuts.power_cuts_of_migrations: (1, 20),
    folders.vanishing_folder: (2, 40),
    folders.restored_folder: (1, 10),
    mounts.remounted_folder: (1, 10),
    folders.read_only_folder: (1, 10),
    folders.lost_permission: (1, 1),
    disks.full_disk: (1, 20),
    disks.refusing_disk: (2, 20),
    disks.full_disk_of_a_job: (1, 5),
    disks.quota: (1, 60),
    failing_calls.failing_calls: (5, 60),
    failing_calls.full_at_the_checkpoint: (2, 20),
    copies.backups_at_once: (1, 15),
    copies.backups_during_migrations: (1, 12),
    copies.backups_on_a_full_disk: (1, 5),
    copies.full_disk_everywhere: (1, 40),
    clocks.clock_set_back: (1, 10),
    clocks.clock_jumps: (1, 6),
    stopped_workers.stopped_workers: (1, 6),
    locks.lock_held: (1, 2),
    locks.locked_while_rating: (3, 60),
    locks.failing_locks: (2, 40),
    hosts.two_hosts: (1, 10),
    versions.newer_radtui: (1, 5),
    arrivals.cases_arriving: (1, 10),
    writers.many_writers: (3, 120),
    damage.damaged_database: (5, 400),
    damage.damaged_log: (5, 400),
    job_logs.damaged_job_logs: (3, 100),
    schemas.every_schema: (0, 1),
    mutated_ratings.mutated_ratings: (60, 4000),
    mutated_tables.mutated_tables: (100, 4000),
    odd_folders.odd_folders: (3, 100),
    odd_surroundings.odd_surroundings: (4, 100),
    planted_strings.planted_strings: (1, 2),
    planted_identity.planted_identity: (1, 1),
    sockets.no_sockets: (1, 1),
    ssh.ssh_sessions: (1, 12),
    soak.soak: (5, 60),
}
"""How many times, or seconds. The last one's whole is 1,800 seconds: `--soak`."""

TIMED = frozenset({locks.locked_while_rating, writers.many_writers, soak.soak})
"""Faults that are done for so many seconds."""

ALONE = frozenset({locks.locked_while_rating, writers.many_writers})
"""Faults that measure how long something takes, with nothing else at work."""

FORKED = frozenset({
    kills_of_jobs.kills_of_training, kills_of_jobs.kills_of_describing, kills_of_jobs.kills_of_imports,
    signals.signals_to_workers, ssh.ssh_sessions, clocks.clock_jumps, stopped_workers.stopped_workers,
})  # fmt: skip
"""Faults of workers, most of which are forked from a process that has TRL loaded."""
