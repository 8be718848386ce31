"""AVIF files without EXIF and XMP: the items that hold them are overwritten where they lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_SPOKEN = (b"Exif", b"mime", b"uri ")  # kinds of items that are no picture


def spoken_extents(data: bytes) -> list[tuple[int, int]]:
    """Where a file keeps EXIF, XMP and the like.

    Args:
        data: An AVIF file.

    Returns:
        Offsets and lengths; [] where there are none. A damaged file is followed as far as it goes.

    Source: ISO/IEC 14496-12, sections 8.11.3 (iloc), 8.11.6 (iinf) and 8.11.11 (idat).
    """
    try:
        meta = next((at, end) for kind, at, end in _boxes(data, 0, len(data)) if kind == b"meta")
        inner = {kind: (at, end) for kind, at, end in _boxes(data, meta[0] + 4, meta[1])}
        spoken = set(_items(data, *inner[b"iinf"]))
        inside = inner.get(b"idat", (0, 0))[0]
        places = list(_places(data, inner[b"iloc"][0], inside))
    except (StopIteration, KeyError, struct.error):
        return []
    return [(at, size) for item, at, size in places if item in spoken and at + size <= len(data)]


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the content of each box."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        begin = at + 8
        if size == 1:
            (size,), begin = struct.unpack_from(">Q", data, at + 8), at + 16
        size = size or end - at
        if size < begin - at:
            return
        yield kind, begin, min(end, at + size)
        at += size


def _items(data: bytes, at: int, end: int) -> Iterator[int]:
    """Numbers of items that are no picture."""
    first = at + (6 if data[at] == 0 else 8)
    for kind, begin, _ in _boxes(data, first, end):
        if kind == b"infe" and data[begin] >= 2:
            wide = data[begin] > 2
            (number,) = struct.unpack_from(">I" if wide else ">H", data, begin + 4)
            name = data[begin + (10 if wide else 8) :][:4]
            if name in _SPOKEN:
                yield number


def _places(data: bytes, at: int, inside: int) -> Iterator[tuple[int, int, int]]:
    """Number, offset and length of each part of each item."""
    version, (sizes,) = data[at], struct.unpack_from(">H", data, at + 4)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide = version > 1
    (count,) = struct.unpack_from(">I" if wide else ">H", data, at + 6)
    at += 10 if wide else 8

    def number(size: int) -> int:
        nonlocal at
        if at + size > len(data):
            raise struct.error("cut")
        at += size
        return int.from_bytes(data[at - size : at], "big")

    for _ in range(count):
        item = number(4 if wide else 2)
        within = number(2) & 15 if version else 0
        number(2)  # which file the data are in: this one
        base = number(base_size) + (inside if within == 1 else 0)
        for _ in range(number(2)):
            number(index_size)
            offset, length = number(offset_size), number(length_size)
            yield item, base + offset, length
