"""Texts that say whom they are about, as headers of pages do: "Name: MEIER, HANS  DOB 01.02.1960" in a report.

What is learnt is never changed, so that such lines are only counted and told; who has the source takes them out.
"""

from __future__ import annotations

import re

from radtui.records import Problem
from radtui.sources.identity_words import COMMON, PLACES, given_names, plain

_GAP = r"[ \t]{0,40}"  # of any length, a page of blanks would take seconds
_SEP = rf"{_GAP}[:=#]?{_GAP}"
_DATE = r"(?:\d{1,4}[-./]\d{1,2}[-./]\d{2,4}|\d{1,2}[. -]+[^\W\d_]{3,9}[. ,-]+\d{4})"
_VALUE = rf"{_GAP}[:=]{_GAP}((?:[^\W\d_][^\W\d_'’.-]*,?[ \t^]*){{2,4}})"
_LOOKS = {
    "dob": rf"dob\b\.?{_SEP}{_DATE}",
    "geb": rf"\bgeb(?:oren|urts)?\.?[ -]?(?:datum)?(?: am)?{_SEP}{_DATE}",
    "birth": rf"birth(?:[ -]?(?:date|day))?{_SEP}{_DATE}",
    "nac": rf"nac(?:imiento|\.){_SEP}{_DATE}",
    "nasc": rf"nasc(?:imento|ita){_SEP}{_DATE}",
    "naiss": rf"naissance{_SEP}{_DATE}",
    "mrn": rf"mrn\b\.?{_SEP}[a-z]{{0,4}}-?\d{{4,}}",
    "tient id": rf"tient id\b\.?{_SEP}[a-z]{{0,4}}-?\d{{4,}}",
    "name": rf"name{_VALUE}",
    "tient:": rf"tient{_VALUE}",
    "iente:": rf"iente{_VALUE}",
    "nom :": rf"nom{_VALUE}",
}
"""What a text is searched for in lower case, and what must follow: each begins alike, so that few texts cost more."""
_PATTERNS = {word: re.compile(pattern) for word, pattern in _LOOKS.items()}
_WORD = re.compile(r"[^\W\d_]+")


def says_whom(text: str) -> bool:
    """Whether a text has a person's name, birthday or number behind the word for it.

    Args:
        text: A report. Blanked ones ("Name: ___", "DOB: [REMOVED]") name nobody.
    """
    low = text.lower()
    for word, pattern in _PATTERNS.items():
        if word not in low:
            continue
        for match in pattern.finditer(low):
            if not match.groups() or _is_person(text[match.start(1) : match.end(1)]):
                return True
    return False


def _is_person(value: str) -> bool:
    """Whether what stands behind the word is a name: capitals, a given name among them, nothing of a body."""
    parts = [part for part in _WORD.findall(value) if part[0].isupper()]
    words = {plain(part) for part in parts}
    return len(parts) > 1 and bool(words & given_names()) and not words & (PLACES | COMMON)


class TellingTexts:
    """How many texts of a source say whom they are about."""

    def __init__(self) -> None:
        self._first = ""
        self._count = 0

    def note(self, text: str, key: str) -> None:
        """Look at one text; `key` is that of its case."""
        if says_whom(text):
            self._first = self._first or key
            self._count += 1

    def problems(self) -> list[Problem]:
        """That there are such texts."""
        reason = (
            "The text holds what looks like a patient's name, birthday or number, as headers of pages do. It is kept as"
            " it is, learnt and shown to readers: take it out of the source and import again."
        )
        return [Problem(self._first, reason, self._count)] if self._count else []
