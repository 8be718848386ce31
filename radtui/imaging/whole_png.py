"""PNG files that are seen to be whole by inflating them: a fraction of the work of decoding them.

An import must know that pixels decode, and does nothing with them. Only what is certain is said: a file that is in any
way out of the ordinary (interlaced, animated, turned, with an odd chunk, a byte too few) is left to the decoder.
Source: PNG specification, third edition, sections 4.5.2, 5.3, 9.2, 10.1, 11.2.
"""

from __future__ import annotations

import struct
import zlib

from radtui.imaging.facts import Facts
from radtui.imaging.raster import MAX_PIXELS

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MODES = {
    (1, 0): "1", (2, 0): "L", (4, 0): "L", (8, 0): "L", (16, 0): "I;16", (8, 2): "RGB", (1, 3): "P", (2, 3): "P",
    (4, 3): "P", (8, 3): "P", (8, 4): "LA", (8, 6): "RGBA",
}  # fmt: skip
"""Pillow's mode for a bit depth and a colour type."""
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PLAIN_CHUNKS = {b"sRGB": 1, b"gAMA": 4, b"pHYs": 9, b"cHRM": 32}
"""Chunks beside the pixels that may be there, with their size in bytes."""
_FILTERS = bytes(range(5))
_PALETTE, _MAX_PALETTE_BYTES = 3, 768
_PIECE_BYTES = 2**20
_LEAST_BYTES = 57  # signature, header, pixels and end


def whole_png(data: bytes) -> Facts | None:
    """What a plain PNG file is, all of whose pixels are there; None where only decoding can tell.

    Args:
        data: A file's bytes.
    """
    if not data.startswith(_SIGNATURE + b"\0\0\0\rIHDR") or len(data) < _LEAST_BYTES:
        return None
    width, height, depth, colour, *methods = struct.unpack_from(">IIBBBBB", data, 16)
    mode = _MODES.get((depth, colour))
    if mode is None or any(methods) or not 0 < width * height <= MAX_PIXELS or not _checked(data, 8, 13):
        return None
    chunks = _pixel_chunks(data, palette=colour == _PALETTE)
    row_bytes = 1 + (width * _SAMPLES[colour] * depth + 7) // 8
    if not chunks or not _inflates(data, chunks, row_bytes, height):
        return None
    return Facts("PNG", width, height, mode)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its length and its check sum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _pixel_chunks(data: bytes, *, palette: bool) -> list[tuple[int, int]]:
    """Start and end of each run of pixel data; none where the file has anything but these and a few plain chunks."""
    chunks: list[tuple[int, int]] = []
    at, has_palette = 33, False
    while at + 12 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + size
        if kind == b"IEND":
            ends_here = size == 0 and end == len(data) and has_palette == palette
            return chunks if ends_here else []
        if end > len(data):
            return []
        if kind == b"IDAT":
            if chunks and chunks[-1][1] + 12 != at + 8:  # pixels lie together
                return []
            chunks.append((at + 8, at + 8 + size))
        elif not _checked(data, at, size) or chunks:
            return []
        elif (
            kind == b"PLTE"
            and palette
            and not has_palette
            and 0 < size <= _MAX_PALETTE_BYTES
            and not size % 3
        ):
            has_palette = True
        elif _PLAIN_CHUNKS.get(kind) != size:
            return []
        at = end
    return []


def _checked(data: bytes, at: int, size: int) -> bool:
    """Whether a chunk's checksum is right."""
    end = at + 8 + size
    return zlib.crc32(data[at + 4 : end]) == int.from_bytes(data[end : end + 4], "big")


def _inflates(data: bytes, chunks: list[tuple[int, int]], row_bytes: int, rows: int) -> bool:
    """Whether the pixel data are as many rows as there must be, each with a filter that exists, and nothing more."""
    wanted, done = row_bytes * rows, 0
    stream, view = zlib.decompressobj(), memoryview(data)
    try:
        for start, end in chunks:
            packed: bytes | memoryview = view[start:end]
            while packed:
                piece = stream.decompress(packed, min(_PIECE_BYTES, wanted - done + 1))
                if piece[-done % row_bytes :: row_bytes].translate(None, _FILTERS):
                    return False
                done += len(piece)
                if done > wanted or stream.unused_data:
                    return False
                packed = stream.unconsumed_tail
    except zlib.error:
        return False
    return stream.eof and done == wanted
