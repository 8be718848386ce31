"""Sections of a report that is one text: "FINDINGS: ..." and "IMPRESSION: ..." as most systems write it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from radtui.sources.layouts import words

_HEADING = re.compile(
    r"^[ \t]*[#*_]*[ \t]*[【\[]?(?P<title>[^\W\d_]+(?:[ /&]{1,3}[^\W\d_]+){0,4})"
    r"(?:(?P<colon>[】\]]?[*_]*[ \t\u00a0\u202f]?[:：][*_]*)|[】\]]|[*_]*[ \t]*$)[ \t]*",
    re.MULTILINE,
)
"""A title with a colon, as French with a space before it, in brackets as Japanese, or alone in its line."""


def sections(text: str) -> list[tuple[str, str]]:
    """The headed parts of a report in order: the heading as written, and what follows it.

    A heading stands at the beginning of a line in capitals, or is one of the usual words for findings and impression;
    only such a word is one without a colon.
    """
    heads = [match for match in _HEADING.finditer(text) if _is_heading(match)]
    ends = [match.start() for match in heads[1:]] + [len(text)]
    return [(match[1], text[match.end() : end].strip()) for match, end in zip(heads, ends, strict=False)]


def _is_heading(match: re.Match[str]) -> bool:
    title = match["title"]
    if match["colon"] is None:
        return len(words.words(title)) == 1 and _usual(title) is not None
    return title.isupper() or _usual(title) is not None


def chosen_sections(text: str, wanted: Sequence[str]) -> str:
    """The wanted sections of a report, in their order; with several, each under its name. "" where it has none.

    Args:
        text: The report.
        wanted: Names of sections, such as "findings"; "Befund" means the same section.
    """
    parts: list[tuple[str, str]] = []
    for name in (name.strip() for name in wanted):
        kind = _usual(name)
        body = "\n".join(
            body for head, body in sections(text)
            if body and (words.plain(head) == words.plain(name) or (kind is not None and _usual(head) == kind))
        )  # fmt: skip
        if body:
            parts.append((name, body))
    if len(wanted) == 1:
        return parts[0][1] if parts else ""
    return "\n".join(f"{name[:1].upper()}{name[1:]}: {body}" for name, body in parts)


def _usual(heading: str) -> int | None:
    """Which of the usual sections a heading is: findings, impression; None for others."""
    named = words.words(heading)
    return next(
        (n for n, usual in enumerate(words.SECTIONS) if named and named[0] in usual and len(named) < 4), None
    )
