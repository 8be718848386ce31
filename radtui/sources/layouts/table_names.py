"""Which file of a source a name in one table means, by its folder, its split and all that the table names."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from radtui.sources.base import split_of_path
from radtui.sources.layouts.filenames import FileNames, beginning_of
from radtui.sources.layouts.loose_names import BEGINNING, FOLDER, NUMBER, PARTS, WAYS

_BETWEEN_NAMES = (";", "|", ",")
_FEWEST_DIGITS = 4  # of a name that is a number, beside others in a cell
_MOST_CHARS = 1000  # of names in one cell


class TableNames:
    """The names of one table: what fits only by its end must not fit another name better.

    Args:
        names: The source's files.
        folder: The table's.
        split: The table's, or "".
        every: All names in the table, asked for once a name fits only by its end.
        way: How names are matched that no file has: one of `WAYS`, a key of headers, or "" for not at all.
    """

    def __init__(
        self,
        names: FileNames,
        folder: str,
        split: str,
        every: Callable[[], Iterable[str]] = tuple,
        way: str = "",
    ) -> None:
        self._names, self._folder, self._split = names, folder, split
        self._every, self.way = every, way
        self._beginnings: frozenset[str] | None = None
        self._loose: dict[str, str] | None = (
            None  # the only name that fits a file by its end or folder, or ""
        )

    def find(self, name: str, split: str = "") -> str:
        """The file of a name, or "" where it is not certain.

        Args:
            name: As the table has it.
            split: That of the row, where it says so and the table's own name says none.
        """
        if self.by_header:
            files = self.folder(name)
            return files[0] if len(files) == 1 else ""
        match = self._names.find(name, self._folder, self._split or split)
        if match is None:
            return self._loosely(name)
        return match.file if match.whole or self._is_alone(match.file, name) else ""

    def _is_alone(self, file: str, name: str) -> bool:
        """Whether no other name of the table means a file that a name does not have whole."""
        if self._loose is None:
            self._learn()
        assert self._loose is not None
        return self._loose.setdefault(file, name) == name

    def _loosely(self, name: str) -> str:
        if self.way == NUMBER:
            return self._names.by_number(name, self._folder, self._split)
        if self.way == PARTS:
            return self._names.by_parts(name)
        file = self._names.by_own_folder(name) if self.way == FOLDER else ""
        return file if file and self._is_alone(file, name) else ""

    def folder(self, name: str) -> list[str]:
        """The files of the folder that a name means, where it means no file; or those whose names begin with it."""
        if self.by_header:
            assert self._names.headers is not None
            return self._names.headers.files(self.way, name)
        files = self._names.in_folder(name) or self._listed(name)
        if files or self.way != BEGINNING:
            return files
        if self._beginnings is None:
            self._beginnings = frozenset(map(beginning_of, self._every()))
        return self._names.by_beginning(name, self._beginnings)

    def _listed(self, name: str) -> list[str]:
        """The files of several names in one cell, where each is that of a file: "a1, b2", not the labels "1, 2"."""
        sign = next((sign for sign in _BETWEEN_NAMES if sign in name), "")
        files: list[str] = []
        for part in name.split(sign) if sign and len(name) <= _MOST_CHARS else ():
            if bare := part.strip():
                is_label = bare.isdigit() and len(bare) < _FEWEST_DIGITS
                files.append("" if is_label else self.find(part))
                if not files[-1]:
                    return []
        return files if len(files) > 1 else []

    def begun_with(self, name: str) -> list[str]:
        """The files whose names begin with a name, whatever way is the table's."""
        return self._names.by_beginning(name)

    @property
    def by_header(self) -> bool:
        """Whether names are identifiers in headers of DICOM files."""
        return self.way not in ("", *WAYS)

    def several(self, name: str) -> list[str]:
        """The files of which a name may mean each."""
        if self.way == NUMBER:
            files = self._names.with_number(name, self._folder, self._split)
            return files if len(files) > 1 else []
        return [] if self.by_header else self._names.alike(name, self._folder, self._split)

    def of_each_split(self, name: str) -> bool:
        """Whether a name fits several files that lie in folders of different splits, so that a row's split tells."""
        splits = [split_of_path(file) for file in self.several(name)]
        return len(splits) > 1 and all(splits) and len(set(splits)) == len(splits)

    def rest_of(self, file: str, name: str) -> str:
        """What a file's name has beside the beginning that a table names: "PA" of E100_PA.png for E100."""
        return self._names.loose.rest_of(file, beginning_of(name)) if self.way == BEGINNING else ""

    def _learn(self) -> None:
        """Note which files are named by their own folders, and which fit the ends or the folders of several names."""
        self._loose = {}
        for name in self._every():
            match = self._names.find(name, self._folder, self._split)
            is_whole = match is not None and match.whole
            file = match.file if match else self._names.by_own_folder(name) if self.way == FOLDER else ""
            if file and (is_whole or self._loose.setdefault(file, name) != name):
                self._loose[file] = ""
