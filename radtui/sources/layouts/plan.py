"""Which of a source's tables are used: looked at one by one, those that name images and teach texts before others."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from radtui.records import Problem, UserError
from radtui.sources.base import split_name, split_of_path, split_rank
from radtui.sources.choices import SourceChoices
from radtui.sources.files import Tree
from radtui.sources.identity_columns import identity_of_column
from radtui.sources.layouts.candidates import Candidate, best_group, look_at, split_of_table
from radtui.sources.layouts.cells import cell_text, image_cells
from radtui.sources.layouts.completing import completed
from radtui.sources.layouts.conversation import has_image_mark
from radtui.sources.layouts.export_damage import export_damage
from radtui.sources.layouts.filenames import FileNames, is_address
from radtui.sources.layouts.joins import Joined
from radtui.sources.layouts.loose_names import FOLDER, PARTS, WAYS
from radtui.sources.layouts.markup import as_written, has_markup, is_decoded_twice
from radtui.sources.layouts.reshaped import unfolded
from radtui.sources.layouts.roles import role_problems
from radtui.sources.layouts.table_names import TableNames
from radtui.sources.layouts.tabled import ADDRESS, TableLayout
from radtui.sources.layouts.told_apart import told_apart, told_twice
from radtui.sources.readers import Row, Table, read_tables, table_suffix
from radtui.sources.readers.table import SAMPLE_ROWS

_MAX_TABLES = 400
_FEW = 0.5
_BY_THE_WAY = ("info", "license", "licenses", "licences", "categories", "cui_mapping")
"""Lists of a used file that say nothing of single images."""


@dataclass
class SourcePlan:
    """What is used of a source's tables.

    Attributes:
        layouts: Tables whose rows become cases.
        splits: Split by file, from lists of names.
        used: Files that are read as tables, lists or joins.
        problems: Tables that are not used, and what was guessed.
        looked_at: All tables that could be read.
    """

    layouts: list[TableLayout] = field(default_factory=list)
    splits: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    looked_at: list[Table] = field(default_factory=list)


def plan_tables(
    tree: Tree, files: Sequence[str], names: FileNames, choices: SourceChoices, named: str = ""
) -> SourcePlan:
    """Choose the tables of a source.

    Args:
        tree: The source.
        files: Its files that may be tables.
        names: Its images.
        choices: What the user said.
        named: The one table that the user named as the source, or "".

    Raises:
        UserError: The table that the user named cannot be used, or a column of the user's is nowhere.
    """
    plan = SourcePlan()
    candidates = _candidates(tree, files, names, choices, named or choices.table, plan)
    if named or choices.table:
        asked = [
            each for each in candidates if each.table.file == named or _means(each, choices.table, named)
        ]
        if not asked:
            _refuse(plan, named or choices.table)
        others = [each for each in candidates if each not in asked]
    else:
        asked, others = candidates, []
    if (wrong := next((each.wrong for each in candidates if each.wrong), "")) and all(
        each.wrong for each in asked
    ):
        raise UserError(wrong)
    chosen = best_group([each for each in asked if not each.wrong])
    rest = [each for each in (*asked, *others) if each not in chosen]
    chosen, rest = completed(chosen, rest, names, choices, plan.used, bool(named))
    rest = [each for each in rest if named or not _take_splits(each, chosen, names, plan)]
    for each in sorted(chosen, key=lambda each: split_rank(each.split)):
        plan.layouts.append(_layout(each, names, choices, plan))
        plan.used.add(each.table.file)
        plan.problems += [
            *each.table.notes,
            *role_problems(each.name, each.roles),
            *_matched(each, names),
            *_markup(each),
            *told_apart(each),
            *export_damage(each),
        ]
    plan.problems += told_twice(chosen, names)
    wholly_used = {
        file for file in plan.used if not any(each.table.part for each in rest if each.table.file == file)
    }
    for each in rest:
        part_of_used = each.table.file in plan.used and each.table.part.lower() in _BY_THE_WAY
        if not part_of_used and each.table.file not in wholly_used and not (named and each in others):
            plan.problems.append(Problem(each.name, _why_not(each, chosen, names)))
    return plan


def _candidates(
    tree: Tree, files: Sequence[str], names: FileNames, choices: SourceChoices, wanted: str, plan: SourcePlan
) -> list[Candidate]:
    """Every table of the source that can be read, with what its columns hold."""
    result: list[Candidate] = []
    looked = 0
    # Texts come last: hundreds of them must not keep a table from being looked at.
    for file in sorted(files, key=lambda name: name.lower().endswith((".txt", ".md"))):
        small = table_suffix(file) in (".parquet", ".arrow")
        looked += not small
        if looked > _MAX_TABLES and not small:
            plan.problems.append(
                Problem(file, f"Only the first {_MAX_TABLES} tables of a source are looked at.")
            )
            continue
        try:
            tables = read_tables(tree, file, choices.delimiter, choices.encoding)
        except UserError as error:
            if file == wanted:
                raise
            plan.problems.append(Problem(file, str(error)))
            continue
        for table in tables:
            if file != wanted and _is_submission(table):
                reason = "It is a form for predictions, whose texts are placeholders; it is not used."
                plan.problems.append(Problem(file, reason))
                continue
            candidate = unfolded(look_at(table, names, choices), names, choices)
            if file != wanted and _is_split_list(candidate, names, plan):
                continue
            if file.lower().endswith(".txt") and file != wanted and not _is_text_table(candidate):
                plan.problems.append(
                    Problem(
                        file,
                        "The text is not used: it belongs to no image and is no table;"
                        " put texts of several images into a CSV with the columns image and report.",
                    )
                )
                continue
            plan.looked_at.append(table)
            result.append(candidate)
    return result


def _layout(candidate: Candidate, names: FileNames, choices: SourceChoices, plan: SourcePlan) -> TableLayout:
    table = candidate.table
    folder = posixpath.dirname(table.theirs.file if isinstance(table, Joined) else table.file)
    columns = [name for name, _ in candidate.roles.images]

    def every() -> Iterator[str]:
        for row in table.rows():
            if isinstance(row, Row):
                for name in columns:
                    yield from (image.name for image in image_cells(row.cells.get(name)) if image.name)

    finder = TableNames(names, folder, split_of_table(table), every, candidate.way)
    few = 0 < candidate.roles.resolved < _FEW and len(candidate.sample) >= SAMPLE_ROWS
    marked = any(has_image_mark(row.get(name)) for name in candidate.roles.text for row in candidate.sample)
    return TableLayout(table, candidate.roles, finder, choices, plan.splits, few, marked)


def _matched(each: Candidate, names: FileNames) -> list[Problem]:
    """That images are matched in a loose way, with the first of them."""
    if not each.way or not each.roles.images:
        return []
    column = each.roles.images[0][0]
    finder = TableNames(names, posixpath.dirname(each.table.file), each.split, way=each.way)
    if finder.by_header:  # its values number people and exams: none of them is said
        return [Problem(each.name, f"Images are matched by {each.way} in their headers, as {column} has it.")]
    for row in each.sample:
        name = next((image.name for image in image_cells(row.get(column)) if image.name), "")
        files = [finder.find(name)] if finder.find(name) else finder.folder(name)
        if files and names.find(name) is None:
            names_alone = each.way not in (PARTS, FOLDER)
            shown = " and ".join(posixpath.basename(file) if names_alone else file for file in files[:3])
            return [
                Problem(
                    each.name,
                    f"Images are matched {WAYS[each.way]}, for no file is called as {column} says: {name} is {shown}.",
                )
            ]
    return []


def _markup(each: Candidate) -> list[Problem]:
    """In what way texts are written, and what becomes of that."""
    problems = []
    for name in (*each.roles.text, *each.roles.question):
        texts = [cell_text(row.get(name)) for row in each.sample]
        if any(map(has_markup, texts)):
            reason = f"Texts of {name} are written in HTML or RTF; their signs of form are taken off, the words stay."
            problems.append(Problem(each.name, reason))
        if any(as_written(text) != text for text in texts):
            reason = f"Texts of {name} are written as a program's values; backslash and n are ends of lines."
            problems.append(Problem(each.name, reason))
        if name in each.roles.text and any(map(has_image_mark, texts)):
            reason = f"Texts of {name} hold marks that stand for images, as <image>; these are taken off."
            problems.append(Problem(each.name, reason))
        if any(map(is_decoded_twice, texts)):
            reason = (
                f"Letters of {name} look as if UTF-8 had been read as Latin-1 and saved so; export it again."
            )
            problems.append(Problem(each.name, reason))
    return problems


def _is_submission(table: Table) -> bool:
    """Whether a table is what a competition wants handed in: named so, with the same cells in every row but for ids."""
    if "submission" not in posixpath.basename(table.file).lower():
        return False
    rows = [row.cells for row in islice(table.rows(), SAMPLE_ROWS) if isinstance(row, Row)]
    varied = [name for name in table.columns if len({cell_text(row.get(name)) for row in rows}) > 1]
    return len(rows) > 1 and len(varied) <= 1


def _is_split_list(candidate: Candidate, names: FileNames, plan: SourcePlan) -> bool:
    """Whether a table is a list of the images of a split, and nothing else; then its images are noted."""
    table = candidate.table
    split = split_of_path(table.part or posixpath.basename(table.file), with_stem=True)
    if len(table.columns) != 1 or not split:
        return False
    first = names.find(table.columns[0])  # of names without a suffix the first was taken for a header
    if first is None and not candidate.roles.resolved:
        return False
    if first is not None:
        plan.splits[first.file] = split
    for row in table.rows():
        if isinstance(row, Row):
            match = names.find(cell_text(next(iter(row.cells.values()), "")))
            if match is not None:
                plan.splits[match.file] = split
    plan.used.add(table.file)
    return True


def _take_splits(each: Candidate, chosen: list[Candidate], names: FileNames, plan: SourcePlan) -> bool:
    """Note the splits of a table's images, where the tables that are used say none; nothing else of it is used."""
    roles = each.roles
    if not (roles.split and roles.images and roles.resolved >= _FEW) or each.way:
        return False
    if not chosen or any(other.roles.names_splits for other in chosen):
        return False
    column = roles.images[0][0]
    for row in each.table.rows():
        split = split_name(cell_text(row.cells.get(roles.split))) if isinstance(row, Row) else ""
        for image in image_cells(row.cells.get(column)) if split and isinstance(row, Row) else ():
            match = names.find(image.name)
            if match is not None:
                plan.splits[match.file] = split
    plan.used.add(each.table.file)
    plan.problems.append(Problem(each.name, "Of this table only the splits of its images are used."))
    return True


