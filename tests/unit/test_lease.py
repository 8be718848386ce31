"""One machine at a time on a network file system: who has the lease, who may take it over, and who finds out."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import JobKind
from radtui.store import jobs, lease
from radtui.store.database import connect
from radtui.store.lease import EXPIRES_S, FILE, LOCK, Lease, OtherHostError

HERE, THERE = ("login1", "boot-1"), ("login2", "boot-2")
WORKS = r"login1 works on .*only one machine may: go on there, or end radtui"


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "SETTLE_S", 0.0)
    monkeypatch.setattr(lease, "CHECK_S", 0.0)


def age(folder: Path, seconds: float) -> None:
    """Let the last sign of life be so long ago, by the file system's clock."""
    file = folder / FILE
    then = file.stat().st_mtime - seconds
    os.utime(file, (then, then))


def test_processes_of_one_machine_share_it_and_another_machine_is_refused(tmp_path: Path) -> None:
    first, second, other = Lease(tmp_path, HERE), Lease(tmp_path, HERE), Lease(tmp_path, THERE)
    first.take()
    second.take()
    with pytest.raises(OtherHostError, match=WORKS):
        other.take()
    first.give_up()
    with pytest.raises(OtherHostError, match=WORKS):  # the second is still at work
        other.take()
    second.check()
    second.give_up()
    other.take()
    assert other.owner() == THERE
    assert sorted(each.name for each in tmp_path.iterdir()) == [FILE, LOCK]


def test_a_machine_that_is_gone_is_followed_once_its_last_sign_is_old(tmp_path: Path) -> None:
    first, other = Lease(tmp_path, HERE), Lease(tmp_path, THERE)
    first.take()
    os.close(first.lock)  # as a machine without power leaves it
    with pytest.raises(OtherHostError, match=WORKS):
        other.take()
    age(tmp_path, EXPIRES_S - 10)
    with pytest.raises(OtherHostError, match=WORKS):
        other.take()
    age(tmp_path, EXPIRES_S + 10)
    other.take()
    other.check()
    with pytest.raises(OtherHostError, match="login2 works on"):
        first.check()


def test_a_process_that_is_held_up_keeps_it_where_locks_reach_across_machines(tmp_path: Path) -> None:
    first, other = Lease(tmp_path, HERE), Lease(tmp_path, THERE)
    first.take()
    age(tmp_path, 10 * EXPIRES_S)
    with pytest.raises(OtherHostError, match=WORKS):
        other.take()
    first.beat()
    first.check()


def test_where_there_are_no_locks_its_age_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(handle: int, kind: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", none)
    first, other = Lease(tmp_path, HERE), Lease(tmp_path, THERE)
    first.take()
    with pytest.raises(OtherHostError, match=WORKS):
        other.take()
    age(tmp_path, EXPIRES_S + 10)
    other.take()
    with pytest.raises(OtherHostError, match="login2 works on"):
        first.check()


def test_a_machine_of_the_same_name_that_was_started_anew_is_another_one(tmp_path: Path) -> None:
    Lease(tmp_path, HERE).take()
    with pytest.raises(OtherHostError, match=WORKS):
        Lease(tmp_path, ("login1", "boot-9")).take()


def test_of_two_that_take_over_at_once_one_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (Lease(tmp_path, (f"login{n}", f"boot-{n}")) for n in (1, 2, 3))
    first.take()
    os.close(first.lock)
    age(tmp_path, EXPIRES_S + 10)
    monkeypatch.setattr(lease, "_locks", lambda handle, kind: True)  # as where locks do not reach so far
    judged = second._is_old

    def judged_then_overtaken() -> bool:
        is_old = judged()
        if is_old and third.lock < 0:
            third.take()
        return is_old

    monkeypatch.setattr(
        Lease, "_is_old", lambda self: judged_then_overtaken() if self is second else judged()
    )
    with pytest.raises(OtherHostError, match="login3 works on"):
        second.take()
    third.check()


WRITES = """
import sys
from pathlib import Path
from radtui.paths import DataDir
from radtui.records import JobKind
from radtui.store.database import connect
db = connect(DataDir(Path(sys.argv[1])))
print("open", flush=True)
sys.stdin.readline()
"""


def test_two_hosts_on_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = DataDir(tmp_path / "data").create()
    connect(data).close()
    monkeypatch.setattr(lease, "_leases", {})
    monkeypatch.setenv("RADTUI_ONE_HOST", "always")
    monkeypatch.setenv("RADTUI_HOST", "login1")
    command = [sys.executable, "-c", WRITES, str(data.root)]
    there = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert there.stdin and there.stdout and there.stdout.readline() == "open\n"
    monkeypatch.setenv("RADTUI_HOST", "login2")
    with pytest.raises(OtherHostError, match=WORKS):
        connect(data)
    refused = subprocess.run(
        [sys.executable, "-m", "radtui.cli", "--data-dir", str(data.root), "jobs", "list"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 1 and refused.stderr.startswith("radtui: login1 works on")
    assert len(refused.stderr.splitlines()) == 1
    there.communicate("\n", timeout=30)
    db = connect(data)  # it has ended, and given the folder up
    job = jobs.create(db, JobKind.TRAIN, "t", "x", {})
    there = subprocess.Popen(
        command, env={**os.environ, "RADTUI_HOST": "login1"}, stderr=subprocess.PIPE, text=True
    )
    assert "login2 works on" in there.communicate(timeout=30)[1]
    # Taken over while this process was held up.
    (data.root / FILE).write_text('{"host": "login1", "boot": "b"}')
    with pytest.raises(OtherHostError, match="login1 works on"):
        jobs.set_result(db, job.id, step=1)
    assert jobs.must_get(db, job.id).result == {}
    db.close()
    kept = lease._leases[data.root]
    assert kept is not None
    kept.give_up()


def test_a_folder_on_this_machines_disk_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_leases", {})
    monkeypatch.setattr(lease, "file_system", lambda path: "ext4")
    lease.hold(tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(lease, "_leases", {})
    monkeypatch.setattr(lease, "file_system", lambda path: "nfs4")
    lease.hold(tmp_path)
    assert (tmp_path / FILE).exists()
    kept = lease._leases[tmp_path]
    assert kept is not None
    kept.give_up()
