"""DICOM to raw values: rescale, windows, photometric kinds, frames, overlays; nothing that names a person is read.

Files are read with pydicom's `specific_tags`, so elements outside the allow-list are skipped over unparsed.
References such as "C.7.6.3.1.2" are sections of DICOM PS3.3 (https://dicom.nema.org/medical/dicom/current/).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radtui.imaging.decode import Facts
from radtui.imaging.dicom_pixels import INSTALL, frame_pixels, reason
from radtui.imaging.dicom_tags import ALLOWED, NESTED, OVERLAY_GROUPS
from radtui.imaging.raster import Raster, Sides, Window, WindowShape
from radtui.records import UserError

if TYPE_CHECKING:
    from pydicom import Dataset

_OPPOSITE = str.maketrans("LRAPHF", "RLPAFH")
_SHAPES = {"LINEAR": WindowShape.LINEAR, "LINEAR_EXACT": WindowShape.EXACT, "SIGMOID": WindowShape.SIGMOID}


def probe(data: bytes) -> Facts:
    """Read size and kind, and make sure that the first frame decodes.

    Args:
        data: A file's bytes.

    Raises:
        UserError: As `decode`.
    """
    dataset = _read(data)
    raster = _raster(dataset, 0)
    photometric = str(dataset.get("PhotometricInterpretation", ""))
    return Facts("DICOM", raster.width_px, raster.height_px, photometric, raster.frames)


def decode(data: bytes, frame: int = 0) -> Raster:
    """Decode one frame.

    Args:
        data: A file's bytes.
        frame: Index of the frame, clamped to those there are.

    Returns:
        Grey values after the modality transformation, in Hounsfield units for CT; or RGB.

    Raises:
        UserError: pydicom or a codec is not installed, or the file has no image or a damaged one.
    """
    return _raster(_read(data), frame)


def stripped(data: bytes) -> bytes:
    """Rewrite a file with nothing in it but what is needed to draw it.

    Pixels stay as they are, so text burned into them stays too.

    Args:
        data: A file's bytes.

    Returns:
        A DICOM file without names, dates, identifiers and private elements.

    Raises:
        UserError: As `decode`.
    """
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

    dataset = _read(data)
    _require_pixels(dataset)
    syntax = dataset.file_meta.TransferSyntaxUID
    if not dataset.get(
        "SOPClassUID"
    ):  # required in a file; some devices write it in front of the data set only
        named = dataset.file_meta.get("MediaStorageSOPClassUID")
        dataset.SOPClassUID = named or SecondaryCaptureImageStorage
    _strip_sequences(dataset)
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[_content_name(data)])
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.preamble = None
    out = io.BytesIO()
    try:
        dataset.save_as(out, enforce_file_format=True)
    except Exception as error:  # writers raise anything at all on elements that broke the standard
        raise UserError(f"This DICOM file cannot be kept ({reason(error)}); export it again.") from error
    return out.getvalue()


def _content_name(data: bytes) -> str:
    """A name that follows from the bytes, so that the same file is always rewritten to the same one."""
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _read(data: bytes) -> Dataset:
    """Parse what is on the allow-list."""
    try:
        import pydicom
        from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
    except ModuleNotFoundError as error:
        raise UserError(f"This is a DICOM file; to open it {INSTALL}.") from error
    try:
        dataset = pydicom.dcmread(io.BytesIO(data), force=True, specific_tags=list(ALLOWED))
    except Exception as error:  # parsers raise anything at all on damaged files
        raise UserError(f"This DICOM file cannot be parsed ({reason(error)}); export it again.") from error
    _mend_frames(dataset)
    if (
        "TransferSyntaxUID" not in dataset.file_meta
    ):  # written by old or careless software; said by its own layout
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return dataset


def _mend_frames(dataset: Dataset) -> None:
    """Drop a number of frames that is not a number, which decoders stumble over: one frame is meant."""
    try:
        int(dataset.get("NumberOfFrames") or 1)
    except (TypeError, ValueError):
        del dataset.NumberOfFrames


def _require_pixels(dataset: Dataset) -> None:
    if any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        return
    kind = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
    name = str(kind.name).removesuffix(" Storage") if kind is not None and kind.name else "of an unnamed kind"
    raise UserError(f"This DICOM file ({name}) holds no image; leave it out.")


def _raster(dataset: Dataset, frame: int) -> Raster:
    _require_pixels(dataset)
    frames = max(1, int(dataset.get("NumberOfFrames") or 1))
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
    if common["bits"] == 1:
        return Raster(
            (pixels > 0).astype(np.uint8) * np.uint8(255), **common
        )  # a mask, drawn black and white
    values, unit = _rescaled(dataset, pixels, frame)
    return Raster(
        values,
        unit=unit,
        inverted=dataset.get("PhotometricInterpretation") == "MONOCHROME1",
        windows=_windows(dataset, frame),
        padding=_padding(dataset, frame),
        **common,
    )


def _group(dataset: Dataset, frame: int, name: str) -> Dataset:
    """The item of a functional group that holds for a frame (C.7.6.16), or the data set itself."""
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = dataset.get("SharedFunctionalGroupsSequence") or []
    for place in ([per_frame[frame]] if frame < len(per_frame) else []) + list(shared):
        if place.get(name):
            return place[name].value[0]
    return dataset


def _rescaled(dataset: Dataset, stored: NDArray[Any], frame: int) -> tuple[NDArray[Any], str]:
    """Apply the modality transformation (C.11.1); keep 16-bit integers when it has no fractions."""
    from pydicom.pixels import apply_modality_lut

    group = _group(dataset, frame, "PixelValueTransformationSequence")
    if dataset.get("ModalityLUTSequence"):
        return _smallest(apply_modality_lut(stored, dataset)), ""
    slope, intercept = _number(group.get("RescaleSlope"), 1.0), _number(group.get("RescaleIntercept"), 0.0)
    dose = _number(dataset.get("DoseGridScaling"), 0.0)
    if dose:
        return (stored * dose).astype(np.float32), str(dataset.get("DoseUnits") or "").title()
    hounsfield = dataset.get("Modality") == "CT" and group.get("RescaleType", "HU") in ("HU", "", None)
    unit = "HU" if hounsfield and "RescaleIntercept" in group else ""
    return _smallest(
        stored.astype(np.float64) * slope + intercept if (slope, intercept) != (1, 0) else stored
    ), unit


def _smallest(values: NDArray[Any]) -> NDArray[Any]:
    """The narrowest of uint8, uint16, int16 and float32 that holds the values exactly, or float32."""
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind == "f" and not np.array_equal(values, np.rint(values)):
        return np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    for dtype in (np.uint16, np.int16):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return values.astype(dtype)
    return values.astype(np.float32)


def _windows(dataset: Dataset, frame: int) -> tuple[Window, ...]:
    """All windows and tables the file suggests (C.11.2)."""
    group = _group(dataset, frame, "FrameVOILUTSequence")
    shape = _SHAPES.get(str(group.get("VOILUTFunction") or "LINEAR"), WindowShape.LINEAR)
    centres, widths = _numbers(group.get("WindowCenter")), _numbers(group.get("WindowWidth"))
    pairs = [
        (c, w)
        for c, w in zip(centres, widths, strict=False)
        if w >= 1 or (w > 0 and shape is not WindowShape.LINEAR)
    ]
    pairs = list(dict.fromkeys(pairs))
    found = [
        Window(c, w, f"window {n}" if len(pairs) > 1 else "file", shape) for n, (c, w) in enumerate(pairs, 1)
    ]
    for n, item in enumerate(dataset.get("VOILUTSequence") or [], 1):
        table = _table(item)
        if table is not None:
            first, levels = table
            found.append(
                Window(first + len(levels) / 2, len(levels), f"table {n}", WindowShape.TABLE, levels)
            )
    return tuple(found)


def _table(item: Dataset) -> tuple[float, NDArray[np.float32]] | None:
    """A VOI table (C.11.2.1.1): its first value, and its outputs scaled to 0..1."""
    descriptor, data = item.get("LUTDescriptor"), item.get("LUTData")
    if descriptor is None or data is None:
        return None
    raw = np.frombuffer(data, dtype="<u2") if isinstance(data, bytes) else np.asarray(data)
    levels = raw.astype(np.float32)[: int(descriptor[0]) or 65536]
    return float(descriptor[1]), levels / (2.0 ** int(descriptor[2]) - 1)


def _spacing(dataset: Dataset, frame: int) -> tuple[float, float] | None:
    """Millimetres between rows and columns; at the patient if known, else at the detector or scanner."""
    measures = _group(dataset, frame, "PixelMeasuresSequence")
    for source, name in (
        (measures, "PixelSpacing"),
        (dataset, "ImagerPixelSpacing"),
        (dataset, "NominalScannedPixelSpacing"),
    ):
        pair = _numbers(source.get(name))
        if len(pair) == 2 and min(pair) > 0:
            return pair[0], pair[1]
    return None


def _pixel_aspect(dataset: Dataset, spacing: tuple[float, float] | None) -> float:
    """Height of a pixel divided by its width; C.7.6.3.1.7 where no spacing is known."""
    pair = spacing or _numbers(dataset.get("PixelAspectRatio"))
    return pair[0] / pair[1] if len(pair) == 2 and min(pair) > 0 else 1.0


def _sides(dataset: Dataset, frame: int) -> Sides:
    """Directions at the edges, from the patient orientation (C.7.6.1.1.1) or the image's cosines (C.7.6.2.1.1)."""
    letters = [str(text) for text in dataset.get("PatientOrientation") or []]
    if len(letters) != 2:
        cosines = _numbers(_group(dataset, frame, "PlaneOrientationSequence").get("ImageOrientationPatient"))
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


def _padding(dataset: Dataset, frame: int) -> float | None:
    """The padding value (C.7.5.1.1.2) after the modality transformation."""
    stored = dataset.get("PixelPaddingValue")
    if stored is None:
        return None
    group = _group(dataset, frame, "PixelValueTransformationSequence")
    return _number(stored, 0.0) * _number(group.get("RescaleSlope"), 1.0) + _number(
        group.get("RescaleIntercept"), 0.0
    )


def _number(value: Any, default: float) -> float:
    numbers = _numbers(value)
    return numbers[0] if numbers else default


def _numbers(value: Any) -> list[float]:
    """Numbers of an element with any multiplicity; [] where it is absent, empty or not numeric."""
    if value is None or value == "":
        return []
    try:
        many = [value] if isinstance(value, str | int | float) else list(value)
        return [float(one) for one in many]
    except (TypeError, ValueError):
        return []


def _strip_sequences(dataset: Dataset) -> None:
    """Drop from sequences what is not on the allow-list of nested elements."""
    for element in list(dataset):
        if element.VR != "SQ":
            continue
        for item in element.value:
            for inner in list(item):
                if inner.tag not in NESTED:
                    del item[inner.tag]
            _strip_sequences(item)
