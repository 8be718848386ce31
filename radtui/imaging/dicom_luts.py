"""Lookup tables, the modality transformation, windows and padding of a DICOM image, as dcmtk reads them.

Files break the rules for tables in every way there is: sequences without items, items without data, an odd number of
bytes, entries of 8 bits packed in words, more or fewer entries than announced. What can be read is used; what cannot
is treated as absent. References such as "C.11.1" are sections of DICOM PS3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radtui.imaging.raster import Window, WindowShape

if TYPE_CHECKING:
    from pydicom import Dataset

MAX_ENTRIES = 65536
_SHAPES = {"LINEAR": WindowShape.LINEAR, "LINEAR_EXACT": WindowShape.EXACT, "SIGMOID": WindowShape.SIGMOID}
_ANGIOGRAPHY = frozenset(
    (
        "1.2.840.10008.5.1.4.1.1.12.1",  # X-Ray Angiographic Image Storage
        "1.2.840.10008.5.1.4.1.1.12.2",  # X-Ray Radiofluoroscopic Image Storage
        "1.2.840.10008.5.1.4.1.1.12.3",  # X-Ray Angiographic Bi-Plane Image Storage (retired)
    )
)
"""Their modality transformation leads to values for measuring, not for display.

Source: DICOM PS3.3 C.8.7.1.1.2; dcmtk leaves it out for these classes.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Lut:
    """A table: `values[0]` (uint16) is the output for the input `first`; `bits` is the depth of the outputs."""

    first: int
    values: NDArray[np.uint16]
    bits: int

    def applied(self, inputs: NDArray[Any]) -> NDArray[np.uint16]:
        """Look values up; those below the first and above the last entry get theirs."""
        index = np.clip(inputs.astype(np.int64) - self.first, 0, len(self.values) - 1)
        return self.values[index]


def is_little_endian(dataset: Dataset) -> bool:
    """Whether words in the data set's byte values begin with their low byte."""
    from pydicom.uid import ExplicitVRBigEndian

    return bool(dataset.file_meta.get("TransferSyntaxUID") != ExplicitVRBigEndian)


def read_lut(descriptor: Any, data: Any, signed: bool, little_endian: bool) -> Lut | None:
    """Make a table of a descriptor and its data (C.11.1.1); None where one of them is absent, empty or not numeric.

    Args:
        descriptor: Number of entries (0 means 65536), first input, bits of an entry.
        data: Bytes, a number, or several.
        signed: Whether inputs can be negative, so that a first input above 32767 is one below 0.
        little_endian: Of words in `data`.
    """
    numbers = numbers_of(descriptor)
    if len(numbers) < 3:
        return None
    count, first, bits = (int(number) for number in numbers[:3])
    count = count % MAX_ENTRIES or MAX_ENTRIES
    first %= MAX_ENTRIES
    if signed and first >= MAX_ENTRIES // 2:
        first -= MAX_ENTRIES
    values = _entries(data, count, little_endian)  # all there are: descriptors announce too few now and then
    if not len(values):
        return None
    if not 1 <= bits <= 16:
        return Lut(first, values, max(8, int(values.max()).bit_length()))
    return Lut(first, values & np.uint16((1 << bits) - 1), bits)


