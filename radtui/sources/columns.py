"""Which column of a table holds the image, its text, id, split and findings; and cells as text."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from radtui.records import Truth, UserError
from radtui.settings import ImportSettings

IMAGE_NAMES = (
    "image", "file_name", "filename", "file", "image_file_name", "image_file", "image_path", "img", "img_path",
    "path", "image_index", "image_name", "dicom", "image_id", "dicom_id",
)  # fmt: skip
TEXT_NAMES = (
    "text", "caption", "report", "reference", "description", "report_text", "findings", "impression",
)  # fmt: skip
ID_NAMES = ("image_id", "id", "uid", "dicom_id", "image_index", "source_key", "key", "name")
SPLIT_NAMES = ("split", "subset", "set", "partition", "data_split")
EXAMINATION_NAMES = ("examination", "exam")
TRUTH_PARTS = ("finding", "side", "zone", "size")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns a table was found to have; "" for one that is not there."""

    image: str
    text: str = ""
    id: str = ""
    split: str = ""
    examination: str = ""
    findings: str = ""  # a list of objects with the TRUTH_PARTS
    truth: dict[str, str] = field(default_factory=dict)  # a TRUTH_PARTS name -> its column
    facts: tuple[str, ...] = ()

    def describe(self) -> str:
        """One clause that says what is read from where."""
        text = f"text from {self.text}" if self.text else "no column with a text"
        return f"image from {self.image}, {text}"


def find_columns(
    names: Sequence[str],
    settings: ImportSettings,
    *,
    image_like: Collection[str] | None = None,
    lists: Collection[str] = (),
) -> Columns:
    """Find the columns by name and type; those that the settings name come first.

    Args:
        names: The table's columns, in its order.
        settings: `image_column`, `text_column`, `id_column` and `split_column`, each empty or a name.
        image_like: Columns whose type is an image or bytes, where the table has types; None where all is text.
        lists: Columns that hold lists, where the table has types.

    Raises:
        UserError: no column holds an image, or a column named in the settings is not there.
    """
    known = _by_plain_name(names)
    image = _named(names, known, settings.image_column, "image_column") or _image(known, image_like)
    if not image:
        raise UserError(
            f"None of the columns {', '.join(names) or '(there are none)'} is known to hold the image;"
            " name it as image_column."
        )
    return other_columns(names, settings, image=image, lists=lists)


def other_columns(
    names: Sequence[str], settings: ImportSettings, *, image: str = "", lists: Collection[str] = ()
) -> Columns:
    """Find every column but the image's, as `find_columns` does; for objects that belong to one image.

    Raises:
        UserError: a column named in the settings is not there.
    """
    known = _by_plain_name(names)
    taken = {image}
    # "findings" is a report's section where it is text, and the ground truth where it is a list.
    findings = known.get("findings", "") if known.get("findings", "") in lists else ""
    taken.add(findings)

    def pick(asked: str, setting: str, usual: Iterable[str]) -> str:
        column = _named(names, known, asked, setting) if asked else ""
        column = column or next((known[n] for n in usual if n in known and known[n] not in taken), "")
        taken.add(column)
        return column

    text = pick(settings.text_column, "text_column", TEXT_NAMES)
    own_id = pick(settings.id_column, "id_column", ID_NAMES)
    split = pick(settings.split_column, "split_column", SPLIT_NAMES)
    examination = pick("", "", EXAMINATION_NAMES)
    truth = {part: known[part] for part in TRUTH_PARTS if part in known and known[part] not in taken}
    if "finding" not in truth:
        truth = {}  # a side or a size alone says nothing about a finding
    taken.update(truth.values())
    facts = tuple(name for name in names if name not in taken)
    return Columns(image, text, own_id, split, examination, findings, truth, facts)


def _by_plain_name(names: Sequence[str]) -> dict[str, str]:
    """Columns by name without case, spaces and hyphens; the first of several that are alike."""
    return {_plain(name): name for name in reversed(names)}


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _named(names: Sequence[str], known: Mapping[str, str], asked: str, setting: str) -> str:
    if not asked:
        return ""
    column = asked if asked in names else known.get(_plain(asked), "")
    if not column:
        raise UserError(
            f"There is no column {asked!r} for {setting}; there are {', '.join(names) or 'none'}."
        )
    return column


def _image(known: Mapping[str, str], image_like: Collection[str] | None) -> str:
    found = [known[name] for name in IMAGE_NAMES if name in known]
    if image_like is None:
        return found[0] if found else ""
    typed = [name for name in found if name in image_like] or sorted(image_like)
    return typed[0] if typed else (found[0] if found else "")


def truths(row: Mapping[str, object], columns: Columns) -> tuple[Truth, ...]:
    """The findings that a row states: its list of objects, or its own finding, side, zone and size."""
    listed = row.get(columns.findings) if columns.findings else None
    if isinstance(listed, str):
        listed = json_list(listed)
    if isinstance(listed, (list, tuple)):
        objects = [item if isinstance(item, Mapping) else {"finding": item} for item in listed]
    else:
        objects = [{part: row.get(column) for part, column in columns.truth.items()}]
    found = (Truth(*(cell_text(item.get(part)) for part in TRUTH_PARTS)) for item in objects)
    return tuple(truth for truth in found if truth.finding)


def facts(row: Mapping[str, object], columns: Columns) -> dict[str, str]:
    """The other columns of a row as text; empty cells are left out."""
    texts = {name: cell_text(row.get(name)) for name in columns.facts}
    return {name: text for name, text in texts.items() if text}


def cell_text(value: object) -> str:
    """A cell as text: lists joined with ", ", objects as JSON, nothing for None, NaN and bytes."""
    if value is None or isinstance(value, (bytes, bytearray, memoryview)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}" if math.isfinite(value) else ""
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, (cell_text(item) for item in value)))
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=cell_text)
    return str(value).strip()


def json_list(text: str) -> list[object] | None:
    """The list that a cell holds as JSON, or None."""
    if not text.lstrip().startswith("["):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, list) else None
