"""Files that the tests of sources and of the import make: images of every mode, parquet in Radiology_mini's schema."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from radtui.records import NewCase
from tests.conftest import drawn_png

ORIENTATION = 0x0112  # EXIF


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as the bytes of a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png(values: np.ndarray) -> bytes:
    """Values as the bytes of a PNG file."""
    return encoded(Image.fromarray(values), "PNG")


def ramp(dtype: type, top: int) -> np.ndarray:
    """A 20 high, 30 wide diagonal ramp from 0 to `top`."""
    y, x = np.mgrid[0:20, 0:30]
    return ((x + y) * top // 48).astype(dtype)


def every_kind() -> dict[str, tuple[bytes, tuple[int, int, str]]]:
    """File names to bytes and the width, height and mode that an import should find."""
    grey = Image.fromarray(ramp(np.uint8, 255))
    deep = Image.fromarray(ramp(np.uint16, 65535))
    rgb = Image.merge("RGB", (grey, grey.transpose(Image.Transpose.ROTATE_180), grey))
    rgba = rgb.copy()
    rgba.putalpha(grey)
    turned = Image.Exif()
    turned[ORIENTATION] = 6
    return {
        "grey.png": (encoded(grey, "PNG"), (30, 20, "L")),
        "deep.png": (encoded(deep, "PNG"), (30, 20, "I;16")),
        "deep.tiff": (encoded(deep, "TIFF"), (30, 20, "I;16")),
        "float.tif": (encoded(Image.fromarray(ramp(np.float32, 9)), "TIFF"), (30, 20, "F")),
        "palette.png": (encoded(rgb.quantize(16), "PNG"), (30, 20, "P")),
        "bits.png": (encoded(grey.convert("1"), "PNG"), (30, 20, "1")),
        "alpha.png": (encoded(rgba, "PNG"), (30, 20, "RGBA")),
        "colour.bmp": (encoded(rgb, "BMP"), (30, 20, "RGB")),
        "colour.webp": (encoded(rgb, "WEBP"), (30, 20, "RGB")),
        "alpha.webp": (encoded(rgba, "WEBP", lossless=True), (30, 20, "RGBA")),
        "ink.jpg": (encoded(rgb.convert("CMYK"), "JPEG"), (30, 20, "CMYK")),
        "ink.tif": (encoded(rgb.convert("CMYK"), "TIFF"), (30, 20, "CMYK")),
        "turned.jpg": (encoded(grey, "JPEG", exif=turned), (20, 30, "L")),
        "plain.jpeg": (encoded(rgb, "JPEG"), (30, 20, "RGB")),
    }


def broken() -> dict[str, bytes]:
    """Files that are no images, by name."""
    whole = drawn_png(1)
    return {
        "empty.png": b"",
        "page.png": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
        "cut.png": whole[: len(whole) // 2],
        "cut.jpg": encoded(Image.fromarray(ramp(np.uint8, 255)).resize((300, 200)), "JPEG")[:900],
        "header.png": whole[:20],
    }


def write_files(folder: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write files, with their folders, and return the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def mini_rows(n: int, first: int = 0) -> list[dict[str, Any]]:
    """Rows as unsloth/Radiology_mini has them."""
    return [
        {
            "image": {"bytes": drawn_png(k), "path": None},
            "image_id": f"ROCO_{k}",
            "caption": f"Chest radiograph {k}.",
            "cui": ["C1306645", "C0817096"],
        }
        for k in range(first, first + n)
    ]


def write_parquet(path: Path, rows: list[dict[str, Any]], row_group_size: int = 2) -> Path:
    """Write rows in unsloth/Radiology_mini's schema, with the metadata that datasets puts there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    features = (
        '{"info": {"features": {"image": {"_type": "Image"}, "image_id": {"dtype": "string", "_type": "Value"},'
        ' "caption": {"dtype": "string", "_type": "Value"},'
        ' "cui": {"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"}}}}'
    )
    schema = pa.schema(
        [
            ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            ("image_id", pa.string()),
            ("caption", pa.string()),
            ("cui", pa.list_(pa.string())),
        ],
        metadata={"huggingface": features},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, row_group_size=row_group_size)
    return path


def data_of(case: NewCase) -> bytes:
    """The bytes of a case's only image."""
    (image,) = case.images
    return image.data


def error_of(case: NewCase) -> str:
    """Why a case of one image has none, or ""."""
    (image,) = case.images
    return case.error or image.error
