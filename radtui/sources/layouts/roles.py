"""Which column of a table holds what, by the names of columns and by what is in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from radtui.records import Problem
from radtui.sources.base import is_split_word, split_of_flag
from radtui.sources.choices import NONE, SourceChoices
from radtui.sources.identity_columns import Identity, identity_of_column
from radtui.sources.layouts import words
from radtui.sources.layouts.cells import as_list, cell_text, object_text, text_keys
from radtui.sources.layouts.finder import Cells, Finder
from radtui.sources.layouts.role_images import find_images, only_numbers
from radtui.sources.layouts.role_texts import (
    find_conversation,
    find_history,
    find_question,
    find_text,
    first_option,
)
from radtui.sources.layouts.row_texts import are_sentences
from radtui.sources.layouts.words import plain

__all__ = ["Cells", "Roles", "find_roles", "role_problems"]


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns a table was found to have; "" and () for what is not there.

    Attributes:
        images: Columns with the image or its name, each with what its image is ("lateral", or "").
        resolved: Share of the looked at rows whose image is there.
        loose: Whether images are named by short numbers alone, which may be anything.
        text: Columns whose texts are joined to what is learnt.
        answers: Whether the text answers a question.
        question: Columns whose texts are joined to what is asked.
        options: Columns with the answers to choose from.
        conversation: Columns with turns.
        split_flags: Columns of yes and no, each with the split that it is about ("is_test", "test").
        view: Column that says what each image is.
        truth: A TRUTH_PARTS name to its column.
        findings: Column with a list of findings.
        history: Column with pairs of questions and answers that came before.
        first_option: Where answers are numbers of options: which number is the first; else None.
        folders: Columns of the folders that the images lie in, where their names alone do not tell them apart.
        guessed: Columns that are used for what is in them, their names being unknown.
        notes: What is not used of the table, and why.
    """

    images: tuple[tuple[str, str], ...] = ()
    resolved: float = 0.0
    loose: bool = False
    text: tuple[str, ...] = ()
    answers: bool = False
    question: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    conversation: tuple[str, ...] = ()
    split: str = ""
    split_flags: tuple[tuple[str, str], ...] = ()
    patient: str = ""
    exam: str = ""
    id: str = ""
    examination: str = ""
    view: str = ""
    findings: str = ""
    history: str = ""
    first_option: int | None = None
    folders: tuple[str, ...] = ()
    truth: dict[str, str] = field(default_factory=dict)
    facts: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def teaches(self) -> bool:
        """Whether rows have a text to learn."""
        return bool(self.text or self.conversation)

    @property
    def names_splits(self) -> bool:
        """Whether rows say which split they are in."""
        return bool(self.split or self.split_flags)

    def summary(self) -> str:
        """What is learnt and asked of which images, in one clause."""
        parts = [f"{role or 'image'} from {name}" for name, role in self.images]
        learnt = (("text", self.text), ("question", self.question), ("conversation", self.conversation))
        parts += [f"{use} from {' and '.join(names)}" for use, names in learnt if names]
        return ", ".join(parts)

    def settings(self) -> dict[str, str]:
        """What an import's settings would say to have the same columns used, by the setting."""
        columns = {
            "image_column": [name for name, _ in self.images], "text_column": self.text or self.conversation,
            "question_column": self.question, "id_column": [self.id],
            "split_column": [self.split, *(name for name, _ in self.split_flags)], "patient_column": [self.patient],
            "exam_column": [self.exam],
        }  # fmt: skip
        return {
            setting: text for setting, names in columns.items() if (text := "+".join(filter(None, names)))
        }

    def named(self) -> dict[str, str]:
        """Each used column with what it is used for, for people."""
        pairs = [(name, f"image, {role}" if role else "image") for name, role in self.images]
        pairs += [(name, "text") for name in self.text] + [(name, "question") for name in self.question]
        pairs += [(name, "answers to choose from") for name in self.options]
        pairs += [(name, "conversation") for name in self.conversation]
        pairs += [
            (getattr(self, role), role) for role in ("split", "patient", "exam", "id", "examination", "view")
        ]
        pairs += [(name, "split") for name, _ in self.split_flags]
        pairs += [(self.findings, "truth"), *((name, "truth") for name in self.truth.values())]
        result: dict[str, str] = {}
        for name, role in pairs:
            if name:
                result[name] = f"{result[name]}, {role}" if name in result else role
        return result


