"""A process with the command line and a shim loaded, which forks each command: a tenth of the time of starting it.

`python -m tests.faults.forking` reads a command in JSON from each line, and answers with how it ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from radtui.paths import DataDir
from tests.faults.harness import RATER, REPOSITORY, forked, load_commands


class Forking:
    """Runs commands by such a process.

    Args:
        process: It.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self, data: DataDir, *words: object, rater: str = RATER, more: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """As `harness.forked`; a shim does as the variables say."""
        assert self._process.stdin is not None and self._process.stdout is not None
        asked = {
            "root": str(data.root),
            "words": [*map(str, words)],
            "rater": rater,
            "more": dict(more or {}),
        }
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer["code"], answer["printed"].encode()


@contextmanager
def forking(library: Path, temporary: Path) -> Iterator[Forking]:
    """A process with a shim.

    Args:
        library: The shim.
        temporary: The folder for temporary files of its commands.
    """
    temporary.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.forking"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=REPOSITORY, env={**os.environ, "LD_PRELOAD": str(library), "TMPDIR": str(temporary)},
    )  # fmt: skip
    try:
        yield Forking(process)
    finally:
        process.communicate()  # it ends with its input


def main() -> None:
    """Fork a command for each line."""
    load_commands()
    for line in sys.stdin:
        asked = json.loads(line)
        code, printed = forked(
            DataDir(Path(asked["root"])), *asked["words"], rater=asked["rater"], more=asked["more"]
        )
        sys.stdout.write(json.dumps({"code": code, "printed": printed.decode(errors="replace")}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
