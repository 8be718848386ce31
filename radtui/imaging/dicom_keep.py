"""A DICOM file rewritten to what is needed to draw it: nothing that names a person, nothing that someone typed.

What is kept is an allow-list of elements, and of their values only such as can mean nothing else: codes that the
standard defines, known unique identifiers, numbers. The rewritten file says so as PS3.15 annex E asks.
"""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING, Any

from radtui.imaging.comments import without_frame_comments
from radtui.imaging.dicom_luts import numbers_of
from radtui.imaging.dicom_pixels import (
    DEFLATED_FRAMES,
    frame_layout,
    inflate_frames,
    is_encapsulated,
    known,
    masked_pixels,
    unsupported,
)
from radtui.imaging.dicom_read import read_dataset, reason, require_pixels
from radtui.imaging.dicom_tags import ALLOWED, CODES, MODALITIES, NESTED, OVERLAY_GROUPS
from radtui.records import UserError

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset

METHOD = "radtui: elements needed to draw the image"
_TEXTS = frozenset(("LO", "SH", "LT", "ST", "UT", "UC", "PN", "AE", "UR", "DA", "TM", "DT", "AS"))
_UNITS = re.compile(r"HU|US|OD|MGML|Z_EFF|ED|EDW|HU_MOD|PCT|CNTS|BQML|GY|RELATIVE|NONE", re.IGNORECASE)
_ORIENTATION = re.compile(r"[LRAPHF]{1,3}")
_UID = re.compile(r"[0-9.]{1,64}")


def stripped(data: bytes) -> bytes:
    """Rewrite a file with nothing in it but what is needed to draw it.

    Pixels stay as they are, so text burned into them stays too; comments in compressed frames, bits that are no part
    of a pixel, overlays and bytes behind the last frame go.

    Args:
        data: A file's bytes.

    Returns:
        A DICOM file without names, dates, identifiers, free text, graphics and private elements; always the same
        one for the same bytes.

    Raises:
        UserError: As `dicom.decode`; or the file cannot be rewritten.
    """
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

    dataset = read_dataset(data)
    require_pixels(dataset)
    if not known(dataset.file_meta.TransferSyntaxUID):
        raise UserError(unsupported(dataset))
    # Required in a file; some devices write it in front of the data set only.
    named = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
    try:
        if dataset.file_meta.TransferSyntaxUID == DEFLATED_FRAMES:
            inflate_frames(dataset)
        syntax = dataset.file_meta.TransferSyntaxUID
        _drop_overlays(dataset)
        _clean_values(dataset, ALLOWED)
        dataset.SOPClassUID = named if _is_known(named) else SecondaryCaptureImageStorage
        _clean_pixels(dataset)
        _mark(dataset)
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=[hashlib.sha256(data).hexdigest()])
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.preamble = None
        out = io.BytesIO()
        dataset.save_as(out, enforce_file_format=True)
    except UserError:
        raise
    except Exception as error:  # writers raise anything at all on elements that broke the standard
        raise UserError(f"This DICOM file cannot be kept ({reason(error)}); export it again.") from error
    return out.getvalue()


def _drop_overlays(dataset: Dataset) -> None:
    """Graphics may spell a name. PS3.15 table E.1-1 removes Overlay Data."""
    for element in list(dataset.keys()):
        if element.group in OVERLAY_GROUPS:
            del dataset[element]


def _clean_values(dataset: Dataset, allowed: frozenset[int]) -> None:
    """Drop elements that are not allowed, and values that are not what their element is for."""
    for tag in list(dataset.keys()):
        if int(tag) not in allowed:
            del dataset[tag]
            continue
        try:
            element = dataset[tag]
        except Exception:  # a value that cannot be parsed is no number and no code
            del dataset[tag]
            continue
        if element.VR == "SQ":
            for item in element.value or []:
                _clean_values(item, NESTED)
        elif not _clean(element):
            del dataset[tag]


