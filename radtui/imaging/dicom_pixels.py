"""The pixels of one DICOM frame, through whichever permissively licensed decoder can."""

from __future__ import annotations

import io
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radtui.imaging.comments import frame_size
from radtui.imaging.dicom_luts import is_little_endian, numbers_of, read_lut
from radtui.imaging.dicom_read import INSTALL, MAX_INFLATED_BYTES, reason
from radtui.imaging.raster import MAX_PIXELS
from radtui.records import UserError

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

GDCM_TIMEOUT_S = 60
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"  # Deflated Image Frame Compression
_RETIRED_JPEG = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (*range(52, 57), *range(58, 67)))
"""JPEG processes that the standard retired; the progressive ones among them are what a JPEG library decodes anyway."""
_NEWER = {
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
}
"""Names of transfer syntaxes that are younger than pydicom's dictionary."""
_NATIVE = frozenset(
    ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
)
_VIDEO = ("MPEG", "HEVC", "SMPTE")


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
    except UserError:
        raise
    except Exception as error:  # decoders raise anything at all; a missing one is told apart by its sentence
        raise UserError(_why_not(dataset, error)) from error
    if pixels.ndim == 3 and pixels.dtype != np.uint8:
        pixels = (pixels >> max(0, int(dataset.get("BitsStored") or 16) - 8)).astype(np.uint8)
    return np.ascontiguousarray(pixels)


def _decoded(dataset: Dataset, frame: int) -> NDArray[Any]:
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.utils import pixel_array
    from pydicom.uid import JPEG2000TransferSyntaxes, JPEGExtended12Bit, RLELossless

    syntax = dataset.file_meta.TransferSyntaxUID
    if str(syntax) == DEFLATED_FRAMES:
        return _stored_bits(dataset, _inflated_frame(dataset, frame))
    if not known(syntax):
        raise UserError(unsupported(dataset))
    if not is_encapsulated(syntax) or syntax == RLELossless:
        return _stored_bits(dataset, _whole_words(dataset, frame))
    _require_size(dataset, frame)
    if str(syntax) in _RETIRED_JPEG:
        return _retired_jpeg(dataset, frame)
    if syntax == JPEGExtended12Bit and int(dataset.get("BitsStored") or 8) > 8:
        return _through_gdcm(dataset, frame)
    plugin = ""
    if syntax in JPEG2000TransferSyntaxes:
        # GDCM's decoder prints about damaged files on the screen, so it is kept for what the others cannot do.
        quiet = [name for name in ("pylibjpeg", "pillow") if name in get_decoder(syntax).available_plugins]
        plugin = quiet[0] if quiet else ""
    return pixel_array(dataset, index=frame, decoding_plugin=plugin)


def encapsulated_frame(dataset: Dataset, frame: int) -> bytes:
    """The compressed bytes of one frame."""
    from pydicom.encaps import get_frame

    offsets = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
    return get_frame(
        dataset.PixelData, frame, number_of_frames=int(dataset.get("NumberOfFrames") or 1),
        extended_offsets=offsets if all(offsets) else None,
    )  # fmt: skip


def _require_size(dataset: Dataset, frame: int) -> None:
    """Refuse a frame whose own header claims more pixels than are opened, whatever rows and columns say."""
    try:
        width_px, height_px = frame_size(encapsulated_frame(dataset, frame))
    except Exception:  # where the frame cannot be found, the decoder says so better
        return
    if width_px * height_px > MAX_PIXELS:
        raise UserError(
            f"This DICOM image holds {width_px} x {height_px} pixels, more than radtui opens; export it smaller."
        )


def _layout(dataset: Dataset) -> tuple[int, int, bool]:
    """Bits stored, the lowest of them, and whether they are signed; repaired where they contradict each other."""
    allocated = int(dataset.get("BitsAllocated") or 16)
    stored = int(dataset.get("BitsStored") or allocated)
    stored = stored if 1 <= stored <= allocated else allocated
    high = dataset.get("HighBit")
    high = stored - 1 if high is None or not stored - 1 <= int(high) < allocated else int(high)
    return stored, high + 1 - stored, bool(dataset.get("PixelRepresentation"))