def _entries(data: Any, count: int, little_endian: bool) -> NDArray[np.uint16]:
    """All entries that are there, whichever way they are stored."""
    if not isinstance(data, (bytes, bytearray)):
        return np.array([int(number) & 0xFFFF for number in numbers_of(data)], dtype=np.uint16)
    words = np.frombuffer(data[: len(data) // 2 * 2], dtype="<u2" if little_endian else ">u2")
    if len(words) == (count + 1) // 2 and count > 1:  # bytes packed in words, against the standard
        return words.astype("<u2").view(np.uint8).astype(np.uint16)
    return words.astype(np.uint16)


def first_lut(dataset: Dataset, keyword: str, signed: bool) -> Lut | None:
    """The first table of a sequence that can be read."""
    return next(iter(_luts(dataset, keyword, signed)), None)


def _luts(dataset: Dataset, keyword: str, signed: bool) -> list[Lut]:
    little_endian = is_little_endian(dataset)
    tables = [
        read_lut(item.get("LUTDescriptor"), item.get("LUTData"), signed, little_endian)
        for item in items_of(dataset.get(keyword))
    ]
    return [table for table in tables if table is not None]


def items_of(sequence: Any) -> list[Dataset]:
    """The items of a sequence; [] where it is absent, empty, or something that is no sequence."""
    try:
        return [item for item in sequence or [] if hasattr(item, "file_meta") or hasattr(item, "walk")]
    except TypeError:
        return []


def group_of(dataset: Dataset, frame: int, name: str) -> Dataset:
    """The item of a functional group that holds for a frame (C.7.6.16), or the data set itself."""
    per_frame = items_of(dataset.get("PerFrameFunctionalGroupsSequence"))
    shared = items_of(dataset.get("SharedFunctionalGroupsSequence"))
    for place in ([per_frame[frame]] if frame < len(per_frame) else []) + shared:
        if items := items_of(place.get(name)):
            return items[0]
    return dataset


@dataclass(frozen=True, slots=True)
class Modality:
    """The modality transformation (C.11.1) of one frame: a table, or a slope and an intercept."""

    table: Lut | None = None
    slope: float = 1.0
    intercept: float = 0.0
    unit: str = ""

    def applied(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Transform stored values; 16-bit integers stay such when there are no fractions."""
        if self.table is not None:
            return _smallest(self.table.applied(stored))
        if (self.slope, self.intercept) == (1, 0):
            return _smallest(stored)
        return _smallest(stored.astype(np.float64) * self.slope + self.intercept)


def modality_of(dataset: Dataset, frame: int, signed: bool) -> Modality:
    """The modality transformation to draw a frame with."""
    if str(dataset.get("SOPClassUID") or "") in _ANGIOGRAPHY:
        return Modality()
    table = first_lut(dataset, "ModalityLUTSequence", signed)
    if table is not None:
        return Modality(table)
    dose = number_of(dataset.get("DoseGridScaling"), 0.0)
    if dose:
        return Modality(slope=dose, unit=str(dataset.get("DoseUnits") or "").title())
    group = group_of(dataset, frame, "PixelValueTransformationSequence")
    slope = number_of(group.get("RescaleSlope"), 1.0) or 1.0  # a slope of 0 would leave one grey
    hounsfield = dataset.get("Modality") == "CT" and group.get("RescaleType", "HU") in ("HU", "", None)
    unit = "HU" if hounsfield and "RescaleIntercept" in group else ""
    return Modality(slope=slope, intercept=number_of(group.get("RescaleIntercept"), 0.0), unit=unit)


def _smallest(values: NDArray[Any]) -> NDArray[Any]:
    """The narrowest of uint8, uint16, int16 and float32 that holds the values exactly, or float32."""
    if values.dtype in (np.uint8, np.uint16, np.int16):
        return values
    if values.dtype.kind == "f" and not np.array_equal(values, np.rint(values)):
        return np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    for dtype in (np.uint16, np.int16):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return values.astype(dtype)
    return values.astype(np.float32)


def windows_of(dataset: Dataset, frame: int, negative: bool) -> tuple[Window, ...]:
    """All windows and tables that the file suggests (C.11.2).

    Args:
        dataset: The file.
        frame: Index of the frame.
        negative: Whether values after the modality transformation can be below 0.
    """
    group = group_of(dataset, frame, "FrameVOILUTSequence")
    shape = _SHAPES.get(str(group.get("VOILUTFunction") or "LINEAR"), WindowShape.LINEAR)
    centres, widths = numbers_of(group.get("WindowCenter")), numbers_of(group.get("WindowWidth"))
    pairs = [
        (c, w)
        for c, w in zip(centres, widths, strict=False)
        if w >= 1 or (w > 0 and shape is not WindowShape.LINEAR)
    ]
    pairs = list(dict.fromkeys(pairs))
    windows = [
        Window(c, w, f"window {n}" if len(pairs) > 1 else "file", shape) for n, (c, w) in enumerate(pairs, 1)
    ]
    for n, table in enumerate(_luts(dataset, "VOILUTSequence", negative), 1):
        levels = table.values.astype(np.float32) / (2.0**table.bits - 1)
        centre = table.first + len(levels) / 2
        windows.append(Window(centre, len(levels), f"table {n}", WindowShape.TABLE, levels))
    return tuple(windows)


def inverted(dataset: Dataset) -> bool:
    """Whether low values are bright: what the presentation shape says (C.11.6.1.2), else the photometric kind."""
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    if shape in ("INVERSE", "IDENTITY"):
        return shape == "INVERSE"
    return str(dataset.get("PhotometricInterpretation") or "").strip() == "MONOCHROME1"


def padding_of(dataset: Dataset, modality: Modality, signed: bool) -> tuple[float | None, float | None]:
    """The values that stand for "nothing here" (C.7.5.1.1.2), after the modality transformation: first and last."""
    ends = [
        int(number)
        for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
        for number in numbers_of(dataset.get(keyword))[:1]
    ]
    if dataset.get("PixelPaddingValue") is None or not ends:
        return None, None
    if signed:  # written as US in files with signed pixels, now and then
        bits = int(number_of(dataset.get("BitsAllocated"), 16))
        ends = [end - (1 << bits) if end >= 1 << (bits - 1) else end for end in ends]
    shown = modality.applied(np.array(ends, dtype=np.int64))
    return float(shown[0]), float(shown[-1]) if len(shown) > 1 else None


def number_of(value: Any, default: float) -> float:
    """The first number of an element, or a default where there is none."""
    numbers = numbers_of(value)
    return numbers[0] if numbers else default


def numbers_of(value: Any) -> list[float]:
    """Numbers of an element with any multiplicity; [] where it is absent, empty, not numeric or not finite."""
    if value is None or value == "":
        return []
    try:
        numbers = [float(each) for each in ([value] if isinstance(value, str | int | float) else list(value))]
    except (TypeError, ValueError):
        return []
    return numbers if all(np.isfinite(number) for number in numbers) else []
