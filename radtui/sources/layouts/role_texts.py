"""Which columns of a table hold what is learnt and asked: conversations, questions, reports and their sections."""

from __future__ import annotations

import re
from collections.abc import Mapping

from radtui.sources.choices import NONE
from radtui.sources.layouts import words
from radtui.sources.layouts.cells import as_list, cell_text, listed
from radtui.sources.layouts.conversation import has_image_mark, is_conversation
from radtui.sources.layouts.finder import Finder, all_cells, is_plain
from radtui.sources.layouts.words import plain

_CHOICE = re.compile(r"(?:choice|option|opt)_?([a-h]|\d)|answer_?[a-h]")
_MIN_PROSE_WORDS = 2.5


def find_conversation(finder: Finder) -> tuple[str, ...]:
    """Columns with turns: one, or TRL's prompt with its completion or the answer that was chosen."""
    asked = finder.choices.text_column
    if asked and "+" not in asked and asked != NONE:
        column = finder.named(asked, "text_column")
        if not all_cells(finder.cells(column), is_conversation):
            return ()
        finder.taken.add(column)
        return (column,)
    talks = [name for name in finder.names if all_cells(finder.cells(name), is_conversation)]
    by_name = {plain(name): name for name in talks}
    columns: tuple[str, ...] = ()
    if "prompt" in by_name and ("completion" in by_name or "chosen" in by_name):
        columns = (by_name["prompt"], by_name.get("completion") or by_name["chosen"])
    elif talks:
        columns = (next((by_name[name] for name in words.CONVERSATION if name in by_name), talks[0]),)
    rest = [name for name in talks if name not in columns]
    if rest:
        finder.notes.append(f"{', '.join(rest)} is not used: {columns[0]} holds the conversation.")
    finder.taken.update(columns)
    return columns


def find_question(finder: Finder) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that ask, and those with the answers to choose from."""
    chosen = finder.choices.question_column
    if chosen == NONE:
        return (), ()
    if chosen:
        question: tuple[str, ...] = (finder.named(chosen, "question_column"),)
    else:
        column = next(
            (finder.known[name] for name in words.QUESTION
             if name in finder.known and finder.known[name] not in finder.taken
             and all_cells(finder.cells(finder.known[name]), is_plain)), ""
        ) or _asked_with_mark(finder)  # fmt: skip
        if not column:
            return (), ()
        question = (column,)
        more = finder.known.get("input", "")
        if plain(column) == "instruction" and more not in finder.taken and any(finder.cells(more)):
            question = (column, more)
    options = tuple(name for name in finder.names if _CHOICE.fullmatch(plain(name)))
    if not options:
        options = tuple(finder.known[name] for name in ("choices", "options") if name in finder.known)
    if not options and {"a", "b"} <= finder.known.keys():
        options = tuple(finder.known[letter] for letter in "abcdefgh" if letter in finder.known)
    finder.taken.update((*question, *options))
    return question, options


def _asked_with_mark(finder: Finder) -> str:
    """A column that is a question by its cells: they have the mark that stands for an image, and another is the answer.

    LLaVA-Med's test set calls its questions "text" and what was answered "gpt4_answer".
    """
    if not any(words.names_text(name, words.ANSWER) for name in finder.names if name not in finder.taken):
        return ""
    for name in finder.names:
        if name not in finder.taken and all_cells(finder.cells(name), has_image_mark):
            finder.notes.append(f"{name} is asked, for its cells have the mark of an image as questions do.")
            return name
    return ""


def find_history(finder: Finder) -> str:
    """The column with pairs of questions and answers that came before a row's own."""
    column = finder.known.get("history", "")
    cells = [as_list(cell) for cell in finder.cells(column)]
    pairs = [pair for cell in cells for pair in cell or ()]
    if (
        None in cells
        or not pairs
        or not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs)
    ):
        return ""
    finder.taken.add(column)
    return column


def first_option(finder: Finder, options: tuple[str, ...], text: tuple[str, ...]) -> int | None:
    """Where answers are numbers of options: whether these count from 0 or from 1; None where it cannot be told."""
    if not options or len(text) != 1:
        return None
    answers = [cell_text(cell) for cell in finder.cells(text[0])]
    if not answers or not all(answer.isdigit() for answer in answers):
        return None
    numbers = [int(answer) for answer in answers]
    widest = len(options)
    if widest == 1:
        widest = max((len(listed(cell)) for cell in finder.cells(options[0])), default=0)
    if min(numbers) == 0 and max(numbers) < widest:
        return 0
    if max(numbers) == widest and min(numbers) > 0:
        return 1
    finder.notes.append(
        f"{text[0]} holds numbers, and nothing tells whether they count the options from 0 or from 1."
    )
    return None


def find_text(finder: Finder, asked: bool) -> tuple[tuple[str, ...], bool]:
    """The columns with the text to learn, and whether it answers a question."""
    chosen = finder.choices.text_column
    if chosen == NONE:
        return (), False
    if chosen:
        parts = [chosen] if chosen in finder.names else chosen.split("+")
        columns = tuple(finder.named(part.strip(), "text_column") for part in parts)
        finder.taken.update(columns)
        answers = all(plain(name) in words.ANSWER for name in columns) or bool(finder.choices.question_column)
        return columns, answers
    if asked and (answer := finder.pick("", "", words.ANSWER) or _by_words(finder, words.ANSWER)):
        _say_unwanted(finder, answer)
        return (answer,), True
    return _report(finder), False


