"""Text that a terminal cannot take for orders: the one gate for everything that is printed or drawn."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

# Invisible and without effect on meaning: soft hyphen, zero-width space, word joiner, BOM, and the marks that only
# steer the direction of neutral characters. The zero-width joiners stay, since Persian and Indic scripts need them.
_DROPPED = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff\u200e\u200f\u061c"))
# Embeddings, overrides and isolates can turn the rest of a line around, so they are shown instead of obeyed.
_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

_PLAIN = re.compile(r"[\n\t -~]*")  # most texts are: nothing to look at character by character
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls but for tab and line feed, C1, directions, zero width, invisible operators, tags, lone surrogates."""


def visible(text: str) -> str:
    """Make every character harmless to a terminal without losing that it was there.

    Control characters become their symbols (ESC -> ␛), direction overrides and lone surrogates their code points
    (⟨U+202E⟩); tab and line feed stay. Zero-width characters without meaning are dropped.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(map(_visible_character, text.translate(_DROPPED)))


def printable(text: str) -> str:
    """As `visible`, for what is printed: quick where nothing is to be done, and with invisible operators shown."""
    return UNSAFE.sub(lambda match: _shown(match[0]), text)


def json_escaped(text: str) -> str:
    """JSON that says the same without a character that a terminal would obey: `\\u001b` stands for it."""
    return UNSAFE.sub(_escape, text)


def same_width(text: str, cells: Callable[[str], int]) -> str:
    """A text without unsafe characters, tabs and line feeds, as wide as it was: for a line whose place is fixed.

    Args:
        text: A piece of a line.
        cells: How many cells the terminal program counts for a character.
    """
    return "".join(
        "\u00b7" * cells(letter) if letter in "\t\n" or UNSAFE.match(letter) else letter for letter in text
    )


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code > 0xFFFF:
        high, low = divmod(code - 0x10000, 0x400)
        return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
    return f"\\u{code:04x}"


def _shown(character: str) -> str:
    if ord(character) in _DROPPED:
        return ""
    shown = _visible_character(character)
    return shown if shown != character else f"⟨U+{ord(character):04X}⟩"


def _visible_character(character: str) -> str:
    code = ord(character)
    if character in "\n\t" or 0x20 <= code < 0x7F:
        return character
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if character in _BIDI or unicodedata.category(character) in ("Cc", "Cs") or character in "\u2028\u2029":
        return f"⟨U+{code:04X}⟩"
    return character
