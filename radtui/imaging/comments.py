"""Image files without what people and software wrote into them: EXIF, XMP, comments, thumbnails, things behind the end.

Pixels are never decoded or encoded again. What a decoder needs stays byte for byte (also colour profiles and
resolutions); of EXIF the orientation alone is kept. A file with nothing to take out comes back as the same object.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from radtui.imaging.avif_items import spoken_extents
from radtui.imaging.tiff_tags import without_tiff_comments
from radtui.imaging.whole_png import png_chunk

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD pHYs hIST acTL fcTL fdAT cICP mDCV cLLI".split()
)
_JP2_KEPT = frozenset((b"jP  ", b"ftyp", b"jp2h", b"jp2c", b"rreq"))
_JPEG_APP0, _JPEG_APP2, _JPEG_APP8, _JPEG_APP14 = 0xE0, 0xE2, 0xE8, 0xEE
_ENCODER = re.compile(
    rb"(Created by OpenJPEG version [\d.]+|Kakadu-[v\d.]+|CREATOR: gd-jpeg v[\d.]+ \(using IJG JPEG v\d+\),"
    rb" (default )?quality( = \d+)?\s*|Lavc[\d.]+|File written by Adobe Photoshop\xa8 [\d.]+)\0?"
)
"""What software writes of itself and nobody else can: such a comment may stay, and the file as it is."""
_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))
_SIZES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7))


def without_comments(data: bytes) -> bytes:
    """Take out of a file of any kind that radtui reads what its pixels do not need.

    Args:
        data: A file's bytes. A damaged one comes back with its damage: decoding has the last word.

    Returns:
        The file's bytes, the same object where nothing had to go.
    """
    for magic, clean in _CLEANERS:
        if data.startswith(magic):
            kept = clean(data)
            return data if kept == data else kept
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kept = _webp(data)
    elif data[4:8] == b"ftyp":
        kept = _avif(data)
    elif data[:2] in (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"):
        kept = _pnm(data)
    else:
        return data
    return data if kept == data else kept


def without_frame_comments(frame: bytes) -> bytes:
    """The same for one compressed frame of a DICOM file: a JPEG, JPEG-LS or JPEG 2000 stream."""
    if frame[:2] == b"\xff\xd8":
        return _jpeg(frame)
    if frame[:4] == b"\xff\x4f\xff\x51":
        return _codestream(frame)
    return _jp2(frame) if frame[4:8] == b"jP  " else frame


def frame_size(frame: bytes) -> tuple[int, int]:
    """Columns and rows that a JPEG, JPEG-LS or JPEG 2000 stream claims; (0, 0) where it says none."""
    if frame[:4] == b"\xff\x4f\xff\x51" and len(frame) >= 24:
        right, bottom, left, top = struct.unpack(">IIII", frame[8:24])
        return max(0, right - left), max(0, bottom - top)
    if frame[:2] != b"\xff\xd8":
        return 0, 0
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big")
        if marker in _SIZES:
            rows, columns = struct.unpack(">HH", frame[at + 5 : at + 9])
            return columns, rows
        at += 1 if marker == 0xFF else 2 if marker in _STANDALONE else 2 + length
    return 0, 0


def _orientation(exif: bytes) -> int:
    """The orientation in a block of EXIF, 1 where it says none."""
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (at,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, at)
        for n in range(count):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", exif, at + 2 + 12 * n)
            if (tag, kind) == (0x0112, 3):
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _exif(orientation: int) -> bytes:
    """A block of EXIF that says the orientation and nothing else."""
    return b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)


def _jpeg(data: bytes) -> bytes:
    """Without COM, without APPn but those that say how colours are meant, without what follows the end."""
    out, at, orientation = [data[:2]], 2, 1
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker in _STANDALONE:
            out.append(data[at : at + 2])
            at += 2
            continue
        if marker == 0xD9:
            break
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at:end]
        if marker == 0xDA:  # entropy-coded data follow, up to the next marker that is none of theirs
            end = _end_of_scan(data, end)
            out.append(data[at:end])
        elif marker == 0xE1 and segment[4:10] == b"Exif\0\0":
            orientation = max(orientation, _orientation(segment[10:]))
        elif kept := _segment(marker, segment):
            out.append(kept)
        at = end
    if orientation > 1:
        block = b"Exif\0\0" + _exif(orientation)
        out.insert(1, b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block)
    return b"".join(out) + (b"\xff\xd9" if data[at : at + 2] == b"\xff\xd9" else b"")


def _segment(marker: int, segment: bytes) -> bytes:
    """A segment as it is kept, or b""."""
    if marker == 0xFE and _ENCODER.fullmatch(segment[4:]):
        return segment
    if marker == 0xFE or 0xE0 <= marker <= 0xEF:
        body = segment[4:]
        if marker == _JPEG_APP0 and body[:5] == b"JFIF\0" and len(body) >= 14:
            return b"\xff\xe0\0\x10" + body[:12] + b"\0\0"  # without its thumbnail
        if marker == _JPEG_APP14 and body[:5] == b"Adobe":
            return b"\xff\xee\0\x0e" + body[:12] if len(body) >= 12 else b""
        colours = (marker == _JPEG_APP2 and body[:11] == b"ICC_PROFILE") or (
            marker == _JPEG_APP8 and body[:5] in (b"SPIFF", b"mrfx\x03") and len(body) <= 32
        )
        return segment if colours else b""
    return segment


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the entropy-coded bytes from `at` on end: at a marker that is no escape and no restart."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        following = data[at + 1]
        if following == 0 or following in _STANDALONE or following == 0xFF or following < 0x80:
            at += 1 if following == 0xFF else 2
            continue
        return at
    return len(data)


def _is_bare_png(data: bytes) -> bool:
    """Whether a file has only chunks that are kept, to its very end: then nothing of it is copied."""
    at = 8
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        if kind not in _PNG_KEPT:
            return False
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if kind == b"IEND":
            return at == len(data)
    return False


def _png(data: bytes) -> bytes:
    """Without text, times, EXIF but for the orientation, private chunks, and what follows the end."""
    if _is_bare_png(data):
        return data
    out, at, orientation = [data[:8]], 8, 1
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + 12 + length
        if kind == b"eXIf":
            orientation = _orientation(data[at + 8 : end - 4])
        elif kind in _PNG_KEPT:
            if kind == b"IDAT" and orientation > 1:
                out.append(png_chunk(b"eXIf", _exif(orientation)))
                orientation = 1
            out.append(data[at:end])
        at = end
        if kind == b"IEND":
            return b"".join(out)
    return b"".join([*out, data[at:] if at + 12 > len(data) > at else b""])


def _gif(data: bytes) -> bytes:
    """Without comments, plain text and applications' blocks but for the one that loops."""
    flags = data[10] if len(data) > 12 else 0
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    out = [data[:at]]
    while at + 1 < len(data) and data[at] != 0x3B:
        if data[at] == 0x21:
            end = _end_of_blocks(data, at + 2)
            loops = data[at + 1] == 0xFF and data[at + 3 : at + 14] in (b"NETSCAPE2.0", b"ANIMEXTS1.0")
            if data[at + 1] == 0xF9 or loops:
                out.append(data[at:end])
        elif data[at] == 0x2C and at + 10 <= len(data):
            table = 3 << (data[at + 9] & 7) + 1 if data[at + 9] & 0x80 else 0
            end = _end_of_blocks(data, at + 11 + table)
            out.append(data[at:end])
        else:
            break
        at = end
    return b"".join(out) + (b";" if data[at : at + 1] == b";" else b"")