def _whole_words(dataset: Dataset, frame: int) -> NDArray[Any]:
    """Decode without looking at which bits count, unless a pixel is one bit or a float."""
    from pydicom.pixels.utils import pixel_array

    allocated = dataset.get("BitsAllocated")
    if (
        allocated not in (8, 16, 32)
        or "PixelData" not in dataset
        or "YBR" in str(dataset.get("PhotometricInterpretation"))
    ):
        return pixel_array(dataset, index=frame)
    stated = {name: dataset.get(name) for name in ("BitsStored", "HighBit", "PixelRepresentation")}
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = allocated, allocated - 1, 0
    try:
        return pixel_array(dataset, index=frame)
    finally:
        for name, value in stated.items():
            setattr(dataset, name, value)


def _stored_bits(dataset: Dataset, words: NDArray[Any]) -> NDArray[Any]:
    """Keep the stored bits, from the high bit down (C.7.6.3); the others may hold an overlay, or rubbish."""
    stored, lowest, signed = _layout(dataset)
    if words.dtype.kind != "u" or "YBR" in str(dataset.get("PhotometricInterpretation")):
        return words
    words = words.astype(words.dtype.newbyteorder("="), copy=False)
    bits = words.dtype.itemsize * 8
    if stored < bits:
        words = (words >> lowest) & np.array((1 << stored) - 1, dtype=words.dtype)
    if not signed:
        return words
    whole = words.view(f"i{words.dtype.itemsize}")
    if stored == bits:
        return whole
    sign = np.array(1 << (stored - 1), dtype=whole.dtype)
    extended: np.ndarray = (whole ^ sign) - sign
    return extended


