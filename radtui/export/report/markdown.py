"""A report as one Markdown file: its figures and images are data at the end, so that the text stays readable."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from radtui.export.report.document import (
    Block,
    Code,
    Document,
    Examples,
    FactList,
    Figure,
    FindingTone,
    Paragraph,
    Points,
    ReportTable,
    ShownExample,
)
from radtui.export.report.page import clip
from radtui.harmless import printable

MARKS = {FindingTone.BETTER: "better", FindingTone.WORSE: "**worse**", FindingTone.OPEN: "open"}
# What CommonMark, its tables and formulas, or HTML inside it could take for structure; the rest is so only at the start
# of a line. The colon of an address keeps GitHub from making a link of it.
_SPECIAL = re.compile(r"([\\`*_\[\]|<>~&$]|:(?=//))")
_LINE_START = re.compile(r"^(\s*)(?:([-+#=])|(\d+)([.)])(?=\s|$))", re.MULTILINE)


def markdown_page(document: Document) -> str:
    """The file's text. What a model or a person wrote cannot become structure of it."""
    data: list[str] = []
    parts = [f"# {plain(document.title)}", plain(document.lead), f"**{plain(document.warning)}**"]
    parts += [
        f"- {plain(tile.label)}: **{plain(tile.value)}** {plain(tile.detail)}" for tile in document.tiles
    ]
    for number, section in enumerate(document.sections, 1):
        parts.append(f"## {number}. {plain(section.title)}")
        for block in section.blocks:
            parts += _block(block, data)
    parts += ["---", plain(document.footer), *data]
    return "\n\n".join(_lists_together(parts)) + "\n"


def plain(text: str) -> str:
    """A text on one line whose every character is shown as it is."""
    return _escaped(" ".join(printable(text).split()))


def quoted(text: str) -> str:
    """A text of several lines as a block quote."""
    lines = _escaped(clip(printable(text))).split("\n")
    return "\n".join(f"> {line.replace(chr(9), ' ').strip()}  ".rstrip(" ") + "  " for line in lines)


def _escaped(text: str) -> str:
    text = _SPECIAL.sub(r"\\\1", text)
    return _LINE_START.sub(lambda m: m[1] + (f"\\{m[2]}" if m[2] else f"{m[3]}\\{m[4]}"), text)


def _block(block: Block, data: list[str]) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield f"*{plain(block.words)}*" if block.note else plain(block.words)
    elif isinstance(block, Code):
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", block.words)), default=0))
        yield f"{fence}\n{printable(block.words).rstrip()}\n{fence}"
    elif isinstance(block, FactList):
        yield _table(("", ""), block.rows)
    elif isinstance(block, ReportTable):
        yield _table(block.header, block.rows)
        if block.caption:
            yield f"*{plain(block.caption)}*"
    elif isinstance(block, Figure):
        uri = base64.b64encode(block.light.encode()).decode()
        data.append(f"[{block.name}]: data:image/svg+xml;base64,{uri}")
        yield f"![{plain(block.caption)}][{block.name}]"
        yield f"*{plain(block.caption)}*"
    elif isinstance(block, Points):
        yield from (
            f"- {MARKS[point.tone]}: {plain(point.claim)}: {plain(point.figures)}" for point in block.items
        )
    elif isinstance(block, Examples):
        for number, example in enumerate(block.items, 1):
            yield from _example(example, f"image-{number}", data)


def _example(example: ShownExample, name: str, data: list[str]) -> Iterator[str]:
    yield f"### {plain(example.title)}"
    if example.jpeg:
        data.append(f"[{name}]: data:image/jpeg;base64,{base64.b64encode(example.jpeg).decode()}")
        yield f"![The image][{name}]"
    yield f"Raters: {plain(example.verdict)}"
    for heading, text in example.texts:
        yield f"**{plain(heading)}**"
        yield quoted(text or "(nothing)")
    if example.reference:
        yield "**Reference**"
        yield quoted(example.reference)
    yield from (f"*{plain(clip(note, 400))}*" for note in example.notes)


def _table(header: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    lines = ["| " + " | ".join(map(plain, header)) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(map(plain, row)) + " |" for row in rows]
    return "\n".join(lines)


def _lists_together(parts: list[str]) -> Iterator[str]:
    """Items of one list in one part: blank lines between them would make paragraphs of them."""
    items: list[str] = []
    for part in parts:
        if part.startswith("- "):
            items.append(part)
            continue
        if items:
            yield "\n".join(items)
            items = []
        yield part
    if items:
        yield "\n".join(items)
