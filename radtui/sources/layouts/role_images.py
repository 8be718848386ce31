"""Which columns of a table hold its images, or the names of their files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations

from radtui.sources.image_names import IMAGE_ENDING
from radtui.sources.layouts import words
from radtui.sources.layouts.cells import cell_text, image_cells, is_image_object
from radtui.sources.layouts.conversation import is_conversation
from radtui.sources.layouts.finder import Cells, Finder, all_cells
from radtui.sources.layouts.words import plain

_ID_DIGITS = 5
_ENOUGH = 0.9  # share of rows
_BETTER = 0.2
_MOST_CHARS = 120
_MOST_PAIRED = 8


Images = tuple[tuple[tuple[str, str], ...], float, tuple[str, ...]]


def find_images(finder: Finder, talk: bool) -> Images:
    """The columns with images, the share of rows whose image is there, and columns of the folders they lie in."""
    asked = finder.choices.image_column
    if asked:
        column = finder.named(asked, "image_column")
        finder.taken.add(column)
        share = _score(finder, column)[1]
        folders, more = _folders(finder, column, share)
        return ((column, ""),), max(share, more), folders
    scores = {name: _score(finder, name) for name in finder.names if name not in finder.taken}
    usable = {name: score for name, score in scores.items() if score[0] > 0}
    if not usable:
        return (), 0.0, ()
    for name in usable:
        folders, share = _folders(finder, name, usable[name][1])
        if folders:
            finder.taken.add(name)
            return ((name, ""),), share, folders
    best = max(usable, key=lambda name: (usable[name][0], _tells_apart(finder, name)))
    alike = [
        name
        for name in usable
        if name != best and usable[name][1] >= 0.5 * usable[best][1] and usable[name][1] > 0.3
    ]
    chosen, rest = _views(best, alike, finder.names)
    if rest and usable[best][1]:
        finder.notes.append(f"{', '.join(rest)} also name images and are not used; {best} is.")
    exam = _exam_folders(finder, best) if len(chosen) == 1 else ""
    if exam:
        finder.taken.add(exam)
        return ((exam, ""),), usable[best][1], (best,)
    # A question that names its image between <img> and </img> is a question, too.
    finder.taken.update(name for name, _ in chosen if not all_cells(finder.cells(name), _names_inside))
    return chosen, usable[best][1], ()


def _folders(finder: Finder, name: str, share: float) -> tuple[tuple[str, ...], float]:
    """Columns whose cells, put before a file's name, say which of several files of a name is meant; for how many.

    Args:
        finder: The table.
        name: Its column with names of files.
        share: For how many rows the name alone is enough.
    """
    cells = [text for cell in finder.cells(name) if isinstance(cell, str) and (text := cell.strip())]
    suffixed = sum(bool(IMAGE_ENDING.search(cell)) and len(cell) < _MOST_CHARS for cell in cells)
    if not cells or share >= _ENOUGH or suffixed < _ENOUGH * len(finder.cells(name)):
        return (), 0.0
    others = [
        each for each in finder.names
        if each != name and all_cells(finder.cells(each), lambda cell: is_folder(cell_text(cell)))
    ]  # fmt: skip
    best: tuple[tuple[str, ...], float] = (), share
    for columns in [*((each,) for each in others), *permutations(others[:_MOST_PAIRED], 2)]:
        rows = [row for row in finder.rows if row.get(name)]
        there = sum(finder.resolves(joined_name(row, columns, cell_text(row.get(name)))) for row in rows)
        if there / len(rows) > best[1] + _BETTER:
            best = columns, there / len(rows)
    return best


def _tells_apart(finder: Finder, name: str) -> tuple[int, bool]:
    """How well a column tells images apart: by how many names, and whether these are paths."""
    cells = {cell_text(cell) for cell in finder.cells(name)}
    return len(cells), any("/" in cell or "\\" in cell for cell in cells)


def _exam_folders(finder: Finder, name: str) -> str:
    """The column that tells the exams of a patient apart, whose folders lie in the patient's; "" where none does.

    Args:
        finder: The table.
        name: Its column with folders of patients.
    """
    folders = [cell_text(row.get(name)) for row in finder.rows]
    if len(set(folders)) == len(folders) or any(IMAGE_ENDING.search(folder) for folder in folders):
        return ""
    for other in finder.names:
        if other == name or not all_cells(finder.cells(other), lambda cell: is_folder(cell_text(cell))):
            continue
        paths = [joined_name(row, (name,), cell_text(row.get(other))) for row in finder.rows]
        there = sum(finder.resolves(path) for path in paths)
        if len(set(paths)) > len(set(folders)) and there >= _ENOUGH * len(paths):
            return other
    return ""


def joined_name(row: Cells, columns: Sequence[str], name: str) -> str:
    """A file's name with the folders that other cells of its row name before it."""
    return "/".join([*(cell_text(row.get(column)).strip("/") for column in columns), name])


