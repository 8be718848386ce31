"""Which encoding a text file is in: by its mark, by its bytes, else by how plausible its words are."""

from __future__ import annotations

from typing import BinaryIO

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_CANDIDATES = [
    "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255",
    "cp1256", "cp1257", "koi8_r", "cp437", "cp850", "mac_roman",
]  # fmt: skip
_SAMPLE_BYTES = 2**16
_CHUNK_BYTES = 2**20
_SMALL = frozenset("äöüßéèàçñáíóúêâôîûœæøåãõ")
_WESTERN_PAGES = ("cp1252", "cp850", "mac_roman")
_WESTERN = frozenset("äöüÄÖÜßàâæçéèêëîïôœùûñáíóúÀÉÈÇÑåøÅØãõìò°±µ²³§«»–—’‘“”„…¿¡º€×·®\xa0")
"""What people type in cp1252; in other code pages the same bytes are signs of other scripts."""


def detect_encoding(file: BinaryIO) -> tuple[str, bool]:
    """Tell the encoding of a text file.

    Args:
        file: Open at its beginning; read to its end unless it has a mark.

    Returns:
        The name of a Python codec, and whether it is certain rather than the most plausible one.
    """
    head = file.read(_CHUNK_BYTES)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, True
    if wide := _wide_without_mark(head[:4096]):
        return wide, True
    foreign = bytearray()
    if _is_utf8(head, file, foreign):
        return "utf-8", True
    return _most_plausible(bytes(foreign)), False


def _wide_without_mark(head: bytes) -> str:
    """UTF-16 of mostly western text has a zero in every second byte."""
    even, odd = head[0::2], head[1::2]
    if len(head) < 4 or not even or not odd:
        return ""
    if odd.count(0) > 0.4 * len(odd) and even.count(0) < 0.05 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.4 * len(even) and odd.count(0) < 0.05 * len(odd):
        return "utf-16-be"
    return ""


def _is_utf8(head: bytes, file: BinaryIO, foreign: bytearray) -> bool:
    """Whether all of the file is UTF-8; puts lines with other bytes than ASCII into `foreign`."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")()
    valid = True
    chunk = head
    while chunk:
        if not chunk.isascii() and len(foreign) < _SAMPLE_BYTES:
            lines = (line for line in chunk.split(b"\n") if not line.isascii())
            for line in lines:
                foreign += line[:4096] + b"\n"
                if len(foreign) >= _SAMPLE_BYTES:
                    break
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            valid = False
        if not valid and len(foreign) >= _SAMPLE_BYTES:
            return False
        chunk = file.read(_CHUNK_BYTES)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        valid = False
    return valid


def _most_plausible(sample: bytes) -> str:
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if sum(ord(sign) > 0x7F for sign in text) - broken >= broken:
        return "utf-8"  # with a few damaged bytes: no other encoding makes so much of it by chance
    if western := _western(sample):
        return western
    from charset_normalizer import from_bytes

    matches = from_bytes(sample, cp_isolation=_CANDIDATES, threshold=0.4)
    best = matches.best()
    if best is None:
        return "cp1252"
    # Nearly any bytes are *some* text in a Chinese code page; where it is as clean as a one-byte page, words decide.
    return str(best.encoding)


def _western(sample: bytes) -> str:
    """The code page in which the bytes above ASCII are letters of western Europe among ASCII letters, or ""."""
    high = sum(byte > 0x7F for byte in sample)
    letters = sum(0x41 <= (byte & 0xDF) <= 0x5A for byte in sample)
    if high >= 0.5 * max(letters, 1):
        return ""
    best, most = "", 0.0
    for name in _WESTERN_PAGES:
        try:
            text = [sign for sign in sample.decode(name) if ord(sign) > 0x7F]
        except UnicodeDecodeError:
            continue
        usual = sum(sign in _WESTERN for sign in text)
        # Words are mostly small letters: the same bytes are signs and capitals in the other pages.
        plausible = sum(sign in _SMALL for sign in text) / high
        if usual >= 0.95 * high and (not best or plausible > most + 0.1):
            best, most = name, plausible
    return best