def find_roles(
    names: Sequence[str],
    rows: Sequence[Cells],
    choices: SourceChoices | None = None,
    resolves: Callable[[str], bool] = lambda name: False,
    pictures: bool = True,
) -> Roles:
    """Find what a table's columns hold.

    Args:
        names: Its columns, in their order.
        rows: Its first rows.
        choices: What the user said; it comes first.
        resolves: Whether a name is that of a file of the source.
        pictures: Whether a column with images is looked for; not in what lies beside an image.

    Raises:
        UserError: A column that the user named is not there.
    """
    finder = Finder(names, rows, choices or SourceChoices(), resolves)
    talk = find_conversation(finder)
    images, resolved, folders = find_images(finder, bool(talk)) if pictures else ((), 0.0, ())
    loose = bool(images) and not talk and only_numbers(finder, images[0][0])
    findings = _listed_findings(finder)
    choices = finder.choices
    question, options, text, answers = _question_and_text(finder, bool(talk))
    split = finder.pick(choices.split_column, "split_column", words.SPLIT) or _split_by_content(finder)
    split = split if choices.split_column else _without_numbers(finder, split)
    flags = _split_flags(finder, split)
    split = "" if flags else split
    view = finder.pick("", "", words.VIEW)
    patient = finder.pick(choices.patient_column, "patient_column", words.PATIENT) or _patient_by_title(
        finder
    )
    exam = finder.pick(choices.exam_column, "exam_column", words.EXAM)
    if not patient and choices.patient_column != NONE:
        patient = next((name for name, _ in images if plain(name) in words.PATIENT), "")
    if not exam and choices.exam_column != NONE:
        usual = (*words.EXAM, *words.EXAMINATION) if folders else words.EXAM
        exam = next((name for name, _ in images if plain(name) in usual), "")
    if not choices.patient_column and {cell_text(cell) for cell in finder.cells(patient)[1:]} == {"0"}:
        patient = ""  # zero in every row numbers nobody
    own_id = finder.pick(choices.id_column, "id_column", words.ID)
    examination = finder.pick("", "", words.EXAMINATION)
    truth = _truth(finder)
    used = {*(name for name, _ in images), *text, *question, *options, *talk, split, patient, exam, own_id}
    history = find_history(finder) if answers else ""
    used |= {examination, findings, history, *truth.values(), *(name for name, _ in flags)}
    facts = tuple(name for name in names if name not in used)
    return Roles(
        images, resolved, loose, text, answers, question, options, talk, split, flags, patient, exam, own_id,
        examination, view, findings, history, first_option(finder, options, text), folders, truth, facts,
        tuple(finder.guessed), tuple(finder.notes),
    )  # fmt: skip


def _question_and_text(
    finder: Finder, talks: bool
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], bool]:
    """Columns of the question and of its options, and of the text with whether it answers the question."""
    choices = finder.choices
    question, options = find_question(finder)
    text, answers = ((), False) if talks else find_text(finder, bool(question))
    if question and not text and not talks:
        finder.taken -= {*question, *options}
        text, answers = find_text(finder, False)
    apart = question and not set(question) & set(text)
    if apart and not answers and choices.text_column and not choices.question_column:
        finder.notes.append(
            f"{', '.join(question)} is not asked, for {' and '.join(text)} is no answer to it."
        )
        question, options = (), ()
    return question, options, text, answers


def _listed_findings(finder: Finder) -> str:
    """The column with a list of findings; "" where the list is one of sentences, as PadChest-GR's objects hold them."""
    column = finder.known.get("findings", "")
    lists = [items for cell in finder.cells(column) if (items := as_list(cell)) is not None]
    objects = [item for items in lists for item in items if isinstance(item, Mapping)]
    texts = [item for item in objects if "finding" not in item and object_text(item)]
    if not lists or all(map(are_sentences, lists)) or (texts and len(texts) == len(objects)):
        keys = text_keys(texts[0]) if texts else []
        if len(keys) > 1:
            finder.notes.append(f"Of {column} {keys[0]} is learnt; {', '.join(keys[1:])} is not used.")
        return ""
    finder.taken.add(column)
    return column


def _truth(finder: Finder) -> dict[str, str]:
    """Columns of what is known to be there; a side or a size alone says nothing about a finding."""
    truth = {
        part: finder.known[part] for part in words.TRUTH_PARTS
        if part in finder.known and finder.known[part] not in finder.taken
    }  # fmt: skip
    return truth if "finding" in truth else {}


def _split_by_content(finder: Finder) -> str:
    """A column all of whose cells are words for splits."""
    if finder.choices.split_column == NONE:
        return ""
    for name in finder.names:
        cells = finder.cells(name)
        if name not in finder.taken and cells and all(is_split_word(cell_text(cell)) for cell in cells):
            finder.taken.add(name)
            return name
    return ""


def _without_numbers(finder: Finder, split: str) -> str:
    """The column of splits; "" where it holds numbers, which may be folds, or splits in any order."""
    cells = {cell_text(cell) for cell in finder.cells(split)} if split else set()
    if not cells or not all(cell.removesuffix(".0").isdigit() for cell in cells):
        return split
    finder.taken.discard(split)
    some = ", ".join(sorted(cells)[:4])
    finder.notes.append(
        f"{split} names no splits but numbers ({some}), so it is a fact; write train, validation and test into it,"
        " or name it with --split-column."
    )
    return ""


def _split_flags(finder: Finder, split: str) -> tuple[tuple[str, str], ...]:
    """Columns of yes and no that say of a split whether a row is in it: the one that the user named, or all of them."""
    if finder.choices.split_column == NONE or (split and not finder.choices.split_column):
        return ()
    flags = []
    for name in [split] if split else finder.names:
        about = split_of_flag(words.words(name), map(cell_text, finder.cells(name)))
        if about and finder.cells(name) and (split or name not in finder.taken):
            flags.append((name, about))
    # One column called "test" may hold what a test of blood said; beside "train", or as "is_test", it is a split.
    if not split and len(flags) == 1 and len(words.words(flags[0][0])) == 1:
        return ()
    finder.taken.update(name for name, _ in flags)
    return tuple(flags)


def _patient_by_title(finder: Finder) -> str:
    """A column whose title says that it numbers patients, in whatever words and language."""
    if finder.choices.patient_column == NONE:
        return ""
    for name in finder.names:
        parts = set(words.words(name))
        numbers = identity_of_column(name) is Identity.PATIENT or (
            bool(parts & words.PERSON_WORDS) and parts <= words.PERSON_WORDS | words.NUMBER_WORDS
        )
        if numbers and name not in finder.taken and finder.cells(name):
            finder.taken.add(name)
            return name
    return ""


def role_problems(table: str, roles: Roles) -> list[Problem]:
    """What of a table is not used, or used by a guess."""
    problems = [Problem(table, note) for note in roles.notes]
    for name in roles.guessed:
        reason = f"The text is taken from {name}, the column with the longest texts; name another with --text-column."
        problems.append(Problem(table, reason))
    return problems
