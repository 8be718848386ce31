"""The pixels of one DICOM frame, through whichever permissively licensed decoder can."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radtui.imaging.decode import MAX_PIXELS
from radtui.records import UserError

if TYPE_CHECKING:
    from pydicom import Dataset

INSTALL = "install radtui with DICOM support: pip install 'radtui[dicom]'"
GDCM_TIMEOUT_S = 60


def frame_pixels(dataset: Dataset, frame: int) -> NDArray[Any]:
    """Decode one frame.

    Args:
        dataset: With pixel data, and a transfer syntax in its file meta information.
        frame: Index, 0 <= frame < number of frames.

    Returns:
        (H, W) stored values of any integer or float type, or (H, W, 3) uint8 RGB; palettes and YBR are resolved.

    Raises:
        UserError: No decoder for the compression is installed, or the pixels are damaged.
    """
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    if not rows * columns:
        raise UserError(
            "This DICOM file does not say how large its image is (rows, columns); export it again."
        )
    if rows * columns > MAX_PIXELS:
        raise UserError(
            f"This DICOM image is {columns} x {rows} pixels, more than radtui opens; export it smaller."
        )
    try:
        pixels = _decoded(dataset, frame)
        if dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
            pixels = _coloured(dataset, pixels)
    except Exception as error:  # decoders raise anything at all; a missing one is told apart by its sentence
        raise UserError(_why_not(dataset, error)) from error
    if pixels.ndim == 3 and pixels.dtype != np.uint8:
        pixels = (pixels >> max(0, int(dataset.get("BitsStored") or 16) - 8)).astype(np.uint8)
    return np.ascontiguousarray(pixels)


def reason(error: Exception) -> str:
    """An exception's text on one line, not too long."""
    return " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__


def _decoded(dataset: Dataset, frame: int) -> NDArray[Any]:
    from pydicom.pixels import get_decoder, pixel_array
    from pydicom.uid import JPEG2000TransferSyntaxes, JPEGExtended12Bit

    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax == JPEGExtended12Bit and int(dataset.get("BitsStored") or 8) > 8:
        return _through_gdcm(dataset, frame)
    plugin = ""
    if syntax in JPEG2000TransferSyntaxes:
        # GDCM's decoder prints about damaged files on the screen, so it is kept for what the others cannot do.
        quiet = [name for name in ("pylibjpeg", "pillow") if name in get_decoder(syntax).available_plugins]
        plugin = quiet[0] if quiet else ""
    return pixel_array(dataset, index=frame, decoding_plugin=plugin)


def _coloured(dataset: Dataset, indexes: NDArray[Any]) -> NDArray[np.uint8]:
    """Look palette indexes up; palettes of 16 bits are brought to 8."""
    from pydicom.pixels import apply_color_lut

    colours = apply_color_lut(indexes, dataset)[..., :3]
    return (colours >> 8 if colours.dtype.itemsize == 2 else colours).astype(np.uint8)


def _through_gdcm(dataset: Dataset, frame: int) -> NDArray[Any]:
    """Decode 12-bit JPEG, which pydicom leaves to a GPL package although GDCM can.

    It runs as a process of its own because GDCM's JPEG library prints to the terminal while it decodes.
    """
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=False, implicit_vr=False, little_endian=True)
    command = [sys.executable, "-m", "radtui.imaging.gdcm_frame", str(frame)]
    done = subprocess.run(
        command, input=out.getvalue(), capture_output=True, timeout=GDCM_TIMEOUT_S, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    return np.load(io.BytesIO(done.stdout), allow_pickle=False)


def _why_not(dataset: Dataset, error: Exception) -> str:
    syntax = dataset.file_meta.TransferSyntaxUID.name
    text = reason(error)
    if "missing dependencies" in text or "No module named" in text:
        return f"This DICOM file is compressed as {syntax}, and no decoder for it is there; {INSTALL}."
    return f"This DICOM image ({syntax}) is damaged or not valid ({text}); export it again."
