"""Volumes as they are stored: NIfTI through nibabel, MetaImage and NRRD through SimpleITK; bounded in memory."""

from __future__ import annotations

import io
import math
import re
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radtui.records import UserError

INSTALL = "install radtui with volumes: pip install 'radtui[volumes]'"
MAX_VOLUME_BYTES = 2**29
"""What one volume may take; 512 MiB hold 1,024 slices of 512 x 512 values of 16 bits."""
_DATA_FILE = re.compile(
    rb"^\s*(?:ElementDataFile\s*=|data ?file\s*:)\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE
)
_HEADER_BYTES = 65536


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A volume.

    Attributes:
        values: (I, J, K), stored values of any real dtype; K is 1 for a plane.
        affine: (4, 4), from indexes to millimetres, x to the patient's left, y to the back, z to the head; None for a
            plane without directions of its own, whose rows (J) go down and columns (I) go right.
        slope: What a stored value is multiplied with.
        intercept: What is added then.
        kind: "NIfTI", "MetaImage" or "NRRD".
        more: How many further volumes the file holds (times, components), which are not read.
    """

    values: NDArray[Any]
    affine: NDArray[np.float64] | None
    slope: float = 1.0
    intercept: float = 0.0
    kind: str = ""
    more: int = 0


def read_volume(name: str, data: bytes, beside: Callable[[str], bytes] | None = None) -> Volume:
    """Read a volume, of several in a file the first one.

    Args:
        name: The file's name; only its suffix is used.
        data: Its bytes.
        beside: Reads a file beside it by name, for headers that keep their values elsewhere.

    Raises:
        UserError: A library is not installed; or the file is damaged, larger than 512 MiB, or names a file that is not
            beside it.
    """
    try:
        if (
            data[:2] == b"\x1f\x8b"
            or data[344:348] in (b"n+1\0", b"ni1\0")
            or data[4:8] in (b"n+2\0", b"ni2\0")
        ):
            return _nifti(data)
        return _through_itk(name, data, beside)
    except UserError:
        raise
    except ModuleNotFoundError as error:
        raise UserError(f"This is a volume; to open it {INSTALL}.") from error
    except Exception as error:  # parsers raise anything at all on damaged files
        raise UserError(
            f"This volume is damaged or not valid ({type(error).__name__}); save it again."
        ) from error


def _nifti(data: bytes) -> Volume:
    import nibabel

    head = _unpacked(data, 1024)
    header_class = nibabel.Nifti2Header if head[4:6] == b"n+" or head[4:6] == b"ni" else nibabel.Nifti1Header
    header = header_class.from_fileobj(io.BytesIO(head), check=False)
    if bytes(header["magic"])[:2] != b"n+":
        raise UserError("This NIfTI file keeps its values in a second file; save both as one .nii.gz.")
    shape = tuple(int(n) for n in header.get_data_shape())
    dtype = header.get_data_dtype()
    if len(shape) < 2 or min(shape) < 1 or (dtype.kind not in "iufb" and dtype.names is None):
        raise UserError(
            f"This NIfTI file has no image ({' x '.join(map(str, shape))}, {dtype}); save it again."
        )
    spatial = (*shape, 1)[:3]
    count, offset = int(np.prod(spatial)), int(header.get_data_offset())
    _require_room(count * dtype.itemsize)
    plain = _unpacked(data, offset + count * dtype.itemsize)
    values = np.frombuffer(plain, dtype=dtype, count=count, offset=offset).reshape(spatial, order="F")
    if dtype.names:  # colour
        values = np.mean([values[channel] for channel in dtype.names[:3]], axis=0).astype(np.uint8)
    slope, intercept = header.get_slope_inter()
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ header.get_best_affine()
    more = int(np.prod(shape[3:])) - 1 if len(shape) > 3 else 0
    return Volume(values, affine, slope or 1.0, intercept or 0.0, "NIfTI", more)


def _unpacked(data: bytes, size: int) -> bytes:
    """The first bytes of a file that may be gzipped."""
    if data[:2] != b"\x1f\x8b":
        return data[:size]
    return zlib.decompressobj(31).decompress(data, size)


def _require_room(size: int) -> None:
    if size > MAX_VOLUME_BYTES:
        raise UserError(
            f"This volume takes {size // 2**20:,} MiB, more than the {MAX_VOLUME_BYTES // 2**20} radtui opens;"
            " save it smaller, or save the slices that matter as PNG."
        )


def _through_itk(name: str, data: bytes, beside: Callable[[str], bytes] | None) -> Volume:
    import SimpleITK

    kind = "NRRD" if data[:4] == b"NRRD" else "MetaImage"
    values_name = _second_file(data)
    suffix = (".nhdr" if values_name else ".nrrd") if kind == "NRRD" else (".mhd" if values_name else ".mha")
    # SimpleITK reads files by name only. The second file is written under the name that the header has for it.
    with tempfile.TemporaryDirectory(prefix="radtui-") as folder:
        path = Path(folder) / f"volume{suffix}"
        path.write_bytes(data)
        if values_name:
            if beside is None:
                raise UserError(
                    f"This volume keeps its values in a second file, {values_name}; import its folder."
                )
            (Path(folder) / values_name).write_bytes(beside(values_name))
        reader = SimpleITK.ImageFileReader()
        SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        bytes_of = {1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 8, 7: 8, 8: 4, 9: 8}
        channels = reader.GetNumberOfComponents()
        size = math.prod(int(n) for n in reader.GetSize()) * channels
        _require_room(size * max(bytes_of.values()))
        image = reader.Execute()
    return _of_itk(image, kind, channels)


def _second_file(data: bytes) -> str:
    """The file that a header says holds its values; "" where they follow the header.

    Raises:
        UserError: It is a list, a pattern, or outside the header's folder.
    """
    header = data[:_HEADER_BYTES]
    if header[:4] == b"NRRD":
        header = re.split(rb"\r?\n\r?\n", header, maxsplit=1)[0]
    match = _DATA_FILE.search(header)
    name = match.group(1).decode("utf-8", "replace") if match else ""
    if not name or name.upper() == "LOCAL":
        return ""
    if (
        name != Path(name).name
        or "\\" in name
        or name.upper().startswith("LIST")
        or "%" in name
        or " " in name
    ):
        raise UserError(
            "This volume keeps its values in other files than one beside it; save it as one file."
        )
    return name


def _of_itk(image: Any, kind: str, channels: int) -> Volume:
    import SimpleITK

    values = SimpleITK.GetArrayFromImage(image)
    if channels > 1:
        values = values.mean(axis=-1).astype(np.float32) if channels in (3, 4) else values[..., 0]
    dimension = image.GetDimension()
    more = 0
    while values.ndim > 3:
        more += (more + 1) * (len(values) - 1)
        values = values[0]
    if channels > 4:
        more += channels - 1
    values = values.T
    if dimension == 2:
        return Volume(values[..., None], None, kind=kind, more=more)
    direction = np.array(image.GetDirection(), dtype=np.float64).reshape(dimension, dimension)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = direction * np.array(image.GetSpacing()[:3])
    return Volume(values, affine, kind=kind, more=more)
