"""A volume to the slices that stand for it, each as a DICOM secondary capture: deep, in millimetres, with directions.

A slice is kept as DICOM because that holds what PNG cannot: negative and 16-bit values, Hounsfield units, distances,
and which side is the patient's left. Nothing of the volume's own header comes along.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radtui.imaging.dicom_read import INSTALL as INSTALL_DICOM
from radtui.imaging.volume_files import Volume, read_volume
from radtui.records import UserError

PLACES = (0.5, 0.25, 0.75)
"""Which slices are taken, as shares of the part that shows something: the middle one first, for models of one image."""
_CONTENT = 0.1  # of the greatest spread of a slice: one that spreads less is outside the patient
_AXES = "LPH"
_PLANES = {"H": "axial", "P": "coronal", "L": "sagittal"}
_SOFT_TISSUE = (40.0, 400.0)  # centre and width in Hounsfield units
_AIR_HU = (-3100.0, -900.0)  # the lowest value of a CT lies here: air, or a scanner's padding
_BONE_HU = 150.0
_PERCENTILES = (0.5, 99.5)
_SAMPLED = 96  # values along an axis that are looked at for windows and content


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice of a volume: a DICOM file, its number from 1, and a note for people."""

    data: bytes
    number: int
    note: str


@dataclass(frozen=True, slots=True)
class _Plane:
    """How a volume is cut: across `axis`, drawn with `rows` downwards and `columns` to the right.

    `backwards` is true where slices follow one another to the right, the front or the feet.
    """

    axis: int
    rows: int
    columns: int
    flip_rows: bool
    flip_columns: bool
    backwards: bool
    name: str


def slices(
    name: str, data: bytes, beside: Callable[[str], bytes] | None = None
) -> tuple[list[Slice], dict[str, str]]:
    """The slices that stand for a volume, and facts about it.

    They are cut along the axis it was acquired along (the one with the widest steps; of equal ones, from head to
    feet) and drawn as radiologists look at them: the patient's right at the left, the front or the head at the top.

    Args:
        name: The file's name, for its suffix.
        data: Its bytes.
        beside: As `read_volume`.

    Returns:
        Up to three slices, the middle one first; facts by name.

    Raises:
        UserError: As `read_volume`, or pydicom is not installed.
    """
    volume = read_volume(name, data, beside)
    plane = _plane(volume)
    count = volume.values.shape[plane.axis]
    numbers = _chosen(volume, plane)
    modality, window = _look(volume)
    digest = hashlib.sha256(data).hexdigest()
    made = [
        Slice(
            _as_dicom(volume, plane, index, modality, window, f"{digest}/{index}"),
            index + 1,
            _note(volume, plane, index, count, len(numbers)),
        )
        for index in numbers
    ]
    facts = {"Volume": " x ".join(map(str, volume.values.shape)), "VolumeKind": volume.kind}
    if modality == "CT":
        facts["Modality"] = "CT"
    if plane.name:
        facts["Plane"] = plane.name
    return made, facts


def _plane(volume: Volume) -> _Plane:
    if volume.affine is None:
        return _Plane(2, 1, 0, False, False, False, "")
    steps = volume.affine[:3, :3]
    lengths = np.maximum(np.linalg.norm(steps, axis=0), 1e-9)
    directions = steps / lengths
    world = _nearest_axes(directions)
    widest = [n for n in range(3) if lengths[n] >= 0.99 * lengths.max()]
    singles = [n for n in range(3) if volume.values.shape[n] == 1]
    axis = (singles or sorted(widest, key=lambda n: world[n] != 2))[0]
    first, second = (n for n in range(3) if n != axis)
    # Columns go to the patient's left, or to the back where the cut shows no left; rows to the back or to the feet.
    columns, rows = (first, second) if world[first] < world[second] else (second, first)
    return _Plane(
        axis, rows, columns,
        flip_rows=bool((directions[world[rows], rows] > 0) == (world[rows] == 2)),
        flip_columns=bool(directions[world[columns], columns] < 0),
        backwards=bool(directions[world[axis], axis] < 0),
        name=_PLANES[_AXES[world[axis]]],
    )  # fmt: skip


def _nearest_axes(directions: NDArray[np.float64]) -> list[int]:
    """For each axis of the values the patient's axis it is nearest to; each of those once."""
    world = [0, 0, 0]
    left = np.abs(directions)
    for _ in range(3):
        patient, own = np.unravel_index(int(np.argmax(left)), left.shape)
        world[int(own)] = int(patient)
        left[patient, :] = left[:, own] = -1
    return world


