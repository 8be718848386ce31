"""What an export took from a table before it came here: letters, the ends of texts, the digits of names."""

from __future__ import annotations

import re

from radtui.records import Problem
from radtui.sources.layouts.candidates import Candidate
from radtui.sources.layouts.cells import cell_text

_LOST = re.compile(
    r"\ufffd|(?<![^\s(\"'-])[a-z]{1,30}(?:\?{1,4}[a-z]{1,30})+(?![^\s).,;:!\"'-])", re.IGNORECASE
)
"""Question marks inside a word, and no address: "vergr??ert"."""
_LOST_SHARE = 0.1  # of texts: a language has its letters in most, and "mass?nodule" is asked in few
_SHORTEST_CUT = 80  # signs; shorter texts are alike in length by chance
_FEWEST = 3
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_END = (".", "!", "?", ":", "。", "*", "-", "_", ")", "]", ">")


def export_damage(candidate: Candidate) -> list[Problem]:
    """What looks damaged in the first rows of a table that is used."""
    problems = []
    for name in candidate.roles.text:
        texts = [cell_text(row.get(name)) for row in candidate.sample if isinstance(row.get(name), str)]
        if _letters_lost(texts):
            reason = f"Letters of {name} look lost, for question marks stand inside words; export it again as UTF-8."
            problems.append(Problem(candidate.name, reason))
        longest = max(map(len, texts), default=0)
        # Cut anywhere, texts end in different words; those that a template made end alike, as long as they are.
        ends = {
            text.split()[-1] for text in texts
            if len(text) == longest >= _SHORTEST_CUT and not text.endswith(_END)
        }  # fmt: skip
        if len(ends) >= _FEWEST:
            reason = f"Texts of {name} end after {longest:,} signs in the middle of a sentence, as if cut off: export"
            reason += " them whole."
            problems.append(Problem(candidate.name, reason))
    for name, _ in candidate.roles.images:
        cells = [text for row in candidate.sample if (text := cell_text(row.get(name)))]
        if cells and all(map(_ROUNDED.fullmatch, cells)):
            reason = (
                f"Names in {name} were rounded to numbers such as {cells[0]}: export that column as text."
            )
            problems.append(Problem(candidate.name, reason))
        if cells and not candidate.roles.resolved and all(map(_DATE.fullmatch, cells)):
            reason = f"Names in {name} are dates, into which spreadsheets turn 1-2: write that column anew as text."
            problems.append(Problem(candidate.name, reason))
    return problems


def _letters_lost(texts: list[str]) -> bool:
    """Whether other letters than ASCII's became question marks; of a table that still has some, none did."""
    lost = [match[0] for text in texts if (match := _LOST.search(text))]
    if "\ufffd" in lost:
        return len(lost) > 1 or len(texts) == 1
    enough = len(lost) > max(1.0, _LOST_SHARE * len(texts)) or (lost and len(texts) == 1)
    return bool(enough) and all(text.isascii() for text in texts)
