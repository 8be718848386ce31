"""A pack opened where it is, and a reader's ratings taken home from it: once, whole, and as they were given."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from radtui.export.files import passing_folder
from radtui.export.pack import IMAGES, TEXTS, content_hash, home_file
from radtui.measures.scheme import (
    acceptability_answer,
    accepted_answer,
    checked_answer,
    error_answer,
    parse_answer,
)
from radtui.paths import DataDir
from radtui.records import Comparison, Rating, Study, UserError
from radtui.store import cases, packs, ratings, studies
from radtui.store.database import connect
from radtui.store.gone import is_damage
from radtui.store.ratings import Assignment, Reveal
from radtui.study.packed import PACK
from radtui.study.study import SCHEME_FILE
from radtui.study.undo import History

# Begins each of its files. Source: https://www.sqlite.org/fileformat.html
OF_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did: how many rows came, how many were here from an earlier merge; and what the pack has."""

    study: Study
    reader: str
    added: int
    known: int
    rated: int = 0  # pairs with an answer
    pairs: int = 0


@contextmanager
def opened_pack(path: Path) -> Iterator[tuple[DataDir, Study]]:
    """A data folder whose database is the pack itself, so that each answer is in it at once; images beside it.

    Raises:
        UserError: There is no such file, or it is no pack.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}; name one that radtui study pack wrote.")
    with path.open("rb") as file:
        if file.read(len(OF_SQLITE)) != OF_SQLITE:
            raise UserError(f"{path} is no pack; name a file that radtui study pack wrote.")
    with passing_folder("radtui-open-") as folder:
        data = DataDir(folder / "pack", named=True)
        data.root.mkdir()
        # A link: SQLite keeps its log beside the file that it leads to, so that a killed session loses nothing.
        data.database.symlink_to(path.resolve())
        with closing(connect(data)) as db:
            study = next(iter(studies.all_studies(db)), None) if packs.holds_files(db) else None
            if study is None or PACK not in study.protocol:
                raise UserError(f"{path} is no pack; name a file that radtui study pack wrote.")
            data.create()
            for name, content in packs.files(db):
                target = data.root / name if name == SCHEME_FILE else data.blob(Path(name).name)
                target.parent.mkdir(parents=True, exist_ok=True)
                if name == SCHEME_FILE or name.startswith(IMAGES):
                    target.write_bytes(content)
        yield data, study


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """What SQLite says of a pack that is not whole, as a sentence about it: the data folder is another database."""
    try:
        yield
    except (sqlite3.DatabaseError, UserError) as error:
        cause = error.__cause__ if isinstance(error, UserError) else error
        if not isinstance(cause, sqlite3.DatabaseError) or not is_damage(cause):
            raise
        raise UserError(
            f"{path} is damaged, or was sent without {path.name}-wal, which lies beside it where a session of its"
            f" reader was killed ({cause}): have it opened there once more, and sent again; nothing was merged."
        ) from error


def merge_pack(data: DataDir, db: sqlite3.Connection, path: Path) -> Merged:
    """Take a reader's ratings home; what came with an earlier merge is not added again.

    Raises:
        UserError: It was not packed here, was altered, or its reader has rated here as well.
    """
    with _damage_told(path), opened_pack(path) as (inside, packed), closing(connect(inside)) as there:
        home = _home(data, str(packed.protocol[PACK]), path)
        if content_hash(there) != home["sha256"]:
            raise UserError(
                f"{path} is not as it was packed: images, texts or sides were altered; nothing was merged."
            )
        reader = str(home["reader"])
        if ratings.raters(there, packed.id) not in ([], [reader]):
            raise UserError(f"{path} was packed for {reader}, and others rated in it; nothing was merged.")
        rows = ratings.history(there, packed.id, reader)
        _check_chain(rows, path)
        seen = [
            Reveal(packed.id, case_id, reader, at, shown)
            for shown in ("arms", "reference")
            for case_id, at in ratings.revealed(there, packed.id, reader, shown).items()
        ]
        assigned = ratings.assigned(there, packed.id, reader)
        keys = {case.id: case.source_key for case in cases.get_many(there, studies.work_list(there, packed))}
    study = studies.get(db, int(home["study"]))
    if study is None:
        raise UserError(f"Study {home['study']}, which {path} was packed from, is not here any more.")
    ids = [int(item[1]) for item in home["items"]]
    way = _WayHome(study, home, keys, studies.comparisons(db, study, ids))
    merged = _take_in(
        db, way, reader, rows, [way.assignment(each) for each in assigned], [way.reveal(s) for s in seen]
    )
    rated = sum(not row.empty for row in History(rows).current.values())
    return replace(merged, rated=rated, pairs=len(assigned))


def _home(data: DataDir, number: str, path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(home_file(data, number).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} was not packed from {data.root}, or its key there is gone; name the data folder with --data-dir."
        ) from error


def _check_chain(rows: list[Rating], path: Path) -> None:
    before = ""
    for row in rows:
        if ratings.link(before, row) != row.chain:
            raise UserError(
                f"{path} holds an answer that was altered, dropped or moved (row {row.id}); nothing was merged."
            )
        before = row.chain


class _WayHome:
    """What the names and numbers of a pack stand for."""

    def __init__(
        self, study: Study, home: dict[str, Any], keys: dict[int, str], comparisons: dict[int, Comparison]
    ) -> None:
        self.study, self._comparisons = study, comparisons
        items = {f"case {int(item[0]):05d}": item for item in home["items"]}
        self._items = {case_id: items[key] for case_id, key in keys.items()}

    def case(self, packed_id: int) -> tuple[int, int]:
        """Case id and pair number at home."""
        item = self._items[packed_id]
        return int(item[1]), int(item[2])

    def arm(self, packed_id: int, text: str) -> str:
        """The arm that a text of a pack is of."""
        return str(self._items[packed_id][3 + TEXTS.index(text)])

    def assignment(self, each: Assignment) -> Assignment:
        """A place and its sides at home."""
        case_id, pair = self.case(each.case_id)
        left, right = self.arm(each.case_id, each.left_arm), self.arm(each.case_id, each.right_arm)
        comparison = self._comparisons[case_id]
        return replace(
            each, study_id=self.study.id, case_id=case_id, pair=pair, left_arm=left, right_arm=right,
            left_text_id=comparison.by(left).text_id, right_text_id=comparison.by(right).text_id,
        )  # fmt: skip

    def reveal(self, seen: Reveal) -> Reveal:
        """What was seen, at home."""
        return replace(seen, study_id=self.study.id, case_id=self.case(seen.case_id)[0])

    def rating(self, row: Rating) -> Rating:
        """A row at home: turned towards the later arm of the study there."""
        case_id, pair = self.case(row.case_id)
        first, second = (self.arm(row.case_id, text) for text in row.shown)
        order = self.study.arm_names.index
        turned = order(first) > order(second)
        earlier, later = (second, first) if turned else (first, second)
        comparison = self._comparisons[case_id]
        preference = -row.preference if turned and row.preference is not None else row.preference
        return replace(
            row, study_id=self.study.id, case_id=case_id, pair=pair, earlier_arm=earlier, later_arm=later,
            later_left=row.later_left != turned, preference=preference,
            answers={self._key(row, key): self._value(key, value, turned) for key, value in row.answers.items()},
            corrections={self.arm(row.case_id, text): words for text, words in row.corrections.items()},
            earlier_text_id=comparison.by(earlier).text_id, later_text_id=comparison.by(later).text_id, chain="",
        )  # fmt: skip

    def _key(self, row: Rating, key: str) -> str:
        about = parse_answer(key)
        if about is None:
            return key
        arm = self.arm(row.case_id, about.arm)
        if about.kind == "error":
            return error_answer(arm, about.category, significant=about.significant)
        named = {
            "acceptability": acceptability_answer,
            "checked": checked_answer,
            "accepted": accepted_answer,
        }
        return named[about.kind](arm)

    def _value(self, key: str, value: int, turned: bool) -> int:
        return -value if turned and parse_answer(key) is None else value


def _take_in(
    db: sqlite3.Connection,
    way: _WayHome,
    reader: str,
    rows: list[Rating],
    assigned: list[Assignment],
    seen: list[Reveal],
) -> Merged:
    """Append what is not here yet, all or nothing."""
    study = way.study
    here = ratings.history(db, study.id, reader)
    coming = [way.rating(row) for row in rows]
    known = min(len(here), len(coming))
    if any(_plain(a) != _plain(b) for a, b in zip(here, coming, strict=False)):
        raise UserError(f"{reader} has rated study {study.id} here as well; nothing was merged.")
    if len(here) >= len(coming):
        return Merged(study, reader, 0, known)
    newest = here[-1].id if here else 0
    ids = {row.id: own.id for row, own in zip(rows, here, strict=False)}
    if not ratings.restore(db, coming[known:], assigned, ids, seen, {(study.id, reader): newest}):
        raise UserError(
            f"{reader} rated here while {study.name} was merged; nothing was merged, run this again."
        )
    return Merged(study, reader, len(coming) - known, known)


def _plain(row: Rating) -> Rating:
    """A row without what differs between two databases."""
    return replace(row, id=0, undoes=None, chain="")
