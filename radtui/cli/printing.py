"""Where everything that a command prints goes out: nothing of it can give the terminal an order."""

from __future__ import annotations

import io
import json
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
    """Let everything that this process prints pass a `HarmlessStream`."""
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
