"""DICOM files by what their headers call them: their identifiers, which tables of exams name, and reports of exams.

Headers are read only where a table's column or a structured report asks for it. What they say stays in memory.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from radtui.sources.base import IMAGE_SUFFIXES
from radtui.sources.dicom_keys import KEYS, header_keys, is_report
from radtui.sources.files import Tree
from radtui.sources.identity_columns import Identity, identity_of_column
from radtui.sources.kinds import VOLUME_SUFFIXES, suffix_of
from radtui.sources.layouts import words
from radtui.sources.layouts.cells import cell_text
from radtui.sources.layouts.finder import Cells

_HEAD_BYTES = (2**15, 2**20)  # most headers are short; one with much in it is read again
_REPORT_HEAD_BYTES = 2**11
_MOST_REPORT_BYTES = 2**16  # images are larger, nearly all
_LOOKED_AT = 50  # rows
_UID = re.compile(r"\d+(?:\.\d+){4,}")
_OTHERS = IMAGE_SUFFIXES | set(VOLUME_SUFFIXES)
_NUMBERS = {"AccessionNumber": (Identity.EXAM, words.EXAM), "PatientID": (Identity.PATIENT, words.PATIENT)}
"""Keys that are no unique identifiers: a column holds them only where its title says so."""


class HeaderKeys:
    """The DICOM files of a source by the identifiers in their headers.

    Args:
        tree: The source.
        files: Its images.
    """

    def __init__(self, tree: Tree, files: Sequence[str]) -> None:
        self._tree = tree
        self._dicom = [file for file in files if suffix_of(file) not in _OTHERS]

    @cached_property
    def _by_key(self) -> dict[str, dict[str, list[str]]]:
        """Files by each key's value; of patients only those that have one exam, for a report is of one."""
        by_key: dict[str, dict[str, list[str]]] = {key: {} for key in KEYS}
        exams: dict[str, set[str]] = {}
        for file in self._dicom:
            values = self._values(file)
            for key, value in values.items():
                by_key[key].setdefault(_plain(value), []).append(file)
            if patient := values.get("PatientID"):
                exams.setdefault(_plain(patient), set()).add(values.get("StudyInstanceUID", ""))
        for patient, of_patient in exams.items():
            if len(of_patient) > 1:
                del by_key["PatientID"][patient]
        return by_key

    def _values(self, file: str) -> dict[str, str]:
        values: dict[str, str] = {}
        for n_bytes in _HEAD_BYTES:
            values = header_keys(self._tree.head(file, n_bytes))
            if "StudyInstanceUID" in values:
                break
        return values

    def files(self, key: str, value: str) -> list[str]:
        """The files whose headers hold a value under a key of `KEYS`."""
        return self._by_key[key].get(_plain(value), [])

    def of_text(self, name: str) -> list[str]:
        """The files that the name of a text means by an identifier in their headers."""
        stem = posixpath.splitext(name.rpartition("/")[2])[0]
        if not self._dicom or not any(sign.isdigit() for sign in stem):
            return []
        return next(filter(None, (self.files(key, stem) for key in KEYS)), [])

    def __bool__(self) -> bool:
        return bool(self._dicom)

    def column(self, names: Iterable[str], rows: Sequence[Cells]) -> tuple[str, str]:
        """The column of a table that names files by their headers, and the key; "" and "" where there is none.

        Args:
            names: Columns that may be it.
            rows: The table's first rows.
        """
        asked: list[tuple[str, str]] = []
        for name in names:
            cells = [text for row in rows[:_LOOKED_AT] if (text := cell_text(row.get(name)))]
            if cells and all(_UID.fullmatch(cell) for cell in cells):
                asked += [(name, key) for key in KEYS if key not in _NUMBERS]
            elif cells:
                kind = identity_of_column(name)
                asked += [
                    (name, key)
                    for key, (meant, usual) in _NUMBERS.items()
                    if kind is meant or words.plain(name) in usual
                ]
        for key in KEYS:  # an image before its series, that before its exam
            for name, its_key in asked:
                if its_key == key and any(self.files(key, cell_text(row.get(name))) for row in rows):
                    return name, key
        return "", ""

    @cached_property
    def reports(self) -> dict[str, list[str]]:
        """Structured reports that are texts, each with the images of its exam; those without images are left out."""
        small = [file for file in self._dicom if self._size(file) <= _MOST_REPORT_BYTES]
        texts = {file: None for file in small if is_report(self._tree.head(file, _REPORT_HEAD_BYTES))}
        reports: dict[str, list[str]] = {}
        for report in texts:
            exam = self._values(report).get("StudyInstanceUID", "")
            images = [file for file in self.files("StudyInstanceUID", exam) if file not in texts]
            if images:
                reports[report] = images
        return reports

    def _size(self, file: str) -> int:
        local = self._tree.local(file)
        try:
            return local.stat().st_size if local is not None else 0
        except OSError:  # said by whoever reads it
            return 0


def _plain(value: str) -> str:
    """An identifier as it is compared: in either case, and as a table of numbers writes it."""
    plain = value.strip().casefold().removesuffix(".dcm")
    return plain.removesuffix(".0") if plain.count(".") == 1 else plain  # no unique identifier is so short
