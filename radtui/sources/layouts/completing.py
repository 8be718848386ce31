"""A table completed by others of the same source: reports by their images, images by labels, splits and patients."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from itertools import islice

from radtui.records import Problem
from radtui.sources.base import split_of_path
from radtui.sources.choices import NONE, SourceChoices
from radtui.sources.layouts.candidates import Candidate
from radtui.sources.layouts.cells import cell_text
from radtui.sources.layouts.filenames import FileNames
from radtui.sources.layouts.joins import Joined, JoinKey, frontal_first, shared_key
from radtui.sources.layouts.reshaped import parted
from radtui.sources.layouts.roles import Roles, find_roles
from radtui.sources.layouts.table_names import TableNames
from radtui.sources.readers import Row
from radtui.sources.readers.table import SAMPLE_ROWS


def completed(
    chosen: list[Candidate],
    rest: list[Candidate],
    names: FileNames,
    choices: SourceChoices,
    used: set[str],
    named: bool,
) -> tuple[list[Candidate], list[Candidate]]:
    """The chosen tables with what others say of the same images: reports first, then splits, patients, labels.

    Args:
        chosen: The tables whose rows are cases so far.
        rest: The others.
        names: The source's images.
        choices: What the user said.
        used: Files that are used; those of joined tables are added.
        named: Whether the user named the table as the source: then only what it lacks is looked up.

    Returns:
        The tables whose rows are cases, and the others.
    """
    chosen = [_put_together(each, names, choices) for each in chosen]
    if chosen and not any(each.roles.teaches for each in chosen):
        joined, rest = _with_reports(chosen, rest, names, choices, used)
        if joined:
            return joined, rest
    if not chosen and len(rest) > 1:
        return chosen, rest
    if named and chosen and chosen[0].roles.teaches:
        return chosen, rest
    before = chosen
    for other in list(rest):
        if not chosen or other.wrong or any(_same_columns(other, each) for each in chosen):
            continue
        done: list[Candidate] = []
        for each in chosen:
            mine, theirs = (split_of_path(table.table.file, with_stem=True) for table in (each, other))
            if mine and theirs and mine != theirs:
                done.append(each)
                continue
            key = shared_key(each.table, other.table, each.sample)
            unique = key is not None and _is_unique(other, key.theirs)
            labels = not each.roles.teaches and not _text_roles(other).teaches
            usable = key is not None and (unique or labels)
            done.append(_with_facts(each, other, key, names, choices) if key and usable else each)
        if any(mine is not before for mine, before in zip(done, chosen, strict=True)):
            used.add(other.table.file)
            rest = [each for each in rest if each is not other]
            chosen = done
    if chosen is not before and len(chosen) == 1 and not chosen[0].roles.teaches:
        # A table between images and reports was joined: by its key the reports may be found now.
        return completed(chosen, rest, names, choices, used, named)
    return chosen, rest


def _put_together(each: Candidate, names: FileNames, choices: SourceChoices) -> Candidate:
    """A table whose texts and images stand in rows of their own, joined by what both rows have; any other as it is."""
    parts = parted(each)
    joined = _reports(*parts, names, choices) if parts else None
    if joined is None or not isinstance(joined.table, Joined):
        return each
    texts, image = " and ".join(each.roles.text), each.roles.images[0][0]
    key = joined.table.key.mine
    reason = f"Rows with {texts} and rows with {image} are put together by {key}, for no row has both."
    joined.table.notes = [*each.table.notes, Problem(each.name, reason)]
    return joined


def _with_reports(
    chosen: list[Candidate], rest: list[Candidate], names: FileNames, choices: SourceChoices, used: set[str]
) -> tuple[list[Candidate], list[Candidate]]:
    """The tables of texts that belong to tables of images, and the tables that are left."""
    joined: list[Candidate] = []
    for images in chosen:
        for other in [each for each in rest if _tells_of(each, images, alone=len(chosen) == 1)]:
            report = _reports(other, images, names, choices)
            if report is not None:
                used.update((other.table.file, images.table.file))
                joined.append(report)
                rest = [each for each in rest if each is not other]
                break
    return joined, rest


def _tells_of(texts: Candidate, images: Candidate, alone: bool) -> bool:
    """Whether a table may hold the texts of another's images: COCO's files of several splits each hold both."""
    mine, theirs = texts.table, images.table
    return (alone or mine.file == theirs.file or texts.split == images.split) and _text_roles(texts).teaches


def _text_roles(candidate: Candidate) -> Roles:
    return find_roles(candidate.table.columns, candidate.sample, pictures=False)


def _reports(
    texts: Candidate, images: Candidate, names: FileNames, choices: SourceChoices
) -> Candidate | None:
    """A table of texts with the images of another table, by a shared key: one case for each text."""
    key = shared_key(texts.table, images.table, texts.sample)
    if key is None:
        return None
    joined = Joined(texts.table, images.table, key, every=True)
    sample = [row.cells for row in islice(joined.rows(), SAMPLE_ROWS) if isinstance(row, Row)]
    finder = TableNames(names, posixpath.dirname(images.table.file), images.split, way=images.way)
    image = next(
        (mine for theirs, mine in joined.added.items() if theirs == images.roles.images[0][0]), key.mine
    )
    narrowed = choices if choices.image_column else replace(choices, image_column=image)
    roles = find_roles(
        joined.columns, sample, narrowed, lambda name: bool(finder.find(name) or finder.folder(name))
    )
    if not roles.resolved or not roles.teaches:
        return None
    if not roles.exam and choices.exam_column != NONE:
        roles = replace(roles, exam=key.mine)
    return Candidate(frontal_first(joined, roles), sample, roles, way=images.way)


def _with_facts(
    each: Candidate,
    other: Candidate,
    key: JoinKey,
    names: FileNames,
    choices: SourceChoices,
) -> Candidate:
    """A table of images with the cells that another has of the same images."""
    joined = Joined(each.table, other.table, key, together=not each.roles.teaches)
    sample = [row.cells for row in islice(joined.rows(), SAMPLE_ROWS) if isinstance(row, Row)]
    finder = TableNames(names, posixpath.dirname(each.table.file), each.split, way=each.way)
    roles = find_roles(
        joined.columns, sample, choices, lambda name: bool(finder.find(name) or finder.folder(name))
    )
    roles = replace(roles, images=each.roles.images, resolved=each.roles.resolved, notes=each.roles.notes)
    if each.roles.teaches:
        roles = replace(
            roles, text=each.roles.text, conversation=each.roles.conversation,
            question=each.roles.question or (roles.question if roles.answers else ()),
            answers=each.roles.answers or roles.answers, guessed=each.roles.guessed,
        )  # fmt: skip
    used = roles.named()
    roles = replace(roles, facts=tuple(name for name in joined.columns if name not in used))
    return Candidate(joined, sample, roles, way=each.way)


def _is_unique(candidate: Candidate, column: str) -> bool:
    values = [cell_text(row.get(column)) for row in candidate.sample]
    return len(set(values)) == len(values)


def _same_columns(candidate: Candidate, other: Candidate) -> bool:
    return set(candidate.table.columns) == set(other.table.columns)
