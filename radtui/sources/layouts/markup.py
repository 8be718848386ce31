"""Texts that a report system wrote for a web page or a word processor, as the words that people read."""

from __future__ import annotations

import html
import re

from radtui.sources.literals import parsed_text

_TAG = re.compile(
    r"</?(?:p|br|div|span|b|i|u|strong|em|ul|ol|li|table|tbody|thead|tr|td|th|html|body|head|font|h[1-6]|hr|pre)"
    r"(?:\s[^<>]*)?/?>", re.IGNORECASE,
)  # fmt: skip
_LINE_END = re.compile(r"<(?:br|hr)(?:\s[^<>]*)?/?>|</(?:p|div|li|tr|h[1-6])>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,5}|[a-zA-Z]{2,8}\d{0,2});")
_RTF = "{\\rtf"
_RTF_GROUPS = re.compile(r"\{\\(?:fonttbl|colortbl|stylesheet|info|\*)[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
_RTF_SIGN = re.compile(r"\\'([0-9a-fA-F]{2})|\\u(-?\d+)\s?\??")
_RTF_LINE = re.compile(r"\\(?:par|line)\b ?")
_RTF_WORD = re.compile(r"\\[a-zA-Z]+-?\d* ?|[{}]")
_SHORTEST_BYTES = 3
_LINE_SIGN = re.compile(r"\\r?\\n|\\r|\\n")
_SURE_LINE_SIGN = re.compile(r"\\n(?![a-z])")
_TWICE = re.compile("Ã[\u0080-\u00bfŸ„–œ¶¼¤]|â€[\u0080-\u2122]")
_SPACES = re.compile(r"[ \t]+")


def has_markup(text: str) -> bool:
    """Whether a text is written in HTML or RTF: a comparison such as "< 3 cm" is neither."""
    return text.lstrip().startswith(_RTF) or bool(_TAG.search(text)) or _has_entity(text)


def as_written(text: str) -> str:
    """A text that a program wrote as it writes values: "b'Clear.'" and ends of lines as backslash and n."""
    if text.startswith(("b'", 'b"')) and text[-1] == text[1] and len(text) > _SHORTEST_BYTES:
        value = parsed_text(text)
        text = value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else text
    if "\\" not in text or not _SURE_LINE_SIGN.search(text):
        return text
    return _LINE_SIGN.sub("\n", text).strip()


def is_decoded_twice(text: str) -> bool:
    """Whether letters of a text are those of UTF-8 read as Latin-1: "groÃŸ"."""
    return bool(_TWICE.search(text))


def _has_entity(text: str) -> bool:
    """Whether a text has signs in the way of HTML: "&lt;", not "A&E; seen"."""
    return "&" in text and any(html.unescape(match[0]) != match[0] for match in _ENTITY.finditer(text))


def without_markup(text: str) -> str:
    """The words of a text, each paragraph on a line; a text without markup as it is."""
    if "<" not in text and "&" not in text and not text.startswith(_RTF):
        return text
    if text.lstrip().startswith(_RTF):
        return _lines(_of_rtf(text))
    if not _TAG.search(text):
        return _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    return _lines(html.unescape(_TAG.sub("", _LINE_END.sub("\n", text))))


def _of_rtf(text: str) -> str:
    plain = _RTF_GROUPS.sub("", text)
    plain = _RTF_LINE.sub("\n", plain.replace("\r", "").replace("\n", " "))
    plain = _RTF_SIGN.sub(_sign, plain)
    return _RTF_WORD.sub("", plain)


def _sign(match: re.Match[str]) -> str:
    if match[1]:
        return bytes.fromhex(match[1]).decode("cp1252", "replace")
    number = int(match[2])
    return chr(number if number >= 0 else number + 65536)


def _lines(text: str) -> str:
    lines = (_SPACES.sub(" ", line.replace("\xa0", " ")).strip() for line in text.splitlines())
    return "\n".join(filter(None, lines))
