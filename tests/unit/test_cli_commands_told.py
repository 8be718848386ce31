"""Commands that radtui tells its user to type: pasted, they find the same data folder."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from radtui.cli import cli
from radtui.cli.follow import report_end
from radtui.paths import DataDir, find_data_dir
from radtui.records import JobKind, JobState, UserError
from radtui.store import jobs
from radtui.store.database import connect
from tests.commands import invoked


def error(*arguments: str) -> str:
    """What a call is refused with."""
    result = CliRunner().invoke(cli, arguments)
    assert isinstance(result.exception, UserError)
    return str(result.exception)


def test_a_named_folder_is_in_the_command(tmp_path: Path) -> None:
    folder = str(tmp_path / "my data")
    assert error("--data-dir", folder, "jobs", "log", "9") == (
        f"There is no job 9; see radtui --data-dir '{folder}' jobs list."
    )
    assert (
        f"start with radtui --data-dir '{folder}' import SOURCE, or radtui --data-dir '{folder}' demo."
        in error("--data-dir", folder, "train")
    )


def test_a_folder_of_the_environment_is_named_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADTUI_DATA", str(tmp_path))
    assert find_data_dir().command("jobs", "log", "4") == f"radtui --data-dir {tmp_path} jobs log 4"


def test_the_folder_that_is_found_without_a_name_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RADTUI_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "db").mkdir()
    assert error("jobs", "log", "9") == "There is no job 9; see radtui jobs list."


def test_the_log_of_a_failed_job_can_be_asked_for_as_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = DataDir(tmp_path / "a b", named=True).create()
    db = connect(data)
    job = jobs.create(db, JobKind.IMPORT, "x", "x", {})
    jobs.end(db, job.id, JobState.FAILED, error="No images.")
    silent = invoked(data, "jobs", "log", job.id)
    assert (silent.stdout, silent.stderr) == ("", f"Job {job.id} has printed nothing so far.\n")
    data.job(job.id).mkdir(parents=True)
    data.log(job.id).write_text("why it failed\n")
    report_end(data, jobs.must_get(db, job.id))
    told = shlex.split(capsys.readouterr().err.splitlines()[-1].removeprefix("Its log: radtui "))
    assert CliRunner().invoke(cli, told).stdout == "why it failed\n"


def test_without_a_terminal_the_app_does_not_open_and_the_demo_does_not_begin(tmp_path: Path) -> None:
    for command in ((), ("demo",)):
        assert "needs a terminal" in error("--data-dir", str(tmp_path), *command)
    assert not list(tmp_path.iterdir())