def _end_of_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def _webp(data: bytes) -> bytes:
    """Without EXIF (but for the orientation), XMP and unknown chunks."""
    out, at, orientation = [], 12, 1
    while at + 8 <= len(data):
        kind, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        end = at + 8 + length + (length & 1)
        body = data[at + 8 : at + 8 + length]
        if kind == b"EXIF":
            orientation = _orientation(body.removeprefix(b"Exif\0\0"))
        elif kind in (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"):
            out.append([kind, body])
        at = end
    for chunk in out:
        if chunk[0] == b"VP8X" and chunk[1]:
            chunk[1] = bytes([chunk[1][0] & ~0x0C | (0x08 if orientation > 1 else 0)]) + chunk[1][1:]
    if orientation > 1:
        out.append([b"EXIF", _exif(orientation)])
    body = b"".join(k + struct.pack("<I", len(b)) + b + b"\0" * (len(b) & 1) for k, b in out)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _jp2(data: bytes) -> bytes:
    """Boxes that say how the image is decoded, and the code stream without its comments."""
    out, at = [], 0
    while at + 8 <= len(data):
        (length,), kind = struct.unpack_from(">I", data, at), data[at + 4 : at + 8]
        start = at + 8
        if length == 1:
            (length,), start = struct.unpack_from(">Q", data, at + 8), at + 16
        end = len(data) if length == 0 else at + length
        if end <= at:
            break
        if kind == b"jp2c":
            stream = data[start:end]
            kept = _codestream(stream)
            out.append(data[at:end] if kept == stream else struct.pack(">I", len(kept) + 8) + kind + kept)
        elif kind in _JP2_KEPT:
            out.append(data[at:end])
        at = end
    return b"".join(out)


def _codestream(data: bytes) -> bytes:
    """A JPEG 2000 code stream without comments in its main header (T.800, annex A), cut behind its end."""
    out, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0x90, 0xD9):
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] != 0x64 or _ENCODER.fullmatch(data[at + 6 : end]):
            out.append(data[at:end])
        at = end
    end = data.rfind(b"\xff\xd9")
    return b"".join([*out, data[at : end + 2] if end >= at else data[at:]])


