"""Names of images that a table has in parts, or with a word that no file has.

MedICaT's files are called by two columns joined (a paper's hash, a figure's name), SIIM's ids end in "_image" and
"_study". Either is a guess: it is made for a table none of whose columns names files as they are called, and is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import permutations

from radtui.records import Problem
from radtui.sources.image_names import IMAGE_ENDING
from radtui.sources.layouts import words
from radtui.sources.layouts.cells import cell_text
from radtui.sources.layouts.role_images import is_folder
from radtui.sources.readers import Row, Table
from radtui.sources.readers.table import NOTHING

Cells = Mapping[str, object]
_SIGNS = ("_", "-", ".")
_ENOUGH = 0.9  # share of rows
_MOST_COLUMNS, _MOST_OF_THREE = 8, 5
_QUICK_ROWS = 3
_SHORTEST = 3
_LOOKED_AT = 20
_FIRST_PART = re.compile(r"[^\W\d_]+[_\-. ]+")
_LAST_PART = re.compile(r"[_\-. ]+[^\W\d_]+\Z")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a name is made of a row: columns joined with a sign, and what is cut from its beginning and its end."""

    columns: tuple[str, ...]
    sign: str = ""
    before: str = ""
    after: str = ""

    @property
    def title(self) -> str:
        """What the made column is called."""
        cut = self.before or self.after
        return "+".join(self.columns) + (f" without {cut}" if cut else "")

    @property
    def in_words(self) -> str:
        """How the name is made, for people."""
        if len(self.columns) == 1:
            return f"{self.columns[0]} without its {self.before or self.after}, which no file has"
        by = f"joined by {self.sign}" if self.sign else "put together"
        return f"{' and '.join(self.columns)} {by}, for no column alone names files"

    def name(self, cells: Cells) -> str:
        """The name that a row means, or ""."""
        parts = [cell_text(cells.get(column)) for column in self.columns]
        if not all(parts):
            return ""
        name = self.sign.join(parts)
        ending = match[0] if self.after and (match := IMAGE_ENDING.search(name)) else ""
        bare = name.removesuffix(ending).removeprefix(self.before).removesuffix(self.after)
        return bare + ending


class ComposedNames:
    """A table with one more column, of names that are made of others."""

    def __init__(self, table: Table, recipe: Recipe) -> None:
        self._table, self._recipe = table, recipe
        self.file, self.part, self.notes = table.file, table.part, table.notes
        self.columns = (*table.columns, recipe.title)
        asked = {"image_column": "+".join(recipe.columns)}
        self.form: dict[str, str] = {**getattr(table, "form", {}), **asked}

    def count(self) -> int | None:
        """As many as the table has, where it tells."""
        return self._table.count()

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """The table's rows, each with its name."""
        title, name = self._recipe.title, self._recipe.name
        for row in self._table.rows(without - {title}):
            yield row if isinstance(row, Problem) else Row(row.number, {**row.cells, title: name(row.cells)})


def find_recipe(
    columns: Sequence[str], rows: Sequence[Cells], there: Callable[[str], bool], asked: str = "",
    beginning: Callable[[str], Iterable[str]] | None = None,
) -> Recipe | None:  # fmt: skip
    """How the names of a table's images are made, where most of the names that come of it are there.

    Args:
        columns: The table's.
        rows: Its first rows.
        there: Whether a name means a file, or a folder.
        asked: The column that the user named, or several with "+" between them; "" for any.
        beginning: The files whose names begin with a name: where one of them is left over, a column that counts
            images was taken for their number. None where rows name the folders of their images: then several rows
            have the same beginning, and all names of a large source need not be looked through.

    Returns:
        The recipe; None where none gives names that are there.
    """
    named = [part.strip() for part in asked.split("+")] if asked and asked not in columns else []
    if named and not set(named) <= set(columns):
        return None
    allowed = named or [asked] if asked else columns
    usable = [name for name in allowed if _holds_names(name, rows)]
    if not named:
        for name in usable:
            if words.plain(name) in words.IMAGE or set(words.words(name)) & words.IMAGE_WORDS or asked:
                for recipe in _without_common(name, rows):
                    if _fits(recipe, rows, there):
                        return recipe
        if asked:
            return None
    if named:
        recipes = [Recipe(tuple(named), sign) for sign in (*_SIGNS, "")]
    else:
        firsts = {name for name in usable[:_MOST_COLUMNS] if not beginning or _begins(name, rows, beginning)}
        groups = [*permutations(usable[:_MOST_COLUMNS], 2), *permutations(usable[:_MOST_OF_THREE], 3)]
        recipes = [Recipe(group, sign) for group in groups if group[0] in firsts for sign in _SIGNS]
    fitting = (each for each in recipes if _fits(each, rows, there))
    good = (
        each for each in fitting
        if (not _counts(each, rows, beginning) if beginning else _tells_apart(each, rows))
    )  # fmt: skip
    return next(good, None)


