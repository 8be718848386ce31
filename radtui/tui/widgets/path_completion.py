"""The rest of a path that is being typed, as a shell completes it; no widget."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from radtui.paths import expanded

MOST_NAMES = 20_000  # of a folder that are looked at: more would keep a thread busy for seconds


@dataclass(frozen=True, slots=True)
class Completion:
    """What was typed, as far as it can only go on one way, and the names that it may go on with."""

    text: str
    names: tuple[str, ...] = ()


def complete(text: str, between: str = "") -> Completion:
    """Complete the path at the end of a text; for a thread, since a disk may be slow.

    Args:
        text: What was typed.
        between: Signs between several paths; the last path is completed.
    """
    start = max((text.rfind(sign) for sign in between), default=-1) + 1
    start += len(text[start:]) - len(text[start:].lstrip())
    before, path = text[:start], text[start:]
    if path == "~":
        return Completion(f"{before}~/")
    folder, begun = os.path.split(path)
    names = _names(expanded(folder or "."), begun)
    if not names:
        return Completion(text)
    common = _common(names)
    if len(common) < len(begun):  # they differ in capitals where they were typed alike
        common = begun
    return Completion(before + path[: len(path) - len(begun)] + common, tuple(names))


def _common(names: list[str]) -> str:
    """What all names begin with, letter by letter."""
    first, last = min(names), max(names)
    alike = next(
        (at for at, letters in enumerate(zip(first, last, strict=False)) if letters[0] != letters[1]), None
    )
    return first[: alike if alike is not None else min(len(first), len(last))]


def _names(folder: Path, begun: str) -> list[str]:
    """Names in a folder that go on as it was begun, folders with a slash; in any case where none does exactly."""
    try:
        with os.scandir(folder) as entries:
            there = [
                f"{entry.name}/" if entry.is_dir() else entry.name
                for entry in islice(entries, MOST_NAMES)
                if begun.startswith(".") or not entry.name.startswith(".")
            ]
    except (OSError, RuntimeError, ValueError):  # no such folder, not for us, or no name of a folder at all
        return []
    exact = [name for name in there if name.startswith(begun)]
    return sorted(exact or [name for name in there if name.casefold().startswith(begun.casefold())])
