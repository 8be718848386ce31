"""The files of a source told apart: images, tables, and others with the reason why they are not used."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from pathlib import Path

from radtui.records import Problem
from radtui.sources.base import DICOM_SUFFIXES, IMAGE_SUFFIXES
from radtui.sources.files import Tree
from radtui.sources.kinds import HEAD_BYTES, VOLUME_SUFFIXES, FileUse, file_kind, suffix_of
from radtui.sources.layouts.beside import TEXT_SUFFIXES
from radtui.sources.layouts.filenames import FileNames, is_called_about, lies_about
from radtui.sources.readers import BOOKKEEPING, is_cache, table_suffix
from radtui.sources.readers.openi import openi_reports

_FORMATS = frozenset(
    ("dicom", "dicoms", "dcm", "dcms", "jpg", "jpgs", "jpeg", "jpegs", "png", "pngs", "tif", "tiff", "images", "img",
     "converted", "export", "exported")
)  # fmt: skip
_HIDDEN_PARTS = frozenset((".raw", ".zraw", ".img"))  # pixels of an .mhd or .hdr beside it
_HEADERS = (".mhd", ".nhdr", ".hdr", ".MHD", ".HDR")
_CACHE = "It is what datasets computed on the way, of the data beside it; it is not used."
_QUIET = frozenset(("thumbs.db", "desktop.ini", "dicomdir"))
_TABLE_FOLDERS = frozenset(
    ("annotations", "annotation", "labels", "metadata", "captions", "csv", "json", "jsons", "reports", "tables",
     "splits", "text", "texts", "meta", "anno", "ann")
)  # fmt: skip
"""Folders that hold tables about images in the folders beside them."""


class SortedFiles:
    """Tells images, tables and other files apart, by their names; without a usual suffix by their first bytes.

    Args:
        tree: The files.

    Attributes:
        pictures: Images.
        tables: Tables, and reports that are read as such.
        others: Texts beside images, and what is not used.
        reports: Reports that are one table together, with all their files, by the first of them.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.pictures: list[str] = []
        self.tables: list[str] = []
        self.others: list[str] = []
        for name in tree.names:
            lower = name.lower()
            # Nearly all.
            if lower[lower.rfind(".") :] in IMAGE_SUFFIXES and lower[lower.rfind("/") + 1] != ".":
                self.pictures.append(name)
                continue
            suffix = ".nii.gz" if lower.endswith(".nii.gz") else posixpath.splitext(lower)[1]
            if suffix in IMAGE_SUFFIXES or suffix in DICOM_SUFFIXES or suffix in VOLUME_SUFFIXES:
                self.pictures.append(name)
            elif table_suffix(name):
                self.tables.append(name)
                if suffix in TEXT_SUFFIXES:
                    self.others.append(name)
            elif suffix in TEXT_SUFFIXES or suffix in _HIDDEN_PARTS or lower.rpartition("/")[2] in _QUIET:
                self.others.append(name)
            elif _is_picture(tree, name):
                self.pictures.append(name)
            else:
                self.others.append(name)
        self.others = [name for name in self.others if not table_suffix(name)]
        self.reports = openi_reports(tree, self.others)
        self.tables += self.reports

    def _has_header(self, name: str) -> bool:
        """Whether a file holds the pixels of a volume whose header lies beside it."""
        stem, suffix = posixpath.splitext(name)
        return suffix.lower() in _HIDDEN_PARTS and any(f"{stem}{each}" in self.tree for each in _HEADERS)

    def titles(self) -> list[str]:
        """Names of tables and other files with spaces in them, as they stand in sentences about them."""
        return [name for name in (*self.tables, *self.others) if " " in name]

    def unused(self, used: set[str]) -> list[Problem]:
        """Files that are neither images nor tables nor texts of images, by kind, with the way out.

        Args:
            used: Files of these that say something about an image after all.
        """
        problems: list[Problem] = []
        by_reason: dict[tuple[str, str], list[str]] = {}
        used = used.union(*(files for first, files in self.reports.items() if first in used))
        for name in self.others:
            base = name.rpartition("/")[2].lower()
            if name in used or base in _QUIET or base in BOOKKEEPING or self._has_header(name):
                continue
            suffix = posixpath.splitext(name)[1].lower()
            many = by_reason.get((suffix, ""))
            reason = (
                _CACHE
                if is_cache(name)
                else (
                    ""
                    if many and len(many) > 50
                    else file_kind(name, self.tree.head(name, HEAD_BYTES)).reason
                )
            )
            by_reason.setdefault((suffix, reason), []).append(name)
        for (_, reason), names in by_reason.items():
            where = (
                names[0] if len(names) == 1 else f"{', '.join(names[:3])}{' ...' if len(names) > 3 else ''}"
            )
            problems.append(Problem(where, reason or "Such files are not used.", len(names)))
        return problems


