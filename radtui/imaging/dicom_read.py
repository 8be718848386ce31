"""DICOM bytes to a data set, within bounds: where it begins, how it is packed, and only what is on the allow-list."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any, Literal

from radtui.imaging.dicom_tags import ALLOWED
from radtui.records import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom import Dataset

INSTALL = "install radtui with DICOM support: pip install 'radtui[dicom]'"
MAX_INFLATED_BYTES = 2**28
"""What a deflated data set may grow to; 256 MiB hold 500 frames of a CT."""
MAX_WORK = 600_000
"""How many elements a header may have, one with items in it counted as `_ITEM_WORK`: some 5 s of parsing. An enhanced
object of 2,000 frames stays below."""
_ITEM_WORK = 10
_WAYS_OUT = {
    "Encapsulated PDF": "save the document's text as TXT or CSV beside the images",
    "Encapsulated": "save the document in it as a file of its own",
    " SR": "put its text into a CSV beside the images, for example with dcmtk: dsr2html",
    "RT Structure Set": "convert its contours to masks in NIfTI, for example with: plastimatch convert",
    "RT Plan": "leave it out: a plan has no picture",
    "Presentation State": "leave it out: it says only how another file is shown",
    "Media Storage Directory": "leave it out: it is the index of the other files",
}
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_SEQUENCES = frozenset(((0x0028, 0x3000), (0x0028, 0x3010), (0x5200, 0x9229), (0x5200, 0x9230)))
"""Those that are read, for files without value representations."""
_PREFIX_AT = 128
_LOOK_BYTES = 128
_OTHER_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")
"""No DICOM without the four letters begins so; what follows may look like an element by chance."""
_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")
_STARTS = (0, _PREFIX_AT + 4, _PREFIX_AT, 4)
_LONG_VRS = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV")
_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()) | set(_LONG_VRS)


def is_dicom(data: bytes) -> bool:
    """Whether bytes are DICOM: "DICM" after a preamble, or elements of group 0002 or 0008 where a file begins.

    Files from older software lack the preamble, or have one without the four letters, and may be big-endian.
    Source: DICOM PS3.10 section 7.1.
    """
    return start_of(data) is not None


def start_of(data: bytes) -> int | None:
    """Where the first element of a DICOM file lies; None where the bytes are none."""
    if data[_PREFIX_AT : _PREFIX_AT + 4] == b"DICM":
        return _PREFIX_AT + 4
    if data.startswith(_OTHER_IMAGES):
        return None
    return next((start for start in _STARTS if _is_element(data[start : start + _LOOK_BYTES])), None)


def _is_element(head: bytes) -> bool:
    """Whether bytes begin with an element that a file may begin with."""
    if len(head) < 12:
        return False
    for order in _ORDERS:
        group, element = _tag(head, order)
        if group not in (0x0002, 0x0008) or element > 0x0100:
            continue
        if head[4:6] in _VRS:
            return True
        # Implicit VR has no letters to know it by: another element must follow where this one ends.
        end = 8 + int.from_bytes(head[4:8], "little")
        if order == "little" and end + 4 <= len(head):
            following = _tag(head[end:], order)
            return (group, element) < following and following[0] in range(0x0002, 0x0021)
    return False


def _tag(head: bytes, order: Literal["little", "big"]) -> tuple[int, int]:
    return int.from_bytes(head[0:2], order), int.from_bytes(head[2:4], order)


def read_dataset(data: bytes, tags: Iterable[Any] = ALLOWED, *, pixels: bool = True) -> Dataset:
    """Parse a file, or what is on a list; elements that are not are skipped over unread.

    Args:
        data: A file's bytes.
        tags: What is read, by number or keyword.
        pixels: Whether to read on to the pixels.

    Returns:
        A data set with a transfer syntax in its file meta information.

    Raises:
        UserError: pydicom is not installed, the file cannot be parsed, or it inflates to more than 512 MiB.
    """
    try:
        import pydicom
        from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
    except ModuleNotFoundError as error:
        raise UserError(f"This is a DICOM file; to open it {INSTALL}.") from error
    start = start_of(data)
    content, was_deflated = _inflated(data, start)
    _require_bounded(content, 0 if was_deflated else start or 0)
    if start and not was_deflated and data[_PREFIX_AT : _PREFIX_AT + 4] != b"DICM":
        content = data[start:]
    try:
        dataset = pydicom.dcmread(
            io.BytesIO(content),
            force=True,
            specific_tags=[*tags],
            stop_before_pixels=not pixels,
        )
    except Exception as error:  # parsers raise anything at all on damaged files
        raise UserError(f"This DICOM file cannot be parsed ({reason(error)}); export it again.") from error
    _mend_frames(dataset)
    if was_deflated:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if "TransferSyntaxUID" not in dataset.file_meta:  # old or careless software: the file's own layout tells
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return dataset


def require_pixels(dataset: Dataset) -> None:
    """Make sure that there is an image. Raises UserError, which names the kind of object, where there is none."""
    if any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        return
    kind = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
    name = getattr(kind, "name", "") or ""
    name = str(name).removesuffix(" Storage") if name and not name[:1].isdigit() else "of an unnamed kind"
    way_out = next((way for word, way in _WAYS_OUT.items() if word in name), "leave it out")
    raise UserError(f"This DICOM file ({name}) holds no image; {way_out}.")


def reason(error: Exception) -> str:
    """An exception's kind and text on one line, not too long, and without values of elements."""
    text = " ".join(str(error).split()).rstrip(".")
    return text[:200] or type(error).__name__


