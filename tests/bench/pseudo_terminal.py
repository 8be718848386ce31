"""A pseudo-terminal with a program in it: keys go in, and the time until the last byte of the answer comes out."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

QUIET_S = 0.15  # an answer has ended when nothing came for so long
SYNC_QUERY, SYNC_ANSWER = b"\x1b[?2026$p", b"\x1b[?2026;2$y"  # "can frames be synchronised?" "yes"
FRAME_END = b"\x1b[?2026l"
_NOT_PASSED_ON = ("TMUX", "STY", "COLUMNS", "LINES", "NO_COLOR", "TEXTUAL_COLOR_SYSTEM")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program wrote after a key: milliseconds until its last byte, and the bytes."""

    ms: float
    text: bytes


class Terminal:
    """A terminal of so many cells, with 24-bit colour, that a program runs in.

    `started` is when the program was started, on the `perf_counter` clock.
    """

    def __init__(
        self, command: Sequence[str], columns: int, rows: int, more: Mapping[str, str] | None = None
    ) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
        environment |= {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
            **(more or {}),
        }
        if "RADTUI_CONFIG" not in environment:
            # Its own: the user's may name another screen to open on, and is not to learn of this one.
            folder = Path(tempfile.mkdtemp(prefix="radtui-terminal-"))
            environment["RADTUI_CONFIG"] = str(folder / "config.toml")
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(command[0], list(command), environment)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, keys: str) -> None:
        """Press keys without waiting for anything."""
        os.write(self.fd, keys.encode())

    def read(self, wait_s: float, limit: int = 1 << 18) -> bytes:
        """What is there within `wait_s`, b"" when nothing is; asked for synchronised frames, say yes."""
        if not select.select([self.fd], [], [], wait_s)[0]:
            return b""
        try:
            got = os.read(self.fd, limit)
        except OSError:  # the program has ended
            return b""
        if SYNC_QUERY in got:
            os.write(self.fd, SYNC_ANSWER)
        return got

    def settle(self, quiet_s: float = 1.0, limit_s: float = 30.0, first_s: float = 0.0) -> bytes:
        """Read until nothing has come for a while; wait up to `first_s` for the first byte of a starting process."""
        got, start = b"", time.perf_counter()
        last = start
        while (now := time.perf_counter()) - start < limit_s:
            if now - last >= (quiet_s if got else max(quiet_s, first_s)):
                break
            part = self.read(0.05)
            if part:
                got, last = got + part, time.perf_counter()
        return got

    def press(
        self, key: str, patience_s: float = 3.0, quiet_s: float = QUIET_S, limit_s: float = 30.0
    ) -> Answer:
        """Write a key and read until the answer has ended; wait up to `patience_s` for its first byte.

        What never ends, such as a blinking cursor where `quiet_s` is longer than its beat, is left after `limit_s`.
        """
        start = last = time.perf_counter()
        self.write(key)
        got = b""
        while (now := time.perf_counter()) - last < (
            quiet_s if got else patience_s
        ) and now - start < limit_s:
            part = self.read(0.01)
            if part:
                got, last = got + part, time.perf_counter()
        return Answer((last - start) * 1e3, got)

    def until(self, is_answer: Callable[[bytes], object], limit_s: float = 30.0) -> float:
        """Read until a complete frame is the one that is waited for; when that was, on the `perf_counter` clock.

        Args:
            is_answer: Looks at the bytes of one frame.
            limit_s: How long to wait.

        Raises:
            TimeoutError: it did not come.
        """
        got, end = b"", time.perf_counter() + limit_s
        while time.perf_counter() < end:
            *frames, got = (got + self.read(0.01)).split(FRAME_END)
            if any(is_answer(frame) for frame in frames):
                return time.perf_counter()
        raise TimeoutError(f"the frame was not drawn within {limit_s} s")

    def cpu_s(self) -> float:
        """Processor time that the program has used, seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the program and wait for it."""
        try:
            os.kill(self.pid, signal.SIGTERM)
            end = time.perf_counter() + 2
            while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                self.read(0.02)  # a program that still writes must not wait for a reader
                if time.perf_counter() > end:
                    os.kill(self.pid, signal.SIGKILL)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.fd)
