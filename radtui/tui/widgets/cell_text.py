"""Text for one line of cells: nothing a terminal would obey, cut or padded to an exact width."""

from __future__ import annotations

import re

from rich.cells import cell_len
from rich.text import Span, Text

# Controls, separators of lines, direction overrides, lone surrogates, and what has no width of its own.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200d-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
MOST_CHARACTERS = 4000  # of a line: more than any terminal is wide
_KIND = re.compile(r"(?<=[^./])\.(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{1,5}$")  # ".png", but not "1.2.840"
_SPACES = "\t\n\v\f\r\x85\u2028\u2029"
_ALIGN = {"left": "<", "right": ">", "center": "^"}  # of format()


def one_line(text: str | Text) -> Text:
    """Text on one line without control characters; styles stay where they were.

    White space other than blanks becomes one blank, a control character its symbol (ESC -> ␛) or "�", and what
    is invisible or turns the writing direction is left out, so that a cell is as wide as it is counted.
    """
    # A text of a megabyte would take seconds character by character, and no line shows so much of it.
    rich_text = Text(text[:MOST_CHARACTERS]) if isinstance(text, str) else text[:MOST_CHARACTERS]
    plain = rich_text.plain
    if not _UNSAFE.search(plain):
        return rich_text
    pieces = [_safe(character) for character in plain]
    places = [0]  # where each old character starts in the new text
    for piece in pieces:
        places.append(places[-1] + len(piece))
    spans = [
        Span(places[max(0, span.start)], places[min(len(plain), span.end)], span.style)
        for span in rich_text.spans
    ]
    return Text("".join(pieces), style=rich_text.style, spans=spans)


def fitted(text: str | Text, width_cells: int, align: str = "left") -> str | Text:
    """One line of exactly `width_cells`, shortened with an ellipsis or padded; `align` is left, right or center."""
    if isinstance(text, str):
        if text.isascii() and text.isprintable():  # one cell a character: the common case, kept cheap
            short = text if len(text) <= width_cells else text[: max(0, width_cells - 1)] + "…"[:width_cells]
            return f"{short:{_ALIGN[align]}{width_cells}}"
        text = Text(text)
    line = one_line(text).copy()
    line.truncate(width_cells, overflow="ellipsis")
    if cell_len(line.plain) > width_cells:  # an ellipsis does not fit into no cells
        line.truncate(width_cells, overflow="crop")
    missing = width_cells - cell_len(line.plain)
    left = {"left": 0, "right": missing, "center": missing // 2}[align]
    line.pad_left(left)
    line.pad_right(missing - left)
    return line


def tail(text: str, width_cells: int) -> str:
    """The end of a name that is too long, after an ellipsis, without what kind of file it is: names differ there."""
    plain = one_line(text[-MOST_CHARACTERS:]).plain
    if cell_len(plain) <= width_cells or width_cells < 1:
        return plain
    plain = _KIND.sub("", plain)
    if cell_len(plain) <= width_cells:
        return plain
    kept, room = "", width_cells - 1
    for character in reversed(plain):
        room -= cell_len(character)
        if room < 0:
            break
        kept = character + kept
    return "…" + kept


def mark_matches(text: str | Text, words: list[str], style: str) -> Text:
    """The text with every occurrence of the words, in any case, in a style: for search results."""
    marked = Text(text) if isinstance(text, str) else text.copy()
    wanted = [re.escape(word) for word in words if word]
    if wanted:
        marked.highlight_regex(re.compile("|".join(wanted), re.IGNORECASE), style)
    return marked


def _safe(character: str) -> str:
    """What stands for a character in a cell."""
    if not _UNSAFE.match(character):
        return character
    code = ord(character)
    if character in _SPACES:
        return " "
    if code < 0x20:
        return chr(0x2400 + code)  # the block "Control Pictures" follows the order of the controls
    if code == 0x7F:
        return "␡"
    return "�" if 0x80 <= code < 0xA0 or 0xD800 <= code < 0xE000 else ""
