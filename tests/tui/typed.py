"""Somebody at a terminal: keys that are counted, and what is written to the screen as a person reads it."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from radtui.paths import DataDir
from tests.bench.pseudo_terminal import Terminal

APP = (sys.executable, "-m", "radtui.cli")
# Moves of the cursor become a blank, so that no two words meet that stand apart; colours and modes become nothing.
_MOVES = re.compile(rb"\x1b\[[\d;]*[ABCDGHdf]|[\r\n]+")
_OTHERS = re.compile(rb"\x1b(?:\[[\d;:?<>=$!]*[ -/]*[@-~]|[\]P_^].*?(?:\x07|\x1b\\)|[()].|.)", re.DOTALL)


class Typist:
    """The app in a terminal, with someone who presses keys and reads what comes after each.

    Args:
        data: The data folder.
        columns: Of the terminal.
        rows: Of the terminal.
        command: The program and its first arguments.
        more: Further arguments.
        env: Further environment.

    Attributes:
        keys: How many keys were pressed.
    """

    def __init__(
        self, data: DataDir, columns: int, rows: int, *, command: Sequence[str] = APP,
        more: Sequence[str] = (), env: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._terminal = Terminal([*command, "--data-dir", str(data.root), *more], columns, rows, env)
        self._written = b""
        self.keys = 0

    def __enter__(self) -> Typist:
        return self

    def __exit__(self, *_: object) -> None:
        self._terminal.close()

    @property
    def text(self) -> str:
        """What was written since the last key, in words."""
        return _OTHERS.sub(b"", _MOVES.sub(b" ", self._written)).decode(errors="replace")

    def press(self, *keys: str) -> None:
        """Press keys, each of which counts."""
        self._written = b""
        for key in keys:
            self._terminal.write(key)
            self.keys += 1

    def sees(self, what: str, limit_s: float = 20.0) -> None:
        """Read until some words have been written since the last key.

        Raises:
            AssertionError: They did not come.
        """
        self.waits(lambda: what in self.text, limit_s, what)

    def waits(
        self, true: Callable[[], object], limit_s: float = 20.0, what: str = "what was waited for"
    ) -> None:
        """Read on until something is so.

        Raises:
            AssertionError: It did not come.
        """
        end = time.monotonic() + limit_s
        while not true():
            assert time.monotonic() < end, f"{what!r} did not come; there is\n{self.text[-4000:]}"
            self._written += self._terminal.read(0.05)
