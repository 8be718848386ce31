"""Putting exported ratings back: matched by image and texts, all or none, and nothing twice."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from radtui.export.comparisons import time_text
from radtui.export.incoming import Incoming, read_ratings
from radtui.measures.scheme import Scheme
from radtui.records import Comparison, Image, Rating, UserError
from radtui.store import descriptions, images, jobs, ratings
from radtui.store.ratings import Assignment, Reveal
from radtui.study.blinding import order_key

Texts = tuple[
    str, str, str, str
]  # sha256 of the image, base text, tuned text, and the third where there is one


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of the rows of a file. `problems` says which found no place, one sentence each."""

    rows: int
    added: int
    known: int  # were there already
    conflicts: int  # rated otherwise here: left as they are
    unmatched: int
    jobs: tuple[int, ...]
    problems: tuple[str, ...]


def import_ratings(db: sqlite3.Connection, path: Path, scheme: Scheme, job_id: int | None = None) -> Restored:
    """Restore the ratings of an export into this data folder.

    A rating belongs to the comparison with the same image bytes and the same two texts, whatever its ids are here.
    One that is there already is not added again; one that this folder rates otherwise stays as it is here.

    Args:
        db: The database.
        path: A `comparisons.csv`, guarded or raw, or a `.jsonl`.
        scheme: What was asked.
        job_id: Only this generation job; by default each job of the file goes to the one here that matches it best.

    Raises:
        UserError: The file cannot be read, nothing in it matches, or one of its raters has gone on meanwhile.
    """
    rows = read_ratings(path, scheme)
    wanted = [job_id] if job_id is not None else list(descriptions.jobs_with_comparisons(db))
    here = {number: _comparisons(db, number) for number in wanted}
    plan = _Plan()
    for source in dict.fromkeys(row.job_id for row in rows):
        group = [row for row in rows if row.job_id == source]
        target = _best_job(group, here, source)
        if target is None:
            plan.lose(group, f"job {source}: no job here has these images with these texts")
        else:
            _match(db, group, target, here[target], plan)
    if rows and not plan.matched:
        raise UserError(
            f"None of the {len(rows)} ratings in {path} belongs to a comparison here; describe the same images with"
            " the same models first, or name the data folder with --data-dir."
        )
    snapshots = sorted(plan.snapshots, key=lambda row: row.id)
    if not ratings.restore(db, snapshots, plan.assignments, plan.ids, plan.reveals, plan.read):
        raise UserError(f"Somebody rated while {path} was read; nothing was imported, run this again.")
    return Restored(
        len(rows), plan.added, plan.known, plan.conflicts, plan.unmatched, tuple(sorted(plan.jobs)),
        tuple(plan.problems),
    )  # fmt: skip


class _Plan:
    """What is going to be written, collected before anything is."""

    def __init__(self) -> None:
        self.snapshots: list[Rating] = []
        self.assignments: list[Assignment] = []
        self.reveals: list[Reveal] = []
        self.ids: dict[int, int] = {}  # id in the file -> id here
        self.read: dict[tuple[int, str], int] = {}  # job and rater -> the newest snapshot when it was made
        self.jobs: set[int] = set()
        self.problems: list[str] = []
        self.added = self.known = self.conflicts = self.unmatched = self.matched = 0

    def lose(self, rows: Sequence[Incoming], why: str) -> None:
        """Count rows that have no place here."""
        self.unmatched += len(rows)
        self.problems.append(f"{len(rows)} of {why}")


@dataclass(frozen=True, slots=True)
class _Here:
    """A comparison of this data folder."""

    image: Image
    pair: Comparison


def _comparisons(db: sqlite3.Connection, job_id: int) -> dict[Texts, list[_Here]]:
    """A job's comparisons by what they are about; the same bytes may be in several splits."""
    found: dict[Texts, list[_Here]] = {}
    pairs = descriptions.comparisons(db, job_id, descriptions.comparison_ids(db, job_id))
    for image in images.get_many(db, list(pairs)):
        pair = pairs[image.id]
        key = (image.sha256, pair.base.text, pair.tuned.text, pair.dpo.text if pair.dpo else "")
        found.setdefault(key, []).append(_Here(image, pair))
    return found


