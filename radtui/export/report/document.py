"""The blocks a report is made of, without any form: text, facts, tables, figures, points and examples."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingTone(StrEnum):
    """What a finding says about the later of two arms."""

    BETTER = "better"
    WORSE = "worse"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `note` is set smaller, below what it is about."""

    words: str
    note: bool = False
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class FactList:
    """Names and values, one a line."""

    rows: tuple[tuple[str, str], ...]
    kind: str = "facts"


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table; its first column names the row, the others hold figures unless `wordy`."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    wordy: bool = False
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing in light and in dark; both are whole SVG elements, made by radtui and safe to embed."""

    name: str
    light: str
    dark: str
    caption: str
    kind: str = "figure"


@dataclass(frozen=True, slots=True)
class Point:
    """One thing found, with its figures."""

    tone: FindingTone
    claim: str
    figures: str


@dataclass(frozen=True, slots=True)
class Points:
    """Things found, in the order of their weight."""

    items: tuple[Point, ...]
    kind: str = "points"


@dataclass(frozen=True, slots=True)
class ShownExample:
    """One example: an image (JPEG bytes, empty when it cannot be read) with its texts as they were written.

    `texts` are the earlier and the later arm's, each with its heading.
    """

    title: str
    verdict: str
    tone: FindingTone
    jpeg: bytes
    width_px: int
    height_px: int
    reference: str
    texts: tuple[tuple[str, str], tuple[str, str]]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """Comparisons of two texts."""

    items: tuple[ShownExample, ...]
    kind: str = "examples"


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be taken as they are, such as BibTeX."""

    words: str
    kind: str = "code"


Block = Code | Paragraph | FactList | ReportTable | Figure | Points | Examples


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered part of the report."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class FigureTile:
    """A key figure at the top: value, what it is, and its interval."""

    value: str
    label: str
    detail: str
    tone: FindingTone = FindingTone.OPEN


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    title: str
    lead: str
    warning: str
    tiles: tuple[FigureTile, ...]
    sections: tuple[Section, ...]
    footer: str