def _inflated(data: bytes, start: int | None) -> tuple[bytes, bool]:
    """The bytes without deflation (PS3.5 section A.5), and whether they had it."""
    head = data[start or 0 : (start or 0) + 4096]
    at = head.find(_DEFLATED)
    if start is None or head[:2] != b"\x02\x00" or at < 0 or head[at - 8 : at - 4] != b"\x02\x00\x10\x00":
        return data, False
    end = _end_of_meta(data, start)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(data[end:], MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise UserError(f"This DICOM file is deflated and damaged ({error}); export it again.") from error
    if inflater.unconsumed_tail:
        raise UserError(
            f"This deflated DICOM file grows to more than {MAX_INFLATED_BYTES // 2**20} MiB;"
            " export it in another transfer syntax."
        )
    return plain, True


def _require_bounded(content: bytes, at: int) -> None:
    """Refuse a header of so many elements that parsing it would take minutes, whatever its size.

    All elements are walked in a row, those inside sequences too; lengths that lead nowhere end the walk, for the
    parser to complain about.
    """
    work, size = 0, len(content)
    at = _end_of_meta(content, at)
    big = content[at : at + 1] == b"\0" and content[at + 1 : at + 2] != b"\0"
    order: Literal["little", "big"] = "big" if big else "little"
    explicit = content[at + 4 : at + 6] in _VRS
    while at + 8 <= size and work <= MAX_WORK:
        group, element = _tag(content[at : at + 4], order)
        if group == 0x7FE0 and element in (0x0008, 0x0009, 0x0010):
            return
        vr = content[at + 4 : at + 6] if explicit and group != 0xFFFE else b""
        header = 12 if vr in _LONG_VRS else 8
        width = 2 if vr and header == 8 else 4
        length = int.from_bytes(content[at + header - width : at + header], order)
        enters = group == 0xFFFE or vr == b"SQ" or length == 0xFFFFFFFF or (group, element) in _SEQUENCES
        work += _ITEM_WORK if enters else 1
        at += header if enters else header + length
    if work > MAX_WORK:
        raise UserError(
            "This DICOM file has more elements than radtui reads; export it again with its images alone."
        )


def _end_of_meta(data: bytes, at: int) -> int:
    """Where the file meta information ends: the first element that is not of group 0002."""
    while data[at : at + 2] == b"\x02\x00" and at + 8 <= len(data):
        if data[at + 4 : at + 6] in _LONG_VRS:
            at += 12 + int.from_bytes(data[at + 8 : at + 12], "little")
        else:
            at += 8 + int.from_bytes(data[at + 6 : at + 8], "little")
    return at


def _mend_frames(dataset: Dataset) -> None:
    """Drop a number of frames that is not a number, which decoders stumble over: one frame is meant."""
    try:
        int(dataset.get("NumberOfFrames") or 1)
    except (TypeError, ValueError):
        del dataset.NumberOfFrames
