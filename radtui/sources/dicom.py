"""DICOM files and folders: the files as they are, and of their headers only what is on an allow-list.

Names, dates, times and ids of a header are not read into facts, keys or texts; the import keeps the file without
them.

Source: DICOM PS3.15, annex E, lists the attributes that identify a patient; none of `FACTS` is on it.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from radtui.records import NewCase, UserError
from radtui.settings import ImportSettings
from radtui.sources.base import (
    DICOM_SUFFIXES,
    SplitLimit,
    counted,
    limited_total,
    one_image,
    read_file,
    split_name,
    split_of_path,
    walk,
)

FACTS = (
    "Modality", "BodyPartExamined", "ViewPosition", "Laterality", "ImageLaterality", "PhotometricInterpretation",
    "PixelSpacing", "ImagerPixelSpacing", "SliceThickness", "KVP", "NumberOfFrames",
)  # fmt: skip
_IDENTITY = ("PatientName", "PatientID", "AccessionNumber", "PatientBirthDate", "OtherPatientNames")
_CODE = re.compile(r"[A-Z0-9_ ]{1,16}")
"""What a code string may hold; others may be free text that someone typed. Source: DICOM PS3.5 section 6.2, VR CS."""
_MIN_IDENTITY_CHARS = 3  # shorter words occur in paths by chance
_PREFIX_AT = 128


@dataclass(frozen=True, slots=True)
class Header:
    """What may be kept of a header. `identity` holds lower-case words that must not be kept."""

    facts: dict[str, str] = field(default_factory=dict)
    examination: str = ""
    identity: frozenset[str] = frozenset()


def looks_like_dicom(path: Path) -> bool:
    """Whether a file is DICOM by its prefix. Source: DICOM PS3.10 section 7.1."""
    try:
        with path.open("rb") as file:
            return file.read(_PREFIX_AT + 4)[_PREFIX_AT:] == b"DICM"
    except OSError:
        return False


def find_dicom(root: Path, files: list[PurePosixPath]) -> list[PurePosixPath]:
    """The DICOM files of a folder, by suffix or prefix; a medium's index (DICOMDIR) is none."""
    return [
        file for file in files
        if file.name.upper() != "DICOMDIR"
        and (file.suffix.lower() in DICOM_SUFFIXES or looks_like_dicom(root / file))
    ]  # fmt: skip


def keep_quiet() -> None:
    """Keep pydicom's warnings out of the job's log: they quote the values of elements, names among them."""
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="pydicom")


def header_facts(data: bytes) -> Header:
    """Read the allowed facts of a DICOM file's header.

    Args:
        data: A file's bytes.

    Returns:
        Facts by DICOM keyword, the examination ("chest PA") where body part is stated; empty when pydicom is
        not there or the header cannot be read, which importing the pixels will report.
    """
    try:
        import pydicom
    except ImportError:
        return Header()
    keep_quiet()
    try:
        header = pydicom.dcmread(
            io.BytesIO(data), force=True, stop_before_pixels=True, specific_tags=[*FACTS, *_IDENTITY]
        )
        facts = {name: text for name in FACTS if (text := _fact(header.get(name)))}
        words = {word for name in _IDENTITY for word in _words(str(header.get(name) or ""))}
    except Exception:  # damaged headers raise whatever the broken element's parser raises
        return Header()
    body = facts.get("BodyPartExamined", "").lower().replace("_", " ")
    examination = f"{body} {facts.get('ViewPosition', '')}".strip() if body else ""
    return Header(facts, examination, frozenset(words))


def _fact(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return value.strip() if _CODE.fullmatch(value.strip()) else ""
    if isinstance(value, (int, float)):
        return f"{float(value):g}"
    try:
        return ", ".join(f"{float(number):g}" for number in value)
    except (TypeError, ValueError):
        return ""


def _words(text: str) -> set[str]:
    return {word for word in re.split(r"[\W_]+", text.lower()) if len(word) >= _MIN_IDENTITY_CHARS}


def safe_key(path: PurePosixPath, header: Header, data: bytes) -> str:
    """A key for an image: its path in the source, unless that names the patient.

    Folders of exported studies are often called after the patient. A path in which a word of the header's name,
    id, accession number or birth date occurs is replaced by the start of the file's sha256; a name that the
    header does not have (because it was emptied while the folders kept theirs) cannot be noticed.
    """
    text = str(path).lower()
    if any(word in text for word in header.identity):
        return "dicom-" + hashlib.sha256(data).hexdigest()[:16]
    return str(path)


class DicomSource:
    """Every DICOM file of a folder, or one."""

    def __init__(self, path: Path, settings: ImportSettings) -> None:
        """Look through the folder.

        Raises:
            UserError: pydicom is not installed, or there is no DICOM file.
        """
        try:
            import pydicom  # noqa: F401  # only whether it is there
        except ImportError as error:
            raise UserError("DICOM needs pydicom; install it with: pip install 'radtui[dicom]'.") from error
        self.location = str(path)
        self._settings = settings
        self._root = path if path.is_dir() else path.parent
        self._files = find_dicom(path, walk(path)) if path.is_dir() else [PurePosixPath(path.name)]
        if not self._files:
            raise UserError(f"There is no DICOM file in {path}; name another folder.")

    def describe(self) -> str:
        """Say what the folder has."""
        return f"DICOM {self.location}: {counted(self.total(), 'file')}, no texts"

    def total(self) -> int:
        """Files that will come."""
        return limited_total(Counter(map(self._split, self._files)), self._settings.limit)

    def splits(self) -> set[str]:
        """The splits that the files' folders name, and the usual one for files without."""
        return set(map(self._split, self._files))

    def __iter__(self) -> Iterator[NewCase]:
        """Every file in the order of its path."""
        limit = SplitLimit(self._settings.limit)
        for file in self._files:
            split = self._split(file)
            if not limit.take(split):
                continue
            data, error = read_file(self._root / file)
            header = header_facts(data) if data else Header()
            yield one_image(
                split, safe_key(file, header, data), data, "", header.examination, header.facts, (), error
            )

    def _split(self, file: PurePosixPath) -> str:
        return split_of_path(file) or split_name(self._settings.split) or "train"
