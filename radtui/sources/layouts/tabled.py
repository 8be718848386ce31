"""Rows of a table to cases: their images found, their texts and questions joined, what is missing said."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from radtui.records import Problem, Truth
from radtui.sources.base import split_name, split_of_flags, split_of_path, truth_of
from radtui.sources.choices import SourceChoices
from radtui.sources.identity_columns import identity_of_column
from radtui.sources.layouts import words
from radtui.sources.layouts.candidates import split_of_table
from radtui.sources.layouts.cells import (
    ImageCell,
    as_list,
    cell_text,
    fact_text,
    image_cells,
    listed,
    meaningful,
    object_text,
)
from radtui.sources.layouts.conversation import has_image_mark, read_conversation, without_image_tokens
from radtui.sources.layouts.draft import Draft, DraftPicture, joined_facts, people_of_path, split_of
from radtui.sources.layouts.filenames import is_address
from radtui.sources.layouts.role_images import joined_name
from radtui.sources.layouts.roles import Cells, Roles
from radtui.sources.layouts.row_texts import (
    are_texts,
    label_of,
    most_given,
    plain_plural,
    section_text,
    titled_parts,
)
from radtui.sources.layouts.table_names import TableNames
from radtui.sources.layouts.words import numbered_stem
from radtui.sources.readers import Row, Table, table_name

_LETTERS = "ABCDEFGH"
_LATERAL = "lateral"
_MAX_SHOWN_NAME = 120
ADDRESS = "Web addresses are not fetched: download the images and put them beside the table."


@dataclass
class TableLayout:
    """One table as it was understood.

    Attributes:
        table: Its rows.
        roles: What its columns hold.
        names: The file of a name in the table, or the files of the folder that it means: a table may name exams or
            patients by their folders.
        choices: What the user said.
        split_lists: Split by file, where lists of names say so.
        few_here: Whether most rows name images that are not in the source; these are then counted, not kept.
        marked: Whether texts have marks that stand for images, which are no words to learn.
    """

    table: Table
    roles: Roles
    names: TableNames
    choices: SourceChoices
    split_lists: Mapping[str, str] = field(default_factory=dict)
    few_here: bool = False
    marked: bool = False
    problems: list[Problem] = field(default_factory=list)
    used_files: set[str] = field(default_factory=set)

    @property
    def names_splits(self) -> bool:
        """Whether the table says in which split its rows are, by a column or by its own name."""
        return self.roles.names_splits or bool(split_of_table(self.table))

    def drafts(self, survey: bool = False) -> Iterator[Draft]:
        """Cases in the table's order; what is not used goes to `problems`.

        Args:
            survey: Whether only to count: images inside the table are then not read.
        """
        self.problems.clear()
        self._unread = survey and self._holds_bytes()
        self._missing: Counter[str] = Counter()
        self._first_missing: dict[str, str] = {}
        self._folders: set[int] = set()  # of rows that name images by their folder
        self._shared = self._told_system = 0
        self._usual_split = split_of(self.choices.split, "", self.table.file, self.table.part)
        drafts = self._every(survey)
        if self.roles.teaches or self.roles.question:
            yield from drafts
        else:
            yield from _merged(drafts)
        if self._shared and self.roles.teaches:
            reason = (
                "Rows share their images with an earlier row, for both name the same folder, patient or exam:"
            )
            reason += " if a text is of some of the images alone, name their files."
            self.problems.append(Problem(table_name(self.table), reason, self._shared))
        if self._told_system:
            reason = "What conversations tell the system is not used; put it into the job's instruction."
            self.problems.append(Problem(table_name(self.table), reason, self._told_system))
        for reason, count in self._missing.items():
            first = self._first_missing[reason]
            self.problems.append(Problem(table_name(self.table), f"{reason} The first: {first}", count))

    def _every(self, survey: bool) -> Iterator[Draft]:
        without = frozenset(name for name, _ in self.roles.images) if self._unread else frozenset()
        for row in self.table.rows(without):
            if isinstance(row, Problem):
                self.problems.append(row)
            else:
                yield from self._of_row(row)

    def _holds_bytes(self) -> bool:
        return self.table.file.lower().endswith((".parquet", ".arrow")) or self.table.count() is not None

    def _of_row(self, row: Row) -> Iterator[Draft]:
        roles, cells = self.roles, row.cells
        exchanges: list[tuple[str, str]] = []
        inside: tuple[ImageCell, ...] = ()
        if roles.conversation:
            talk = read_conversation(*(cells.get(name) for name in roles.conversation))
            exchanges = [(each.question, each.answer) for each in talk.exchanges]
            inside = talk.images
            self._told_system += bool(talk.system)
            if not exchanges:
                self.problems.append(Problem(self._where(row), "The conversation has no answer."))
                return
        else:
            exchanges = [*self._earlier(cells), *self._texts(cells)]
        pictures = self._pictures(row, inside)
        if pictures is None:
            return
        if len(pictures) > 1 and not roles.teaches and not roles.question and self._by_folder:
            # A label of a patient's folder is of each image in it; what is learnt together is not known.
            for picture in pictures:
                yield self._draft(row, (picture,))
            return
        if self._by_folder and not roles.question:
            files = hash(tuple(picture.file for picture in pictures))
            self._shared += files in self._folders
            self._folders.add(files)
        first = self._draft(row, pictures)
        for number, (question, text) in enumerate(exchanges):
            key = first.key if not number else f"{first.key}/{number + 1}"
            marked = self.marked and has_image_mark(text)  # of others, blank lines stay
            yield replace(
                first, key=key, question=question, text=without_image_tokens(text) if marked else text
            )

    def _earlier(self, cells: Cells) -> Iterator[tuple[str, str]]:
        """What was asked and answered about the images of a row before its own question (ms-swift's history)."""
        for pair in as_list(cells.get(self.roles.history)) or () if self.roles.history else ():
            if isinstance(pair, (list, tuple)) and len(pair) == 2 and (answer := meaningful(pair[1], True)):
                yield without_image_tokens(meaningful(pair[0], True)), answer

    def _texts(self, cells: Cells) -> Iterator[tuple[str, str]]:
        """Question and text of a row; several for a list of captions."""
        roles = self.roles
        question = "\n".join(filter(None, (meaningful(cells.get(name), True) for name in roles.question)))
        if len(roles.question) == len(roles.text) == 1:
            asked, answers = as_list(cells.get(roles.question[0])), as_list(cells.get(roles.text[0]))
            if asked and answers and len(asked) == len(answers):
                for one_question, answer in zip(asked, answers, strict=True):
                    yield without_image_tokens(meaningful(one_question, True)), meaningful(answer, True)
                return
        question, options = self._with_options(without_image_tokens(question), cells)
        if len(roles.text) == 1:
            name = roles.text[0]
            value = cells.get(name)
            items = as_list(value)
            if items is not None:
                texts = [meaningful(object_text(each), roles.answers) for each in items]
                texts = list(dict.fromkeys(filter(None, texts)))
                plural = plain_plural(name)
                if (plural or are_texts(items)) and (not texts or (plural and not roles.answers)):
                    for text in texts or [""]:
                        yield question, text
                    return
                if not roles.answers and not are_texts(items):
                    yield question, titled_parts(items) or " ".join(texts)
                    return
                value = most_given(items) if roles.answers else " ".join(texts)
            text = meaningful(value, roles.answers)
            yield question, self._chosen(text, options)
            return
        parts = [(name, section_text(cells.get(name))) for name in roles.text]
        if len({numbered_stem(name) for name in roles.text}) == 1:  # caption_1, caption_2
            for text in dict.fromkeys(text for _, text in parts if text) or [""]:
                yield question, text
            return
        yield question, "\n".join(f"{label_of(name)}: {text}" for name, text in parts if text)

    def _chosen(self, answer: str, options: dict[str, str]) -> str:
        """The option that an answer means by its letter or its number; else the answer itself."""
        first = self.roles.first_option
        if options and first is not None and answer.isdigit() and 0 <= int(answer) - first < len(_LETTERS):
            answer = options.get(_LETTERS[int(answer) - first], answer)
        return options.get(answer.strip(" .:()").upper(), answer)

    def _with_options(self, question: str, cells: Cells) -> tuple[str, dict[str, str]]:
        """The question with its answers to choose from, and the answer that each letter stands for."""
        names = self.roles.options
        if not names:
            return question, {}
        if len(names) == 1 and (items := listed(cells.get(names[0]))):
            values = [object_text(each) for each in items]
        else:
            values = [cell_text(cells.get(name)) for name in names]
        options: dict[str, str] = {}
        for letter, value in zip(_LETTERS, values, strict=False):
            bare = value.strip()
            if bare[:1].upper() == letter and bare[1:2] in (":", ".", ")"):
                bare = bare[2:].strip()
            if bare:
                options[letter] = f"{letter}: {bare}"
        lines = [line for line in options.values() if line not in question]
        return "\n".join([question, *lines]), options

    def _pictures(self, row: Row, inside: tuple[ImageCell, ...]) -> tuple[DraftPicture, ...] | None:
        """The images of a row, found; None where the row is left out."""
        roles = self.roles
        views = as_list(row.cells.get(roles.view)) if roles.view else None
        pictures: list[DraftPicture] = []
        self._by_folder = False
        self._row_split = self._split(row.cells)
        unread = self._unread and any(name not in row.cells for name, _ in roles.images)
        for column, role in roles.images:
            for image in image_cells(row.cells.get(column)):
                own = role or (
                    cell_text(views[len(pictures)]) if views and len(views) > len(pictures) else ""
                )
                pictures += self._pictures_of(self._in_folder(image, row.cells), own)
        if not pictures:
            pictures = [self._picture(image, "") for image in inside]
        if not pictures and unread:
            return (DraftPicture(name="in the table"),)
        if not pictures:
            pictures = [DraftPicture(error=f"A row of {self.table.file} names no image.")]
        pictures = [
            self._unnamed(picture, row) if picture.error and not picture.data else picture
            for picture in pictures
        ]
        if len(pictures) == 1 and roles.view and views is None and not pictures[0].role:
            pictures = [replace(pictures[0], role=cell_text(row.cells.get(roles.view)))]
        if all(picture.error for picture in pictures):
            reason = pictures[0].error
            kind = "images that are not in the source" if pictures[0].name else "no image"
            if self.few_here or len(pictures[0].name) > _MAX_SHOWN_NAME or reason == ADDRESS:
                kept = reason if reason == ADDRESS else f"Rows that name {kind} are left out."
                self._missing[kept] += 1
                self._first_missing.setdefault(
                    kept, f"{self._where(row)}: {pictures[0].name[:_MAX_SHOWN_NAME]}"
                )
                return None
        self.used_files.update(picture.file for picture in pictures if picture.file)
        return tuple(pictures)

    def _unnamed(self, picture: DraftPicture, row: Row) -> DraftPicture:
        """An image that is not there, without its name in the row where that numbers a person or an exam."""
        column = self.roles.images[0][0] if self.roles.images else ""
        if not picture.name or not (self.names.by_header or identity_of_column(column)):
            return picture
        return replace(
            picture, name="", error=f"{self._where(row)}: no image in the folder has its {column}."
        )

    def _in_folder(self, image: ImageCell, cells: Cells) -> ImageCell:
        """The image under the name that its row's folders make of it, where that is a file."""
        name = joined_name(cells, self.roles.folders, image.name) if self.roles.folders else ""
        there = name and (self.names.find(name) or self.names.folder(name))
        return replace(image, name=name) if there else image

    def _pictures_of(self, image: ImageCell, role: str) -> list[DraftPicture]:
        """The image that a cell names, or all images of the folder that it names."""
        picture = self._picture(image, role)
        if picture.error and image.name and (files := self.names.folder(image.name)):
            self._by_folder = True
            of_case = [
                DraftPicture(file, name=file.rpartition("/")[2], role=role or self._role_in(file, image.name))
                for file in files
            ]
            return sorted(of_case, key=lambda each: each.role == _LATERAL)
        return [picture]

    def _role_in(self, file: str, name: str) -> str:
        """What a file's name says of its view beside the beginning that the table names."""
        rest = words.words(self.names.rest_of(file, name))
        return _LATERAL if "lat" in rest else next((word for word in rest if word in words.ROLES), "")

    def _picture(self, image: ImageCell, role: str) -> DraftPicture:
        if image.error or image.data:
            name = image.name.replace("\\", "/").rpartition("/")[2]
            return DraftPicture("", image.data, name, role, image.error)
        file = self.names.find(image.name, self._row_split)
        if file:
            return DraftPicture(file, name=file.rpartition("/")[2], role=role)
        if is_address(image.name):
            return DraftPicture(name=image.name, role=role, error=ADDRESS)
        reason = f"{image.name} is named in {self.table.file} but is not in the folder."
        if several := self.names.several(image.name):
            files = " and ".join(several[:2])
            reason = (
                f"{image.name} in {self.table.file} may be {files}: write it with its folder and its ending."
            )
        return DraftPicture(name=image.name, role=role, error=reason)

    def _draft(self, row: Row, pictures: tuple[DraftPicture, ...]) -> Draft:
        roles, cells = self.roles, row.cells
        first = next((each for each in pictures if not each.error), pictures[0])
        own_id = cell_text(cells.get(roles.id)) if roles.id else ""
        facts = {name: text for name in roles.facts if (text := fact_text(cells.get(name)))}
        key = first.file or first.name
        if self._holds_bytes() and not first.file:
            key = own_id or ("" if key == "in the table" else key)
        if own_id and self.choices.id_column:
            key = own_id
        elif own_id and key != own_id:
            facts = {roles.id: own_id, **facts}
        if not key and self._holds_bytes():
            key = f"{posixpath.splitext(posixpath.basename(self.table.file))[0]}:{row.number - 1}"
        key = key or f"{self.table.file}:{row.number}"
        split = self._row_split or self.split_lists.get(first.file, "") or split_of_path(first.file)
        patient, exam = people_of_path(first.file)
        patient = (fact_text(cells.get(roles.patient)) if roles.patient else "") or patient
        exam = (fact_text(cells.get(roles.exam)) if roles.exam else "") or exam
        errors = [picture.error for picture in pictures if picture.error]
        return Draft(
            split or self._usual_split, key, pictures,
            examination=cell_text(cells.get(roles.examination)) if roles.examination else "", patient=patient,
            exam=exam, facts=facts, truth=truths(cells, roles),
            error=errors[0] if len(errors) == len(pictures) else "",
        )  # fmt: skip

    def _split(self, cells: Cells) -> str:
        """The split that a row names, or that its flags say; "" for none."""
        roles = self.roles
        if roles.split_flags:
            flags = {split: bool(truth_of(cell_text(cells.get(name)))) for name, split in roles.split_flags}
            return split_of_flags(flags)
        return split_name(fact_text(cells.get(roles.split))) if roles.split else ""

    def _where(self, row: Row) -> str:
        unit = (
            "line"
            if self.table.file.lower().removesuffix(".gz").endswith((".csv", ".tsv", ".txt", "l"))
            else "row"
        )
        return f"{table_name(self.table)}, {unit} {row.number}"


def truths(row: Cells, roles: Roles) -> tuple[Truth, ...]:
    """The findings that a row states: its list of objects, or its own finding, side, zone and size."""
    if roles.findings:
        listed = as_list(row.get(roles.findings)) or []
        objects = [item if isinstance(item, Mapping) else {"finding": item} for item in listed]
    else:
        objects = [{part: row.get(column) for part, column in roles.truth.items()}]
    stated = (Truth(*(cell_text(item.get(part)) for part in words.TRUTH_PARTS)) for item in objects)
    return tuple(truth for truth in stated if truth.finding)


def _merged(drafts: Iterator[Draft]) -> Iterator[Draft]:
    """Cases without a text: rows about one image are one case, with all their facts."""
    by_image: dict[str, Draft] = {}
    for draft in drafts:
        if not draft.readable:
            yield draft
            continue
        there = by_image.get(draft.key)
        by_image[draft.key] = (
            draft
            if there is None
            else replace(
                there,
                facts=joined_facts(there.facts, draft.facts),
                truth=tuple(dict.fromkeys((*there.truth, *draft.truth))),
            )
        )
    yield from by_image.values()
