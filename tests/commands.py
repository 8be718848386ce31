"""radtui's commands, in the process of a test."""

from __future__ import annotations

from click.testing import CliRunner, Result

from radtui.cli import cli
from radtui.paths import DataDir


def invoked(data: DataDir, *words: object, answer: str | None = None) -> Result:
    """What became of a command on a data folder, however it ended; `answer` is typed when it asks."""
    return CliRunner().invoke(cli, ["--data-dir", str(data.root), *map(str, words)], input=answer)


def ran(data: DataDir, *words: object, code: int = 0) -> Result:
    """A command that ends with this code; what it raises instead, such as a `UserError`, comes up as it is."""
    result = invoked(data, *words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result
