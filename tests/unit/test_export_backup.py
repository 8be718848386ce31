"""Copies of a data folder: whole, of one moment, taken back without losing what was there; and what a check finds."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from radtui.durable import synced_facts
from radtui.export import backup
from radtui.export.backup import back_up, check
from radtui.export.restore_backup import restore_backup
from radtui.jobs.adapter_files import refuse_changed
from radtui.jobs.launch import _open_lock
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, UserError
from radtui.store import backup as store
from radtui.store import cases, jobs
from radtui.store.database import connect
from tests.commands import invoked
from tests.unit.test_store import rating, study_of


@pytest.fixture
def study(data: DataDir, db: sqlite3.Connection, reviewed_job: Job) -> Job:
    """A job with a rating that is in the log alone, a log and an adapter; the database is open."""
    from radtui.store import ratings, studies

    study = study_of(db, reviewed_job)
    first, *_ = studies.comparison_ids(db, study)
    ratings.add(db, rating(study.id, first, 2))
    data.adapter(1).mkdir(parents=True)
    (data.adapter(1) / "weights").write_bytes(b"w" * 100)
    data.log(1).write_text("learnt")
    (data.root / "scheme.toml").write_text("# asked")
    (data.root / "salt").write_text("secret")
    (data.root / "packs").mkdir()
    (data.root / "packs" / "12ab.json").write_text("{}")
    return reviewed_job


def run(data: DataDir, *arguments: object) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "radtui.cli", "--data-dir", data.root, *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_a_backup_is_a_data_folder_with_everything_but_the_salt(
    data: DataDir, db: sqlite3.Connection, study: Job, tmp_path: Path
) -> None:
    (data.checkpoints(1) / "checkpoint-2").mkdir(parents=True)
    (data.checkpoints(1) / "checkpoint-2" / "optimizer.pt").write_bytes(b"o")
    folder = tmp_path / "copy"
    done = back_up(data, db, folder)
    assert (done.images, done.new_images, done.jobs, done.problems) == (6, 6, 1, ())
    copy = DataDir(folder)
    with store.opened_copy(copy.database) as other:
        assert not store.problems(other)
        assert other.execute("SELECT count(*) FROM ratings").fetchone()[0] == 1
    assert copy.log(1).read_text() == "learnt" and (copy.adapter(1) / "weights").stat().st_size == 100
    assert (folder / "scheme.toml").exists() and not (folder / "salt").exists()
    assert (folder / "packs" / "12ab.json").exists()
    assert [part.partition(",")[0] for part in done.left_out] == ["checkpoints", "the salt"]
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.rglob("*"))
    assert back_up(data, db, folder, salt=True).new_images == 0
    assert back_up(data, db, folder, salt=True, checkpoints=True).left_out == ()
    # Two earlier databases, of one name where they were made within one second.
    assert (folder / "salt").exists() and len(list(folder.glob("radtui-*.db"))) in (1, 2)


def test_a_first_backup_that_did_not_come_to_its_end_is_none_and_is_gone_on_with(
    data: DataDir, db: sqlite3.Connection, study: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, copied = tmp_path / "copy", []

    def full(source: Path, target: Path) -> None:
        copied.append(target)
        if len(copied) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        shutil.copyfile(source, target)

    with monkeypatch.context() as patched, pytest.raises(UserError, match="No space left"):
        patched.setattr(backup, "copy_file", full)
        back_up(data, db, folder)
    assert len(list(folder.glob("images/*/*"))) == 2 and not DataDir(folder).database.exists()
    with pytest.raises(UserError, match="is no backup"):
        restore_backup(DataDir(tmp_path / "new"), folder)
    (folder / ".radtui.db.part-journal").write_bytes(b"killed")
    assert back_up(data, db, folder).new_images == 4
    (folder / "radtui.db").unlink()
    for users in (folder / "jobs" / "applications", folder / "images" / "thesis"):
        users.mkdir()
        with pytest.raises(UserError, match="something else"):
            back_up(data, db, folder)
        users.rmdir()


def test_what_a_killed_app_wrote_in_a_backup_stays_with_that_one_and_as_many_are_kept_as_asked(
    data: DataDir, db: sqlite3.Connection, study: Job, tmp_path: Path
) -> None:
    def notes(file: Path) -> set[str]:
        with store.opened_copy(file) as other:
            return {row[0] for row in other.execute("SELECT note FROM jobs")}

    folder = tmp_path / "copy"
    copy = DataDir(folder)
    back_up(data, db, folder)
    with closing(connect(copy)) as other:
        other.execute("UPDATE jobs SET note = 'in the backup'")
        left = {file: file.read_bytes() for file in (copy.database, folder / "radtui.db-wal")}
    for file, content in left.items():
        file.write_bytes(content)
    shutil.copytree(folder, tmp_path / "other")
    restore_backup(DataDir(tmp_path / "new"), tmp_path / "other")
    assert notes(tmp_path / "new" / "radtui.db") == {"in the backup"}
    db.execute("UPDATE jobs SET note = 'at home'")
    for number in range(5):
        os.utime(copy.database, (1e9 + number, 1e9 + number))
        back_up(data, db, folder)
        assert notes(copy.database) == {"at home"}
        kept = sorted(folder.glob("radtui-*.db"))
        assert len(kept) == min(3, number + 1)
        assert number > 2 or notes(kept[0]) == {"in the backup"}


def test_a_backup_names_what_is_damaged_and_keeps_the_good_copy(
    data: DataDir, db: sqlite3.Connection, study: Job, tmp_path: Path
) -> None:
    back_up(data, db, tmp_path / "copy")
    sha256 = store.blobs(db)[0]
    good = data.blob(sha256).read_bytes()
    data.blob(sha256).write_bytes(b"cut short")
    done = back_up(data, db, tmp_path / "copy")
    assert done.problems == (f"image {sha256[:12]} is damaged and was not copied",)
    assert DataDir(tmp_path / "copy").blob(sha256).read_bytes() == good
    found = check(data, db)
    assert found.images == 6 and [line.partition(":")[0] for line in found.problems] == [
        f"image {sha256[:12]}"
    ]


def test_a_folder_that_holds_something_else_is_left(
    data: DataDir, db: sqlite3.Connection, study: Job, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("dear")
    for folder in (tmp_path / "mine", data.root):
        with pytest.raises(UserError, match="name another folder"):
            back_up(data, db, folder)


def test_taking_back_moves_aside_what_is_there_and_refuses_while_a_job_works(
    data: DataDir, db: sqlite3.Connection, study: Job, tmp_path: Path
) -> None:
    back_up(data, db, tmp_path / "copy")
    cases.ensure_dataset(db, "later", "after the backup")
    db.close()
    with pytest.raises(UserError, match="--force moves it aside"):
        restore_backup(data, tmp_path / "copy")
    import fcntl

    lock = data.lock(1).open("ab")
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(UserError, match="Job 1 is at work"):
        restore_backup(data, tmp_path / "copy", force=True)
    lock.close()
    aside = restore_backup(data, tmp_path / "copy", force=True)
    assert aside is not None and (aside / "salt").exists()
    with connect(data) as restored:
        assert [one.name for one in cases.datasets(restored)] == ["drawn"]
        assert jobs.total(restored) == 2
        assert check(data, restored).problems == ()
    with connect(DataDir(aside)) as before:
        assert len(cases.datasets(before)) == 2


def test_an_adapter_that_is_not_as_it_was_written_is_named_and_not_used(
    data: DataDir, db: sqlite3.Connection, tmp_path: Path
) -> None:
    job = jobs.create(db, JobKind.TRAIN, "tuned", "many", {"seeds": 2})
    trainings = []
    for number in (0, 1):
        folder = data.adapter(job.id, number)
        folder.mkdir(parents=True)
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            (folder / name).write_bytes(b"%d" % number * 50)
        trainings.append({"adapter_files": synced_facts(folder)})
    jobs.set_result(db, job.id, seeds=trainings)
    assert check(data, db).adapters == 0  # it may be at work on them
    jobs.end(db, job.id, JobState.DONE)
    assert check(data, db).adapters == 2 and not check(data, db).problems and not check(data, db).unknown
    jobs.set_result(db, job.id, seeds=[trainings[0], {}])  # as an older radtui left it
    assert check(data, db).adapters == 1 and check(data, db).unknown == (job.id,)
    assert f"Not known whether the adapters of #{job.id} are" in run(data, "check")[1]
    jobs.set_result(db, job.id, seeds=trainings)
    weights = data.adapter(job.id, 1) / "adapter_model.safetensors"
    weights.write_bytes(b"2" * 50)
    assert check(data, db).problems == (
        f"job {job.id}, adapter, seed 2: adapter_model.safetensors is missing or not as it was written",
    )
    refuse_changed(data, db, data.adapter(job.id))
    refuse_changed(data, db, tmp_path / str(job.id) / "adapter-seed-2")  # another folder's job of this number
    with pytest.raises(
        UserError, match=f"The adapter of job {job.id} is not as it was written.*from a backup"
    ):
        refuse_changed(data, db, weights.parent)
    weights.unlink()
    with pytest.raises(UserError, match="not as it was written"):
        refuse_changed(data, db, weights.parent)


def test_a_copy_of_the_database_alone_is_taken_back_with_the_other_one_aside(
    data: DataDir, db: sqlite3.Connection, study: Job
) -> None:
    copy = data.root / "radtui.db.before-9"
    store.copy_database(db, copy)
    cases.ensure_dataset(db, "later", "after the copy")
    db.close()
    aside = restore_backup(data, copy)
    assert aside == data.root / "radtui.db.before-restore" and copy.exists()
    with sqlite3.connect(data.database) as restored:
        assert restored.execute("SELECT name FROM datasets").fetchall() == [("drawn",)]


def test_a_damaged_copy_is_refused_before_anything_moves(
    data: DataDir, db: sqlite3.Connection, study: Job, tmp_path: Path
) -> None:
    back_up(data, db, tmp_path / "copy")
    database = tmp_path / "copy" / "radtui.db"
    content = bytearray(database.read_bytes())
    content[4096 * 3 : 4096 * 8] = b"\xff" * (4096 * 5)
    database.write_bytes(content)
    with pytest.raises(UserError, match=r"damaged|cannot be read"):
        restore_backup(data, tmp_path / "copy", force=True)
    assert data.database.exists() and not list(data.root.parent.glob("*before*"))


def test_commands_say_it_in_a_line_and_by_their_exit_code(
    data: DataDir, db: sqlite3.Connection, study: Job, tmp_path: Path
) -> None:
    assert run(data, "check")[0] == 0
    code, told = run(data, "backup", tmp_path / "copy", "--json")
    assert code == 0 and json.loads(told)["images"] == 6
    data.blob(store.blobs(db)[0]).unlink()
    code, told = run(data, "check")
    assert code == 1 and "its bytes are missing; import its source again" in told
    db.close()
    assert run(data, "restore", tmp_path / "copy", "--force")[0] == 0
    assert run(data, "check")[0] == 0
    assert run(data, "backup", tmp_path / "copy", "--every", "soon")[0] == 2


def test_a_database_that_lost_its_bytes_is_named_and_never_begun_anew(
    data: DataDir, db: sqlite3.Connection, study: Job, tmp_path: Path
) -> None:
    back_up(data, db, tmp_path / "copy")
    db.close()
    for log in data.root.glob("radtui.db-*"):
        log.unlink()
    data.database.write_bytes(b"")
    for command in (["jobs", "list"], ["doctor"], ["import", "phantoms:1"]):
        code, told = run(data, *command)
        assert code == 1 and "radtui.db has 0 bytes" in told and "Traceback" not in told
    data.database.unlink()
    assert "radtui.db is missing" in run(data, "jobs", "list")[1] and not data.database.exists()
    assert run(data, "restore", tmp_path / "copy" / "radtui.db")[0] == 0
    assert run(data, "check")[0] == 0


def test_modes_are_the_owners_alone_until_they_are_asked_for(tmp_path: Path) -> None:
    import os

    data = DataDir(tmp_path / "data")
    old = os.umask(0o002)
    try:
        connect(data, create=True).close()
        assert data.root.stat().st_mode & 0o777 == 0o700 and data.database.stat().st_mode & 0o777 == 0o600
        group = str(__import__("grp").getgrgid(os.getgid()).gr_name)
        assert invoked(data, "data", "shared", group).exit_code == 0
        os.close(_open_lock_of(data))
        assert data.launch_lock.stat().st_mode & 0o777 == 0o660
        assert "can read it" in run(data, "doctor")[1]
        assert invoked(data, "data", "private").exit_code == 0
        assert data.launch_lock.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(old)


def _open_lock_of(data: DataDir) -> int:
    connect(data).close()  # takes the folder's modes for what this process makes
    return _open_lock(data.launch_lock)


def test_doctor_names_a_network_file_system(tmp_path: Path) -> None:
    from radtui.cli.data_findings import NETWORK, file_system

    mounts = tmp_path / "mounts"
    place = tmp_path / "far away"
    mounts.write_text(
        f"/dev/a / ext4 rw 0 0\nserver:/x {str(place).replace(' ', chr(92) + '040')} nfs4 rw 0 0\n"
    )
    assert file_system(place / "data", mounts) in NETWORK
    assert file_system(tmp_path / "near", mounts) == "ext4"
    assert file_system(tmp_path, tmp_path / "none") == ""


def test_what_comes_before_a_migration_is_kept_and_none_runs_under_a_worker(
    data: DataDir, db: sqlite3.Connection, study: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    from radtui.store import database, schema

    db.close()
    monkeypatch.setattr(database, "SCHEMA_VERSION", database.SCHEMA_VERSION + 1)
    monkeypatch.setattr(schema, "migrate", lambda db: db.execute("PRAGMA user_version = 99"))
    monkeypatch.setattr(database, "_refuse_newer", lambda folder, version: None)
    lock = data.lock(1).open("ab")
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(UserError, match="Job 1 is at work"):
        connect(data)
    lock.close()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 10))
    with pytest.raises(UserError, match="no room for a copy"):
        connect(data)
    monkeypatch.undo()
    monkeypatch.setattr(database, "SCHEMA_VERSION", 99)
    monkeypatch.setattr(schema, "migrate", lambda db: db.execute("PRAGMA user_version = 99"))
    connect(data).close()
    with sqlite3.connect(data.root / "radtui.db.before-99") as copy:
        assert copy.execute("SELECT count(*) FROM ratings").fetchone() == (1,)
    assert (data.root / "radtui.db.before-99").stat().st_mode & 0o777 == data.database.stat().st_mode & 0o777


def test_what_was_restored_is_said_also_where_it_cannot_be_read_at_once(
    data: DataDir, study: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(data, "backup", tmp_path / "copy")[0] == 0

    def broken(db: sqlite3.Connection) -> dict[str, int]:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("radtui.store.links.sources", broken)
    done = invoked(data, "restore", "--force", tmp_path / "copy")
    assert done.exit_code == 0 and "What was there is now" in done.output
    assert "Linked images were not looked for; radtui check does: disk I/O error" in done.output


def test_a_copy_whose_log_cannot_be_cut_leaves_nothing_of_it(tmp_path: Path) -> None:
    class Failing:
        def backup(self, target: sqlite3.Connection) -> None:
            target.execute("PRAGMA journal_mode=WAL")
            target.execute("CREATE TABLE some (number)")
            assert len(list(tmp_path.glob(".copy.db.part*"))) == 3
            # So that the log is not taken away by SQLite.
            kept.append(sqlite3.connect(tmp_path / ".copy.db.part"))
            kept[0].execute("SELECT * FROM some").fetchall()
            raise sqlite3.OperationalError("disk I/O error")

    kept: list[sqlite3.Connection] = []
    with pytest.raises(sqlite3.OperationalError):
        store.copy_database(Failing(), tmp_path / "copy.db")
    kept[0].close()
    assert not list(tmp_path.glob(".copy.db*")) and not (tmp_path / "copy.db").exists()
