"""Rows that another row of the same source repeats word for word, as where a table of all stands beside its splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from radtui.records import Problem
from radtui.sources.layouts.draft import Draft


class Repeats:
    """What was seen of each case: its images, its question and its text, in a few bytes."""

    def __init__(self) -> None:
        self._split: dict[int, str] = {}
        self._count = 0
        self._table = ""

    def is_new(self, draft: Draft, table: str, names_splits: bool) -> bool:
        """Whether a case is none that came before; in another split it is new where its table says so.

        Args:
            draft: The case. Only those with a text and files as images can be told.
            table: How its table is called.
            names_splits: Whether that says in which split its rows are.
        """
        if not draft.text or not draft.readable:
            return True
        files = tuple([picture.file for picture in draft.pictures])
        if not all(files):
            return True
        key = hash((files, draft.question, draft.text))
        if key not in self._split:
            self._split[key] = draft.split
            return True
        if names_splits and self._split[key] != draft.split:
            return True
        self._count += 1
        self._table = self._table or table
        return False

    def problems(self) -> list[Problem]:
        """That rows are left out."""
        reason = "Rows that repeat the image, question and text of an earlier one are left out."
        return [Problem(self._table, reason, self._count)] if self._count else []


class SameTexts:
    """How many cases of tables have one text word for word, as where most reports are one form's for a normal exam."""

    _FEW, _SHARE = 10, 0.5

    def __init__(self) -> None:
        self._count: Counter[int] = Counter()
        self._first: dict[int, str] = {}

    def noticed(self, drafts: Iterable[Draft]) -> Iterator[Draft]:
        """The same cases, whose texts are counted; answers to questions are often alike and are not."""
        for draft in drafts:
            if draft.text and not draft.question:
                text = hash(draft.text)
                self._count[text] += 1
                self._first.setdefault(text, draft.key)
            yield draft

    def problems(self) -> list[Problem]:
        """That most texts are one."""
        texts, n = self._count.total(), max(self._count.values(), default=0)
        if n < self._FEW or n < self._SHARE * texts:
            return []
        first = self._first[self._count.most_common(1)[0][0]]
        reason = (
            f"{n:,} of {texts:,} texts are the same word for word, so that a model may learn to write nothing else;"
            " leave out some of their rows."
        )
        return [Problem(first, reason)]
