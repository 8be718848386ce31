"""The rows of a table by a key, while another is joined to it: in memory where they are few, else in a file."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

from radtui.sources.layouts.roles import Cells
from radtui.store.spill import Spill

MOST_ROWS = 5_000  # in memory


class HeldRows:
    """Rows by key, those of a key in the table's order, or in the one that was set."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Cells]] = {}
        self._count = 0
        self._spill: Spill | None = None
        self._order: Callable[[Cells], Any] | None = None

    def add(self, key: str, cells: Cells) -> None:
        """Keep a row."""
        if self._spill is not None:
            self._spill.add(key, pickle.dumps(dict(cells), pickle.HIGHEST_PROTOCOL))
            return
        self._rows.setdefault(key, []).append(cells)
        self._count += 1
        if self._count > MOST_ROWS:
            self._spill = Spill()
            for each, rows in self._rows.items():
                for row in rows:
                    self._spill.add(each, pickle.dumps(dict(row), pickle.HIGHEST_PROTOCOL))
            self._rows.clear()

    def order_by(self, order: Callable[[Cells], Any]) -> None:
        """Give the rows of each key in this order from now on, those that are alike as they came."""
        self._order = order

    def get(self, key: str) -> list[Cells]:
        """The rows of a key."""
        rows = self._rows.get(key, [])
        if self._spill is not None:
            # What this process has just written.
            rows = [pickle.loads(value) for value in self._spill.get(key)]
        return sorted(rows, key=self._order) if self._order is not None else rows

    def __iter__(self) -> Iterator[str]:
        yield from self._spill.keys() if self._spill is not None else self._rows
