"""Cells that list texts: captions, answers of several people, the parts of a report, each with what it is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from radtui.sources.layouts import words
from radtui.sources.layouts.cells import as_list, cell_text, meaningful, object_text

_TITLES = ("section", "title", "heading", "header", "label", "name", "type", "key")
"""What an object that is a part of a text calls it by."""


def plain_plural(name: str) -> bool:
    """Whether a column holds several texts, each of which stands for itself."""
    return words.plain(name) in (
        "captions",
        "sentences",
        "reports",
        "texts",
        "caption",
        "answers",
        "descriptions",
    )


def are_texts(items: list[object]) -> bool:
    """Whether a list holds texts and nothing else."""
    return all(isinstance(each, str) for each in items)


def are_sentences(items: list[object]) -> bool:
    """Whether a list holds sentences, as of a report: some end with a full stop, and none is an object."""
    return are_texts(items) and any(cell_text(each).rstrip().endswith((".", "。")) for each in items)


def section_text(value: object) -> str:
    """The text of a section, whose sentences may be a list."""
    items = as_list(value)
    if items and are_texts(items):
        return " ".join(filter(None, map(meaningful, items)))
    return meaningful(value)


def most_given(answers: list[object]) -> object:
    """The answer that most people gave, where a cell lists theirs."""
    counts = Counter(filter(None, map(object_text, answers)))
    return counts.most_common(1)[0][0] if counts else ""


def titled_parts(items: list[object]) -> str:
    """The parts of a text that a cell lists as objects, each with what it is called."""
    parts = []
    for item in items:
        text = meaningful(object_text(item))
        title = (
            next((cell_text(item[key]) for key in _TITLES if item.get(key)), "")
            if isinstance(item, Mapping)
            else ""
        )
        if text:
            parts.append(f"{label_of(title)}: {text}" if title and title != text else text)
    return "\n".join(dict.fromkeys(parts))


def label_of(column: str) -> str:
    """A column's name as the heading of its text: "section_findings" is "Section findings"."""
    text = column.strip().replace("_", " ")
    return text[:1].upper() + text[1:]
