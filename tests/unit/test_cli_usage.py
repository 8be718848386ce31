"""Wrong usage exits with 2 and names what was likely meant; shells can complete commands."""

from __future__ import annotations

import subprocess
import sys

import pytest

from radtui.cli import COMMANDS


def run(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "radtui.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["stduy"], "Did you mean study?"),
        (["jobs", "lst"], "Did you mean list?"),
        (["jobs", "list", "--data-dir", "x"], "--data-dir stands before the command: radtui --data-dir ..."),
        (["qqqqqq"], "No such command"),
        (["logs", "3"], "Did you mean radtui jobs log?"),
        (["list", "jobs"], "Did you mean radtui jobs list or radtui study list"),
        (["export", "3"], "A job is named with --job."),
        (["export", "--out", "-"], "'-' names no file"),
        (["train", "--batch-size", "0"], "--batch-size must be"),
        (["review", "--job", "1", "--study", "2"], "either a job or a study"),
        (["plot", "1", "--out", "loss.gif"], "neither .svg nor .png"),
        (["export", "--formt", "csv"], "--format"),
        (["study", "plan", "--aim", "non-inferiority", "--pilot", "1"], "needs a margin"),
        (["completion", "tcsh"], "bash"),
    ],
)
def test_wrong_usage_exits_with_two_and_says_what_is_right(tmp_path, arguments, told):
    root = tmp_path / "db"
    root.mkdir()
    result = run("--data-dir", str(root), *arguments)
    assert result.returncode == 2, result.stderr
    assert told in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_a_script_that_asks_radtui(shell):
    result = run("completion", shell)
    assert result.returncode == 0 and "_RADTUI_COMPLETE" in result.stdout and "radtui" in result.stdout


def test_the_script_of_bash_completes_commands_and_options(tmp_path):
    def completed(words: str, at: int) -> set[str]:
        env = {"_RADTUI_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        found = subprocess.run(
            [sys.executable, "-c", "from radtui.cli import main; main()"],
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **env}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return {line.split(",")[-1] for line in found.stdout.split()}

    assert completed("radtui st", 1) == {name for name in COMMANDS if name.startswith("st")}
    assert "--format" in completed("radtui export --fo", 2)