def is_folder(text: str) -> bool:
    """Whether a text may be a folder or a part of a name: short and without spaces."""
    return 0 < len(text) < _MOST_CHARS and " " not in text.strip()


def _score(finder: Finder, name: str) -> tuple[float, float]:
    """How much a column looks like that of the image, and for how many rows the image is there."""
    cells = finder.cells(name)
    if words.counts(name) and all_cells(cells, lambda cell: cell_text(cell).isdigit()):
        return 0.0, 0.0
    simple = plain(name)
    usual = words.IMAGE.index(simple) if simple in words.IMAGE else None
    by_name = (
        1 - usual * 0.01 if usual is not None else 0.5 * bool(set(words.words(name)) & words.IMAGE_WORDS)
    )
    if not cells:
        return (by_name * 0.1 if usual is not None and usual < 40 else 0.0), 0.0
    inside = there = files = loose = 0.0
    for cell in cells:
        if is_conversation(cell):
            return 0.0, 0.0
        images = image_cells(cell)
        if not images:
            continue
        if any(image.data for image in images):
            inside += 1
        first = images[0].name
        files += bool(IMAGE_ENDING.search(first.split("?")[0].strip())) and len(first) < 1024
        if any(image.name and finder.resolves(image.name) for image in images[:4]):
            there += 1
            loose += first.isdigit() and len(first) < 5
    n = len(cells)
    if loose == there and not by_name:
        there = 0.0  # a count of runs is not the name of 1.png
    if is_image_object(cells[0]) and by_name == 0:
        by_name = 0.3
    strength = (inside * 4 + there * 3 + files) / n
    if not strength and not (usual is not None and usual < 40):
        return 0.0, 0.0
    return strength + by_name * (1 if strength else 0.1), min(1.0, (inside + there) / n)


def _names_inside(cell: object) -> bool:
    return isinstance(cell, str) and "<img>" in cell


def only_numbers(finder: Finder, name: str) -> bool:
    """Whether a column that is not called after images holds nothing but short numbers."""
    if plain(name) in words.IMAGE and plain(name) not in ("id", "key"):
        return False
    return all_cells(
        finder.cells(name), lambda cell: cell_text(cell).isdigit() and len(cell_text(cell)) < _ID_DIGITS
    )


def _views(
    best: str, alike: list[str], names: Sequence[str]
) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """The columns that hold one case's images, and those that hold other versions of them."""
    if not alike:
        return ((best, ""),), []
    roles = {name: _role_of(name) for name in (best, *alike)}
    stem = re.sub(r"[_\d]+$", "", plain(best))
    numbered = [name for name in (best, *alike) if re.fullmatch(rf"{re.escape(stem)}_?\d+", plain(name))]
    if best in numbered and len(numbered) > 1:
        chosen = numbered
    else:
        chosen = [name for name in (best, *alike) if roles[name]]
        if chosen and best not in chosen and plain(best) in ("image", "img", "path", "file_name", "filename"):
            chosen = [best, *chosen]
        if best not in chosen:
            chosen = [best]
    ordered = sorted(
        chosen, key=lambda name: (name != best and plain(best) == "image", list(names).index(name))
    )
    return tuple((name, roles[name]) for name in ordered), [name for name in alike if name not in chosen]


def _role_of(name: str) -> str:
    return next((word for word in words.words(name) if word in words.ROLES), "")
