"""Several text files of one image or exam: the sections of its report, or one that is used and others that are not."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from itertools import islice

from radtui.records import Problem
from radtui.sources.layouts import words

_REPORTS = frozenset(
    ("report", "befund", "bericht", "findings", "text", "impression", "caption", "informe", "rapport")
)


class TextFiles:
    """Text files by the image or folder that they belong to, one for each: several are joined, or the first is meant.

    Attributes:
        sections: Of the first file of several that are the sections of one report: all of them, in order.
    """

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._more: dict[str, list[str]] = {}
        self.sections: dict[str, tuple[str, ...]] = {}
        self._left: dict[str, str] = {}  # a file that is not used, and the one that is

    def __bool__(self) -> bool:
        return bool(self._first)

    def __contains__(self, owner: str) -> bool:
        return owner in self._first

    def add(self, owner: str, name: str) -> None:
        """Note that a file is a text of an image or a folder."""
        if self._first.setdefault(owner, name) != name:
            self._more.setdefault(owner, []).append(name)

    def settle(self) -> None:
        """Decide which files are used, once all are known: one without a section's name, else one of each section."""
        for owner, more in self._more.items():
            names = [self._first[owner], *more]
            whole = [name for name in names if section_of(name) is None]
            parts: dict[int, str] = {}
            for name in () if whole else names:
                parts.setdefault((section_of(name) or (0, ""))[0], name)
            used = whole[:1] or [parts[place] for place in sorted(parts)]
            self._first[owner] = used[0]
            if len(used) > 1:
                self.sections[used[0]] = tuple(used)
            self._left.update((name, used[0]) for name in names if name not in used)
        self._more.clear()

    def get(self, owner: str) -> str:
        """The file that stands for an owner's text; "" for none."""
        return self._first.get(owner, "")

    def read(self, name: str, text_of: Callable[[str], str]) -> str:
        """The text of a file that `get` told, with the other sections, each under its name.

        Args:
            name: The file.
            text_of: Reads one.
        """
        parts = self.sections.get(name)
        if parts is None:
            return text_of(name)
        texts = [((section_of(part) or (0, ""))[1], text_of(part)) for part in parts]
        return "\n".join(f"{title.capitalize()}: {text}" for title, text in texts if text)

    def problems(self) -> list[Problem]:
        """Files that are not used because another text of the same image or exam is."""
        if not self._left:
            return []
        name, used = next(iter(self._left.items()))
        reason = (
            f"The text is not used: {used} is the text of the same image or exam. Put both into one file."
        )
        return [Problem(name, reason, len(self._left))]


def section_of(name: str) -> tuple[int, str] | None:
    """Which section of a report a file's name or folder says that it is: its place in order, and the word; or None."""
    for part in reversed(posixpath.splitext(name)[0].split("/")):
        for word in words.words(part):
            for place, usual in enumerate(words.SECTIONS):
                if word in usual:
                    return place, word
    return None


def is_called_report(name: str) -> bool:
    """Whether a text's file is called as reports are."""
    return any(word in posixpath.basename(name).lower() for word in _REPORTS)


def one_report(names: list[str]) -> str:
    """The text of a folder that is its report: its only one, or of several the only one that is called so; or ""."""
    called = names if len(names) == 1 else [name for name in names if is_called_report(name)]
    return called[0] if len(called) == 1 else ""


def lists_images(text: str, pictures: list[str]) -> bool:
    """Whether a text speaks of several images by their names, and is no report of them together."""
    text = text.casefold()
    named = (each for each in pictures if _is_named(posixpath.basename(each).casefold(), text))
    return len(list(islice(named, 2))) > 1


def _is_named(base: str, text: str) -> bool:
    """Whether a file is named in a text, without its ending where the rest is nothing that a sentence would say."""
    stem = posixpath.splitext(base)[0]
    if stem not in text:  # of a hundred thousand pictures nearly all
        return False
    has_both = any(sign.isdigit() for sign in stem) and any(sign.isalpha() for sign in stem)
    return base in text or (has_both and re.search(rf"(?<!\w){re.escape(stem)}(?!\w)", text) is not None)
