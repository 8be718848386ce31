"""Words that name somebody: taken from headers and columns, looked for in paths, keys and cells."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files

_MIN_CHARS = 3  # shorter words occur in paths by chance
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae"})
_LONG_NUMBER = 8
_UID = re.compile(r"[0-9]+(?:\.[0-9]+){3,}")
_SPLIT = re.compile(r"[\W_]+")
_WORDS = (
    "patient patients pat pid mrn anonymous anonymized anonymised anon unknown none null nan test testing train"
    " training val valid validation phantom image images img study studies series exam case cases scan dicom dcm"
    " chest thorax xray cxr ray radiograph male female frontal lateral view left right the and for not available"
    " first second third id uid acc accession number name doe hospital clinic report reports data dataset folder"
    " file files sample demo example normal abnormal positive negative"
)
COMMON = frozenset(_WORDS.split())
"""Words that stand in headers and columns without naming anybody."""


def plain(text: str) -> str:
    """Lower case without accents, as "muller"; for comparing words."""
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in spread if not unicodedata.combining(c))


def words_of(text: str) -> list[str]:
    """The words of a text, lower case and without accents, in order; letters and digits that touch stay one word."""
    return [word for word in _SPLIT.split(plain(text)) if word]


def identity_words(text: str) -> set[str]:
    """The words of a name, a number or a date by which it is known again in a path or a cell.

    Args:
        text: "Müller^Hans", "PAT-4711", "1.2.840.113619.2".

    Returns:
        Words of three characters and more, with and without umlauts spelt out; a number's whole is one, too. Without
        words that name nobody ("anonymous", "chest").
    """
    if _UID.fullmatch(text.strip()):  # its parts are shared with others; in file names it stands as a whole
        parts = text.strip().split(".")
        return {text.strip(), *(part for part in parts if len(part) >= _LONG_NUMBER)}
    low = text.casefold()
    words = {word for form in (plain(text), plain(low.translate(_UMLAUTS))) for word in _SPLIT.split(form)}
    whole = _SPLIT.sub("", plain(text))
    if any(c.isdigit() for c in whole):
        words.add(whole)
    kept = {word for word in words if len(word) >= _MIN_CHARS and word not in COMMON}
    return {word for word in kept if not word.isdigit() or len(word.lstrip("0")) >= _MIN_CHARS}


_ANYBODY = (
    "na nan none null nil unknown anonymous anonymized anonymised anon anonym deidentified removed redacted nn"
    " notavailable noname undefined missing test phantom patient x xx xxx xxxx 00 000 0000 00000000"
)
_NOBODY = frozenset(_ANYBODY.split())


def names_nobody(identifier: str) -> bool:
    """Whether an identifier stands for any patient at all: "Anonymous", "N/A", "000". It must not join their images.

    "0" is somebody: tables number their patients from it. Of a DICOM header, where it is what software puts in place of
    a number, `sources.dicom` reads none.
    """
    return _SPLIT.sub("", plain(identifier)) in _NOBODY


@cache
def given_names() -> frozenset[str]:
    """Common given names of many countries, folded."""
    text = files("radtui.sources").joinpath("given_names.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


_PLACES = (
    "abdomen abdominal ankle aorta apex arm axilla bladder bone brain breast cardiac carotid cervical chest "
    "clavicle coccyx colon cspine lspine tspine ear elbow extremity eye face femur fetus finger foot forearm "
    "hand head heart hip humerus iac jaw kidney knee larynx leg liver lower lumbar lung maxilla mandible "
    "mediastinum mouth neck nose orbit ovary pancreas panorama parotid patella pelvis pharynx prostate rectum "
    "rib ribs sacrum scapula sella shoulder sinus skull spine spleen sternum stomach temporal testis thigh "
    "thoracic thorax thumb thymus thyroid tibia fibula toe tongue trachea upper ureter urethra vagina vulva "
    "wrist whole wholebody body joint tmj zygoma teeth tooth dental cheek calcaneus heel bilateral left right "
    "portable bed babygram ct mr us cr dx mg schaedel schädel becken hüfte knie fuss bauch hals lunge "
    "wirbelsäule hws bws lws torax rodilla columna mano pie crane genou bassin rachis poumon main pied "
    "ginocchio bacino colonna cranio"
)
PLACES = frozenset(plain(word) for word in _PLACES.split())
"""Parts of the body as headers spell them. Source: DICOM PS3.16 annex L, and words of scanners in other languages."""
