"""DICOM files: the files as they are, and of their headers only what is on an allow-list.

Names, dates, times and ids of a header are not read into facts, keys or texts; the import keeps the file without
them.

Source: DICOM PS3.15, annex E, lists the attributes that identify a patient; none of `FACTS` is on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from radtui.imaging.dicom_luts import numbers_of
from radtui.imaging.dicom_read import read_dataset
from radtui.imaging.dicom_tags import CODES, MODALITIES, OVERLAY_GROUPS
from radtui.sources.dicom_keys import keep_quiet, number_of, text_of
from radtui.sources.identity_words import PLACES, identity_words, plain

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
        people = {name: text_of(header, name) for name in _PEOPLE}
    except Exception:  # damaged headers raise whatever the broken element's parser raises
        return Header()
    body = facts.get("BodyPartExamined", "").lower().replace("_", " ")
    examination = f"{body} {facts.get('ViewPosition', '')}".strip() if body else ""
    words = {word for text in people.values() for word in identity_words(text)}
    return Header(
        facts,
        examination,
        frozenset(words),
        number_of(people["PatientID"]) or people["PatientName"],
        people["StudyInstanceUID"] or number_of(people["AccessionNumber"]) or number_of(people["StudyID"]),
        burned_in=text_of(header, "BurnedInAnnotation").upper() == "YES",
        overlay=any((group, 0x3000) in header for group in OVERLAY_GROUPS),
    )


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