def _is_text_table(candidate: Candidate) -> bool:
    """Whether a text file is a table of images and texts, not a README that names some."""
    return len(candidate.table.columns) > 1 and candidate.roles.resolved > 0 and candidate.roles.teaches


def _means(candidate: Candidate, asked: str, named: str) -> bool:
    if not asked:
        return False
    name = candidate.name
    inside = candidate.table.file == named or not named
    return inside and asked in (
        name,
        candidate.table.file,
        posixpath.basename(candidate.table.file),
        candidate.table.part,
    )


def _refuse(plan: SourcePlan, named: str) -> None:
    reason = next((each.reason for each in plan.problems if each.where.startswith(named)), "")
    raise UserError(
        reason or f"{named} holds no table that radtui reads; name a CSV, JSON, parquet or Excel file."
    )


def _why_not(each: Candidate, chosen: list[Candidate], names: FileNames) -> str:
    """Why a table is not used, with its columns."""
    columns = ", ".join(each.table.columns[:8]) + (" ..." if len(each.table.columns) > 8 else "")
    if each.wrong:
        return each.wrong
    if not each.sample:
        damage = next((row.reason for row in each.table.rows() if isinstance(row, Problem)), "")
        return damage or "The table has no rows."
    if each.roles.images and each.roles.resolved and chosen:
        return f"The table is not used: {chosen[0].name} is. To use this one, name it with --table."
    if each.roles.images and any(
        is_address(image.name)
        for row in each.sample[:5]
        for image in image_cells(row.get(each.roles.images[0][0]))
    ):
        return ADDRESS
    if each.roles.images:
        column = each.roles.images[0][0]
        value = "" if identity_of_column(column) else cell_text(each.sample[0].get(column))[:60]
        first = f"; the first is {value}" if value else ""
        return f"None of the images that its column {column} names is in the source{first}."
    reason = f"The table is not used: none of its columns ({columns}) names an image of the source."
    return _ambiguous(each, names) or reason


def _ambiguous(each: Candidate, names: FileNames) -> str:
    """That a column's names each fit several files; "" where none does."""
    for name in each.table.columns:
        value = cell_text(each.sample[0].get(name))
        if value and identity_of_column(name) is None and len(files := names.alike(value)) > 1:
            return (
                f"The table is not used: {value} in its column {name} may be {' and '.join(files[:2])};"
                " write names with their folders and endings, or leave one kind of files out."
            )
    return ""
