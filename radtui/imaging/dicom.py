"""DICOM to raw values: rescale, windows, photometric kinds, frames, overlays; nothing that names a person is read.

Files are read with pydicom's `specific_tags`, so elements outside the allow-list are skipped over unparsed.
References such as "C.7.6.3.1.2" are sections of DICOM PS3.3 (https://dicom.nema.org/medical/dicom/current/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radtui.imaging.dicom_keep import stripped
from radtui.imaging.dicom_luts import (
    group_of,
    inverted,
    modality_of,
    numbers_of,
    padding_of,
    windows_of,
)
from radtui.imaging.dicom_pixels import frame_pixels
from radtui.imaging.dicom_read import read_dataset, require_pixels
from radtui.imaging.dicom_tags import OVERLAY_GROUPS
from radtui.imaging.facts import Facts
from radtui.imaging.frames import standing
from radtui.imaging.raster import Raster, Sides

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["decode", "probe", "stripped"]

_OPPOSITE = str.maketrans("LRAPHF", "RLPAFH")


def probe(data: bytes) -> Facts:
    """Read size and kind, and make sure that the frame which stands for the file decodes.

    Args:
        data: A file's bytes.

    Raises:
        UserError: As `decode`.
    """
    dataset = read_dataset(data)
    raster = _raster(dataset, None)
    photometric = str(dataset.get("PhotometricInterpretation", ""))
    return Facts("DICOM", raster.width_px, raster.height_px, photometric, raster.frames, raster.frame)


def decode(data: bytes, frame: int | None = 0) -> Raster:
    """Decode one frame.

    Args:
        data: A file's bytes.
        frame: Index of the frame, clamped to those there are; None for the one that stands for the file.

    Returns:
        Grey values after the modality transformation, in Hounsfield units for CT; or RGB.

    Raises:
        UserError: pydicom or a codec is not installed, or the file has no image or a damaged one.
    """
    return _raster(read_dataset(data), frame)


def _raster(dataset: Dataset, frame: int | None) -> Raster:
    require_pixels(dataset)
    frames = max(1, int(dataset.get("NumberOfFrames") or 1))
    if frame is None:
        frame, pixels = standing(frames, (frames - 1) // 2, lambda index: frame_pixels(dataset, index))
    else:
        frame = max(0, min(frame, frames - 1))
        pixels = frame_pixels(dataset, frame)
    bits = int(dataset.get("BitsStored") or pixels.dtype.itemsize * 8)
    if pixels.dtype == np.uint8 and bits < 8:
        pixels = pixels.astype(np.uint16)  # averages of so few levels need fractions
    spacing = _spacing(dataset, frame)
    common: dict[str, Any] = {
        "bits": bits,
        "spacing_mm": spacing,
        "sides": _sides(dataset, frame),
        "frame": frame,
        "frames": frames,
        "overlay": _overlay(dataset, pixels.shape[:2], frame),
        "pixel_aspect": _pixel_aspect(dataset, spacing),
        "source": f"DICOM {dataset.get('Modality') or ''}".rstrip(),
    }
    if pixels.ndim == 3:
        return Raster(pixels, **common)
    if common["bits"] == 1:  # a mask, drawn black and white
        return Raster((pixels > 0).astype(np.uint8) * np.uint8(255), **common)
    signed = pixels.dtype.kind == "i"
    modality = modality_of(dataset, frame, signed)
    values = modality.applied(pixels)
    padding, padding_limit = padding_of(dataset, modality, signed)
    return Raster(
        values,
        unit=modality.unit,
        inverted=inverted(dataset),
        windows=windows_of(dataset, frame, negative=bool(values.dtype.kind != "u" and values.min() < 0)),
        padding=padding,
        padding_limit=padding_limit,
        **common,
    )


def _spacing(dataset: Dataset, frame: int) -> tuple[float, float] | None:
    """Millimetres between rows and columns; at the patient if known, else at the detector or scanner."""
    measures = group_of(dataset, frame, "PixelMeasuresSequence")
    for source, name in (
        (measures, "PixelSpacing"),
        (dataset, "ImagerPixelSpacing"),
        (dataset, "NominalScannedPixelSpacing"),
    ):
        pair = numbers_of(source.get(name))
        if len(pair) == 2 and min(pair) > 0:
            return pair[0], pair[1]
    return None


def _pixel_aspect(dataset: Dataset, spacing: tuple[float, float] | None) -> float:
    """Height of a pixel divided by its width; C.7.6.3.1.7 where no spacing is known."""
    pair = spacing or numbers_of(dataset.get("PixelAspectRatio"))
    return pair[0] / pair[1] if len(pair) == 2 and min(pair) > 0 else 1.0


def _sides(dataset: Dataset, frame: int) -> Sides:
    """Directions at the edges, from the patient orientation (C.7.6.1.1.1) or the image's cosines (C.7.6.2.1.1)."""
    letters = [str(text) for text in dataset.get("PatientOrientation") or []]
    if len(letters) != 2:
        cosines = numbers_of(
            group_of(dataset, frame, "PlaneOrientationSequence").get("ImageOrientationPatient")
        )
        if len(cosines) != 6:
            return Sides()
        letters = [_letter(cosines[:3]), _letter(cosines[3:])]
    right, bottom = (text if set(text) <= set("LRAPHF") else "" for text in letters)
    return Sides(right.translate(_OPPOSITE), right, bottom.translate(_OPPOSITE), bottom)


def _letter(cosines: list[float]) -> str:
    """The patient's axis a direction is nearest to: x grows to the left, y to the back, z to the head."""
    axis = int(np.argmax(np.abs(cosines)))
    return ("LPH" if cosines[axis] > 0 else "RAF")[axis]


def _overlay(dataset: Dataset, shape: tuple[int, ...], frame: int) -> NDArray[np.bool_] | None:
    """All overlay planes (C.9.2) of a frame in one, or None."""
    combined = np.zeros(shape, dtype=np.bool_)
    for group in OVERLAY_GROUPS:
        if (group, 0x3000) not in dataset:
            continue
        try:
            plane = dataset.overlay_array(group)
        except Exception:  # a damaged overlay must not hide the image under it
            continue
        if plane.ndim == 3:
            plane = plane[min(frame, len(plane) - 1)]
        origin = [int(v) - 1 for v in dataset[group, 0x0050].value] if (group, 0x0050) in dataset else [0, 0]
        top, left = max(0, origin[0]), max(0, origin[1])
        plane = plane[max(0, -origin[0]) :, max(0, -origin[1]) :][: shape[0] - top, : shape[1] - left]
        combined[top : top + plane.shape[0], left : left + plane.shape[1]] |= plane.astype(np.bool_)
    return combined if combined.any() else None
