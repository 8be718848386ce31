"""Slices of a volume that lie as files in a folder: without a table each would be a case, and nothing would say so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from radtui.records import Problem
from radtui.sources.base import IMAGE_SUFFIXES
from radtui.sources.dicom_keys import header_modality
from radtui.sources.files import Tree
from radtui.sources.kinds import suffix_of
from radtui.sources.layouts import words
from radtui.sources.layouts.draft import Draft, people_of_path
from radtui.sources.layouts.large_cases import MANY_IMAGES

_MOST = 3000  # a folder of more pictures in one row is a collection
_REGULAR = 0.8  # share of the numbers from the first to the last that are there
_ASKED = 20  # folders whose headers are read
_HEAD_BYTES = 2**15
_VOLUMES = frozenset(("CT", "MR", "PT"))
_LAST_NUMBER = re.compile(r"(\d+)(\D*)$")
_NUMBER = re.compile(r"\d+")
_LONG_NUMBER = re.compile(r"(?<!\d)(?!(?:19|20)\d\d(?!\d))\d{3,}")
"""As those of patients; classes and parts have shorter ones, and folders of four digits may be years."""
_OF_SLICES = frozenset(
    ("slice", "slices", "sl", "ct", "cta", "mr", "mri", "mrt", "pet", "axial", "coronal", "sagittal", "series", "serie",
     "volume", "vol", "cbct")
)  # fmt: skip
_OF_COLLECTIONS = frozenset(
    ("images", "image", "imgs", "img", "batch", "part", "shard", "fold", "chunk", "split", "set", "data", "dataset",
     "png", "jpg", "class", "folder", "group", "site", "tar", "zip")
)  # fmt: skip


@dataclass
class _Run:
    """Pictures of a folder that are called alike but for their last number."""

    first: str
    last: str
    count: int
    lowest: int
    highest: int


def _row_of(run: _Run) -> str:
    """What folders are called that differ by their numbers alone."""
    return _NUMBER.sub("0", run.first.rpartition("/")[0])


class Slices:
    """Cases of one picture and no text that follow on one another, as slices of a volume do.

    Args:
        tree: The source.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._key, self._run = "", _Run("", "", 0, 0, 0)
        self._long: list[_Run] = []  # the others are forgotten: a source may have a folder for each image

    def noticed(self, drafts: Iterable[Draft]) -> Iterator[Draft]:
        """The same cases, of which those without a text that come after one another are counted by their folders."""
        for draft in drafts:
            if not draft.text and len(draft.pictures) == 1 and draft.pictures[0].file:
                self._note(draft.pictures[0].file)
            yield draft

    def _note(self, file: str) -> None:
        folder, _, base = file.rpartition("/")
        suffix = suffix_of(base)
        stem = base[: len(base) - len(suffix)]
        match = _LAST_NUMBER.search(stem)
        number = int(match[1]) if match else 0
        is_picture = suffix in IMAGE_SUFFIXES
        key = f"{folder}/{stem[: match.start()] if match and is_picture else ''}"
        run = self._run
        if key != self._key:
            self._end_run()
            self._key, self._run = key, _Run(file, file, 1, number, number)
            return
        run.last, run.count = file, run.count + 1
        run.lowest, run.highest = min(run.lowest, number), max(run.highest, number)

    def _end_run(self) -> None:
        if MANY_IMAGES < self._run.count <= _MOST:
            self._long.append(self._run)
        self._key, self._run = "", _Run("", "", 0, 0, 0)

    def problems(self) -> list[Problem]:
        """That there are such runs, and what to do with them."""
        self._end_run()
        rows = Counter(map(_row_of, self._long))
        folders = [
            run for place, run in enumerate(self._long)
            if self._is_volume(run, rows[_row_of(run)] > 1, place < _ASKED)
        ]  # fmt: skip
        if not folders:
            return []
        total = sum(run.count for run in folders)
        reason = (
            f"{total:,} images follow on one another as slices of volumes do, and each is a case of its own. Save each"
            " series as NIfTI (dcm2niix), of which three slices are one case, or name those that matter in a table."
        )
        return [Problem(folders[0].first.rpartition("/")[0] or folders[0].first, reason, len(folders))]

    def _is_volume(self, run: _Run, of_a_row: bool, may_ask: bool) -> bool:
        """Whether pictures are slices.

        Args:
            run: The pictures.
            of_a_row: Whether other folders with as many pictures are called like theirs but for the number.
            may_ask: Whether headers may be read.
        """
        if suffix_of(run.first) not in IMAGE_SUFFIXES:
            heads = (self._tree.head(file, _HEAD_BYTES) for file in (run.first, run.last))
            return may_ask and all(header_modality(head) in _VOLUMES for head in heads)
        if run.count < _REGULAR * (run.highest - run.lowest + 1):
            return False
        folder = run.first.rpartition("/")[0].rpartition("/")[2]
        stem = run.first.rpartition("/")[2].rpartition(".")[0]
        named = {*words.words(stem), *words.words(folder)}
        numbered = of_a_row and _LONG_NUMBER.search(folder) and not named & _OF_COLLECTIONS
        return bool(named & _OF_SLICES or numbered or any(people_of_path(run.first)))
