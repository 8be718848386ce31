"""What an export took from a table before it came here: letters, the ends of texts, the digits of names."""

from __future__ import annotations

import re

from radtui.records import Problem
from radtui.sources.layouts.candidates import Candidate
from radtui.sources.layouts.cells import cell_text

_LOST = re.compile(r"\ufffd|[a-zà-ÿ]\?{1,4}[a-zà-ÿ]")
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
        lost = sum(bool(_LOST.search(text)) for text in texts)
        if lost > 1 or (lost and len(texts) == 1):
            reason = f"Letters of {name} were lost, for question marks stand inside words; export it again as UTF-8."
            problems.append(Problem(candidate.name, reason))
        longest = max(map(len, texts), default=0)
        cut = [text for text in texts if len(text) == longest and not text.endswith(_END)]
        if longest >= _SHORTEST_CUT and len(cut) >= _FEWEST:
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
