"""Imports that several processes work at: in order, whole after a kill, on the disk before rows speak of images."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import JobKind, JobState, UserError
from radtui.settings import ImportSettings
from radtui.store import cases, jobs
from radtui.store.cases import CaseQuery
from radtui.store.database import connect
from radtui.worker.importing import examining, keeping
from radtui.worker.importing.keeping import IncomingFolder, sweep, write_hidden
from tests.conftest import drawn_png
from tests.unit.source_files import write_files
from tests.worker.conftest import LIMIT_S

COUNT = examining.PROCESSES_FROM + 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("many")
    files: dict[str, bytes | str] = {f"{n:04d}.png": drawn_png(n, 48) for n in range(COUNT)}
    files["0007.png"] = b"no image"
    rows = "".join(f"{n:04d}.png,Number {n}.\n" for n in range(COUNT))
    return write_files(root, {**files, "metadata.csv": f"file_name,text\n{rows}"})


def started(data: DataDir, source: Path) -> tuple[int, subprocess.Popen[bytes]]:
    """An import of its own process, which a test may kill."""
    with closing(connect(data, create=True)) as db:
        settings = ImportSettings(source=str(source), name="set")
        job = jobs.create(db, JobKind.IMPORT, "import", "set", settings.to_dict())
    data.job(job.id).mkdir(parents=True)
    command = [sys.executable, "-m", "radtui.worker", "--data-dir", str(data.root), str(job.id)]
    return job.id, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)


def keys(data: DataDir) -> dict[str, str]:
    with closing(connect(data)) as db:
        rows = cases.get_many(db, cases.find(db, CaseQuery("set", sort="name")))
    for row in rows:
        assert row.error or data.blob(row.first.sha256).read_bytes() == drawn_png(int(row.source_key[:4]), 48)
    return {row.source_key: row.error for row in rows}


def left_over(data: DataDir) -> list[Path]:
    return [path for path in (data.root / "images").rglob("*") if path.name.startswith(".")]


@pytest.mark.true_start  # an import loads no heavy library
def test_processes_bring_every_image_in_once_and_in_order(folder: Path, tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    for round_number in range(2):
        job_id, worker = started(data, folder)
        assert worker.wait(LIMIT_S) == 0
        with closing(connect(data)) as db:
            job = jobs.must_get(db, job_id)
            listed = cases.get_many(db, cases.find(db, CaseQuery("set", split="train")))
        assert job.state is JobState.DONE
        assert (job.result["new"], job.result["known"]) == ((COUNT, 0) if not round_number else (0, COUNT))
        there = [row.source_key for row in listed]
        assert there == sorted(there)
        told = keys(data)
        assert len(told) == COUNT and [key for key, error in told.items() if error] == ["0007.png"]
        assert left_over(data) == []


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    direct = [int(each) for each in text.split()]
    return direct + [each for child in direct for each in children_of(child)]


@pytest.mark.true_start  # its helpers are looked for among its children
def test_a_killed_import_leaves_no_process_and_the_next_one_adds_the_rest(
    folder: Path, tmp_path: Path
) -> None:
    data = DataDir(tmp_path / "data")
    _, worker = started(data, folder)
    end = time.monotonic() + LIMIT_S
    while not list(data.incoming.glob("*/*")) and worker.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    helpers = children_of(worker.pid) if worker.poll() is None else []
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    while any(Path(f"/proc/{pid}").exists() for pid in helpers):
        assert time.monotonic() < end, "processes that look at images outlive their import"
        time.sleep(0.02)
    job_id, worker = started(data, folder)
    assert worker.wait(LIMIT_S) == 0
    assert len(keys(data)) == COUNT and left_over(data) == []
    with closing(connect(data)) as db:
        result = jobs.must_get(db, job_id).result
    assert result["new"] + result["known"] == COUNT


def test_what_a_kill_left_is_swept_and_what_is_at_work_stays(tmp_path: Path) -> None:
    import fcntl

    data = DataDir(tmp_path / "data").create()
    for job_id in (1, 2):
        (data.incoming / f"{job_id:04d}").mkdir(parents=True)
        (data.incoming / f"{job_id:04d}" / "tmpabc").write_bytes(b"half")
    old = data.root / "images" / "ab" / ".tmpxyz"  # where older versions wrote
    old.parent.mkdir()
    old.write_bytes(b"half")
    data.job(2).mkdir(parents=True)
    with data.lock(2).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert sweep(data) == 2
        assert left_over(data) == [data.incoming] and not old.exists()
        assert [path.parent.name for path in data.incoming.glob("*/*")] == ["0002"]
    assert sweep(data) == 1 and left_over(data) == []


class Now:
    """Threads that do at once what they are asked."""

    map = staticmethod(map)


def test_bytes_and_names_are_on_the_disk_before_a_row_may_speak_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DataDir(tmp_path / "data").create()
    # Where each file is synced by itself.
    monkeypatch.setattr(keeping, "file_system", lambda folder: "fuse.somebody")
    incoming = IncomingFolder(data, 1)
    incoming.begin()
    told: list[tuple[str, str]] = []
    before = os.fsync

    def fsync(handle: int) -> None:
        told.append(("file", str(Path(f"/proc/self/fd/{handle}").readlink())))
        before(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(keeping, "sync_folder", lambda folder: told.append(("folder", str(folder))))
    targets = [data.blob(letter * 64) for letter in "ab"]
    written = [each for target in targets if (each := write_hidden(incoming.folder, target, b"bytes"))]
    incoming.keep(written, Now())  # type: ignore[arg-type]
    assert told[:2] == [("file", each.temporary) for each in written]  # each before it had its name
    assert all(target.read_bytes() == b"bytes" for target in targets)
    folders = {data.root / "images", *(target.parent for target in targets)}
    assert {name for kind, name in told if kind == "folder"} == set(map(str, folders))
    assert write_hidden(incoming.folder, targets[0], b"bytes") is None
    incoming.end()
    assert left_over(data) == []


def test_where_all_of_a_file_system_is_synced_bytes_come_before_names_and_names_before_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DataDir(tmp_path / "data").create()
    monkeypatch.setattr(keeping, "file_system", lambda folder: "ext4")
    incoming = IncomingFolder(data, 1)
    incoming.begin()
    targets = [data.blob(letter * 64) for letter in "ab"]
    synced: list[list[bool]] = []
    monkeypatch.setattr(
        keeping.WholeSync, "sync", lambda self: synced.append([target.exists() for target in targets])
    )
    written = [each for target in targets if (each := write_hidden(incoming.folder, target, b"bytes"))]
    incoming.keep(written, Now())  # type: ignore[arg-type]
    assert synced == [[False, False], [True, True]]
    incoming.keep([], Now())  # type: ignore[arg-type]  # an import again: there is nothing to bring
    assert len(synced) == 2
    incoming.end()
    assert left_over(data) == []


def test_a_file_system_that_cannot_be_synced_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = DataDir(tmp_path / "data").create()
    monkeypatch.setattr(keeping, "file_system", lambda folder: "ext4")
    incoming = IncomingFolder(data, 1)
    incoming.begin()
    written = write_hidden(incoming.folder, data.blob("a" * 64), b"bytes")
    assert written is not None

    def fails(self: keeping.WholeSync) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping.WholeSync, "sync", fails)
    with pytest.raises(UserError, match="No space left on device"):
        incoming.keep([written], Now())  # type: ignore[arg-type]
    assert not data.blob("a" * 64).exists()


def test_the_whole_is_synced_only_where_the_kernel_tells_errors_and_the_file_system_is_local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "file_system", lambda folder: "xfs")
    monkeypatch.setattr(keeping.platform, "release", lambda: "5.4.0-150-generic")
    assert keeping.WholeSync.of(tmp_path) is None
    monkeypatch.setattr(keeping.platform, "release", lambda: "6.1.0")
    whole = keeping.WholeSync.of(tmp_path)
    assert whole is not None
    whole.sync()
    whole.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        whole.sync()
    monkeypatch.setattr(keeping, "file_system", lambda folder: "nfs4")
    assert keeping.WholeSync.of(tmp_path) is None
