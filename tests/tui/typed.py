"""Somebody at a terminal: keys that are counted, and the screen as a person reads it."""

from __future__ import annotations

import fcntl
import re
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence

from radtui.paths import DataDir
from tests.bench.pseudo_terminal import Terminal
from tests.tui.pixel_terminal import PixelTerminal

APP = (sys.executable, "-m", "radtui.cli")
LEAVING = re.compile(r"(?<!\w)(?:esc|q\s+(?:Quit|leaves)|any key)(?!\w)")


class Typist:
    """The app in a terminal, with someone who reads the screen and presses keys.

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
        self._screen = PixelTerminal(columns, rows)
        self.keys = 0

    def __enter__(self) -> Typist:
        return self

    def __exit__(self, *_: object) -> None:
        self._terminal.close()

    @property
    def text(self) -> str:
        """What stands on the screen, a line a row."""
        return "\n".join("".join(cell.text[0] for cell in row) for row in self._screen.cells)

    def press(self, *keys: str) -> None:
        """Press keys, each of which counts."""
        for key in keys:
            self._terminal.write(key)
            self.keys += 1

    def follows(self, named: str, *keys: str, limit_s: float = 20.0) -> None:
        """Read on the screen which key comes next and which one leaves; then press keys.

        Args:
            named: The words that name the key, as they stand on the screen.
            keys: Each of which counts.
            limit_s: How long to wait for the words.

        Raises:
            AssertionError: The screen names no such key, or no way out.
        """
        self.sees(named, limit_s)
        self.waits(lambda: LEAVING.search(self.text), what="a key that leaves")
        self.press(*keys)

    def sees(self, what: str, limit_s: float = 20.0) -> None:
        """Read until some words stand on the screen.

        Raises:
            AssertionError: They did not come.
        """
        self.waits(lambda: what in self.text, limit_s, what)

    def rests(self, quiet_s: float = 0.7) -> None:
        """Read on until nothing has come for a while."""
        self._screen.feed(self._terminal.settle(quiet_s))

    def waits(
        self, true: Callable[[], object], limit_s: float = 20.0, what: str = "what was waited for"
    ) -> None:
        """Read on until something is so.

        Raises:
            AssertionError: It did not come.
        """
        end = time.monotonic() + limit_s
        while not true():
            assert time.monotonic() < end, f"{what!r} did not come; there is\n{self.text}"
            self._screen.feed(self._terminal.read(0.05))

    def resize(self, columns: int, rows: int) -> None:
        """Drag the window to another size; the kernel tells the app."""
        self._screen = PixelTerminal(columns, rows)
        fcntl.ioctl(self._terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
