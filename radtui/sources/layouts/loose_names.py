"""Files that a name means by its parts, its number, its beginning or its folder, where no file is called like it.

Spreadsheets take the zeros off 00012, and tables of exams name E100 what lies there as E100_PA.png and E100_LAT.png.
DeepLesion's 000001_01_01_109.png lies there as 000001_01_01/109.png, CBIS-DDSM's folders hold files of other names.
All are guesses: they are made for a table none of whose columns names files as they are called, and are told.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile

from radtui.sources.image_names import IMAGE_ENDING

PARTS, NUMBER, BEGINNING, FOLDER = "parts", "number", "beginning", "folder"
WAYS = {
    PARTS: "by the parts of their paths, whatever stands between them",
    NUMBER: "by their numbers",
    BEGINNING: "by the beginnings of their names",
    FOLDER: "by their folders, each of which holds one",
}
"""Ways to match a table's names, the surest first, and how they are told."""
_LAST_NUMBER = re.compile(r"^(\D*?)0*(\d+)$")
_FIRST_NUMBER = re.compile(r"^\D+?0*(\d+)$")
_BREAK = re.compile(r"[_\-. ]+")
_FLOAT = re.compile(r"(?<=\d)\.0+$")
_BETWEEN = re.compile(r"[/_\-. ]+")
_FEWEST_PARTS = 2
_MOST_ALIKE = 100  # files that are looked at for one name


class LooseNames:
    """The files of a source by the numbers at the ends of their names, and by the beginnings of these.

    Args:
        files: The files.
        stems: Each file's name without suffixes, as names are compared.
    """

    def __init__(self, files: Sequence[str], stems: Sequence[str]) -> None:
        self._files, self._stems = files, stems

    @cached_property
    def _numbers(self) -> dict[str, list[int]]:
        """By the whole name without the zeros of its last number, and by that number alone."""
        places: dict[str, list[int]] = {}
        for place, stem in enumerate(self._stems):
            match = _LAST_NUMBER.match(_tail(stem))
            if match is None:
                continue
            head = stem[: len(stem) - len(_tail(stem))]
            for key in {f"{head}{match[1]}{match[2]}", match[2]}:
                places.setdefault(key, []).append(place)
        return places

    @cached_property
    def _beginnings(self) -> dict[str, list[int]]:
        """By each part of a name that ends before a break, and by the number of the first part."""
        places: dict[str, list[int]] = {}
        for place, stem in enumerate(self._stems):
            breaks = [match for match in _BREAK.finditer(stem) if match.start() and match.end() < len(stem)]
            keys = {stem[: match.start()] for match in breaks}
            if breaks and (number := _FIRST_NUMBER.match(stem[: breaks[0].start()])):
                keys.add(number[1])
            for key in keys:
                places.setdefault(key, []).append(place)
        return places

    @cached_property
    def _backwards(self) -> list[tuple[str, int]]:
        """The parts of all paths from the last to the first, in order: what shares its end with a path is beside it."""
        return sorted((_reversed(_parts(file)), place) for place, file in enumerate(self._files))

    def by_parts(self, path: str) -> str:
        """The one file whose path ends in the same parts as a path, whatever stands between them; "" for none.

        Args:
            path: All of its parts must be those of the file; or all of the file's name, and before them stands a
                folder such as "train", for a number there is that of another patient or exam.
        """
        wanted = _parts(path)
        key = _reversed(wanted)
        at = bisect_left(self._backwards, (key,))
        shared = max(
            (_shared(key, other) for other, _ in self._backwards[max(at - 1, 0) : at + 1]), default=0
        )
        if shared < _FEWEST_PARTS:
            return ""
        is_whole = shared == len(wanted)
        if not is_whole and any(sign.isdigit() for sign in wanted[-shared - 1]):
            return ""
        end = _reversed(wanted[-shared:])
        first = bisect_left(self._backwards, (end,))
        alike = takewhile(lambda each: each[0].startswith(end), self._backwards[first : first + _MOST_ALIKE])
        files = [self._files[place] for _, place in alike]
        fitting = [file for file in files if is_whole or shared >= len(_parts(file.rpartition("/")[2]))]
        return fitting[0] if len(fitting) == 1 and len(files) < _MOST_ALIKE else ""

    def by_number(self, name: str) -> list[str]:
        """The files whose names have a name's number, whatever zeros are before it.

        Args:
            name: As names are compared, without suffix.
        """
        match = _LAST_NUMBER.match(_tail(_FLOAT.sub("", name)))
        if match is None:
            return []
        plain = _FLOAT.sub("", name)
        head = plain[: len(plain) - len(_tail(plain))]
        return [self._files[place] for place in self._numbers.get(f"{head}{match[1]}{match[2]}", ())]

    def by_beginning(self, name: str) -> list[str]:
        """The files whose names begin with a name that has a number, and go on after a break."""
        plain = _FLOAT.sub("", name)
        if not any(sign.isdigit() for sign in plain):
            return []
        places = self._beginnings.get(plain, ())
        return [self._files[place] for place in places]

    def longest_beginning(self, file: str, names: frozenset[str]) -> str:
        """Of names that a table has, the longest that a file's name begins with."""
        stem = self._stem_of(file)
        breaks = [match.start() for match in _BREAK.finditer(stem)]
        return max((stem[:at] for at in breaks if stem[:at] in names), key=len, default="")

    def rest_of(self, file: str, name: str) -> str:
        """What comes after a beginning in a file's name: "PA" of E100_PA.png for E100."""
        stem = self._stem_of(file)
        return _BREAK.sub(" ", stem[len(name) :]).strip() if stem.startswith(name) else ""

    def _stem_of(self, file: str) -> str:
        return self._stems[bisect_left(self._files, file)]


def _parts(path: str) -> list[str]:
    """The words and numbers of a path without its ending."""
    return [part for part in _BETWEEN.split(IMAGE_ENDING.sub("", path).casefold()) if part]


def _reversed(parts: Sequence[str]) -> str:
    """Parts of a path from the last to the first, each with a sign behind it that is in none."""
    return "".join(f"{part}/" for part in reversed(parts))


def _shared(path: str, other: str) -> int:
    """How many parts two paths have in common at their ends."""
    pairs = zip(path.split("/")[:-1], other.split("/")[:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _tail(stem: str) -> str:
    """The last part of a name, with its number: "000012" of "coco_val2014_000012"."""
    return stem[max(stem.rfind(sign) for sign in "_- .") + 1 :]