def _clean(element: DataElement) -> bool:
    """Whether an element may stay; numbers written as text are written again."""
    value = element.value
    if value is None or value == "":
        return True
    if element.VR in ("DS", "IS"):
        numbers = numbers_of(value)
        element.value = [_number_text(number, element.VR) for number in numbers]
        return bool(numbers)
    if element.VR == "UI":
        return _is_known(value)
    if element.VR == "CS" or element.VR in _TEXTS:
        return all(
            _is_code(element.keyword, str(text)) for text in ([value] if isinstance(value, str) else value)
        )
    if element.VR in ("UN", "US", "SS", "UL", "SL", "FL", "FD") and int(element.tag) != 0x7FE00010:
        return isinstance(value, (int, float)) or (
            not isinstance(value, (bytes, str)) and bool(numbers_of(value))
        )
    return True


def _number_text(number: float, vr: str) -> str:
    if vr == "IS":
        return str(int(number))
    text = repr(int(number)) if number == int(number) else repr(number)
    return text if len(text) <= 16 else f"{number:.9g}"


def _is_known(uid: Any) -> bool:
    """Whether a UID is one of the standard's: others may hold a number of the hospital or the patient."""
    from pydicom.uid import UID

    text = str(uid or "")
    return bool(_UID.fullmatch(text)) and UID(text).name != text


def _is_code(keyword: str, text: str) -> bool:
    text = text.strip()
    if keyword == "Modality":
        return text in MODALITIES
    if keyword == "PatientOrientation":
        return not text or bool(_ORIENTATION.fullmatch(text))
    if keyword in ("RescaleType", "DoseUnits"):
        return bool(_UNITS.fullmatch(text))
    if keyword == "SpecificCharacterSet":
        return text.startswith("ISO") or text in ("", "GB18030", "GBK")
    return text in CODES.get(keyword, ())


def _clean_pixels(dataset: Dataset) -> None:
    """Keep of the pixels' element what the frames need."""
    if "PixelData" not in dataset:
        return
    if is_encapsulated(dataset.file_meta.TransferSyntaxUID):
        _clean_frames(dataset)
        return
    _, length = frame_layout(dataset)
    pixels = dataset.PixelData
    length += length & 1  # in words of a big-endian file the last byte of an odd number comes first
    if 0 < length < len(pixels):
        pixels = pixels[:length]
    pixels = masked_pixels(dataset, pixels)
    if pixels is not dataset.PixelData:
        dataset["PixelData"].value = pixels + b"\0" * (len(pixels) & 1)


def _clean_frames(dataset: Dataset) -> None:
    """Take comments out of compressed frames; where there are none the element stays byte for byte."""
    from pydicom.encaps import encapsulate, generate_frames

    count = int(dataset.get("NumberOfFrames") or 1)
    tables = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
    frames = list(
        generate_frames(
            dataset.PixelData,
            number_of_frames=count,
            extended_offsets=tables if all(tables) else None,
        )
    )[:count]
    kept = [without_frame_comments(frame) for frame in frames]
    if [len(frame.rstrip(b"\0")) for frame in frames] == [len(frame.rstrip(b"\0")) for frame in kept]:
        return
    dataset["PixelData"].value = encapsulate(kept)
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in dataset:
            delattr(dataset, keyword)


def _mark(dataset: Dataset) -> None:
    """Say that the file is de-identified, and how (PS3.15 E.1.1, step 6; C.7.1.1)."""
    from pydicom.dataset import Dataset as Item

    profile = Item()
    profile.CodeValue, profile.CodingSchemeDesignator = "113100", "DCM"
    profile.CodeMeaning = "Basic Application Confidentiality Profile"
    # With names in its pixels a file is not without identity, whatever its header lost.
    dataset.PatientIdentityRemoved = "NO" if dataset.get("BurnedInAnnotation") == "YES" else "YES"
    dataset.DeidentificationMethod = METHOD
    dataset.DeidentificationMethodCodeSequence = [profile]
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
