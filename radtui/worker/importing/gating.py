"""The way of a case through the gate: nothing that names a person goes on to the database."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from radtui.paths import DataDir
from radtui.records import NewCase, NewCaseImage, Problem
from radtui.settings import ImportSettings
from radtui.sources.base import is_split_word
from radtui.sources.identity import Gate, read_salt
from radtui.sources.identity_texts import TellingTexts
from radtui.sources.identity_words import identity_words
from radtui.sources.image_names import ENDING
from radtui.sources.layouts.draft import FOLDER
from radtui.sources.linking import TELLING_PATH
from radtui.store.cases import KeptCase, Link, Probe
from radtui.store.links import relative
from radtui.worker.importing.examining import Looked
from radtui.worker.importing.keeping import clean

_PATH = re.compile(rf"[/\\]|{ENDING}$", re.IGNORECASE)


class Gating:
    """The gate of one import, and what it left out."""

    def __init__(
        self, data: DataDir, settings: ImportSettings, people: Mapping[str, str] = MappingProxyType({}), *,
        location: str = "", titles: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Open the gate with the data folder's salt; a source's own columns may be let through by name.

        Args:
            data: The data folder.
            settings: The import's.
            people: Columns most of whose cells look as if they named people, with what they look like.
            location: The source.
            titles: Names of its files that have spaces, as they stand in sentences.

        Raises:
            UserError: The salt cannot be read, or the data folder has another than the one named.
        """
        salt = read_salt(data.root, Path(settings.salt_file) if settings.salt_file else None)
        allowed = [name.strip() for name in settings.keep_columns.split(",") if name.strip()]
        self._gate, self._allowed = Gate(salt, allowed, settings.trust_names, people), frozenset(allowed)
        self._dropped: Counter[str] = Counter()  # facts that name people, by column and what they say
        self._unspoken: Counter[str] = Counter()  # examinations and views that name people
        self._trust_names = settings.trust_names
        self._titles = [title for title in titles if self._gate.name(title) != title]
        self._telling = TellingTexts()
        self._renamed = 0
        self._location = location
        self._problems: list[Problem] = []

    def passed(self, case: NewCase, looked: list[Looked]) -> KeptCase:
        """The case as it may be kept: nothing in it names a person; a volume's slices are images of their own."""
        parts = [part for each in looked for part in each.parts]
        own: frozenset[str] = frozenset()
        facts: dict[str, str] = {}
        for part in reversed(parts):
            own |= part.words
            facts.update(part.facts)
        if case.patient and not any(sign.isdigit() for sign in case.patient):
            own |= identity_words(case.patient)  # a name, by which a table tells patients apart
        if own:
            self._gate.learn(own)
        if case.reference:
            self._telling.note(case.reference, case.source_key)
        facts.update((title, self._fact(title, value, own)) for title, value in case.facts.items())
        facts, dropped = self._gate.facts(facts, own)
        for column, kind in dropped.items():
            self._dropped[f"{column}: {kind}"] += 1
        patient = case.patient or next((part.patient for part in parts if part.patient), "")
        exam = case.exam or next((part.exam for part in parts if part.exam), "")
        images, probes = [], []
        for image, each in zip(case.images, looked, strict=True):
            for part in each.parts:
                name = self._name(image.name.rpartition("/")[2], own)
                name = f"{name} {part.part}".strip()
                link, error = self._link(image, each, own), self.sentence(part.error, (image.name,))
                if each.link is not None and link is None:
                    error = TELLING_PATH
                role = self._spoken("view", image.role, own)
                images.append(NewCaseImage(b"", name, role, part.note or image.note, clean(error)))
                probes.append(Probe("" if error else part.sha256, part.format, part.width_px, part.height_px,
                                    part.mode, clean(error), link))  # fmt: skip
        if len(parts) > 1:
            for image in images:
                if image.error:
                    self._problems.append(Problem(image.name or case.source_key, image.error))
        gated = NewCase(
            self._split(case.split), self._name(case.source_key, own), tuple(images), case.reference, case.question,
            self._spoken("examination", case.examination, own)
            or next((part.examination for part in parts if part.examination), ""), "", "",
            {clean(name): clean(value) for name, value in facts.items()}, case.truth,
            self.sentence(case.error, [image.name for image in case.images]),
        )  # fmt: skip
        return KeptCase(gated, tuple(probes), self._gate.patient(patient), self._gate.exam(exam, patient))

    def _link(self, image: NewCaseImage, looked: Looked, own: frozenset[str]) -> Link | None:
        """Where a file stays; None where it was copied, or where its path must not be written down."""
        if looked.link is None:
            return None
        path = relative(image.path, self._location)
        return replace(looked.link, path=path) if self._gate.name(path, own) == path == clean(path) else None

    def _split(self, split: str) -> str:
        """A split by its name; a hash where a column of splits holds names of people."""
        return split if is_split_word(split) else self._gate.name(split)

    def _fact(self, title: str, value: str, own: frozenset[str]) -> str:
        """A fact; where it is a path, without folders and names of files that name somebody."""
        if title in self._allowed or not (title == FOLDER or _PATH.search(value)):
            return value
        return self._gate.name(value, own)

    def sentence(self, text: str, paths: Sequence[str] = ()) -> str:
        """What is said of files, without the names of people in their names; the source's own path stays as it is."""
        if not text:
            return text
        parts = text.split(self._location) if self._location else [text]
        return self._location.join(self._gate.sentence(part, (*self._titles, *paths)) for part in parts)

    def problem(self, problem: Problem) -> Problem:
        """A problem of the source as it may be written down: what it quotes of a row at its end names nobody."""
        where = ", ".join(self.sentence(part, (part,)) for part in problem.where.split(", "))
        reason, colon, quoted = problem.reason.rpartition(": ")
        # A dot ends a file's name.
        parts = (quoted, *quoted.split(".")) if colon and not self._trust_names else ()
        keeps = not any(map(self._gate.names, parts))
        reason = problem.reason if keeps else f"{reason}."
        return Problem(clean(where), clean(self.sentence(reason)), problem.count)

    def _spoken(self, column: str, text: str, own: frozenset[str]) -> str:
        """What a column says of an examination or a view; "" where it names somebody."""
        if not text or self._trust_names or not self._gate.names(text, own):
            return text
        self._unspoken[column] += 1
        return ""

    def _name(self, name: str, own: frozenset[str]) -> str:
        kept = self._gate.name(name, own)
        self._renamed += kept != name
        return kept

    def problems(self) -> list[Problem]:
        """What the gate left out, and images that several of a case could not give."""
        problems = [*self._problems, *self._telling.problems()]
        for what, count in self._dropped.items():
            column, _, kind = what.partition(": ")
            reason = f"It is not kept, because it looks like {kind}; --keep-columns keeps it."
            problems.append(Problem(f"column {column}", reason, count))
        for column, count in self._unspoken.items():
            reason = f"The {column} is not kept where it names somebody or a date; --trust-names keeps it."
            problems.append(Problem(column, reason, count))
        if self._renamed:
            reason = "Names that hold dates, numbers or names of people are hashed; --trust-names keeps them."
            problems.append(Problem("names of files", reason, self._renamed))
        return problems
