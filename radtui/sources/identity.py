"""The one gate for identity: what names a person is dropped, or kept as a keyed hash that nobody can turn round.

Everything that goes into the database passes here: facts, keys, file names, patients and exams. (Bytes pass
`images.read_images`.) A patient is known again within one data folder, for hold-out and for leaks; the key of the
hash, the salt, is a file that only its owner can read.

    gate = Gate(read_salt(data.root))
    gate.learn(image.words)                      # of headers
    kept, dropped = gate.facts(case.facts)       # dropped: {"PatientName": "a person's name"}
    key = gate.name(case.source_key, own_words)  # "h-1f0c...": paths with names in them
    patient, exam = gate.patient(case.patient), gate.exam(case.exam, case.patient)
"""

from __future__ import annotations

import hmac
import itertools
import os
import re
import secrets
import tempfile
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from radtui.paths import open_plain
from radtui.records import UserError
from radtui.sources.identity_columns import Identity, identity_of_column
from radtui.sources.identity_words import (
    COMMON,
    PLACES,
    given_names,
    identity_words,
    names_nobody,
    plain,
    words_of,
)

__all__ = ["Gate", "Identity", "identity_of_column", "identity_of_value", "read_salt"]

SALT_NAME = "salt"
NAMED_TITLE = "(a title that names somebody)"
_SALT_BYTES = 32
_SALT = re.compile(rb"[0-9a-f]{64}\s*")
_OLDEST = 89  # ages above it are rare enough to tell who it is. Source: HIPAA, 45 CFR 164.514(b)(2)(i)(C)
_PSEUDONYM_CHARS = 12
_NAME_CHARS = 3
_LONG_WORD = 5  # words so long are looked for inside others, too: "muellerhans"