def _report(finder: Finder) -> tuple[str, ...]:
    """The column with the report, else its sections, else what else is a text, by its name and then by its length."""
    whole = finder.pick("", "", words.TEXT, lambda name: _texts(finder, name))
    if whole:
        more = [
            name for name in finder.names if name not in finder.taken and words.names_text(name, words.TEXT)
            and _texts(finder, name) and finder.prose(name) >= _MIN_PROSE_WORDS
        ]  # fmt: skip
        _say_more(finder, whole, more or _sections_apart(finder, whole))
        return (whole,)
    numbered = [
        name for name in finder.names if words.numbered_stem(name) in words.TEXT and _texts(finder, name)
    ]
    if numbered:
        finder.taken.update(numbered)
        return tuple(numbered)
    sections = tuple(filter(None, (
        finder.pick("", "", usual, lambda name: _texts(finder, name)) or _by_words(finder, usual)
        for usual in words.SECTIONS
    )))  # fmt: skip
    if sections:
        return sections
    column = finder.pick("", "", words.ANSWER, lambda name: _answers(finder, name)) or _by_words(
        finder, words.TEXT
    )
    column = column or finder.pick("", "", words.WEAK_TEXT, lambda name: _texts(finder, name))
    column = column or finder.pick("", "", words.TEXT, lambda name: _texts(finder, name, codes=True))
    if column:
        return (column,)
    return _longest(finder)


def _sections_apart(finder: Finder, whole: str) -> list[str]:
    """Columns with sections of a report that the text which is learnt does not hold: "Beurteilung" of "Befundtext"."""
    apart = []
    for usual in words.SECTIONS:
        for name in finder.names:
            named = plain(name) in usual or words.names_text(name, usual)
            if not named or name in finder.taken or not _texts(finder, name):
                continue
            pairs = [(cell_text(row.get(name)), cell_text(row.get(whole))) for row in finder.rows]
            apart += [name] if any(section and section not in text for section, text in pairs) else []
    return apart


def _longest(finder: Finder) -> tuple[str, ...]:
    """The column with the longest sentences, where no name tells which holds the text."""
    prose = {
        name: finder.prose(name)
        for name in finder.names
        if name not in finder.taken and name not in _others(finder) and not words.names_procedure(name)
    }
    longest = max(prose, key=lambda name: prose[name], default="")
    if not longest or prose[longest] < _MIN_PROSE_WORDS:
        return ()
    finder.guessed.append(longest)
    finder.taken.add(longest)
    return (longest,)


def _others(finder: Finder) -> set[str]:
    """Columns that hold sentences and are known to be something else than a report."""
    usual = (*words.SPLIT, *words.PATIENT, *words.EXAM, *words.EXAMINATION, *words.QUESTION, "indication", "history",
             "comparison", "clinical_history", "license", "source", "labels", "label", "class", "finding_labels",
             "class_name", "mesh", "problems", "title", "url", "technique")  # fmt: skip
    return {finder.known[name] for name in usual if name in finder.known}


def _texts(finder: Finder, name: str, codes: bool = False) -> bool:
    """Whether a column with a usual name can hold texts: not lists of objects, numbers, files or references alone.

    Args:
        finder: The table.
        name: The column.
        codes: Whether words with digits in them are texts, as "T12" is where nothing else is.
    """
    cells = finder.cells(name)
    if not cells:
        return True
    words_seen = [cell for cell in cells if _has_words(cell_text(cell), codes)]
    objects = [cell for cell in cells if isinstance(cell, (Mapping, bytes))]
    return bool(words_seen) and len(objects) < len(cells)


def _answers(finder: Finder, name: str) -> bool:
    """Whether a column called as answers are holds texts where nothing is asked: of lesions "target" says which."""
    return _texts(finder, name) and (plain(name) != "target" or finder.prose(name) >= _MIN_PROSE_WORDS)


def _has_words(text: str, codes: bool) -> bool:
    """Whether a cell has letters and is no path or number, as "ImagingStudy/17" and "R-17" are."""
    is_one = text.isascii() and not any(sign.isspace() for sign in text)
    if is_one and ("/" in text or (not codes and any(sign.isdigit() for sign in text))):
        return False
    return any(sign.isalpha() for sign in text)


def _by_words(finder: Finder, usual: tuple[str, ...]) -> str:
    """A free column whose name has a usual name among its words, and holds text; others like it are said."""
    fitting = [
        name for name in finder.names if name not in finder.taken and words.names_text(name, usual)
        and _texts(finder, name) and finder.prose(name)
    ]  # fmt: skip
    column, *others = fitting or [""]
    _say_more(finder, column, others)
    finder.taken.add(column)
    return column


def _say_unwanted(finder: Finder, answer: str) -> None:
    """Note that some answers are examples of bad ones, as TRL's KTO has them."""
    label = finder.known.get("label", "")
    if plain(answer) == "completion" and {cell_text(cell).lower() for cell in finder.cells(label)} & {
        "no",
        "false",
    }:
        finder.notes.append(f"Every {answer} is learnt, also where {label} says no; leave those rows out.")


def _say_more(finder: Finder, column: str, others: list[str]) -> None:
    """Note the columns that may be texts, too."""
    if others:
        finder.notes.append(
            f"{', '.join(others)} may be texts, too; {column} is learnt: --text-column names another,"
            f" or several as {column}+{others[0]}."
        )
