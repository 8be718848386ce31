"""Files, streams, names and moments that nobody should have: a sentence, and nothing lost."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from radtui import user_choices
from radtui.cluster import profile
from radtui.durable import digest
from radtui.export.backup import back_up, copy_file
from radtui.export.restore_backup import restore_backup
from radtui.jobs import launch
from radtui.jobs.log import tail_log
from radtui.paths import DataDir, expanded, find_data_dir, is_locked, parsed_toml, read_written
from radtui.records import UserError
from radtui.store.blobs import image_bytes
from radtui.store.database import connect
from radtui.study.scheme_file import load_scheme
from tests.conftest import drawn_png


def call(data: DataDir, line: str, *words: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    """A command in a shell's line, where it stands as "$@"."""
    command = [sys.executable, "-m", "radtui.cli", "--data-dir", str(data.root), *words]
    return subprocess.run(
        ["bash", "-c", line, "bash", *command], capture_output=True, check=False, env={**os.environ, **more}
    )


@pytest.mark.parametrize("text", ["[app]\nx = " + "[" * 20_000, f"[app]\nbell_after_s = {'9' * 5000}\n"])
def test_a_config_file_that_no_parser_takes_is_one_sentence(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    monkeypatch.setenv("RADTUI_CONFIG", str(file))
    own, problem = user_choices.read(file)
    assert own == user_choices.DEFAULTS and "is damaged, so defaults are used" in problem
    with pytest.raises(UserError, match="cannot be read"):
        profile.profiles()
    with pytest.raises(UserError, match="The choice holds for this session only"):
        user_choices.remember(file, theme="light")
    assert file.read_text() == text
    with pytest.raises(ValueError, match=r"nested|Exceeds|digits"):
        parsed_toml(text)


def test_pipes_devices_and_huge_files_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, zero, huge = tmp_path / "pipe", tmp_path / "zero", tmp_path / "huge"
    os.mkfifo(pipe)
    zero.symlink_to("/dev/zero")
    with huge.open("wb") as file:
        file.truncate(1 << 32)
    for path in (pipe, zero, huge):
        with pytest.raises(OSError, match=r"It is no regular file|It has more than 4 MiB"):
            read_written(path)
        assert "cannot be read, so defaults are used" in user_choices.read(path)[1]
        with pytest.raises(UserError, match="cannot be read"):
            load_scheme(path)
    for path in (pipe, zero):
        with pytest.raises(OSError, match="It is no regular file"):
            digest(path)
    assert not is_locked(pipe)
    data = DataDir(tmp_path / "data").create()
    connect(data, create=True).close()
    data.job(1).mkdir()
    os.mkfifo(data.log(1))
    assert "cannot be read: It is no regular file" in tail_log(data, 1)[0]
    blob = data.blob("ab" * 32)
    blob.parent.mkdir()
    os.mkfifo(blob)
    with pytest.raises(UserError, match="stored bytes of this image cannot be read"):
        image_bytes(data, "ab" * 32)


def test_a_home_that_is_nobodys_is_a_path_as_it_is() -> None:
    assert expanded("~nobody-has-this-name/x") == Path("~nobody-has-this-name/x")
    assert expanded("~/x") == Path.home() / "x"


def test_nothing_is_made_in_the_home_of_a_user_whom_nobody_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"no such user; \./~nobody-has-this-name/x is a folder of that name"):
        find_data_dir("~nobody-has-this-name/x")
    assert find_data_dir("./~nobody-has-this-name/x").root == tmp_path / "~nobody-has-this-name" / "x"
    monkeypatch.setenv("RADTUI_CONFIG", "~nobody-has-this-name/config.toml")
    with pytest.raises(UserError, match="this session only: this machine has no user for"):
        user_choices.remember(theme="light")
    assert not list(tmp_path.iterdir())


def test_closed_streams_take_nothing_and_lend_their_numbers_to_no_file(
    data: DataDir, db: sqlite3.Connection
) -> None:
    before = data.database.read_bytes()
    folder = data.root.parent / "images"
    folder.mkdir()
    (folder / "one.png").write_bytes(drawn_png(1))
    done = call(data, '"$@" >&-', "jobs", "list")
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1 and b"Bad file descriptor" in done.stderr
    assert call(data, '"$@" <&-', "jobs", "list").returncode == 0
    assert call(data, '"$@" 2>&-', "jobs", "list").returncode == 0
    assert call(data, '"$@" <&- >&- 2>&-', "jobs", "list").returncode == 1
    assert call(data, '"$@" <&-', "import", str(folder)).returncode == 0
    assert data.database.read_bytes()[:16] == before[:16] and call(data, '"$@"', "check").returncode == 0


