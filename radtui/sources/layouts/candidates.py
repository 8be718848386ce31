"""Tables that may be used, with what their columns hold, and which of them belong together."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from radtui.records import Problem, UserError
from radtui.sources.base import is_split_word
from radtui.sources.choices import SourceChoices
from radtui.sources.identity_columns import identity_of_column
from radtui.sources.image_names import IMAGE_ENDING
from radtui.sources.layouts import words
from radtui.sources.layouts.cells import cell_text, image_cells
from radtui.sources.layouts.composed import ComposedNames, Recipe, find_recipe
from radtui.sources.layouts.draft import split_of
from radtui.sources.layouts.filenames import FileNames
from radtui.sources.layouts.loose_names import BEGINNING, FOLDER, NUMBER, PARTS, WAYS
from radtui.sources.layouts.roles import Cells, Roles, find_roles
from radtui.sources.layouts.table_names import TableNames
from radtui.sources.readers import Row, Table, table_name
from radtui.sources.readers.table import SAMPLE_ROWS

_SCAN_ROWS = 20_000
_COVERED_ROWS = 2_000
_HELD_OUT = ("validation", "test")
_ENOUGH, _MOST, _MORE = 0.9, 0.5, 0.2  # shares of rows
_MOST_CHARS = 1000  # of a file's name with its folders
_OF_IMAGES = frozenset(words.IMAGE)


@dataclass
class Candidate:
    """A table, its first rows, and what its columns hold."""

    table: Table
    sample: Sequence[Cells]
    roles: Roles
    wrong: str = ""  # why it cannot be used, of a user's columns
    way: str = ""  # how its images' names are matched that no file has: see `loose_names`
    images: int = 0  # of the source, that its first rows name

    @property
    def name(self) -> str:
        """How the table is called in sentences."""
        return table_name(self.table)

    @property
    def split(self) -> str:
        """The split that the table's own name says, or train."""
        return split_of("-", "", self.table.file, self.table.part)

    @property
    def score(self) -> tuple[float, ...]:
        """What makes it better than another, the weightiest first."""
        named = posixpath.basename(self.table.file).lower().startswith("metadata.")
        teaches = self.roles.teaches + (0.5 if len(self.roles.question) and self.roles.teaches else 0)
        teaches -= 0.25 * bool(self.roles.guessed)  # a text whose column says so comes first
        return (
            self.roles.resolved >= 0.01 and not self.roles.loose,
            teaches,
            named,
            self.way not in WAYS,
            self.images,
            round(self.roles.resolved, 1),
            -self.table.file.count("/"),
        )

    @property
    def family(self) -> str:
        """The table's name without words of splits and numbers, such as "image_labels"."""
        base = posixpath.basename(self.table.file).split(".")[0].lower()
        return "".join(word for word in re.findall(r"[^\W\d_]+", base) if not is_split_word(word))

    @property
    def signature(self) -> tuple[object, ...]:
        """What it uses: tables that continue each other use the same."""
        roles = self.roles
        return tuple(name for name, _ in roles.images), roles.text, roles.question, roles.conversation


def split_of_table(table: Table) -> str:
    """The split that a table's own name says; "" where it says none."""
    split = split_of("-", "", table.file, table.part)
    return "" if split == "-" else split


def look_at(table: Table, names: FileNames, choices: SourceChoices) -> Candidate:
    """Look at a table: its first rows tell what its columns hold."""
    sample = [row.cells for row in islice(table.rows(), SAMPLE_ROWS) if isinstance(row, Row)]
    finder = TableNames(names, posixpath.dirname(table.file), split_of_table(table))

    def resolves(name: str) -> bool:
        return bool(finder.find(name) or finder.folder(name))

    def resolves_by_split(name: str) -> bool:
        return resolves(name) or finder.of_each_split(name)

    try:
        if "+" in choices.image_column and choices.image_column not in table.columns:
            asked = _matched_by_parts(table, sample, choices, finder)
            if asked is not None:
                return asked
        roles = find_roles(table.columns, sample, choices, resolves)
        if not roles.resolved:
            by_split = find_roles(table.columns, sample, choices, resolves_by_split)
            roles = by_split if by_split.names_splits else roles
        if roles.resolved < _ENOUGH and not roles.conversation and len(names):
            by_header = _matched_by_header(table, sample, choices, names, finder)
            # Where a column names files, of which some are not here, others joined are no better guess.
            joins = not by_header and (not roles.resolved or roles.loose) and not _names_files(sample, finder)
            by_parts = _matched_by_parts(table, sample, choices, finder) if joins else None
            if by_parts is not None:
                return by_parts
            loosely, way = by_header or _matched_loosely(table, sample, choices, finder, roles)
            if way:
                return Candidate(table, sample, loosely, way=way, images=_images_of(table, loosely, finder))
        elif _shares_folders(roles, sample, finder):
            return _matched_by_parts(table, sample, choices, finder, only_files=True) or Candidate(
                table, sample, roles, images=_images_of(table, roles, finder)
            )
    except UserError as error:
        return Candidate(table, sample, Roles(), f"{table.file}: {error}")
    if roles.images and not roles.resolved and len(sample) >= SAMPLE_ROWS and len(names):
        # Of a large table only few images may be here, none of them among the first rows.
        more = (row.cells for row in islice(table.rows(), _SCAN_ROWS) if isinstance(row, Row))
        here = [cells for cells in more if any(
            resolves(image.name) for image in image_cells(cells.get(roles.images[0][0])) if image.name)]  # fmt: skip
        if here:
            roles = find_roles(table.columns, [*here[:SAMPLE_ROWS], *sample], choices, resolves)
    return Candidate(table, sample, roles, images=_images_of(table, roles, finder))