def _tells_apart(recipe: Recipe, rows: Sequence[Cells]) -> bool:
    """Whether rows with the same first part have different names: the number of a patient's views tells none apart."""
    firsts = {cell_text(row.get(recipe.columns[0])) for row in rows}
    return len(set(map(recipe.name, rows))) > len(firsts)


def _begins(name: str, rows: Sequence[Cells], beginning: Callable[[str], Iterable[str]]) -> bool:
    """Whether names of files begin with a column's first cells: few do, and joining each with each takes long."""
    return any(any(beginning(text)) for row in rows[:_QUICK_ROWS] if (text := cell_text(row.get(name))))


def _holds_names(name: str, rows: Sequence[Cells]) -> bool:
    """Whether a column's cells may be parts of names: short, without spaces, and there in nearly all rows."""
    cells = [cell_text(row.get(name)) for row in rows]
    return bool(cells) and sum(map(is_folder, cells)) >= _ENOUGH * len(cells)


def _without_common(name: str, rows: Sequence[Cells]) -> list[Recipe]:
    """What all names of a column have in common at an end, a word without digits, cut off: "_image", "img_".

    Not "_lateral": what is left may be the name of another view, or of the folder of one.
    """
    cells = [IMAGE_ENDING.sub("", text) for row in rows if (text := cell_text(row.get(name)))]
    recipes = []
    for pattern, field in ((_LAST_PART, "after"), (_FIRST_PART, "before")):
        search = pattern.search if field == "after" else pattern.match
        shared = {match[0] if (match := search(cell)) else "" for cell in cells}
        part = shared.pop() if len(shared) == 1 else ""
        is_view = not words.ROLES.isdisjoint(words.words(part))
        if part and not is_view and len(set(cells)) > 1 and min(map(len, cells)) >= len(part) + _SHORTEST:
            recipes.append(Recipe((name,), **{field: part}))
    return recipes


def _counts(recipe: Recipe, rows: Sequence[Cells], beginning: Callable[[str], Iterable[str]]) -> bool:
    """Whether the last column may say how many images there are: P1 with 2 is not P1_2.png where P1_1.png is, too."""
    first, last = ([cell_text(row.get(recipe.columns[place])) for row in rows] for place in (0, -1))
    if not all(number.isdigit() and len(number) < _SHORTEST for number in last) or len(set(first)) < len(
        first
    ):
        return False
    stems = {IMAGE_ENDING.sub("", recipe.name(row)).casefold() for row in rows}
    begun = (file for name in first[:_LOOKED_AT] for file in beginning(name))
    return any(IMAGE_ENDING.sub("", file.rpartition("/")[2]).casefold() not in stems for file in begun)


def _fits(recipe: Recipe, rows: Sequence[Cells], there: Callable[[str], bool]) -> bool:
    if not any(name and there(name) for name in map(recipe.name, rows[:_QUICK_ROWS])):
        return False
    names = [name for row in rows if (name := recipe.name(row))]
    # Joined without a sign, 1 and 2 are 12, which may be any image's number.
    if recipe.sign == "" and len(recipe.columns) > 1 and min(map(len, names)) <= _SHORTEST:
        return False
    return sum(map(there, names)) >= _ENOUGH * len(names)
