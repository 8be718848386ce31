"""Which columns of a table hold its images, or the names of their files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from radtui.sources.layouts import words
from radtui.sources.layouts.cells import cell_text, image_cells, is_image_object
from radtui.sources.layouts.conversation import is_conversation
from radtui.sources.layouts.finder import FILE_SUFFIX, Finder, all_cells
from radtui.sources.layouts.words import plain

_ID_DIGITS = 5


def find_images(finder: Finder, talk: bool) -> tuple[tuple[tuple[str, str], ...], float]:
    """The columns with images, and the share of rows whose image is there."""
    asked = finder.choices.image_column
    if asked:
        column = finder.named(asked, "image_column")
        finder.taken.add(column)
        return ((column, ""),), _score(finder, column)[1]
    scores = {name: _score(finder, name) for name in finder.names if name not in finder.taken}
    usable = {name: score for name, score in scores.items() if score[0] > 0}
    if not usable:
        return (), 0.0
    best = max(usable, key=lambda name: usable[name][0])
    alike = [
        name
        for name in usable
        if name != best and usable[name][1] >= 0.5 * usable[best][1] and usable[name][1] > 0.3
    ]
    chosen, rest = _views(best, alike, finder.names)
    if rest and usable[best][1]:
        finder.notes.append(f"{', '.join(rest)} also name images and are not used; {best} is.")
    # A question that names its image between <img> and </img> is a question, too.
    finder.taken.update(name for name, _ in chosen if not all_cells(finder.cells(name), _names_inside))
    return chosen, usable[best][1]


def _score(finder: Finder, name: str) -> tuple[float, float]:
    """How much a column looks like that of the image, and for how many rows the image is there."""
    cells = finder.cells(name)
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
        files += bool(FILE_SUFFIX.search(first.split("?")[0].strip())) and len(first) < 1024
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