def _is_picture(tree: Tree, name: str) -> bool:
    return file_kind(name, tree.head(name, HEAD_BYTES)).use is not FileUse.OTHER


def masks_among(files: list[str], names: FileNames) -> list[str]:
    """The files that are about others: in a folder of masks, or called so, with the name of an image outside it."""
    masks = []
    about = {file: of for file in files if (of := is_called_about(_stem_of(file))) is not None}
    images = [file for file in files if file not in about] if about else []
    # Of c1_t1.png "c1", which c1_seg.png is about; of the folder "", which mask.png is.
    beside = {(file.rpartition("/")[0], stem) for file in images for stem in _stems(file)}
    for file in files:
        if file not in about and not lies_about(file):
            continue
        stem = about.get(file, _stem_of(file))
        inside = lies_about(file) and any(not lies_about(other) for other in names.stem_matches(stem))
        if inside or (file in about and (file.rpartition("/")[0], stem) in beside):
            masks.append(file)
    return masks


def _stem_of(file: str) -> str:
    base = file.rpartition("/")[2]
    return base[: len(base) - len(suffix_of(base))]


def _stems(file: str) -> tuple[str, ...]:
    """What a file that is about an image may be called by: its name, that without its last part, nothing."""
    stem = _stem_of(file)
    return stem, stem.rpartition("_")[0], ""


def mask_problems(masks: list[str]) -> list[Problem]:
    """That masks are left out."""
    reason = "Masks and other pictures about images are left out, for they are called as images beside them or outside"
    reason += " their folder."
    return [Problem(masks[0], reason, len(masks))] if masks else []


def copies_among(files: list[str], has_text: Callable[[str], object]) -> list[str]:
    """The files that show what another does: of a DICOM file and a picture of its name, the one without a text.

    Args:
        files: Images that no table lists.
        has_text: Whether a text belongs to an image.
    """
    dicom = {
        _copied_as(file): file for file in files if suffix_of(file) in DICOM_SUFFIXES
    }  # fmt: skip
    copies = []
    for file in files if dicom else ():
        other = dicom.get(_copied_as(file), file) if suffix_of(file) in IMAGE_SUFFIXES else file
        if other != file:
            copies.append(other if has_text(file) and not has_text(other) else file)
    return copies


def _copied_as(file: str) -> str:
    """A file's path without its ending and without folders that are called after a format."""
    folders = file.removesuffix(file[len(file) - len(suffix_of(file)) :]).lower().split("/")
    return "/".join([*(folder for folder in folders[:-1] if folder not in _FORMATS), folders[-1]])


def copy_problems(copies: list[str]) -> list[Problem]:
    """That copies are left out."""
    reason = (
        "Of a DICOM file and a picture with its name only one comes in, the DICOM file where both or neither has"
        " a text; to bring in the others, import their folder alone."
    )
    return [Problem(copies[0], reason, len(copies))] if copies else []


def sorted_around(tree: Tree, root: Path, only: str) -> tuple[SortedFiles, str]:
    """The files of a folder; where a table was named that lies in a folder of its own, those of the folder above.

    Args:
        tree: The folder's.
        root: The folder.
        only: The table that was named; "" for none.

    Returns:
        The files, and the table's name among them.
    """
    files = SortedFiles(tree)
    if only and not files.pictures and root.name.lower() in _TABLE_FOLDERS:
        higher = SortedFiles(Tree(root.parent))
        if higher.pictures:
            return higher, f"{root.name}/{only}"
    return files, only
