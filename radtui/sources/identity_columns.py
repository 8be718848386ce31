"""Which columns of tables name people: their usual titles in the languages that tables come in.

Titles are compared folded: lower case, without accents, spaces and punctuation ("Fecha de nacimiento" is
"fechadenacimiento"). The titles themselves are in `identity_columns.toml`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files


class Identity(StrEnum):
    """What a value says of a person."""

    NAME = "a person's name"
    PATIENT = "a patient's number"
    EXAM = "an exam's number"
    DATE = "a date"
    CONTACT = "an address or a way to reach a person"
    AGE = "an age"


BIRTHDAYS = (
    "birth",
    "dob",
    "geb",
    "naissance",
    "nacimiento",
    "nascita",
    "nascimento",
    "urodzenia",
    "рождения",
)
"""Of titles of dates, those of a person."""
_SHORT = 5  # a title's part must be at least this long to be looked for inside others: "dob" occurs in words
_NOT = re.compile(
    r"(image|img|file|slice|frame|dicom|sop|report|modality|class|label|column|finding)s?(id|no|nr|name)?"
)
_NOISE = re.compile(r"[\W_]+")


def folded(text: str) -> str:
    """A text for comparing titles: lower case, without accents, spaces and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss").replace("ı", "i"))
    return _NOISE.sub("", "".join(c for c in plain if not unicodedata.combining(c)))


@cache
def _titles(section: str) -> tuple[tuple[Identity, frozenset[str]], ...]:
    text = files("radtui.sources").joinpath("identity_columns.toml").read_text(encoding="utf-8")
    kinds = tomllib.loads(text)[section]
    return tuple((Identity[kind], frozenset(map(folded, words.split()))) for kind, words in kinds.items())


@lru_cache(maxsize=4096)
def identity_of_column(title: str) -> Identity | None:
    """What the values of a column say of a person, by the column's title; None where it says nothing."""
    plain = folded(title)
    if not plain or _NOT.fullmatch(plain):
        return None
    exact = (*_titles("whole"), *_titles("parts"))
    for kind, words in exact:
        if plain in words:
            return kind
    for kind, words in _titles("parts"):
        if any(word in plain for word in words if len(word) >= _SHORT or not word.isascii()):
            return kind
    return None