def test_a_rater_in_another_encoding_is_refused(data: DataDir, db: sqlite3.Connection) -> None:
    done = call(data, '"$@"', "stats", RADTUI_RATER="an\udcffa")
    assert (
        done.returncode == 1
        and done.stderr == b"radtui: The rater's name is not in UTF-8; give another one with --rater.\n"
    )


def test_a_worker_whose_lock_was_removed_is_alive_as_long_as_it_lives(data: DataDir) -> None:
    data.job(1).mkdir(parents=True)
    held = os.open(data.lock(1), os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    data.lock(1).unlink()
    assert launch.alive(data, 1)
    data.lock(1).touch()  # somebody puts another one there
    assert launch.alive(data, 1)
    os.close(held)
    assert not launch.alive(data, 1)


def test_one_backup_at_a_time_and_a_killed_first_one_is_no_obstacle(
    data: DataDir, db: sqlite3.Connection
) -> None:
    copy = data.root.parent / "copy"
    copy.mkdir()
    (copy / ".radtui.db.part").write_bytes(b"half a database")
    handle = os.open(copy, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(UserError, match="Another backup is being written into"):
        back_up(data, db, copy)
    os.close(handle)
    back_up(data, db, copy)
    assert not list(copy.glob(".*"))


def test_a_backup_onto_a_disk_without_hard_links_keeps_the_one_before(
    data: DataDir, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*paths: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    copy = data.root.parent / "copy"
    back_up(data, db, copy)
    monkeypatch.setattr(os, "link", none)
    back_up(data, db, copy)
    assert len(list(copy.glob("radtui-*.db"))) == 1


def test_a_restore_that_was_cut_short_is_said_and_done_again(data: DataDir, db: sqlite3.Connection) -> None:
    copy = data.root.parent / "copy"
    back_up(data, db, copy)
    db.close()
    left = data.root.with_name(f".{data.root.name}.restoring.abc")
    (left / "new").mkdir(parents=True)
    data.root.rename(data.root.with_name("data.before-restore"))
    again = DataDir(data.root, named=True)
    done = call(again, '"$@"', "stats")
    assert (
        done.returncode == 1
        and b"was cut short: call radtui" in done.stderr
        and done.stderr.count(b"\n") == 1
    )
    handle = os.open(left, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(UserError, match="Another restore into"):
        restore_backup(again, copy)
    os.close(handle)
    restore_backup(again, copy)
    assert not left.exists() and data.database.exists()


def test_a_database_taken_back_alone_leaves_the_one_before_with_all_its_rows(
    data: DataDir, db: sqlite3.Connection
) -> None:
    from radtui.records import JobKind
    from radtui.store import jobs

    copy = data.root.parent / "copy"
    back_up(data, db, copy)
    jobs.create(db, JobKind.IMPORT, "only here", "x", {})
    aside = restore_backup(data, copy / "radtui.db")
    assert aside is not None
    for file, count in ((aside, 1), (data.database, 0)):
        with sqlite3.connect(file) as each:
            assert each.execute("SELECT count(*) FROM jobs").fetchone() == (count,)


def test_repeated_backups_go_on_after_one_that_failed(data: DataDir, db: sqlite3.Connection) -> None:
    copy = data.root.parent / "copy"
    hook = Path(__file__).parents[1] / "faults" / "hurry_hook"
    path = os.pathsep.join([str(hook), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [
        sys.executable,
        "-m",
        "radtui.cli",
        "--data-dir",
        str(data.root),
        "backup",
        str(copy),
        "--every",
        "1m",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
        env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout and process.stderr and process.stdout.readline()
    handle = os.open(copy, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert "no backup: Another backup is being written" in process.stderr.readline()
    os.close(handle)
    while "folder" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 1


def test_a_copied_file_is_its_owners_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "a").chmod(0o644)
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "b").stat().st_mtime_ns == (tmp_path / "a").stat().st_mtime_ns