def _best_job(rows: Sequence[Incoming], here: dict[int, dict[Texts, list[_Here]]], source: int) -> int | None:
    """The job that most of the rows are about; among equals the one of the same number, then the newest."""
    scores = {number: sum(_texts(row) in known for row in rows) for number, known in here.items()}
    best = max(scores, key=lambda number: (scores[number], number == source, number), default=None)
    return best if best is not None and scores[best] else None


def _match(
    db: sqlite3.Connection,
    rows: Sequence[Incoming],
    job_id: int,
    here: dict[Texts, list[_Here]],
    plan: _Plan,
) -> None:
    """Find each row's comparison in a job, and plan what of it is new."""
    plan.jobs.add(job_id)
    seed = jobs.must_get(db, job_id).settings.get("seed", 0)
    histories = {}
    for rater in {row.rater for row in rows}:
        history = ratings.history(db, job_id, rater)
        histories[rater] = _by_pair(history)
        plan.read.setdefault((job_id, rater), history[-1].id if history else 0)
    known_images = {sha256 for sha256, *_ in here}
    lost: Counter[str] = Counter()
    for row in rows:
        choices = here.get(_texts(row))
        if not choices:
            plan.unmatched += 1
            lost[_why_lost(row, known_images)] += 1
            continue
        plan.matched += 1
        image = _closest(row, choices)
        if row.revealed_at is not None:
            plan.reveals.append(Reveal(job_id, image.id, row.rater, row.revealed_at))
        before = histories[row.rater].setdefault((image.id, row.occasion), [])
        moved = [replace(one, job_id=job_id, image_id=image.id) for one in row.snapshots]
        new = _news(moved, before)
        if new is None:
            plan.conflicts += 1
            lost[f"by {row.rater} differ from what is here: left as they are here"] += 1
            continue
        if new:
            plan.ids |= {one.id: own.id for one, own in zip(moved, before, strict=False)}
            plan.added += 1
            plan.snapshots += new
            before += new
            plan.assignments.append(_assignment(row, job_id, image.id, seed if isinstance(seed, int) else 0))
        else:
            plan.known += 1
    plan.problems += [f"{count} {why}" for why, count in lost.items()]


def _news(incoming: Sequence[Rating], here: Sequence[Rating]) -> list[Rating] | None:
    """The snapshots that are not here yet, or None when this folder has gone another way."""
    ours, theirs = [_content(row) for row in here], [_content(row) for row in incoming]
    if all(content in ours for content in theirs):
        return []
    return list(incoming[len(ours) :]) if theirs[: len(ours)] == ours else None


def _content(rating: Rating) -> dict[str, object]:
    """What a snapshot says, to the precision of a CSV."""
    told = asdict(rating)
    for name in ("id", "undoes", "job_id", "image_id"):
        del told[name]
    told["active_s"], told["wall_s"] = round(rating.active_s, 1), round(rating.wall_s, 1)
    return told | {"rated_at": time_text(rating.rated_at)}


def _assignment(row: Incoming, job_id: int, image_id: int, seed: int) -> Assignment:
    """The pair's side and place, so that it is shown again as it was."""
    order = order_key(job_id, image_id, row.rater, row.occasion, seed)
    key = row.sort_key or f"{0 if row.role == 'calibration' else 1}-{order:020d}"
    return Assignment(job_id, image_id, row.rater, row.occasion, row.role, row.left, key, row.right)


def _closest(row: Incoming, choices: Sequence[_Here]) -> Image:
    """Among images of the same bytes and texts, the one of the same name."""
    return max(
        (one.image for one in choices),
        key=lambda image: (image.source_key == row.image_path, image.split == row.split, image.id == row.image_id),
    )  # fmt: skip


def _why_lost(row: Incoming, known_images: set[str]) -> str:
    if row.sha256 not in known_images:
        return "about images that are not described here"
    return "about texts that differ from the ones here: the images were described again"


def _by_pair(history: Iterable[Rating]) -> dict[tuple[int, int], list[Rating]]:
    found: dict[tuple[int, int], list[Rating]] = {}
    for row in history:
        found.setdefault((row.image_id, row.occasion), []).append(row)
    return found


def _texts(row: Incoming) -> Texts:
    return row.sha256, row.base_text, row.tuned_text, row.dpo_text