def frame_layout(dataset: Dataset) -> tuple[int, int]:
    """Bytes of an uncompressed frame and of all of them, as rows, columns and bits say; 0 where they don't."""
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    samples, allocated = int(dataset.get("SamplesPerPixel") or 1), int(dataset.get("BitsAllocated") or 0)
    frames = max(1, int(dataset.get("NumberOfFrames") or 1))
    bits = rows * columns * samples * allocated
    return -(-bits // 8), -(-bits * frames // 8)


def masked_pixels(dataset: Dataset, pixels: bytes) -> bytes:
    """Uncompressed pixels with zeros where no pixel's bits are; the same object where all bits are some pixel's."""
    allocated = dataset.get("BitsAllocated")
    if allocated not in (8, 16, 32) or len(pixels) % (allocated // 8):
        return pixels
    stored, lowest, _ = _layout(dataset)
    if stored == allocated or "YBR" in str(dataset.get("PhotometricInterpretation")):
        return pixels
    order = "<" if is_little_endian(dataset) else ">"
    words = np.frombuffer(pixels, dtype=f"{order}u{allocated // 8}")
    mask = np.array(((1 << stored) - 1) << lowest, dtype=words.dtype)
    sign = np.array(1 << (stored - 1 + lowest), dtype=words.dtype)
    outside = words & ~mask
    if not outside.any():
        return pixels
    if dataset.get("PixelRepresentation") and lowest == 0 and not np.any(outside[(words & sign) == 0]):
        return pixels  # extended signs: what most files with signed pixels have there
    return bytes((words & mask).astype(words.dtype).tobytes())  # an operation may have turned the bytes round


def _inflated_frame(dataset: Dataset, frame: int) -> NDArray[Any]:
    """One frame of Deflated Image Frame Compression (PS3.5 section A.4.14), of no more bytes than it must have."""
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    samples, depth = int(dataset.get("SamplesPerPixel") or 1), int(dataset.get("BitsAllocated") or 16) // 8
    plain = _inflated_bytes(dataset, frame, rows * columns * samples * depth)
    words = np.frombuffer(plain, dtype=f"<u{depth}")
    if samples == 1:
        return words.reshape(rows, columns)
    planes = bool(dataset.get("PlanarConfiguration"))
    return (
        words.reshape(samples, rows, columns).transpose(1, 2, 0)
        if planes
        else words.reshape(rows, columns, samples)
    )


def _inflated_bytes(dataset: Dataset, frame: int, size: int) -> bytes:
    plain = zlib.decompressobj(-zlib.MAX_WBITS).decompress(encapsulated_frame(dataset, frame), size)
    if len(plain) < size:
        raise ValueError(f"frame {frame + 1} holds {len(plain)} of {size} bytes")
    return plain


def _retired_jpeg(dataset: Dataset, frame: int) -> NDArray[Any]:
    """A frame of a JPEG process that the standard retired: Pillow's library reads those of 8 bits, GDCM's of 12."""
    from PIL import Image

    data = encapsulated_frame(dataset, frame)
    if int(dataset.get("BitsStored") or 8) <= 8:
        image = Image.open(io.BytesIO(data), formats=("JPEG",))
        return np.asarray(image.convert("RGB" if len(image.getbands()) > 1 else "L"))
    return _through_gdcm(dataset, frame)


def _coloured(dataset: Dataset, indexes: NDArray[Any]) -> NDArray[np.uint8]:
    """Look palette indexes up (C.7.9); palettes of more than 8 bits are brought to 8."""
    little_endian = is_little_endian(dataset)
    if "SegmentedRedPaletteColorLookupTableData" in dataset:
        return _through_segments(dataset, indexes)
    signed = bool(dataset.get("PixelRepresentation"))
    channels = []
    for colour in ("Red", "Green", "Blue"):
        descriptor = dataset.get(f"{colour}PaletteColorLookupTableDescriptor")
        table = read_lut(
            descriptor, dataset.get(f"{colour}PaletteColorLookupTableData"), signed, little_endian
        )
        if table is None:
            raise ValueError(f"the palette has no table of {colour.lower()}s")
        depth = int(numbers_of(descriptor)[2])
        # What a table of "16 bits" holds may be 8, and the other way round: its largest entry tells.
        shift = 8 if max(table.bits, depth if int(table.values.max()) > 255 else 8) > 8 else 0
        channels.append((table.applied(indexes) >> shift).astype(np.uint8))
    return np.stack(channels, axis=-1)


def _through_segments(dataset: Dataset, indexes: NDArray[Any]) -> NDArray[np.uint8]:
    from pydicom.pixels.processing import apply_color_lut

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
    pixels: np.ndarray = np.load(io.BytesIO(done.stdout), allow_pickle=False)
    return pixels


def _why_not(dataset: Dataset, error: Exception) -> str:
    syntax = dataset.file_meta.TransferSyntaxUID
    name = str(syntax.name)
    text = reason(error)
    if "missing dependencies" in text or "No module named" in text:
        return f"This DICOM file is compressed as {name}, and no decoder for it is there; {INSTALL}."
    if str(syntax) in _RETIRED_JPEG:
        return unsupported(dataset)
    return f"This DICOM image ({name}) is damaged or not valid ({text}); export it again."


def unsupported(dataset: Dataset) -> str:
    """Why a file of a transfer syntax without a decoder is not read, and the way out."""
    syntax = dataset.file_meta.TransferSyntaxUID
    name = _NEWER.get(str(syntax), str(syntax.name))
    if any(word in name for word in _VIDEO):
        return (
            f"This DICOM file is a video (compressed as {name}), which radtui does not read;"
            " save the frames that matter as PNG."
        )
    return (
        f"The compression {name} of this DICOM file is not supported;"
        " convert it to another transfer syntax, for example with: gdcmconv --raw FILE NEW."
    )


def is_encapsulated(syntax: UID) -> bool:
    """Whether pixels are compressed; also for transfer syntaxes that are younger than pydicom."""
    return str(syntax) not in _NATIVE


def known(syntax: UID) -> bool:
    """Whether there is a decoder for a transfer syntax, installed or not."""
    from pydicom.pixels.decoders.base import get_decoder

    if str(syntax) in _NATIVE or str(syntax) in _RETIRED_JPEG or str(syntax) == DEFLATED_FRAMES:
        return True
    try:
        get_decoder(syntax)
    except NotImplementedError:
        return False
    return True


def inflate_frames(dataset: Dataset) -> None:
    """Replace frames that are deflated one by one by uncompressed ones."""
    from pydicom.uid import ExplicitVRLittleEndian

    frames = max(1, int(dataset.get("NumberOfFrames") or 1))
    size, total = frame_layout(dataset)
    if total > MAX_INFLATED_BYTES:
        raise UserError(
            "This deflated DICOM file grows to more than radtui opens; export it in another syntax."
        )
    pixels = b"".join(_inflated_bytes(dataset, frame, size) for frame in range(frames))
    dataset["PixelData"].value = pixels + b"\0" * (len(pixels) & 1)
    dataset["PixelData"].VR = "OB" if int(dataset.BitsAllocated) <= 8 else "OW"
    dataset["PixelData"].is_undefined_length = False
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
