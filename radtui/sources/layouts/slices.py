"""Slices of a volume that lie as files in a folder: without a table each would be a case, and nothing would say so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from radtui.records import Problem
from radtui.sources.base import IMAGE_SUFFIXES, split_of_path
from radtui.sources.dicom_keys import header_series
from radtui.sources.files import Tree
from radtui.sources.kinds import suffix_of
from radtui.sources.layouts import words
from radtui.sources.layouts.draft import Draft
from radtui.sources.layouts.large_cases import MANY_IMAGES

_MOST = 3000  # a folder of more pictures in one row is a collection
_REGULAR = 0.8  # share of the numbers from the first to the last that are there
_ASKED = 20  # folders whose headers are read
_HEAD_BYTES = 2**15
_VOLUMES = frozenset(("CT", "MR", "PT"))
_LAST_NUMBER = re.compile(r"(\d+)(\D*)$")
_OF_SLICES = frozenset(
    ("slice", "slices", "sl", "ct", "cta", "mr", "mri", "mrt", "pet", "axial", "coronal", "sagittal", "series", "serie",
     "scan", "volume", "vol", "cbct")
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
        folders = [run for place, run in enumerate(self._long) if self._is_volume(run, place < _ASKED)]
        if not folders:
            return []
        total = sum(run.count for run in folders)
        reason = (
            f"{total:,} images follow on one another as slices of volumes do, and each is a case of its own. Save each"
            " series as NIfTI (dcm2niix), of which three slices are one case, or name those that matter in a table."
        )
        return [Problem(folders[0].first.rpartition("/")[0] or folders[0].first, reason, len(folders))]

    def _is_volume(self, run: _Run, may_ask: bool) -> bool:
        if suffix_of(run.first) not in IMAGE_SUFFIXES:
            series = [header_series(self._tree.head(file, _HEAD_BYTES)) for file in (run.first, run.last)]
            return may_ask and all(modality in _VOLUMES for modality, _ in series)
        folder = run.first.rpartition("/")[0].rpartition("/")[2]
        stem = run.first.rpartition("/")[2].rpartition(".")[0]
        named = {*words.words(stem), *words.words(folder)}
        in_row = run.count >= _REGULAR * (run.highest - run.lowest + 1)
        numbered = any(sign.isdigit() for sign in folder) and not named & _OF_COLLECTIONS
        return in_row and (bool(named & _OF_SLICES) or (numbered and not split_of_path(f"{folder}/x")))