def _matched_by_header(
    table: Table, sample: Sequence[Cells], choices: SourceChoices, names: FileNames, finder: TableNames
) -> tuple[Roles, str] | None:
    """The roles where a column holds identifiers of DICOM files' headers, and which these are; None where none does."""
    if not names.headers:
        return None
    asked = choices.image_column
    columns = [name for name in table.columns if not asked or words.plain(name) == words.plain(asked)]
    rows = sample
    column, way = names.headers.column(columns, rows)
    if not way:  # of a hospital's table only few exams may be here
        rows = [row.cells for row in islice(table.rows(), _SCAN_ROWS) if isinstance(row, Row)]
        column, way = names.headers.column(columns, rows)
    if not way:
        return None
    finder.way = way
    here = [row for row in rows if finder.folder(cell_text(row.get(column)))]
    narrowed = replace(choices, image_column=column)
    roles = find_roles(
        table.columns, [*here[:SAMPLE_ROWS], *sample], narrowed, lambda name: bool(finder.folder(name))
    )
    return roles, way


def _shares_folders(roles: Roles, sample: Sequence[Cells], finder: TableNames) -> bool:
    """Whether rows name folders of images and several the same, so that another column may name the images."""
    if not roles.images or roles.folders or roles.conversation:
        return False
    cells = [cell_text(row.get(roles.images[0][0])) for row in sample]
    return len(set(cells)) < len(cells) and not finder.find(cells[0]) and len(finder.folder(cells[0])) > 1


def _matched_by_parts(
    table: Table,
    sample: Sequence[Cells],
    choices: SourceChoices,
    finder: TableNames,
    only_files: bool = False,
) -> Candidate | None:
    """The table with a column of names that are made of others, where these name its images; None where none does.

    Args:
        table: The table.
        sample: Its first rows.
        choices: What the user said.
        finder: Finds the file of a name.
        only_files: Whether the names must be of files, not of folders or beginnings.
    """
    for way in ("",) if only_files else ("", BEGINNING):
        finder.way = way
        recipe = find_recipe(
            table.columns, sample, lambda name: bool(finder.find(name) or (not only_files and finder.folder(name))),
            choices.image_column, None if only_files else finder.begun_with,
        )  # fmt: skip
        if recipe is None:
            continue
        composed = ComposedNames(table, recipe)
        rows = [{**row, recipe.title: recipe.name(row)} for row in sample]
        narrowed = replace(choices, image_column=recipe.title)
        roles = find_roles(
            composed.columns, rows, narrowed, lambda name: bool(finder.find(name) or finder.folder(name))
        )
        if roles.teaches or any(words.plain(name) in _OF_IMAGES for name in recipe.columns):
            composed.notes.append(_composed_note(table, recipe, rows, finder))
            return Candidate(composed, rows, roles, way=way, images=_images_of(composed, roles, finder))
    finder.way = ""
    return None


def _names_files(sample: Sequence[Cells], finder: TableNames) -> bool:
    """Whether any cell is called as a file is, with its ending, and that file is there."""
    cells = (
        cell for row in sample for cell in row.values() if isinstance(cell, str) and len(cell) < _MOST_CHARS
    )
    return any(finder.find(cell) for cell in cells if IMAGE_ENDING.search(cell))


def _composed_note(table: Table, recipe: Recipe, rows: Sequence[Cells], finder: TableNames) -> Problem:
    """How names are made, with the first file that is so called; none where a part numbers a person or an exam."""
    files = (finder.find(recipe.name(row)) for row in rows)
    first = posixpath.basename(next(filter(None, files), ""))
    tells = any(identity_of_column(name) for name in recipe.columns)
    shown = f": the first is {first}" if first and not tells else ""
    return Problem(table_name(table), f"Images are matched by {recipe.in_words}{shown}.")


