"""Where everything that a command prints goes out: nothing of it can give the terminal an order."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from radtui.harmless import json_escaped, printable


class HarmlessStream(io.TextIOWrapper):
    """A text stream that shows what it would not be safe to write: names and messages come from anywhere.

    Cleaning here and not where something is printed leaves no print that could forget it.
    """

    open_to_sequences = False  # while radtui itself draws

    def write(self, text: str) -> int:
        """Write a text, made harmless."""
        super().write(text if self.open_to_sequences else printable(text))
        return len(text)


def guard_streams() -> None:
    """Let everything that this process prints pass a `HarmlessStream`; a stream that was closed takes nothing."""
    _fill_closed()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, HarmlessStream) or not hasattr(stream, "buffer"):
            continue
        stream.flush()
        guarded = HarmlessStream(
            stream.buffer, encoding=stream.encoding, errors="replace", line_buffering=stream.line_buffering
        )
        _replaced.append(stream)  # the old stream would close the file with itself
        setattr(sys, name, guarded)


_replaced: list[Any] = []


def let_go_of_streams() -> None:
    """Send nowhere what a stream does not take: the interpreter's end would fail over it again, with its own code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except ValueError:  # closed, as where a pipe's reader went away
            continue


def _fill_closed() -> None:
    """Give closed streams their numbers back: else the next file that is opened gets one, and what is printed with it.

    They are opened the wrong way round, so that printing to a closed stream fails as it should.
    """
    for number, (name, mode, flags) in enumerate(
        (("stdin", "r", os.O_WRONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_RDONLY))
    ):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


@contextmanager
def own_sequences() -> Iterator[None]:
    """Let control sequences through, for what radtui draws itself: no text of anybody's is written meanwhile."""
    guarded = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, HarmlessStream)]
    for stream in guarded:
        stream.open_to_sequences = True
    try:
        yield
    finally:
        for stream in guarded:
            stream.open_to_sequences = False


def json_text(values: object) -> str:
    """JSON for scripts: exact, and harmless to a terminal that shows it."""
    return json_escaped(json.dumps(values, indent=2, ensure_ascii=False, default=str))
