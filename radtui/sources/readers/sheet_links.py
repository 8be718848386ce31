"""Where the cells of an Excel sheet lead, as a click follows them and formulas write them, and which are merged.

openpyxl leaves both out where it reads a large sheet row by row, so they are read from the sheet's own XML.
"""

from __future__ import annotations

import html
import posixpath
import re
import zipfile
from urllib.parse import unquote

from radtui.sources.image_names import IMAGE_ENDING

_LINK = re.compile(r"<hyperlink\b([^>]*)/?>")
_FORMULA = re.compile(
    r"<c\b([^>]*)>\s*<f[^>]*>\s*(?:_xlfn\.)?HYPERLINK\(\s*(?:&quot;|\")(.*?)(?:&quot;|\")", re.IGNORECASE
)
_TARGET = re.compile(r"<Relationship\b([^>]*)/?>")
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')
_MERGED = re.compile(r'<mergeCell ref="([A-Z]{1,3}\d+):([A-Z]{1,3}\d+)"')
_MOST_MERGED = 10_000  # rows
_PLACE = re.compile(r"([A-Z]{1,3})(\d+)")
_MOST_BYTES = 2**28


def sheet_links(book: zipfile.ZipFile, path: str, text: str) -> dict[tuple[int, int], str]:
    """The image that each cell leads to, by row and column from 1 on; letters and other pages are nobody's image.

    Args:
        book: The workbook.
        path: The sheet's file in it, such as "xl/worksheets/sheet1.xml".
        text: What that file holds.
    """
    if "<hyperlink" not in text and "HYPERLINK(" not in text.upper():
        return {}
    folder, name = posixpath.split(path)
    targets: dict[str, str] = {}
    for match in _TARGET.finditer(file_text(book, f"{folder}/_rels/{name}.rels")):
        facts = dict(_ATTRIBUTE.findall(match[1]))
        targets[facts.get("Id", "")] = facts.get("Target", "")
    links: dict[tuple[int, int], str] = {}
    for match in _LINK.finditer(text):
        facts = dict(_ATTRIBUTE.findall(match[1]))
        links.update(
            dict.fromkeys(_places(facts.get("ref", "")), _plain(targets.get(facts.get("r:id", ""), "")))
        )
    for match in _FORMULA.finditer(text):
        facts = dict(_ATTRIBUTE.findall(match[1]))
        links.update(dict.fromkeys(_places(facts.get("r", "")), _plain(match[2])))
    return {place: target for place, target in links.items() if IMAGE_ENDING.search(target)}


def merged_cells(text: str) -> dict[tuple[int, int], tuple[int, int]]:
    """Of cells that are merged downwards with one above them: that one, by row and column from 1 on.

    Args:
        text: What the sheet's file holds.
    """
    above: dict[tuple[int, int], tuple[int, int]] = {}
    for match in _MERGED.finditer(text):
        first, last = (_places(match[n])[0] for n in (1, 2))
        rows = range(first[0] + 1, min(last[0], first[0] + _MOST_MERGED) + 1)
        above.update(((row, first[1]), first) for row in rows)
    return above


def file_text(book: zipfile.ZipFile, path: str) -> str:
    """The text of a workbook's file; "" where there is no such file."""
    try:
        with book.open(path) as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except KeyError:  # a sheet without links has no such file
        return ""


def _plain(target: str) -> str:
    """The path in a link, as it would be typed."""
    return unquote(html.unescape(target)).removeprefix("file:///").removeprefix("file://")


def _places(reference: str) -> list[tuple[int, int]]:
    """The cell that "B3" names; of a range its first."""
    match = _PLACE.match(reference.replace("$", ""))
    if match is None:
        return []
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return [(int(match[2]), column)]
