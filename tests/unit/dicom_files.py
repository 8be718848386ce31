"""Small DICOM files of our own, with any element that a test wants to try."""

from __future__ import annotations

import io

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

WINDOW = {"WindowCenter": "2048", "WindowWidth": "4096"}


def ramp(rows: int = 16, columns: int = 16, top: int = 4095) -> np.ndarray:
    """Values from 0 to `top`, in order."""
    return np.linspace(0, top, rows * columns).astype(np.int64).reshape(rows, columns)


def made(
    values: np.ndarray,
    *,
    stored: int = 12,
    allocated: int = 16,
    high: int | None = None,
    signed: bool = False,
    syntax: str = ExplicitVRLittleEndian,
    raw: bytes | None = None,
    tags: dict[int, tuple[str, object]] | None = None,
    **elements: object,
) -> bytes:
    """A file whose pixels are `values`, or `raw` for compressed ones."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = CTImageStorage, "1.2.3", "DX"
    dataset.Rows, dataset.Columns = values.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored = allocated, stored
    dataset.HighBit, dataset.PixelRepresentation = stored - 1 if high is None else high, int(signed)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    mask = (1 << allocated) - 1
    dataset.PixelData = raw or (values & mask).astype(f"{order}u{allocated // 8}").tobytes()
    dataset["PixelData"].VR = "OW" if allocated > 8 else "OB"
    if values.ndim == 3:
        dataset.NumberOfFrames = len(values)
    for name, value in elements.items():
        setattr(dataset, name, value)
    for tag, (vr, value) in (tags or {}).items():
        dataset.add_new(tag, vr, value)
    dataset.file_meta = FileMetaDataset()
    # pydicom writes private transfer syntaxes, but not those that are younger than it.
    stand_in = "1.2.3." + "4" * (len(syntax) - 6) if raw else syntax
    dataset.file_meta.TransferSyntaxUID = stand_in
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.preamble = bytes(128)
    if raw:
        dataset["PixelData"].is_undefined_length = True
    out = io.BytesIO()
    little = syntax != ExplicitVRBigEndian
    dataset.save_as(
        out,
        enforce_file_format=False,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=little,
    )
    return out.getvalue().replace(stand_in.encode(), syntax.encode(), 1)


def lut(descriptor: list[int] | None, data: bytes | list[int] | None) -> Dataset:
    """An item of a Modality or VOI LUT Sequence; None leaves an element out."""
    item = Dataset()
    if descriptor is not None:
        item.add_new(0x00283002, "SS" if min(descriptor, default=0) < 0 else "US", descriptor)
    if data is not None:
        item.add_new(0x00283006, "OW" if isinstance(data, bytes) else "US", data)
    return item


__all__ = [
    "WINDOW",
    "DeflatedExplicitVRLittleEndian",
    "ExplicitVRBigEndian",
    "ImplicitVRLittleEndian",
    "lut",
    "made",
    "ramp",
]
