"""What a command prints gives the terminal no orders, what goes wrong is one sentence, and no file is lost by it."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from radtui.cli import cli, failures
from radtui.harmless import UNSAFE, json_escaped, printable, same_width, visible
from radtui.paths import DataDir
from radtui.records import Job, JobKind
from radtui.store import jobs, ratings, studies
from tests.faults.folder import PLANTED, RAW
from tests.unit.test_store import rating, study_of


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "radtui"


def run(data: DataDir, *words: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "radtui.cli", "--data-dir", data.root, *map(str, words)],
        capture_output=True, check=False,
    )  # fmt: skip


def test_names_from_anywhere_are_printed_harmless_and_json_is_exact(
    data: DataDir, db: sqlite3.Connection
) -> None:
    job = jobs.create(db, JobKind.TRAIN, PLANTED, PLANTED, {"instruction": PLANTED})
    jobs.set_result(db, job.id, note=PLANTED)
    db.close()
    for words in (
        ["jobs", "list"],
        ["jobs", "show", "1"],
        ["jobs", "show", "1", "--json"],
        ["export", "--job", "1"],
    ):
        done = run(data, *words)
        assert not RAW.search(done.stdout + done.stderr)
    shown = json.loads(run(data, "jobs", "show", "1", "--json").stdout)
    assert shown["name"] == PLANTED and shown["settings"]["instruction"] == PLANTED
    assert json.loads(run(data, "jobs", "list", "--json").stdout)[0]["result"]["note"] == PLANTED


def test_ordinary_text_of_any_script_passes_unchanged() -> None:
    text = "Pleuraerguß\trechts\nمی‌خواهم 肺炎 👩‍⚕️ naïve café – “ok”"
    assert printable(text) == visible(text) == text and not UNSAFE.search(text)
    assert json.loads(json_escaped(json.dumps(PLANTED, ensure_ascii=False))) == PLANTED


def test_a_line_keeps_its_width_whatever_is_taken_out() -> None:
    cells = {"\x1b": 0, "\u200b": 0, "\u00ad": 1}
    assert same_width("a\x1bb\u200bc\u00add\n", lambda one: cells.get(one, 0)) == "abc\u00b7d"


def test_what_goes_wrong_is_one_sentence_with_its_traceback_in_a_log(
    data: DataDir, db: sqlite3.Connection, state: Path
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "radtui.cli", "--data-dir", data.root, "jobs", "list"],
            stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode == 1 and b"The disk is full" in done.stderr and done.stderr.count(b"\n") == 1
    log = state / "errors.log"
    assert "Traceback" in log.read_text() and log.stat().st_mode & 0o077 == 0
    assert run(data, "jobs", "nonsense").returncode == 2


def test_a_damaged_database_is_said_to_be_one_and_what_takes_it_back(
    data: DataDir, db: sqlite3.Connection
) -> None:
    db.close()
    content = data.database.read_bytes()
    data.database.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    done = run(data, "jobs", "list")
    assert done.returncode == 1 and b"Traceback" not in done.stderr and done.stderr.count(b"\n") == 1
    assert b"malformed; take back a copy with radtui" in done.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device", "/x/y"), "The disk is full: /x/y could not be written"),
        (PermissionError(13, "Permission denied", "/x/y"), "Cannot use /x/y: Permission denied."),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "Some text is not in UTF-8"),
        (KeyError("what"), "That did not work: KeyError"),
    ],
)
def test_each_kind_of_failure_has_its_words(error: Exception, words: str) -> None:
    assert failures.sentence(error).startswith(words)


def test_a_locked_database_is_named_as_such(data: DataDir, db: sqlite3.Connection) -> None:
    other = sqlite3.connect(data.database, timeout=0, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as caught:
        other.execute("BEGIN IMMEDIATE")
    assert failures.sentence(caught.value).startswith("Another program is writing to the database")


@pytest.fixture
def rated(db: sqlite3.Connection, reviewed_job: Job) -> Job:
    study = study_of(db, reviewed_job)
    first, *_ = studies.comparison_ids(db, study)
    ratings.add(db, rating(study.id, first, 1))
    return reviewed_job


def test_a_rater_who_is_not_there_leaves_the_file_as_it_was(
    data: DataDir, rated: Job, tmp_path: Path
) -> None:
    out = tmp_path / "c.csv"
    assert run(data, "export", "--out", out).returncode == 0
    before = out.read_bytes()
    done = run(data, "export", "--out", out, "--rater", "TYPO")
    assert done.returncode == 1 and b"TYPO has rated nothing" in done.stderr and out.read_bytes() == before
    done = run(data, "export", "--out", out)
    assert done.returncode == 0 and b"It replaces the c.csv" in done.stderr


@pytest.mark.parametrize("command", [["export"], ["report", "2"], ["plot", "1"]])
def test_a_file_of_the_users_is_replaced_only_when_asked_for(
    data: DataDir, db: sqlite3.Connection, rated: Job, tmp_path: Path, command: list[str]
) -> None:
    from radtui.store import metrics

    metrics.log_step(db, 1, 1, 1, 1.0, 1.0, {"loss": 1.0})
    out = tmp_path / {"export": "c.csv", "report": "r.html", "plot": "p.svg"}[command[0]]
    out.write_text("a letter of mine")
    done = run(data, *command, "--out", out)
    assert done.returncode == 1 and b"--force replaces it" in done.stderr
    assert out.read_text() == "a letter of mine"
    assert run(data, *command, "--out", out, "--force").returncode == 0
    assert run(data, *command, "--out", out).returncode == 0  # its own it may
    if command == ["export"]:
        out.write_text(out.read_text() + "a line of mine")
        assert b"was changed since it was exported" in run(data, *command, "--out", out).stderr


def test_what_killed_exports_left_goes_and_one_at_work_stays(
    data: DataDir, rated: Job, tmp_path: Path
) -> None:
    left, at_work = tmp_path / ".c.csv.abcdefgh.radtui-part", tmp_path / ".c.csv.ijklmnop.radtui-part"
    of_a_user = tmp_path / ".c.csv.original"
    for path in (left, at_work, of_a_user):
        path.write_text("half")
    with at_work.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert run(data, "export", "--out", tmp_path / "c.csv").returncode == 0
    assert not left.exists() and at_work.exists() and of_a_user.exists()


def test_looking_makes_no_folder_and_says_what_makes_one(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "typo" / "data")
    for words in (
        ["jobs", "list"],
        ["stats"],
        ["doctor"],
        ["train"],
        ["check"],
        ["backup", tmp_path / "copy"],
    ):
        assert b"Traceback" not in run(data, *words).stderr
    assert not data.root.parent.exists()
    assert b"an import makes it" in run(data, "doctor").stdout


def test_the_bytes_of_a_file_are_readable_as_the_user_wants(
    data: DataDir, rated: Job, tmp_path: Path
) -> None:
    old = os.umask(0o027)
    try:
        run(data, "export", "--out", tmp_path / "c.csv")
    finally:
        os.umask(old)
    assert (tmp_path / "c.csv").stat().st_mode & 0o777 == 0o640


def test_checking_a_profile_leaves_no_folder_that_others_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "radtui-config").mkdir()
    (tmp_path / "radtui-config" / "config.toml").write_text(
        "[slurm.one]\npartition = 'cpu'\npython = '/bin/false'\n"
    )
    monkeypatch.setenv("PATH", "/nowhere")
    done = CliRunner().invoke(cli, ["--data-dir", str(tmp_path / "data"), "profile", "check"])
    assert "can be written" in done.output and not (tmp_path / "data").exists()