def _avif(data: bytes) -> bytes:
    """EXIF and XMP are overwritten where they lie: offsets in the file's tables stay right."""
    out = bytearray(data)
    for at, size in spoken_extents(data):
        block = data[at : at + size]
        start = max(block.find(b"II*\0"), block.find(b"MM\0*"))
        blank = b" " * size
        if 0 <= start <= 16 and size >= start + 26:  # four bytes say where the EXIF begins
            blank = (block[:4] + _exif(_orientation(block[start:]))).ljust(size, b"\0")
            blank = struct.pack(">I", 0) + blank[4:]
        out[at : at + size] = blank
    return bytes(out)


def _pnm(data: bytes) -> bytes:
    """A header without comments."""
    at = 2
    fields: list[bytes] = []
    wanted = 2 if data[1:2] in b"14" else 3
    while len(fields) < wanted and at < len(data):
        if data[at : at + 1].isspace():
            at += 1
        elif data[at : at + 1] == b"#":
            at = data.find(b"\n", at) + 1 or len(data)
        else:
            start = at
            while at < len(data) and not data[at : at + 1].isspace() and data[at : at + 1] != b"#":
                at += 1
            fields.append(data[start:at])
    if len(fields) < wanted or b"#" not in data[:at]:
        return data
    return data[:2] + b"\n" + b" ".join(fields) + b"\n" + data[at + 1 :]


_CLEANERS: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (_PNG, _png),
    (b"\xff\xd8", _jpeg),
    (b"GIF8", _gif),
    (b"II*\0", without_tiff_comments),
    (b"MM\0*", without_tiff_comments),
    (b"II+\0", without_tiff_comments),
    (b"MM\0+", without_tiff_comments),
    (b"\xff\x4f\xff\x51", _codestream),
    (b"\0\0\0\x0cjP  ", _jp2),
)
