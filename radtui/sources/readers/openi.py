"""Indiana University's chest reports as OpenI gives them: one XML file a report, which names its images.

Source: https://openi.nlm.nih.gov, the collection's "Reports" archive: `eCitation` with `AbstractText` sections and
`parentImage` ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from xml.etree import ElementTree

from radtui.records import Problem
from radtui.sources.files import Tree
from radtui.sources.readers.table import NOTHING, Row

ROOT = b"<eCitation"
_MAX_BYTES = 2**22
_SECTIONS = ("comparison", "indication", "findings", "impression")


def openi_reports(tree: Tree, names: Sequence[str], head_bytes: int = 4096) -> dict[str, list[str]]:
    """Folders of such reports: the first file of each, by which it is known as a table, and all its files."""
    by_folder: dict[str, list[str]] = {}
    for name in names:
        if name.lower().endswith(".xml"):
            by_folder.setdefault(name.rpartition("/")[0], []).append(name)
    return {files[0]: files for files in by_folder.values() if ROOT in tree.head(files[0], head_bytes)}


class OpeniTable:
    """The reports of one folder, a row each."""

    columns: tuple[str, ...] = ("uid", "images", *_SECTIONS, "mesh")

    def __init__(self, tree: Tree, files: Sequence[str]) -> None:
        """List the files; nothing is read.

        Args:
            tree: The source.
            files: The reports.
        """
        self.file, self.part = files[0], f"and {len(files) - 1:,} more" if len(files) > 1 else ""
        self.files = tuple(files)
        self.notes: list[Problem] = []
        self._tree = tree

    def count(self) -> int | None:
        """Only reading tells how many of the files are reports."""
        return None

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """Every report that can be read."""
        for number, name in enumerate(self.files, start=1):
            data, error = self._tree.read(name, _MAX_BYTES)
            if error:
                yield Problem(name, error)
                continue
            if b"<!ENTITY" in data:  # entities can blow a small file up
                yield Problem(name, "It defines XML entities, which no such report does; it is not read.")
                continue
            try:
                yield Row(number, _cells(ElementTree.fromstring(data)))
            except ElementTree.ParseError as error_of_xml:
                yield Problem(name, f"It is not valid XML ({error_of_xml}).")


def _cells(root: ElementTree.Element) -> dict[str, object]:
    cells: dict[str, object] = dict.fromkeys(OpeniTable.columns, "")
    uid = root.find("uId")
    cells["uid"] = "" if uid is None else uid.get("id", "")
    cells["images"] = [image.get("id", "") for image in root.iter("parentImage") if image.get("id")]
    for part in root.iter("AbstractText"):
        label = part.get("Label", "").strip().lower()
        if label in _SECTIONS:
            cells[label] = "".join(part.itertext()).strip()
    cells["mesh"] = "; ".join(text for tag in root.iter("major") if (text := "".join(tag.itertext()).strip()))
    return cells
