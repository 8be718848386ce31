"""What DICOM headers call images, exams and patients, and the sentences of structured reports; no pixels are read."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from radtui.imaging.dicom_read import is_dicom, read_dataset

if TYPE_CHECKING:
    from pydicom import Dataset

KEYS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "AccessionNumber", "PatientID")
"""What tables name an image, a series, an exam or a patient by, the narrowest first."""
_DEEPEST_REPORT = 12  # parts in parts
_REPORTS = re.compile(rb"1\.2\.840\.10008\.5\.1\.4\.1\.1\.88\.(?:11|22|33|34|35)[^.\d]")
"""Storage classes of structured reports that are written for people. Source: DICOM PS3.4 annex B.5."""


def keep_quiet() -> None:
    """Keep pydicom's warnings out of the job's log: they quote the values of elements, names among them."""
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="pydicom")


def header_keys(data: bytes) -> dict[str, str]:
    """What a DICOM file's header calls the image, its series, exam and patient, by `KEYS`; never to be stored."""
    if not is_dicom(data):
        return {}
    keep_quiet()
    try:
        header = read_dataset(data, KEYS, pixels=False)
    except Exception:  # as in `header_facts`; whoever reads the file says so
        return {}
    return {name: text for name in KEYS if (text := number_of(text_of(header, name)))}


def header_modality(data: bytes) -> str:
    """The modality of a DICOM file's first bytes, such as "CT"; "" where it is not said."""
    if not is_dicom(data):
        return ""
    keep_quiet()
    try:
        header = read_dataset(data, ["Modality"], pixels=False)
    except Exception:  # as in `header_keys`
        return ""
    return text_of(header, "Modality")


def is_report(head: bytes) -> bool:
    """Whether the first bytes of a DICOM file are of a structured report that holds sentences."""
    return bool(_REPORTS.search(head)) and is_dicom(head)


def report_text(data: bytes) -> str:
    """The sentences of a structured report, each under the title of its part; names, codes and numbers are left out.

    Source: DICOM PS3.3 C.17.3, and templates 2000 and 2005 of PS3.16.
    """
    keep_quiet()
    try:
        return "\n".join(_sentences(read_dataset(data, ["ContentSequence"], pixels=False), ""))
    except Exception:  # as in `header_facts`
        return ""


def _sentences(part: Dataset, title: str, depth: int = 0) -> Iterator[str]:
    for item in part.get("ContentSequence") or ():
        names = item.get("ConceptNameCodeSequence")
        name = text_of(names[0], "CodeMeaning") if names else ""
        text = text_of(item, "TextValue") if item.get("ValueType") == "TEXT" else ""
        heading = title or name
        if text:
            yield f"{heading}: {text}" if heading else text
        if depth < _DEEPEST_REPORT:
            yield from _sentences(item, name if item.get("ValueType") == "CONTAINER" else title, depth + 1)


def number_of(text: str) -> str:
    """A number of a patient or an exam; "" for the zero that software writes where there is none."""
    return "" if text == "0" else text


def text_of(header: Dataset, name: str) -> str:
    """An element as text; "" where it is not there, cannot be parsed or is a sequence."""
    try:
        value = header.get(name)
    except Exception:  # one element that cannot be parsed must not hide the others
        return ""
    if value is None or getattr(header.data_element(name), "VR", "") == "SQ":
        return ""
    return str(value).strip()
