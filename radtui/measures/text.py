"""Model text as a rater may see it: no format that gives a model away, no character that a terminal would obey."""

from __future__ import annotations

import re
import unicodedata

from radtui.harmless import visible

NORMALISATION = "plain-1"  # recorded with a review; raise the number when the shown text would change

_FENCE = re.compile(r"^\s*(```|~~~)[\w+-]*\s*$")
_RULE = re.compile(r"^\s*([-*_=])(\s*\1){2,}\s*$")
_TABLE_RULE = re.compile(r"^\s*\|?(\s*:?-{3,}:?\s*\|)+\s*(:?-{3,}:?)?\s*$")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_QUOTE = re.compile(r"^\s{0,3}>\s+")
_BULLET = re.compile(r"^\s*[-*+•‣◦▪–]\s+")
_NUMBER = re.compile(r"^\s*(\d{1,2})[.)]\s+")
_LINK = re.compile(r"!?\[([^\][]*)\]\((?:https?://|/|#)[^()\s]*\)")
_CODE = re.compile(r"(?<!`)(`{1,3})([^`]+)\1(?!`)")
# Emphasis marks hug their text and stand at word borders, so "T2*-weighted", "2 * 3 cm" and "field_of_view" stay;
# the bound keeps text full of lone marks from costing the square of its length.
_EMPHASIS = re.compile(r"(?<![\w*_])(\*\*\*|\*\*|\*|___|__|_)(?=\S)(.{1,400}?)(?<=\S)\1(?![\w*_])")
_TAG = re.compile(
    r"</?(?:b|i|u|em|strong|p|br|ul|ol|li|h[1-6]|span|div|sub|sup|code|pre|table|tr|td|th)\s*/?>", re.I
)
# One line of ASCII that begins with a letter and has no mark of a format: most of what models write.
_PLAIN = re.compile(r"[A-Za-z][ -~]*")
_MARKS = re.compile(r"[*_`<\[|~]")
_SPACE = re.compile(r"\s+")
_SENTENCE_END = (".", "!", "?", ":", ";", ",")
_WORD = re.compile(r"\w+(?:[-'’./]\w+)*")

# A full stop after one of these does not end a sentence.
_ABBREVIATION = re.compile(
    r"(?:\b(?:fig|figs|no|nos|vs|dr|prof|approx|ca|cf|e\.g|i\.e|resp|incl|max|min|st|lt|rt|neg|bilat|hx|pt|pts|wk|yr|ref|al|viz)|\b[A-Z])\.$",
    re.I,
)
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9])|\s*\n+\s*")


def normalise(text: str) -> str:
    """Text as both sides are shown: Markdown and its like stripped, white space unified, controls made visible.

    Lines run on as one paragraph; a heading or list item without a final mark gets a full stop, so that two findings
    do not read as one.

    Args:
        text: A model's text, any characters, any length.

    Returns:
        One line.
    """
    if _PLAIN.fullmatch(text) and not _MARKS.search(text):
        return " ".join(text.split())
    return without_format(text)


def without_format(text: str) -> str:
    """`normalise` for any text; ten times slower than for a plain one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    text = unicodedata.normalize("NFC", _TAG.sub(" ", visible(text)))
    lines = [
        line
        for line in text.split("\n")
        if not (_FENCE.match(line) or _RULE.match(line) or _TABLE_RULE.match(line))
    ]
    numbered = _numbered_lines(lines)
    parts = []
    for position, line in enumerate(lines):
        plain, item = _strip_line(line, numbered=position in numbered)
        plain = _strip_inline(plain)
        if plain:
            parts.append(plain if not item or plain.endswith(_SENTENCE_END) else plain + ".")
    return " ".join(parts)


def _strip_line(line: str, *, numbered: bool) -> tuple[str, bool]:
    """A line without its block mark, and whether it was an item or heading of its own."""
    line = _QUOTE.sub("", line)
    heading = _HEADING.match(line)
    if heading:
        return heading[1], True
    if line.strip().startswith("|") and line.strip().endswith("|") and line.count("|") > 2:
        return ", ".join(cell.strip() for cell in line.strip().strip("|").split("|") if cell.strip()), True
    for mark in (_BULLET, *((_NUMBER,) if numbered else ())):
        if mark.match(line):
            return mark.sub("", line, count=1), True
    return line, False


def _strip_inline(line: str) -> str:
    line = _LINK.sub(r"\1", line)
    line = _CODE.sub(r"\2", line)
    for _ in range(3):  # emphasis inside emphasis
        stripped = _EMPHASIS.sub(r"\2", line)
        if stripped == line:
            break
        line = stripped
    return _SPACE.sub(" ", line).strip()


def _numbered_lines(lines: list[str]) -> set[int]:
    """Positions of lines in a list that counts up from 1; "4. rib" at the start of a lone line is no list."""
    numbered: set[int] = set()
    run: list[int] = []
    for position, line in enumerate(lines):
        match = _NUMBER.match(line)
        if match and int(match[1]) == len(run) + 1:
            run.append(position)
        elif match and int(match[1]) == 1:
            run = [position]
        elif match:
            run = []
        if len(run) >= 2:
            numbered.update(run)
    return numbered


def words(text: str) -> list[str]:
    """Words of a text; "T2-weighted", "1.5" and "patient's" are one each."""
    return _WORD.findall(text)


def word_count(text: str) -> int:
    """Number of words."""
    return len(words(text))


def sentences(text: str) -> list[str]:
    """Sentences of a text, without empty ones; "1.5 cm", "Fig. 2" and "e.g." do not end one."""
    pieces: list[str] = []
    start = 0
    for match in _SENTENCE_BREAK.finditer(text):
        piece = text[start : match.start()]
        if "\n" not in match[0] and _ABBREVIATION.search(piece):
            continue
        pieces.append(piece.strip())
        start = match.end()
    pieces.append(text[start:].strip())
    return [sentence for sentence in pieces if sentence]
