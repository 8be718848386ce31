"""The links of a study's rows beside an export: what comes before each row, also where the export leaves rows out."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence

from radtui.records import Rating


class Chain:
    """The rows of one reader in a study, of which some go into a file: of each, its number alone is held."""

    def __init__(
        self, ids: Iterable[int], left_out: Iterable[int], links: Callable[[Sequence[int]], Mapping[int, str]]
    ) -> None:
        """Take a reader's rows.

        Args:
            ids: Of all of them, oldest first.
            left_out: Of those that do not go into the file.
            links: Gives the links of rows by their ids; "" for rows from before there were chains.
        """
        self._ids = array("q", ids)
        self._left_out = frozenset(left_out)
        self._links = links
        last = next((at for at in reversed(range(len(self._ids))) if self._inside(at)), None)
        self._last_id = 0 if last is None else self._ids[last]
        self._after = self._named(range(last + 1, len(self._ids))) if last is not None else []

    def fields(self, rows: Sequence[Rating]) -> dict[int, dict[str, object]]:
        """What rows that go into the file say of their places, by their ids; nothing of a row without a link."""
        places = {row.id: bisect_left(self._ids, row.id) for row in rows if row.chain}
        links = self._links([self._ids[at - 1] for at in places.values() if at])
        fields_by_id: dict[int, dict[str, object]] = {}
        for row_id, at in places.items():
            fields: dict[str, object] = {"chain_before": links.get(self._ids[at - 1], "") if at else ""}
            if at and not self._inside(at - 1) and (named := self._named(range(self._first_before(at), at))):
                fields["left_out_before"] = named
            if row_id == self._last_id:
                fields["chain_ends"] = True
                if self._after:
                    fields["left_out_after"] = self._after
            fields_by_id[row_id] = fields
        return fields_by_id

    def _inside(self, at: int) -> bool:
        return self._ids[at] not in self._left_out

    def _first_before(self, at: int) -> int:
        """The first of the rows left out right before a place."""
        while at and not self._inside(at - 1):
            at -= 1
        return at

    def _named(self, places: range) -> list[str]:
        """The links of rows that are left out; one without is from before there were chains."""
        ids = [self._ids[at] for at in places]
        links = self._links(ids) if ids else {}
        return [links[row_id] for row_id in ids if links[row_id]]
