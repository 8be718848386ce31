"""TIFF files without what people wrote into them; every offset stays where it is."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_KEPT = frozenset(
    (
        *(254, 255, 256, 257, 258, 259, 262, 263, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284),
        *(290, 291, 292, 293, 296, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 332, 334, 336, 338),
        *(339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532),
        *(32995, 32996, 32997, 33550, 34675),
    )
)
"""Tags that say how pixels are stored, coloured and sized. Source: TIFF 6.0; 34675 is a colour profile."""
_POINTERS = frozenset((330, 34665, 34853, 40965))  # pages inside a page, EXIF, GPS, interoperability
_BYTES_OF_TYPE = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_MAX_PAGES = 4096


def without_tiff_comments(data: bytes) -> bytes:
    """Overwrite the values of all tags but those that pixels need with zeros, and make their tags private.

    Args:
        data: A TIFF or BigTIFF file.

    Returns:
        A file of the same length. A damaged one comes back as far as it could be followed.
    """
    out = bytearray(data)
    try:
        for entry in _entries(data):
            if entry.tag not in _KEPT:
                out[entry.value_at : entry.value_at + entry.size] = bytes(entry.size)
                _make_private(out, entry)
    except struct.error:
        # A directory that leads out of the file: decoding will say so, or read what is before it.
        pass
    return data if out == data else bytes(out)


class _Entry:
    """One entry of a directory."""

    __slots__ = ("at", "layout", "size", "tag", "value_at")

    def __init__(self, data: bytes, at: int, layout: _Layout) -> None:
        self.at, self.layout = at, layout
        self.tag, kind, count = struct.unpack_from(layout.order + ("HHQ" if layout.big else "HHI"), data, at)
        self.size = min(_BYTES_OF_TYPE.get(kind, 1) * count, len(data))
        inside = at + (12 if layout.big else 8)
        room = 8 if layout.big else 4
        self.value_at = inside
        if self.size > room:
            (self.value_at,) = struct.unpack_from(layout.order + ("Q" if layout.big else "I"), data, inside)
            if self.value_at + self.size > len(data):
                raise struct.error("a value lies outside the file")


class _Layout:
    """How a file writes numbers."""

    __slots__ = ("big", "order")

    def __init__(self, data: bytes) -> None:
        self.order = "<" if data[:2] == b"II" else ">"
        self.big = data[2:4] in (b"+\0", b"\0+")


def _make_private(out: bytearray, entry: _Entry) -> None:
    """An entry without a name, of one zero byte, so that no reader takes zeros for a date or a folder."""
    order, big = entry.layout.order, entry.layout.big
    struct.pack_into(order + ("HHQQ" if big else "HHII"), out, entry.at, max(entry.tag, 1), 1, 1, 0)


def _entries(data: bytes) -> Iterator[_Entry]:
    """Every entry of every directory, those of EXIF and of pages inside pages too; each directory once."""
    layout = _Layout(data)
    number = layout.order + ("Q" if layout.big else "I")
    waiting = [struct.unpack_from(number, data, 8 if layout.big else 4)[0]]
    seen: set[int] = set()
    while waiting and len(seen) < _MAX_PAGES:
        at = waiting.pop()
        if not at or at in seen:
            continue
        seen.add(at)
        (count,) = struct.unpack_from(layout.order + ("Q" if layout.big else "H"), data, at)
        first = at + (8 if layout.big else 2)
        step = 20 if layout.big else 12
        struct.unpack_from(number, data, first + step * count)  # raises where the directory is cut
        for n in range(count):
            entry = _Entry(data, first + step * n, layout)
            if entry.tag in _POINTERS:
                width = 8 if layout.big else 4
                ends = range(entry.value_at, entry.value_at + entry.size - width + 1, width)
                waiting += [struct.unpack_from(number, data, place)[0] for place in ends]
            yield entry
        waiting.append(struct.unpack_from(number, data, first + step * count)[0])
