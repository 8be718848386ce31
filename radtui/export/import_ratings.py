"""Putting exported ratings back: matched by image and texts, all or none, and nothing twice."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from radtui.export.comparisons import time_text
from radtui.export.rating_files import IncomingRating, StudyOfOrigin, read_ratings
from radtui.measures.scheme import Scheme
from radtui.records import Case, Comparison, Rating, Study, UserError
from radtui.store import cases, ratings, studies
from radtui.store.ratings import Assignment, Reveal
from radtui.study.blinding import order_key


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of the rows of a file. `problems` says which found no place, one sentence each."""

    rows: int
    added: int
    known: int  # were there already
    conflicts: int  # rated otherwise here: left as they are
    unmatched: int
    jobs: tuple[int, ...]  # that opened the studies they went to
    problems: tuple[str, ...]
    studies: tuple[int, ...] = ()  # made by hand, that they went to


def import_ratings(
    db: sqlite3.Connection, path: Path, scheme: Scheme, study_id: int | None = None
) -> Restored:
    """Restore the ratings of an export into this data folder.

    A rating belongs to the comparison with the same image bytes and the same two texts, whatever its ids are here, in
    a study of the same arms. One that is there already is not added again; one that this folder rates otherwise stays
    as it is here.

    Args:
        db: The database.
        path: A `comparisons.csv`, quoted or raw, or a `.jsonl`.
        scheme: What was asked.
        study_id: Only into this study; by default each study of the file goes to the one here that matches it best.

    Raises:
        UserError: The file cannot be read, nothing in it matches, or one of its raters has gone on meanwhile.
    """
    rows = read_ratings(path, scheme)
    wanted = [study_id] if study_id is not None else list(studies.with_comparisons(db))
    known = [_Known(study, _comparisons(db, study)) for study in (studies.must_get(db, n) for n in wanted)]
    plan = _Plan()
    for source in dict.fromkeys(row.source for row in rows):
        group = [row for row in rows if row.source == source]
        target = _best_study(group, known, source)
        if target is None:
            where = "job" if source.by_job else "study"
            plan.lose(group, f"{source}: no {where} here has these images with these texts")
        else:
            _match(db, group, target, plan)
    if rows and not plan.matched:
        raise UserError(
            f"None of the {len(rows)} ratings in {path} belongs to a comparison here; describe the same images with"
            " the same models first, or name the data folder with --data-dir."
        )
    snapshots = sorted(plan.snapshots, key=lambda row: row.id)
    if not ratings.restore(db, snapshots, plan.assignments, plan.ids, plan.reveals, plan.read):
        raise UserError(f"Somebody rated while {path} was read; nothing was imported, run this again.")
    return Restored(
        len(rows), plan.added, plan.known, plan.conflicts, plan.unmatched,
        tuple(sorted(study.job_id for study in plan.studies.values() if study.job_id is not None)),
        tuple(plan.problems), tuple(sorted(number for number, study in plan.studies.items() if study.job_id is None)),
    )  # fmt: skip


class _Plan:
    """What is going to be written, collected before anything is."""

    def __init__(self) -> None:
        self.snapshots: list[Rating] = []
        self.assignments: list[Assignment] = []
        self.reveals: list[Reveal] = []
        self.ids: dict[int, int] = {}  # id in the file -> id here
        self.read: dict[tuple[int, str], int] = {}  # study and rater -> the newest snapshot when it was made
        self.studies: dict[int, Study] = {}
        self.problems: list[str] = []
        self.added = self.known = self.conflicts = self.unmatched = self.matched = 0

    def lose(self, rows: Sequence[IncomingRating], why: str) -> None:
        """Count rows that have no place here."""
        self.unmatched += len(rows)
        self.problems.append(f"{len(rows)} of {why}")


@dataclass(frozen=True, slots=True)
class _Here:
    """A comparison of this data folder."""

    case: Case
    pair: Comparison


@dataclass(frozen=True, slots=True)
class _Known:
    """A study of this data folder, and its comparisons by their first image's bytes."""

    study: Study
    by_image: dict[str, list[_Here]]

    def choices(self, row: IncomingRating) -> list[_Here]:
        """The comparisons that a row may be about: several where the same bytes are in several splits."""
        if row.arms != self.study.arm_names:
            return []
        return [here for here in self.by_image.get(row.sha256, ()) if _same_texts(row, here.pair)]


def _same_texts(row: IncomingRating, pair: Comparison) -> bool:
    return all(arm in pair.texts and pair.by(arm).text == text for arm, text in row.texts.items())


def _comparisons(db: sqlite3.Connection, study: Study) -> dict[str, list[_Here]]:
    by_image: dict[str, list[_Here]] = {}
    pairs = studies.comparisons(db, study, studies.comparison_ids(db, study))
    for case in cases.get_many(db, list(pairs)):
        by_image.setdefault(case.first.sha256, []).append(_Here(case, pairs[case.id]))
    return by_image