def _sample(volume: Volume, axis: int | None = None) -> NDArray[np.float32]:
    """Every k-th value, but every slice along `axis`."""
    steps = tuple(
        slice(None, None, 1 if n == axis else max(1, size // _SAMPLED))
        for n, size in enumerate(volume.values.shape)
    )
    return np.nan_to_num(volume.values[steps].astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _chosen(volume: Volume, plane: _Plane) -> list[int]:
    """Indexes of the slices to take, the middle one first; the same ones whichever way the volume is stored."""
    sample = np.moveaxis(_sample(volume, plane.axis), plane.axis, 0)
    spread = sample.reshape(len(sample), -1).std(axis=1)
    spread = spread[::-1] if plane.backwards else spread
    showing = (
        np.flatnonzero(spread >= _CONTENT * spread.max()) if spread.max() > 0 else np.arange(len(spread))
    )
    low, high = int(showing[0]), int(showing[-1])
    places = list(dict.fromkeys(low + round(place * (high - low)) for place in PLACES))
    return [len(spread) - 1 - place for place in places] if plane.backwards else places


def _look(volume: Volume) -> tuple[str, tuple[float, float]]:
    """Modality and window (centre, width): soft tissue for what looks like a CT, else all but the rarest values."""
    values = _sample(volume) * volume.slope + volume.intercept
    low, high = float(values.min()), float(values.max())
    if _AIR_HU[0] <= low <= _AIR_HU[1] and high >= _BONE_HU:
        return "CT", _SOFT_TISSUE
    inside = values[values != low]
    black, white = (float(v) for v in np.percentile(inside if inside.size else values, _PERCENTILES))
    black = min(black, low) if inside.size > 0.95 * values.size else black
    width = max(white - black, 1e-6 * max(1.0, abs(white)))
    return "OT", ((black + white) / 2, width)


def _note(volume: Volume, plane: _Plane, index: int, count: int, taken: int) -> str:
    parts = [f"{plane.name} slice {index + 1} of {count}".strip()] if count > 1 else []
    if taken > 1:
        parts.append(f"one of {taken} spread over the {volume.kind} volume")
    if volume.more:
        parts.append(f"the first of {volume.more + 1:,} volumes in the file")
    return ", ".join(parts)


def _as_dicom(
    volume: Volume, plane: _Plane, index: int, modality: str, window: tuple[float, float], name: str
) -> bytes:
    try:
        from pydicom.dataset import Dataset, FileMetaDataset
        from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid
    except ModuleNotFoundError as error:
        raise UserError(f"A slice of a volume is kept as DICOM; to write it {INSTALL_DICOM}.") from error
    cut = np.take(volume.values, index, axis=plane.axis)
    cut = cut if plane.rows < plane.columns else cut.T
    cut = cut[:: -1 if plane.flip_rows else 1, :: -1 if plane.flip_columns else 1]
    stored, slope, intercept = _in_16_bits(cut, volume.slope, volume.intercept)
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid(entropy_srcs=[name])
    made.Modality, made.PatientIdentityRemoved = modality, "YES"
    made.DeidentificationMethod = "radtui: values of one slice alone"
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.Rows, made.Columns = stored.shape
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, int(stored.dtype.kind == "i")
    made.RescaleSlope, made.RescaleIntercept = _decimal(slope), _decimal(intercept)
    made.WindowCenter, made.WindowWidth = _decimal(window[0]), _decimal(window[1])
    made.VOILUTFunction = "LINEAR_EXACT"
    if volume.affine is not None:
        steps = volume.affine[:3, :3]
        lengths = np.maximum(np.linalg.norm(steps, axis=0), 1e-9)
        right = steps[:, plane.columns] / lengths[plane.columns] * (-1 if plane.flip_columns else 1)
        down = steps[:, plane.rows] / lengths[plane.rows] * (-1 if plane.flip_rows else 1)
        made.PixelSpacing = [_decimal(lengths[plane.rows]), _decimal(lengths[plane.columns])]
        made.ImageOrientationPatient = [_decimal(cosine) for cosine in (*right, *down)]
    made.PixelData = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    made["PixelData"].VR = "OW"
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _in_16_bits(
    values: NDArray[np.generic], slope: float, intercept: float
) -> tuple[NDArray[np.generic], float, float]:
    """Values as 16-bit integers, and slope and intercept that lead back to them: exactly, where they are integers."""
    if values.dtype.kind == "b":
        values = values.astype(np.uint8)
    numbers = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(numbers.min()), float(numbers.max())
    if values.dtype.kind in "iu" or np.array_equal(numbers, np.rint(numbers)):
        for dtype in (np.uint16, np.int16):
            if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
                return numbers.astype(dtype), slope, intercept
    step = (high - low) / 65535 or 1.0
    return np.rint((numbers - low) / step).astype(np.uint16), step * slope, low * slope + intercept


def _decimal(number: float) -> str:
    """A number as DICOM writes it, in at most 16 characters."""
    number = float(number)
    for digits in range(12, 5, -1):
        text = f"{number:.{digits}g}"
        if len(text) <= 16:
            return text
    return f"{number:.5g}"
