"""A case before its images are read: what a layout makes of a row, or of a file without one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from radtui.records import NewCase, NewCaseImage, Truth
from radtui.sources.base import split_name, split_of_path
from radtui.sources.files import Tree

FOLDER = "folder"
"""The fact that says in which folders an image lay that no table lists."""
_PATIENT = re.compile(r"(?:patient|pat|pt|subject|subj|sub|person|p)[-_ ]?\d+", re.IGNORECASE)
_TWO_FILES = (".mhd", ".nhdr")
_EXAM = re.compile(r"(?:study|exam|session|ses|visit|s)[-_ ]?\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DraftPicture:
    """One image of a case: a file of the source, or bytes, or why there is neither."""

    file: str = ""
    data: bytes = b""
    name: str = ""
    role: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A case whose images are names still."""

    split: str
    key: str
    pictures: tuple[DraftPicture, ...]
    text: str = ""
    question: str = ""
    examination: str = ""
    patient: str = ""
    exam: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    truth: tuple[Truth, ...] = ()
    error: str = ""

    @property
    def readable(self) -> bool:
        """Whether an image of it is where the source says."""
        return not self.error and any(not picture.error for picture in self.pictures)


def joined_drafts(draft: Draft, other: Draft) -> Draft:
    """Two cases of one report as one: all images, and facts with the different values one after the other."""
    return replace(
        draft, pictures=(*draft.pictures, *(each for each in other.pictures if each not in draft.pictures)),
        facts=joined_facts(draft.facts, other.facts), truth=tuple(dict.fromkeys((*draft.truth, *other.truth))),
    )  # fmt: skip


def joined_facts(facts: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    """Facts of two rows: equal ones once, others one after the other."""
    result = dict(facts)
    for name, text in other.items():
        parts = [*filter(None, result.get(name, "").split("; ")), *text.split("; ")]
        result[name] = "; ".join(dict.fromkeys(parts))
    return result


def as_case(draft: Draft, tree: Tree | None, unread: bool = False) -> NewCase:
    """The case with its images' bytes as found.

    Args:
        draft: What a layout made.
        tree: Where its files are; None where its images are bytes.
        unread: Whether plain files are only named, to be read elsewhere.
    """
    images = []
    for picture in draft.pictures:
        data, error, path = picture.data, picture.error, None
        if picture.file and not error and tree is not None:
            path = tree.local(picture.file) if unread else None
            data, error = (b"", "") if path is not None else tree.read(picture.file)
        # What lies in two files is known by its whole path, so that the second can be found.
        name = picture.file if picture.file.lower().endswith(_TWO_FILES) else picture.name or picture.file
        images.append(NewCaseImage(b"" if error else data, name, picture.role, "", error, str(path or "")))
    return NewCase(
        draft.split, draft.key, tuple(images), draft.text, draft.question, draft.examination, draft.patient,
        draft.exam, draft.facts, draft.truth, draft.error,
    )  # fmt: skip


def split_of(usual: str, image: str = "", table: str = "", part: str = "") -> str:
    """The split of an image whose row names none.

    Args:
        usual: What the user says such images are in, or "".
        image: Its file.
        table: The file of its table.
        part: The part of that file, such as a key of a JSON object.
    """
    named = split_of_path(image) if image else ""
    if not named and part:
        named = split_of_path(part, with_stem=True)
    if not named and table:
        named = split_of_path(table, with_stem=True)
    return named or split_name(usual) or "train"


def people_of_path(file: str) -> tuple[str, str]:
    """The patient and the exam whose folders a file lies in, as the folders are called; "" where none says so."""
    folders = file.split("/")[:-1]
    patient = exam = ""
    for place, folder in enumerate(folders):
        if _PATIENT.fullmatch(folder):
            patient = folder  # the deepest: MIMIC's p10 holds p10000032
        elif _EXAM.fullmatch(folder):
            exam = "/".join(folders[: place + 1])
    return patient, exam


def class_folder(file: str) -> str:
    """The folders of a file that are no splits, as one fact."""
    return "/".join(part for part in file.split("/")[:-1] if not split_of_path(f"{part}/x"))