def _matched_loosely(
    table: Table, sample: Sequence[Cells], choices: SourceChoices, finder: TableNames, roles: Roles
) -> tuple[Roles, str]:
    """The roles where names are matched in one of the loose ways, and which; "" where none helps.

    Only for tables with texts, or of images by their title: other numbers must not govern which images come. Whole
    paths are no such numbers, so that a title that speaks of files is enough.
    """
    best, best_way = roles, ""
    paths = any(_holds_path(cell) for row in sample for cell in row.values())
    for way in WAYS if paths else (NUMBER, BEGINNING):
        finder.way = way
        loosely = find_roles(
            table.columns, sample, choices, lambda name: bool(finder.find(name) or finder.folder(name))
        )
        image = loosely.images[0][0] if loosely.images else ""
        named = words.plain(image) in words.IMAGE and words.plain(image) not in ("id", "key", "url")
        named = named or (way in (PARTS, FOLDER) and not words.IMAGE_WORDS.isdisjoint(words.words(image)))
        enough = loosely.resolved >= max(_MOST, roles.resolved + _MORE) and (loosely.teaches or named)
        if enough and (not best_way or round(loosely.resolved, 1) > round(best.resolved, 1)):
            best, best_way = loosely, way
    finder.way = best_way
    return best, best_way


def _holds_path(cell: object) -> bool:
    """Whether a cell is called as a file is, or holds a path."""
    return isinstance(cell, str) and " " not in cell and ("/" in cell or bool(IMAGE_ENDING.search(cell)))


def _images_of(table: Table, roles: Roles, finder: TableNames) -> int:
    """How many images of the source the first rows of a table name."""
    if not roles.resolved or not roles.images or roles.conversation:
        return 0
    files: set[str] = set()
    for row in islice(table.rows(), _COVERED_ROWS) if table.count() is None else ():
        if isinstance(row, Row):
            for image in image_cells(row.cells.get(roles.images[0][0])):
                if image.name:
                    files.update(
                        [finder.find(image.name)] if finder.find(image.name) else finder.folder(image.name)
                    )
    return len(files - {""})


def best_group(candidates: list[Candidate]) -> list[Candidate]:
    """The best table with those that continue it: of the same columns, in other files, splits or folders."""
    usable = [each for each in candidates if each.roles.images or each.roles.conversation]
    if not usable:
        return []
    # Tables of the same name but for their split are one: together they may name more images than another.
    together: Counter[object] = Counter()
    for each in usable:
        together[each.signature, each.family] += each.images
    for each in usable:
        each.images = together[each.signature, each.family]
    best = max(usable, key=lambda each: each.score)
    if not best.roles.resolved:
        best = next((each for each in usable if each.score == best.score), best)
    group: list[Candidate] = []
    for each in candidates:
        if (each is best or _continues(each, best)) and not any(_same(each, other) for other in group):
            group.append(each)
    if best not in group and not any(_same(best, other) for other in group):
        group.append(best)
    return group + [each for each in candidates if _only_lists(each, best, group)]


def _only_lists(each: Candidate, best: Candidate, group: list[Candidate]) -> bool:
    """Whether a table lists, without texts, images of a split that no table of the group is about: a test.csv."""
    if each in group or not best.roles.teaches or each.roles.teaches or each.way or not each.roles.images:
        return False
    named = [name for name, _ in each.roles.images] == [name for name, _ in best.roles.images]
    apart = each.split in _HELD_OUT and all(each.split != other.split for other in group)
    if not (named and apart and each.roles.resolved > 0 and best.roles.resolved):
        return False
    return not any(_first_names(each) & _first_names(other) for other in group)


def _first_names(each: Candidate) -> set[str]:
    """What the first rows of a table call their images."""
    column = each.roles.images[0][0]
    rows = islice(each.table.rows(), _COVERED_ROWS)
    return {cell_text(row.cells.get(column)) for row in rows if isinstance(row, Row)}


def _continues(each: Candidate, best: Candidate) -> bool:
    if not (each.roles.images or each.roles.conversation) or (
        best.roles.resolved and not each.roles.resolved
    ):
        return False
    mine, theirs = set(each.table.columns), set(best.table.columns)
    alike = len(mine & theirs) / max(len(mine | theirs), 1)
    if each.signature == best.signature and alike >= 0.5:
        return True
    return (
        each.signature[0] == best.signature[0]
        and each.split != best.split
        and alike >= 0.3
        and (each.roles.teaches == best.roles.teaches)
    )


def _same(candidate: Candidate, other: Candidate) -> bool:
    """Whether two tables are the same rows in two files: one as CSV, the other as JSON Lines."""
    if candidate.split != other.split or not candidate.sample or not other.sample:
        return False
    if posixpath.dirname(candidate.table.file) != posixpath.dirname(other.table.file):
        return False
    columns = [name for name in candidate.table.columns if name in other.table.columns]
    pairs = zip(candidate.sample[:5], other.sample[:5], strict=False)
    return bool(columns) and all(
        cell_text(mine.get(name)) == cell_text(theirs.get(name)) for mine, theirs in pairs for name in columns
    )
