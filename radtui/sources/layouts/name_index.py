"""Files by keys that are made of their names, in little memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence


class NameIndex:
    """Files by keys that are made of their names, in a dozen bytes a file: keys are not kept, they are made again.

    Args:
        files: The files.
        keys: The keys of a file, none of them twice.
        only: The key of each file that has no other, "" for the others, where that is told of all files at once.
    """

    def __init__(
        self, files: Sequence[str], keys: Callable[[str], Sequence[str]], only: Sequence[str] = ()
    ) -> None:
        self._files, self._keys = files, keys
        hashes, places = array("q", map(hash, only)), array("I", range(len(only)))
        for place, file in enumerate(files):
            if only and only[place]:
                continue
            for key in keys(file):
                hashes.append(hash(key))
                places.append(place)
        order = sorted(range(len(hashes)), key=hashes.__getitem__)
        self._hashes = array("q", map(hashes.__getitem__, order))
        self._places = array("I", map(places.__getitem__, order))

    def get(self, key: str) -> list[str]:
        """The files that have a key, in their order."""
        wanted = hash(key)
        at = bisect_left(self._hashes, wanted)
        fitting: list[str] = []
        while at < len(self._hashes) and self._hashes[at] == wanted:
            file = self._files[self._places[at]]
            if key in self._keys(file):
                fitting.append(file)
            at += 1
        return fitting
