"""What a file is, by its first bytes and its name: an image, DICOM, a volume, or something else and its way out.

Nothing is opened or decoded here; a folder of 100,000 files can be sorted with one short read a file.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from enum import StrEnum

from radtui.imaging.dicom_read import is_dicom

HEAD_BYTES = 4096
"""What `file_kind` wants to see of a file; less is enough for all but compressed volumes."""
UNKNOWN = "It is no image, volume or table that radtui knows."
"""Why a file of no known kind is not used."""


class FileUse(StrEnum):
    """What radtui does with a file."""

    IMAGE = "image"
    DICOM = "dicom"
    VOLUME = "volume"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file.

    Attributes:
        use: What radtui does with it.
        name: The kind for people: "PNG", "NIfTI volume", "HEIC photo"; "" where it is not known.
        way_out: For `OTHER`: what to do to bring it in, without a full stop; "" where the kind is not known.
    """

    use: FileUse
    name: str = ""
    way_out: str = ""

    @property
    def reason(self) -> str:
        """Why a file of this kind is not used, and the way out, as one sentence."""
        if not self.name:
            return UNKNOWN
        return f"It is a {self.name}, which radtui does not read; {self.way_out}."


_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"GIF8": "GIF",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"P5": "PGM",
    b"P6": "PPM",
}
_HEIC = FileKind(
    FileUse.OTHER, "HEIC photo", "save it as JPEG or PNG, for example with: heif-convert photo.heic photo.jpg"
)
_VIDEO = FileKind(
    FileUse.OTHER,
    "video",
    "save the frames that matter as PNG, for example with: ffmpeg -i FILE frame-%04d.png",
)
_ACCESS = FileKind(FileUse.OTHER, "database of Access", "save its table as CSV")
_OTHERS = {
    b"\0\1\0\0Standard ": _ACCESS,
    b"%PDF": FileKind(
        FileUse.OTHER, "PDF document",
        "save its text as TXT or CSV (pdftotext) and its pictures as PNG (pdfimages -png)",
    ),
    b"MSH|": FileKind(
        FileUse.OTHER, "HL7 message", "put the report's text (its OBX lines) into a CSV beside the images"
    ),
    b"\xff\x0a": FileKind(FileUse.OTHER, "JPEG XL image", "convert it to PNG, for example with: djxl FILE image.png"),
    b"\0\0\0\x0cJXL ": FileKind(
        FileUse.OTHER, "JPEG XL image", "convert it to PNG, for example with: djxl FILE image.png"
    ),
    b"8BPS": FileKind(FileUse.OTHER, "Photoshop document", "save it as PNG"),
    b"\x1aE\xdf\xa3": _VIDEO,
    b"\0\0\x01\xba": _VIDEO,
    b"\0\0\x01\xb3": _VIDEO,
    b"7z\xbc\xaf\x27\x1c": FileKind(FileUse.OTHER, "7z archive", "unpack it and name the folder"),
    b"Rar!": FileKind(FileUse.OTHER, "RAR archive", "unpack it and name the folder"),
    b"\x89HDF": FileKind(FileUse.OTHER, "HDF5 file", "save its images as PNG or NIfTI with a CSV of the texts"),
    b"\x93NUMPY": FileKind(FileUse.OTHER, "NumPy array", "save its images as 16-bit PNG or NIfTI"),
    b"\xd0\xcf\x11\xe0": FileKind(
        FileUse.OTHER, "Word or Excel document of the old kind", "save it as XLSX, CSV or TXT"
    ),
    b"version https://git-lfs": FileKind(
        FileUse.OTHER, "pointer of Git LFS", "fetch the file itself with: git lfs pull"
    ),
    b"SQLite format 3\0": FileKind(FileUse.OTHER, "database of SQLite", "save its table as CSV"),
    b"{\\rtf": FileKind(FileUse.OTHER, "RTF document", "save its text as TXT or CSV"),
}  # fmt: skip
_SLIDE = FileKind(FileUse.OTHER, "whole-slide image", "save the regions that matter as PNG or TIFF")
_PAGE = FileKind(
    FileUse.OTHER, "web page", "if it should be an image, fetch that again, for a site may have asked to log in;"
    " else save its text as TXT, or its table as CSV",
)  # fmt: skip
_LMDB = FileKind(FileUse.OTHER, "LMDB database", "save its images as PNG with a CSV of the texts")
_RECORDS = FileKind(FileUse.OTHER, "file of TFRecords", "save its images as PNG with a CSV of the texts")
_TORCH = FileKind(FileUse.OTHER, "PyTorch file", "save its images as 16-bit PNG or NIfTI")
_RAW = FileKind(
    FileUse.OTHER,
    "file of pixels without a header beside it",
    "save its image as 16-bit PNG with what made it",
)
_BY_SUFFIX = {
    ".mdb": _LMDB, ".lmdb": _LMDB, ".tfrecord": _RECORDS, ".tfrecords": _RECORDS, ".tfrec": _RECORDS, ".pth": _TORCH,
    ".ckpt": _TORCH, ".safetensors": FileKind(FileUse.OTHER, "file of a model's weights", "leave it out"),
    ".lance": FileKind(FileUse.OTHER, "Lance file", "save it as parquet"),
    ".orc": FileKind(FileUse.OTHER, "ORC file", "save it as parquet or CSV"),
    ".avro": FileKind(FileUse.OTHER, "Avro file", "save it as parquet or CSV"),
    ".mds": FileKind(FileUse.OTHER, "shard of MosaicML", "save it as parquet, or as images with a CSV of the texts"),
    ".zarr": FileKind(FileUse.OTHER, "Zarr array", "save its images as 16-bit PNG or NIfTI"),
    ".zst": FileKind(FileUse.OTHER, "file packed with Zstandard", "unpack it with: zstd -d FILE"),
    ".sql": FileKind(FileUse.OTHER, "dump of a database", "save its table as CSV"),
    ".bib": FileKind(FileUse.OTHER, "list of references", "leave it out"),
    ".heic": _HEIC, ".heif": _HEIC,
    ".svs": _SLIDE, ".ndpi": _SLIDE, ".mrxs": _SLIDE, ".scn": _SLIDE, ".vsi": _SLIDE, ".bif": _SLIDE,
    ".mp4": _VIDEO, ".avi": _VIDEO, ".mov": _VIDEO, ".mkv": _VIDEO, ".webm": _VIDEO, ".wmv": _VIDEO, ".mpg": _VIDEO,
    ".hl7": _OTHERS[b"MSH|"], ".pdf": _OTHERS[b"%PDF"], ".jxl": _OTHERS[b"\xff\x0a"], ".psd": _OTHERS[b"8BPS"],
    ".accdb": _ACCESS,
    ".h5": _OTHERS[b"\x89HDF"], ".hdf5": _OTHERS[b"\x89HDF"], ".npy": _OTHERS[b"\x93NUMPY"],
    ".npz": _OTHERS[b"\x93NUMPY"], ".rtf": _OTHERS[b"{\\rtf"], ".doc": _OTHERS[b"\xd0\xcf\x11\xe0"],
    ".xls": _OTHERS[b"\xd0\xcf\x11\xe0"], ".7z": _OTHERS[b"7z\xbc\xaf\x27\x1c"], ".rar": _OTHERS[b"Rar!"],
    ".xml": FileKind(FileUse.OTHER, "XML document", "put its texts into a CSV beside the images"),
    ".html": _PAGE, ".htm": _PAGE,
    ".yaml": FileKind(FileUse.OTHER, "YAML file", "save what it says of the images as JSON or CSV"),
    ".yml": FileKind(FileUse.OTHER, "YAML file", "save what it says of the images as JSON or CSV"),
    ".toml": FileKind(FileUse.OTHER, "TOML file", "save what it says of the images as JSON or CSV"),
    ".ods": FileKind(FileUse.OTHER, "sheet of OpenDocument", "save it as XLSX or CSV"),
    ".odt": FileKind(FileUse.OTHER, "text of OpenDocument", "save its text as TXT, or its table as CSV"),
    ".sqlite": FileKind(FileUse.OTHER, "database of SQLite", "save its table as CSV"),
    ".db": FileKind(FileUse.OTHER, "database", "save its table as CSV"),
    ".feather": FileKind(FileUse.OTHER, "Feather file", "save it as parquet or CSV"),
    ".rds": FileKind(FileUse.OTHER, "file of R", "save it as CSV with write.csv"),
    ".sav": FileKind(FileUse.OTHER, "file of SPSS", "save it as CSV"),
    ".dta": FileKind(FileUse.OTHER, "Stata file", "save it as CSV"),
    ".cls": FileKind(FileUse.OTHER, "class of a sample", "put it into the sample's JSON, as a fact"),
    ".docx": FileKind(FileUse.OTHER, "Word document", "save its text as TXT, or its table as CSV"),
    ".pptx": FileKind(FileUse.OTHER, "PowerPoint document", "save its pictures as PNG and its texts as CSV"),
    ".mat": FileKind(FileUse.OTHER, "MATLAB file", "save its images as 16-bit PNG or NIfTI"),
    ".pt": _TORCH,
    ".pkl": FileKind(
        FileUse.OTHER, "Python pickle, which can run code", "save its images as PNG with a CSV of the texts"
    ),
    ".img": _RAW, ".raw": _RAW, ".zraw": _RAW,
    ".stl": FileKind(FileUse.OTHER, "surface model", "leave it out"),
    ".mgz": FileKind(FileUse.OTHER, "FreeSurfer volume", "convert it to NIfTI with: mri_convert FILE.mgz FILE.nii.gz"),
    ".mgh": FileKind(FileUse.OTHER, "FreeSurfer volume", "convert it to NIfTI with: mri_convert FILE.mgh FILE.nii.gz"),
    ".bdf": FileKind(FileUse.OTHER, "signal recording", "leave it out"),
    ".edf": FileKind(FileUse.OTHER, "signal recording", "leave it out"),
}  # fmt: skip
VOLUME_SUFFIXES = {
    ".nii": "NIfTI volume", ".nii.gz": "NIfTI volume", ".mha": "MetaImage volume", ".mhd": "MetaImage volume",
    ".nrrd": "NRRD volume", ".nhdr": "NRRD volume",
}  # fmt: skip
"""Suffixes of volumes, and what files with them are called."""
_PART = FileKind(
    FileUse.OTHER, "part of an archive", "join the parts and name the whole: zip -s 0 FILE.zip --out whole.zip"
    " for .z01, cat FILE.* > FILE for others",
)  # fmt: skip
_IS_PART = re.compile(
    r"\.z\d\d$|\.(?:zip|7z|tar|gz|tgz|bz2|xz)[._-](?:part[._-]?)?(?:\d{1,3}|[a-z]{2})$|\.part\d{1,3}$"
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_VIDEO_BRANDS = (b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"qt  ", b"M4V ", b"dash")


def suffix_of(name: str) -> str:
    """A file's suffix in lower case, with `.nii.gz` as one."""
    lower = name.lower()
    if lower.endswith(".nii.gz"):
        return ".nii.gz"
    base = lower.replace("\\", "/").rsplit("/", 1)[-1]
    return "." + base.rsplit(".", 1)[-1] if "." in base[1:] else ""


def file_kind(name: str, head: bytes) -> FileKind:
    """Tell what a file is; the bytes come before the name, for names are wrong often enough.

    Args:
        name: The file's name or path.
        head: Its first bytes, `HEAD_BYTES` where there are so many.

    Returns:
        Its kind; `OTHER` without a name where it is nothing that is known.
    """
    if is_dicom(head):
        return FileKind(FileUse.DICOM, "DICOM")
    by_bytes = _image(head) or _volume(head) or _other(head)
    if by_bytes is not None:
        return _SLIDE if _BY_SUFFIX.get(suffix_of(name)) is _SLIDE else by_bytes
    suffix = suffix_of(name)
    if suffix in VOLUME_SUFFIXES:
        return FileKind(FileUse.VOLUME, VOLUME_SUFFIXES[suffix])
    if _IS_PART.search(name.lower()):
        return _PART
    return _BY_SUFFIX.get(suffix, FileKind(FileUse.OTHER))


def _image(head: bytes) -> FileKind | None:
    for magic, name in _IMAGES.items():
        if head.startswith(magic):
            return FileKind(FileUse.IMAGE, name)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FileKind(FileUse.IMAGE, "WebP")
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return FileKind(FileUse.IMAGE, "AVIF")
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return FileKind(FileUse.IMAGE, "BMP")
    return None


def _volume(head: bytes) -> FileKind | None:
    if head[:2] == b"\x1f\x8b":
        try:
            head = zlib.decompressobj(31).decompress(head, 512)
        except zlib.error:
            return None
    if head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0"):
        return FileKind(FileUse.VOLUME, "NIfTI volume")
    if head.startswith(b"NRRD0"):
        return FileKind(FileUse.VOLUME, "NRRD volume")
    if head.startswith((b"ObjectType", b"NDims", b"Comment =")) and b"=" in head[:40]:
        return FileKind(FileUse.VOLUME, "MetaImage volume")
    return None


def _other(head: bytes) -> FileKind | None:
    if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return _PAGE
    for magic, kind in _OTHERS.items():
        if head.startswith(magic):
            return kind
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return _HEIC
    is_video = head[4:8] == b"ftyp" and head[8:12] in _VIDEO_BRANDS
    return _VIDEO if is_video or (head[:4] == b"RIFF" and head[8:12] == b"AVI ") else None
