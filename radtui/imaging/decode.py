"""Bytes of an image file to raw values, never clipped, and to what a model is shown."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from radtui.imaging import windows
from radtui.imaging.dicom_read import is_dicom
from radtui.imaging.facts import Facts
from radtui.imaging.frames import standing
from radtui.imaging.raster import MAX_PIXELS, Raster
from radtui.imaging.whole_png import whole_png
from radtui.records import UserError

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "PPM", "AVIF")
_WHITE_IS_ZERO_TAG = 262  # TIFF PhotometricInterpretation

# Such an image is refused by a sentence with its size; Pillow's warning would only put a line of its own into the log.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


def probe(data: bytes) -> Facts:
    """Read format, size and mode, and make sure that the pixels decode.

    Args:
        data: A file's bytes.

    Raises:
        UserError: Empty, not an image, cut short, damaged, or too large.
    """
    if is_dicom(data):
        from radtui.imaging import dicom  # pydicom is an extra: looked for when needed

        return dicom.probe(data)
    if (facts := whole_png(data)) is not None:
        return facts
    image = _open(data)
    frames = _frames(image)
    frame = _standing(image, frames)
    _load(image)
    width, height = image.size
    if image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8):
        width, height = height, width
    return Facts(image.format or "", width, height, image.mode, frames, frame)


def decode(data: bytes, frame: int | None = 0, enough_px: int = 0) -> Raster:
    """Decode one frame.

    Args:
        data: A file's bytes: PNG, JPEG, TIFF, WebP, AVIF, BMP, GIF, JPEG 2000, PNM or DICOM.
        frame: Index of the frame, clamped to those there are; None for the one that stands for the file.
        enough_px: When > 0, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size (a few times faster) as long
            as its sides stay at least this long. For thumbnails: values are then means.

    Returns:
        Grey images as (H, W) in the depth they were stored in, colour as (H, W, 3); transparency is
        composited on black, the colour of an unexposed film; EXIF rotation is applied.

    Raises:
        UserError: Empty, not an image, cut short, damaged, or too large.
    """
    if is_dicom(data):
        from radtui.imaging import dicom

        return dicom.decode(data, frame)
    image = _open(data)
    frames = _frames(image)
    frame = _standing(image, frames) if frame is None else max(0, min(frame, frames - 1))
    if enough_px and image.format == "JPEG":
        image.draft(None, (enough_px, enough_px))
    source, inverted = image.format or "", _white_is_zero(image)
    _seek(image, frame)
    _load(image)
    values, bits = _values(ImageOps.exif_transpose(image))
    return Raster(values, bits=bits, inverted=inverted, frame=frame, frames=frames, source=source)


def training_image(data: bytes) -> Image.Image:
    """Decode to what a model is shown, the same in training and in generation.

    8-bit images keep their levels. Deeper ones are windowed: a DICOM file's own first window, else the
    0.5th to 99.5th percentile. Of several frames it is the one that stands for the file. (Pillow's
    `convert("RGB")` would clip a 16-bit radiograph to white.)

    Args:
        data: A file's bytes.

    Returns:
        Mode RGB, upright, original size.

    Raises:
        UserError: As `decode`.
    """
    return Image.fromarray(windows.to_grey8(decode(data, None))).convert("RGB")


def _open(data: bytes) -> Image.Image:
    """Open without decoding, and refuse what must not be decoded."""
    if not data:
        raise UserError("The image file is empty; export it again from its source.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UserError(
            "These bytes are not an image radtui reads (PNG, JPEG, TIFF, WebP, AVIF, BMP, DICOM); convert them first."
        ) from error
    except Image.DecompressionBombError as error:
        raise UserError(
            f"The image is larger than the {MAX_PIXELS // 10**6} million pixels radtui opens."
        ) from error
    except Exception as error:  # plug-ins raise anything at all on damaged headers
        raise UserError(
            f"The image is cut short or damaged ({_reason(error)}); export the file again."
        ) from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise UserError(
            f"The image is {width} x {height} pixels, more than the {MAX_PIXELS // 10**6} million radtui opens; "
            "export it smaller."
        )
    if not width * height:
        raise UserError(f"The image has no pixels ({width} x {height}); export it again from its source.")
    return image


def _frames(image: Image.Image) -> int:
    """Count pages; a file damaged behind its first page has one."""
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # as in `_load`: counting reads the whole file
        return 1


def _seek(image: Image.Image, frame: int) -> None:
    try:
        image.seek(frame)
    except Exception as error:  # as in `_load`: a page is parsed when it is gone to
        raise UserError(f"Frame {frame + 1} of this {image.format} file cannot be read ({error}).") from error
    if image.width * image.height > MAX_PIXELS:  # pages have sizes of their own
        raise UserError(
            f"Frame {frame + 1} is {image.width} x {image.height} pixels, more than radtui opens."
        )


def _standing(image: Image.Image, frames: int) -> int:
    """Go to the page that stands for the file: the first, unless it shows nothing."""
    if frames == 1:
        return 0

    def values(index: int) -> NDArray[Any]:
        _seek(image, index)
        _load(image)
        return np.asarray(
            image if image.mode in ("L", "RGB") or image.mode[0] in "IF" else image.convert("RGB")
        )

    frame, _ = standing(frames, 0, values)
    _seek(image, frame)
    return frame


def _load(image: Image.Image) -> None:
    """Decode the pixels of the current frame."""
    try:
        image.load()
    except Exception as error:  # decoders raise OSError, SyntaxError, ValueError, struct.error and more
        raise UserError(
            f"The {image.format} image is cut short or damaged ({_reason(error)}); export the file again."
        ) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return text[:120] or type(error).__name__


def _white_is_zero(image: Image.Image) -> bool:
    """Whether low values are bright; Pillow turns over such TIFFs itself only up to 8 bits."""
    tags = getattr(image, "tag_v2", None)
    return tags is not None and tags.get(_WHITE_IS_ZERO_TAG) == 0 and image.mode.startswith(("I", "F"))


def _values(image: Image.Image) -> tuple[NDArray[Any], int]:
    """Turn any of Pillow's modes into grey levels or RGB, with the bits a sample had."""
    if image.mode == "1":
        return np.asarray(image.convert("L")), 1
    if image.mode == "L":
        return np.asarray(image), 8
    if image.mode.startswith(("I", "F")):
        return _deep(np.asarray(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        canvas = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(canvas, image)
    rgb = np.asarray(image.convert("RGB"))
    return _grey_if_equal(rgb), 8


def _deep(values: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Keep 16-bit values as they are; shrink 32-bit ones that fit in 16."""
    if values.dtype.kind == "f":
        return np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0), 32
    if values.dtype.itemsize == 2:
        return values.astype(np.uint16 if values.dtype.kind == "u" else np.int16), 16
    low, high = int(values.min()), int(values.max())
    for dtype in (np.uint16, np.int16):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return values.astype(dtype), 16
    return values.astype(np.float32), 32


def _grey_if_equal(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Drop two of three equal channels: radiographs are often stored as colour."""
    if np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 0], rgb[..., 2]):
        return np.ascontiguousarray(rgb[..., 0])
    return rgb
