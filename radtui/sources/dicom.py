"""DICOM files and folders: the files as they are, and of their headers only what is on an allow-list.

Names, dates, times and ids of a header are not read into facts, keys or texts; the import keeps the file without
them.

Source: DICOM PS3.15, annex E, lists the attributes that identify a patient; none of `FACTS` is on it.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from radtui.imaging.dicom_luts import numbers_of
from radtui.imaging.dicom_read import is_dicom, read_dataset
from radtui.imaging.dicom_tags import CODES, MODALITIES, OVERLAY_GROUPS
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
from radtui.sources.identity_words import PLACES, identity_words, plain

if TYPE_CHECKING:
    from pydicom import Dataset

_OVERLAYS = tuple(group << 16 | 0x3000 for group in OVERLAY_GROUPS)
FACTS = (
    "Modality", "BodyPartExamined", "ViewPosition", "Laterality", "ImageLaterality", "PhotometricInterpretation",
    "PixelSpacing", "ImagerPixelSpacing", "SliceThickness", "KVP", "NumberOfFrames",
)  # fmt: skip
_PEOPLE = (
    "PatientName", "PatientID", "AccessionNumber", "PatientBirthDate", "OtherPatientNames", "OtherPatientIDs",
    "IssuerOfPatientID", "StudyID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "StudyDate",
    "PatientBirthName", "PatientMotherBirthName", "PatientTelephoneNumbers", "MedicalRecordLocator",
    "PatientInsurancePlanCodeSequence", "AdmissionID", "MilitaryRank", "ReferringPhysicianName",
    "PerformingPhysicianName", "OperatorsName", "NameOfPhysiciansReadingStudy", "RequestingPhysician",
    "RequestedProcedureID", "ScheduledProcedureStepID", "FillerOrderNumberImagingServiceRequest",
    "PlacerOrderNumberImagingServiceRequest",
)  # fmt: skip
"""What names a patient, an exam or somebody who made it: read to be looked for elsewhere and hashed, never kept."""
_VIEWS = (
    "AP PA LL RL LLD LLO RLD RLO LAT LATERAL CC MLO ML LM LMO XCCL XCCM FB SIO ISO AT CV OBL LPO RPO LAO RAO LEFT RIGHT"
    " AXIAL SKYLINE TOWNE CALDWELL WATERS TANGENTIAL SUPINE PRONE ERECT DECUBITUS PALMAR DORSAL PLANTAR"
)
_CODES: dict[str, frozenset[str]] = {
    "Modality": MODALITIES,
    "PhotometricInterpretation": CODES["PhotometricInterpretation"],
    "Laterality": frozenset("LRBU"),
    "ImageLaterality": frozenset("LRBU"),
    "ViewPosition": frozenset(_VIEWS.split()),
}
"""Values that are kept. Source: DICOM PS3.3 C.8.11.5 and C.8.11.7, and PS3.16 context groups 4010 and 4014."""
_HEAD_BYTES = 256


@dataclass(frozen=True, slots=True)
class Header:
    """What may be kept of a header, and what must not be.

    Attributes:
        facts: By DICOM keyword.
        examination: "chest PA", or "".
        identity: Lower-case words that name somebody; never to be kept.
        patient: The patient's number, or the name where there is none; never to be kept.
        exam: The exam's unique identifier or number; never to be kept.
        burned_in: Whether the file says that text is part of its pixels.
        overlay: Whether it has graphics of its own.
    """

    facts: dict[str, str] = field(default_factory=dict)
    examination: str = ""
    identity: frozenset[str] = frozenset()
    patient: str = ""
    exam: str = ""
    burned_in: bool = False
    overlay: bool = False


def looks_like_dicom(path: Path) -> bool:
    """Whether a file is DICOM by its first bytes, with or without a preamble."""
    try:
        with path.open("rb") as file:
            return is_dicom(file.read(_HEAD_BYTES))
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
    keep_quiet()
    try:
        header = read_dataset(data, [*FACTS, *_PEOPLE, "BurnedInAnnotation", *_OVERLAYS], pixels=False)
        facts = {name: text for name in FACTS if (text := _fact(name, header.get(name)))}
        people = {name: _text(header, name) for name in _PEOPLE}
    except Exception:  # damaged headers raise whatever the broken element's parser raises
        return Header()
    body = facts.get("BodyPartExamined", "").lower().replace("_", " ")
    examination = f"{body} {facts.get('ViewPosition', '')}".strip() if body else ""
    words = {word for text in people.values() for word in identity_words(text)}
    return Header(
        facts,
        examination,
        frozenset(words),
        people["PatientID"] or people["PatientName"],
        people["StudyInstanceUID"] or people["AccessionNumber"] or people["StudyID"],
        burned_in=_text(header, "BurnedInAnnotation").upper() == "YES",
        overlay=any((group, 0x3000) in header for group in OVERLAY_GROUPS),
    )


def _text(header: Dataset, name: str) -> str:
    try:
        value = header.get(name)
    except Exception:  # one element that cannot be parsed must not hide the others
        return ""
    if value is None or getattr(header.data_element(name), "VR", "") == "SQ":
        return ""
    return str(value).strip()


def _fact(name: str, value: Any) -> str:
    """A value as a fact: a code that the standard knows, or numbers; "" for anything that someone may have typed."""
    if value is None or value == "":
        return ""
    if name in _CODES:
        text = str(value).strip()
        return text if text in _CODES[name] else ""
    if name == "BodyPartExamined":
        words = str(value).replace("_", " ").split()
        return " ".join(str(value).split()) if words and all(plain(word) in PLACES for word in words) else ""
    return ", ".join(f"{number:g}" for number in numbers_of(value))


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
