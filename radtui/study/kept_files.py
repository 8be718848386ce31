"""Answers that were kept for a data folder under another name: found again by its studies, which no other folder has.

A folder that was renamed has the very file that was open. A copy has the same studies, and the folder that the
answers were kept for may come back: they are put into it only when somebody says so.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from radtui.paths import DataDir, kept_folder
from radtui.plural import listed, many
from radtui.records import UserError
from radtui.store.place import Home, identity_of
from radtui.study.delivery import Kept, missing_answers, missing_reveals, study_here
from radtui.study.unsaved import Unsaved, read_kept


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of answers that a data folder could not take, as the folder that is open sees it.

    Attributes:
        path: The file.
        folder: Where the data folder was when they were kept; "" where an older radtui wrote them.
        answers: How many it holds, by rater.
        missing: Of these, how many are about studies of the open folder and are not in it.
        unseen: Of how many cases of these studies a rater has seen what the open folder does not know of: what they
            answer about them is called blind there.
        readers: Who gave these answers, or has seen there which text is whose.
        is_of_here: Whether all of it is about studies of the open folder.
        is_renamed: Whether the open folder is that folder under another name, for certain.
        trouble: Why the file cannot be read; "" where it can.
    """

    path: Path
    folder: str = ""
    answers: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    readers: frozenset[str] = frozenset()
    is_of_here: bool = False
    is_renamed: bool = False
    trouble: str = ""

    @property
    def sentence(self) -> str:
        """What is missing here, and what to do about it."""
        total, raters = self.missing.total(), listed(sorted(self.missing))
        where = f" while {self.folder} was not there" if self.folder else ""
        if not total:
            return (
                f"What {listed(sorted(self.unseen))} saw of {many(self.unseen.total(), 'case')} was kept{where} and is"
                " not in this data folder, so that what they answer would be called blind: radtui kept --put-in saves"
                " it here."
            )
        was, are, them = ("was", "is", "it") if total == 1 else ("were", "are", "them")
        return (
            f"{many(total, 'answer')} by {raters} {was} kept{where} and {are} not in this data folder: radtui kept"
            f" --put-in saves {them} here."
        )

    @property
    def is_wanted(self) -> bool:
        """Whether something of it is about the open folder and not in it."""
        return bool(self.missing or self.unseen)


def kept_files(db: sqlite3.Connection, data: DataDir) -> list[KeptFile]:
    """All files of answers that some data folder has not taken, as this one sees them.

    Args:
        db: Its database.
        data: The folder.
    """
    return [_seen(db, data, path) for path in kept_paths()]


def kept_paths() -> list[Path]:
    """Where there are such files."""
    with suppress(OSError):
        return sorted(kept_folder().glob("*.jsonl"))
    return []


def put_in(db: sqlite3.Connection, data: DataDir, file: KeptFile) -> int:
    """Put a file's answers into a data folder; returns how many. See `Unsaved.deliver`."""
    return Unsaved(data, "", file.path).deliver(db, also_beneath=True)


@dataclass(frozen=True, slots=True)
class Followed:
    """What has become of a rater's answers that were kept under other names of a data folder.

    Attributes:
        delivered: How many were put in, since it is the same folder for certain.
        sentences: What waits for somebody to say that it belongs here.
    """

    delivered: int = 0
    sentences: tuple[str, ...] = ()


def follow(db: sqlite3.Connection, data: DataDir, rater: str, own: Path | None) -> Followed:
    """Put in what a rater's sessions kept for this folder before it was renamed; say what else may belong here.

    Other raters' answers are said too: what is counted here lacks them until they, or somebody, put them in.

    Args:
        db: The folder's database.
        data: The folder.
        rater: Who rates.
        own: The file of the folder's own name, which is delivered anyway.
    """
    delivered, sentences = 0, []
    for path in kept_paths():
        file = KeptFile(path) if path == own else _seen(db, data, path)
        if file.is_renamed and rater in file.readers:
            delivered += put_in(db, data, file)
        elif file.is_wanted:
            sentences.append(file.sentence)
    return Followed(delivered, tuple(sentences))


def _seen(db: sqlite3.Connection, data: DataDir, path: Path) -> KeptFile:
    try:
        kept, _ = read_kept(path)
    except UserError as error:
        return KeptFile(path, trouble=str(error))
    missing = {name: missing_answers(db, each) for name, each in kept.items()}
    unseen = {name: _unseen(db, each) for name, each in kept.items()}
    homes = [each.home for name, each in kept.items() if missing[name] or unseen[name]] or [
        each.home for each in kept.values()
    ]
    return KeptFile(
        path, str(homes[0].get("folder", "")) if homes else "",
        Counter(row.rater for each in kept.values() for row in each.ratings),
        Counter(row.rater for rows in missing.values() for row in rows),
        Counter(rater for whose in unseen.values() for rater, _ in whose),
        frozenset(rater for each in kept.values() for rater in each.readers),
        all(study_here(db, each) is not None for each in kept.values()),
        bool(homes) and all(_is_renamed(data, home) for home in homes),
    )  # fmt: skip


def _unseen(db: sqlite3.Connection, kept: Kept) -> set[tuple[str, int]]:
    """Each rater with a case of which they have seen what a database does not know of."""
    return {(row.rater, row.case_id) for row in missing_reveals(db, kept)}


def _is_renamed(data: DataDir, home: Mapping[str, object]) -> bool:
    """Whether answers that are about studies here were kept for this very folder under another name.

    A pack is one file, and lies in another folder each time that it is opened.
    """
    folder, known = str(home.get("folder", "")), Home.of_values(home)
    if not folder or known is None or Path(folder) == data.root or DataDir(Path(folder)).database.exists():
        return False
    return data.database.is_symlink() or (
        known.identity is not None and identity_of(data.database) == known.identity
    )