def _best_study(
    rows: Sequence[IncomingRating], known: Sequence[_Known], source: StudyOfOrigin
) -> _Known | None:
    """The study that most of the rows are about; among equals the one of the same number, then the newest."""

    def worth(candidate: _Known) -> tuple[int, bool, int]:
        number = candidate.study.job_id if source.by_job else candidate.study.id
        return sum(bool(candidate.choices(row)) for row in rows), number == source.number, candidate.study.id

    best = max(known, key=worth, default=None)
    return best if best is not None and worth(best)[0] else None


def _match(db: sqlite3.Connection, rows: Sequence[IncomingRating], known: _Known, plan: _Plan) -> None:
    """Find each row's comparison in a study, and plan what of it is new."""
    study = known.study
    plan.studies[study.id] = study
    histories = {}
    for rater in {row.rater for row in rows}:
        history = ratings.history(db, study.id, rater)
        histories[rater] = _by_pair(history)
        plan.read.setdefault((study.id, rater), history[-1].id if history else 0)
    lost: Counter[str] = Counter()
    for row in rows:
        choices = known.choices(row)
        if not choices:
            plan.unmatched += 1
            lost[_why_lost(row, known.by_image)] += 1
            continue
        plan.matched += 1
        here = _closest(row, choices)
        plan.reveals += _reveals(row, study, here.case)
        before = histories[row.rater].setdefault((here.case.id, row.occasion, row.pair), [])
        moved = [_moved(snapshot, study, here) for snapshot in row.snapshots]
        new = _news(moved, before)
        if new is None:
            plan.conflicts += 1
            lost[f"by {row.rater} differ from what is here: left as they are here"] += 1
            continue
        if new:
            plan.ids |= {snapshot.id: own.id for snapshot, own in zip(moved, before, strict=False)}
            plan.added += 1
            plan.snapshots += new
            before += new
            plan.assignments.append(_assignment(row, study, here))
        else:
            plan.known += 1
    plan.problems += [f"{count} {why}" for why, count in lost.items()]


def _news(incoming: Sequence[Rating], here: Sequence[Rating]) -> list[Rating] | None:
    """The snapshots that are not here yet, or None when this folder has gone another way."""
    ours, theirs = [_content(row) for row in here], [_content(row) for row in incoming]
    if all(content in ours for content in theirs):
        return []
    return list(incoming[len(ours) :]) if theirs[: len(ours)] == ours else None


OF_A_FOLDER = ("id", "undoes", "study_id", "case_id", "earlier_text_id", "later_text_id", "chain")
"""Fields of a rating that are another data folder's own."""


def _content(rating: Rating) -> dict[str, object]:
    """What a snapshot says, to the precision of a CSV."""
    content = {name: value for name, value in asdict(rating).items() if name not in OF_A_FOLDER}
    content |= {"active_s": round(rating.active_s, 1), "wall_s": round(rating.wall_s, 1)}
    return content | {"rated_at": time_text(rating.rated_at)}


def _text_id(here: _Here, arm: str) -> int | None:
    return here.pair.by(arm).text_id if arm in here.pair.texts else None


def _moved(snapshot: Rating, study: Study, here: _Here) -> Rating:
    """A snapshot with the ids of this folder; one from before texts had ids stays without."""
    earlier, later = (_text_id(here, arm) for arm in snapshot.shown)
    return replace(
        snapshot, study_id=study.id, case_id=here.case.id,
        earlier_text_id=None if snapshot.earlier_text_id is None else earlier,
        later_text_id=None if snapshot.later_text_id is None else later,
    )  # fmt: skip


def _reveals(row: IncomingRating, study: Study, case: Case) -> list[Reveal]:
    """What the rater had seen of the case."""
    seen = (("arms", row.revealed_at), ("reference", row.reference_seen_at))
    return [Reveal(study.id, case.id, row.rater, at_s, what) for what, at_s in seen if at_s is not None]


def _assignment(row: IncomingRating, study: Study, here: _Here) -> Assignment:
    """The pair's side and place, so that it is shown again as it was."""
    order = order_key(study.draw_id, here.case.id, row.rater, row.occasion, study.seed)
    key = row.sort_key or f"{0 if row.role == 'calibration' else 1}-{order:020d}"
    text_ids = (_text_id(here, row.left), _text_id(here, row.right))
    about = (study.id, here.case.id, row.rater, row.occasion, row.role)
    return Assignment(*about, row.left, row.right, key, row.pair, *text_ids)


def _closest(row: IncomingRating, choices: Sequence[_Here]) -> _Here:
    """Among cases of the same bytes and texts, the one of the same name."""

    def nearness(here: _Here) -> tuple[bool, bool, bool]:
        case = here.case
        return case.source_key == row.image_path, case.split == row.split, case.id == row.case_id

    return max(choices, key=nearness)


def _why_lost(row: IncomingRating, known_images: Collection[str]) -> str:
    if row.sha256 not in known_images:
        return "about images that are not described here"
    return "about texts that differ from the ones here: the images were described again"


def _by_pair(history: Iterable[Rating]) -> dict[tuple[int, int, int], list[Rating]]:
    by_pair: dict[tuple[int, int, int], list[Rating]] = {}
    for row in history:
        by_pair.setdefault((row.case_id, row.occasion, row.pair), []).append(row)
    return by_pair