_YEAR = r"(?:19|20)\d\d"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(
    rf"(?<!\d)(?:{_YEAR}(?P<a>[-/._]){_MONTH}(?P=a){_DAY}|{_DAY}(?P<b>[-/._]){_MONTH}(?P=b)(?:{_YEAR})"
    rf"|{_MONTH}(?P<c>[-/._]){_DAY}(?P=c){_YEAR}|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{{6}})?)(?!\d)"
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_PERSON_NAME = re.compile(r"[^\W\d_][\w'-]*\^[^\W\d_][\w' ^=-]*")
_SOCIAL = re.compile(r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)")
_NUMBERED = re.compile(
    r"(?:mrn|pid|patid|patno|patnr|pat|ssn|nhs|kvnr|pesel|dni|nhc|ipp|accession|acc|fall)"
    r"(?:[-_ .:#]+(?=[a-z0-9])|(?=\d))(?=[a-z0-9-]*\d{4})[a-z0-9]+(?:-[a-z0-9]+)*|patient[-_ ]?[1-9]\d{6,}",
    re.IGNORECASE,
)
_SPACES = re.compile(r"(\s+)")
_TITLED = re.compile(
    r"(?:PD (?=Dr))?(?:(?:Prof|Dr|Dra|Dott|Mrs?|Ms|Herr|Frau)(?:\.? |\.)(?:med(?:\.? |\.)|ssa )?)+"
    r"(?:(?:von |van |de )?[A-ZÀ-ÖØ-ÞĀ-Ž][^\W\d_]+ ?){1,3}"
)
"""A name behind a title, apart from it: "Dr. Schulz", and neither "Drüse" nor "PD TSE"."""
_OF_A_PERSON = re.compile(
    r"[\"'](?:family|given|surname|last_?name|first_?name|birth_?date|patient_?name|patient_?id)[\"']\s*:",
    re.IGNORECASE,
)
"""Keys of an object about a person, as FHIR's names are."""
_COMMA_NAME = re.compile(r"[^\W\d_]{2,}, ?[^\W\d_]{2,}(?: [^\W\d_]\.?)?")


def identity_of_value(text: str) -> Identity | None:
    """What a whole short text says of a person; for cells of columns whose title says nothing.

    A date, an e-mail address, a social security number, a DICOM name, "MRN 123456", or two to four words one of which
    is a common given name.
    """
    text = text.strip()
    if not text or len(text) > 80 or text[0] in ("{", "["):
        return Identity.NAME if text[:1] in ("{", "[") and _OF_A_PERSON.search(text) else None
    if _DATE.match(text) and len(text) <= 26 and not re.search(r"[^\W\d_]{4}", text):
        return Identity.DATE
    if _EMAIL.fullmatch(text):
        return Identity.CONTACT
    if _PERSON_NAME.fullmatch(text):
        return Identity.NAME
    if _SOCIAL.fullmatch(text) or _NUMBERED.fullmatch(text):
        return Identity.PATIENT
    return Identity.NAME if _TITLED.fullmatch(text) or _names_somebody(text) else None


def _names_somebody(text: str) -> bool:
    """Whether a few words, each with a capital, are a name: one of them is a given name and none a part of the body."""
    parts = [part for part in re.split(r"[\s_,.^]+", text) if part]
    words = [plain(part) for part in parts]
    if not 2 <= len(parts) <= 4 or not all(
        re.fullmatch(r"[^\W\d_]+(?:['-][^\W\d_]+)*", part) for part in parts
    ):
        return False
    capitals = all(part[0].isupper() for part in parts) or _COMMA_NAME.fullmatch(text)
    return bool(capitals) and bool(given_names() & set(words)) and not PLACES & set(words)


class Gate:
    """Keeps out of one data folder what names a person.

    Args:
        salt: The folder's, from `read_salt`.
        allowed: Columns that the user wants kept although their title or values look like a person's.
        trust_names: Keep paths, keys and file names as they are: of public data, whose names are pseudonyms.
        people: Columns that tell of people by what most of their cells are, with what they tell.
    """

    def __init__(
        self,
        salt: bytes,
        allowed: Collection[str] = (),
        trust_names: bool = False,
        people: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._people = {title: Identity(kind) for title, kind in people.items()}
        self._salt = salt
        self._allowed = frozenset(allowed)
        self._trust_names = trust_names
        self._learnt: set[str] = set()

    def learn(self, words: Iterable[str]) -> None:
        """Remember words that name somebody: from then on they are looked for in every name.

        Short numbers are not: "101" is one patient's, and part of many file names.
        """
        self._learnt.update(word for word in words if not word.isdigit() or len(word) >= _LONG_WORD)

    def patient(self, identifier: str) -> str:
        """A patient as a key: HMAC-SHA256, hexadecimal; "" for none, also for "Anonymous" and "N/A".

        Case and spaces do not matter, and "7.0", as pandas writes a number, is "7".
        """
        number = _plain_number(identifier)
        return "" if names_nobody(number) else self._hash("patient", number)

    def exam(self, identifier: str, patient: str = "") -> str:
        """An exam as a key, as `patient`.

        Args:
            identifier: The exam's own identifier; "" gives "".
            patient: Whose it is, where the identifier is unique within a patient only ("study1").
        """
        if not identifier.strip() or names_nobody(identifier):
            return ""
        own = _plain_number(identifier)
        return self._hash("exam", f"{_plain_number(patient)}\0{own}" if patient else own)

    def facts(
        self, facts: Mapping[str, str], own: Collection[str] = ()
    ) -> tuple[dict[str, str], dict[str, Identity]]:
        """Leave out of a row's columns those that name somebody.

        Args:
            facts: Values by column.
            own: Words that name somebody in the headers of the row's images, from `ReadImage.words`.

        Returns:
            What may be kept (ages above 89 as "90+"), and of the others what they say. The words of names and numbers
            among them are learnt, so call this before `name`.
        """
        kept: dict[str, str] = {}
        dropped: dict[str, Identity] = {}
        words = set(own)
        for title, value in facts.items():
            kind = None
            if title not in self._allowed:
                kind = self._people.get(title) or identity_of_column(title) or identity_of_value(value)
            if kind is None or kind is Identity.AGE:
                kept[title] = _age(value) if kind else value
            elif value.strip():
                dropped[title] = kind
                if kind in (Identity.NAME, Identity.PATIENT, Identity.EXAM):
                    words |= identity_words(value)
        self.learn(words)
        telling = {word for word in words if not word.isdigit() or len(word) >= _LONG_WORD}
        for title in [title for title in kept if title not in self._allowed]:
            if _occurs(title, telling):  # its own title is not to be said either
                del kept[title]
                dropped[NAMED_TITLE] = Identity.NAME
            elif _occurs(kept[title], telling):
                del kept[title]
                dropped[title] = Identity.NAME
        return kept, dropped

    def name(self, path: str, own: Collection[str] = ()) -> str:
        """A path, file name or key without parts that name somebody.

        Args:
            path: With "/" or "\\" between its parts.
            own: Words of the same file's header or row, from `ReadImage.words` or `identity_words`.

        Returns:
            The path; each part that holds such a word, a date, a numbered identifier or a person's name is replaced
            by "h-" and a keyed hash, its suffix kept, so that equal parts stay equal.
        """
        if self._trust_names:
            return path
        words = set(own)
        parts = path.replace("\\", "/").split("/")
        return "/".join(self._part(part, words, last=n == len(parts) - 1) for n, part in enumerate(parts))

    def sentence(self, text: str, paths: Iterable[str] = ()) -> str:
        """A sentence about files without what names somebody in their names, as `name` makes them.

        Args:
            text: The sentence.
            paths: Names that stand in it and may have spaces, which words alone do not show.
        """
        for path in paths:
            if path and path in text:
                text = text.replace(path, self.name(path))
        return "".join(map(self._word, _SPACES.split(text)))

    def _word(self, word: str) -> str:
        bare = word.strip("'\",;:!?()")
        bare = bare[:-1] if bare.endswith(".") else bare
        return word.replace(bare, self.name(bare)) if bare else word

    def _part(self, part: str, own: set[str], last: bool) -> str:
        stem, dot, suffix = part.rpartition(".") if last else (part, "", "")
        if not stem or len(suffix) > 5 or not suffix.isalnum() or suffix.isdigit():
            stem, dot, suffix = part, "", ""
        if not self.names(part, own):
            return part
        return f"h-{self._hash('name', stem)[:_PSEUDONYM_CHARS]}{dot}{suffix}"

    def names(self, text: str, own: Collection[str] = ()) -> bool:
        """Whether a part of a path names somebody."""
        if self._learnt and not self._learnt.isdisjoint(words_of(text)):
            return True
        return (bool(own) and _occurs(text, set(own))) or _tells(text)

    def _hash(self, what: str, text: str) -> str:
        text = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        if not text:
            return ""
        return hmac.digest(self._salt, f"{what}\0{text}".encode(), "sha256").hex()


@lru_cache(maxsize=1024)
def _tells(text: str) -> bool:
    """Whether a part of a path holds what looks like a date, an address, a number or a name of a person.

    The last ones are kept: a file's name is the end of its case's key, and its folders are those of the file before.
    """
    if _DATE.search(text) or _EMAIL.search(text) or _SOCIAL.search(text):
        return True
    stem = text.rsplit(".", 1)[0] if "." in text[1:] else text
    numbered = _NUMBERED.search(stem)
    if numbered and (numbered.start() == 0 or not stem[numbered.start() - 1].isalnum()):
        return True
    return bool(_PERSON_NAME.search(stem)) or _holds_a_name(stem)


def _occurs(text: str, words: set[str]) -> bool:
    """Whether one of some words stands in a text, long ones also inside others."""
    if not words or not words.isdisjoint(words_of(text)):
        return bool(words)
    whole = plain(text)
    return any(word in whole for word in words if len(word) >= _LONG_WORD)


def _holds_a_name(stem: str) -> bool:
    """Whether a file's stem holds a given name beside another word that is no part of the body: "MuellerHans_01"."""
    spread = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem)
    words = [
        word for word in re.findall(r"[^\W\d_]+", plain(spread)) if word not in PLACES and word not in COMMON
    ]
    pairs = itertools.pairwise(words)
    return any(given_names() & set(pair) and min(map(len, pair)) >= _NAME_CHARS for pair in pairs)


def _plain_number(identifier: str) -> str:
    return re.sub(r"^(\d+)\.0+$", r"\1", identifier.strip())


def _age(text: str) -> str:
    """An age as it may be kept: "061Y" as it is, "093Y" and "97" as "90+"."""
    digits = re.search(r"\d+(?:\.\d+)?", text)
    years = digits is not None and not re.search(r"\d\s*[mwdMWD]", text)
    return "90+" if years and digits is not None and float(digits.group()) > _OLDEST else text


def read_salt(folder: Path, salt_file: Path | None = None) -> bytes:
    """The salt of a data folder, made of random bytes the first time.

    It is the file `salt` beside the database, readable by its owner alone. Who has it can test whether a name is in
    the data, so it is not exported.

    Args:
        folder: The data folder.
        salt_file: A salt of another folder, so that the same patient has the same key, and the same split, here.

    Raises:
        UserError: `salt_file` is none, or the folder has another salt already; or it cannot be read or written.
    """
    path = folder / SALT_NAME
    try:
        wanted = _parsed(salt_file) if salt_file is not None else None
        if not path.exists():
            _write(path, wanted or secrets.token_bytes(_SALT_BYTES))
        salt = _parsed(path)
    except OSError as error:
        raise UserError(f"The salt {error.filename} cannot be read or written ({error.strerror}).") from error
    if wanted is not None and wanted != salt:
        raise UserError(
            f"{folder} has another salt than {salt_file}: its patients have other keys already;"
            " import into a new data folder."
        )
    return salt


def _parsed(path: Path) -> bytes:
    with open_plain(path) as file:
        text = file.read(1024)
    if not _SALT.fullmatch(text):
        raise UserError(
            f"{path} is no salt of radtui (64 hexadecimal digits); name the file `salt` of a data folder."
        )
    return bytes.fromhex(text.decode())


def _write(path: Path, salt: bytes) -> None:
    """Write a salt whole; where another process was quicker, its salt stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".salt-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(salt.hex() + "\n")
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        except OSError:
            # A file system without links: the last one wins, in the first moment of a data folder.
            Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
