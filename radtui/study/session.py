"""One rater's work on one generation job: what is shown, and every answer a committed row before anything moves.

The session knows no widget. It keeps queue and history in memory beside the database, so that a key costs one
small transaction whatever has been rated before.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from radtui.measures.scheme import Scheme
from radtui.measures.text import normalise, visible
from radtui.records import TWO_VARIANTS, Comparison, Image, Job, Rating, Variant
from radtui.store import descriptions, images, jobs, ratings
from radtui.store.ratings import Assignment, Reveal
from radtui.study import edits
from radtui.study.active_time import TimeSpent
from radtui.study.blinding import calibration_set, order_key, shown_sides
from radtui.study.queue import Pair, Queue, pair_of, shown_order
from radtui.study.undo import History

Edit = Callable[[Rating], Rating]


@dataclass(frozen=True, slots=True)
class Study:
    """What a session starts from; read in any thread by `read_study`."""

    job: Job
    rater: str
    scheme: Scheme
    seed: int
    calibration: tuple[int, ...]
    pairs: list[Pair]
    history: History
    queue: Queue
    sides: dict[Pair, tuple[Variant, Variant]] = field(default_factory=dict)  # left and right
    newest_id: int = 0  # of the rows that history and queue know
    variants: tuple[Variant, ...] = TWO_VARIANTS  # of the job

    def order(self, image_ids: list[int]) -> list[Pair]:
        """The shown order of these images' pairs; pure, for any thread."""
        return shown_order(
            self.job.id, image_ids, self.rater, self.seed, self.scheme.protocol, self.calibration
        )


def read_study(db: sqlite3.Connection, job_id: int, rater: str, scheme: Scheme) -> Study:
    """Read everything a rater has done in a job, and what there is to do.

    Args:
        db: A connection of the calling thread.
        job_id: A generation job.
        rater: Who rates; nobody else's ratings are read.
        scheme: What is asked.

    Raises:
        KeyError: There is no such job.
    """
    job = jobs.must_get(db, job_id)
    found = job.settings.get("seed", 0)
    seed = found if isinstance(found, int) else 0
    protocol = scheme.protocol
    work = descriptions.work_list(db, job_id) if protocol.calibration_items else []
    calibration = calibration_set(job_id, work, protocol.calibration_items, seed)
    pairs = shown_order(job_id, descriptions.comparison_ids(db, job_id), rater, seed, protocol, calibration)
    rows = ratings.history(db, job_id, rater)
    history = History(rows)
    queue = Queue(pairs, sorted(history.current.values(), key=lambda row: row.id), protocol.repeat_gap)
    sides = {Pair(a.job_id, a.image_id, a.occasion): a.sides for a in ratings.assigned(db, job_id, rater)}
    newest_id = rows[-1].id if rows else 0
    variants = descriptions.variants(db, job_id)
    return Study(job, rater, scheme, seed, calibration, pairs, history, queue, sides, newest_id, variants)


@dataclass(frozen=True, slots=True)
class Shown:
    """One pair as the rater sees it. `texts` are A and B, format-normalised and harmless to a terminal."""

    pair: Pair
    place: int  # 1 based, in the rater's own order
    image: Image
    sides: tuple[Variant, Variant]  # left as A, right as B
    texts: tuple[str, str]
    reference: str  # "" while it may not be seen, or where there is none
    reference_waits: bool  # there is one, shown after the preference
    rating: Rating | None  # the snapshot that counts, None when nothing was ever answered
    identity_known: bool

    @property
    def rated(self) -> bool:
        """Whether the pair counts as judged."""
        return self.rating is not None and not self.rating.empty

    def variant(self, side: int) -> Variant:
        """Whose text stands on a side: 0 is A, left; 1 is B, right."""
        return self.sides[side]

    @property
    def left(self) -> Variant:
        """Whose text stands left, as A."""
        return self.sides[0]


class ReviewSession:
    """A rater at work: navigation in memory, answers straight into the database.

    Args:
        db: The connection of the thread that calls the methods.
        study: What `read_study` read.
        clock: Monotonic seconds, for time spent.
        now: Unix seconds, for `rated_at`.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        study: Study,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._db, self.study, self._now = db, study, now
        self.time = TimeSpent(clock, study.scheme.protocol.idle_cutoff_s)
        self.queue, self._history = study.queue, study.history
        self.among: list[Pair] | None = None  # what a filter or search leaves, None for all
        self.peek = False  # the reference is shown before its time, because it was asked for
        self._place = {pair: at for at, pair in enumerate(study.pairs, 1)}
        self._newest_id = study.newest_id
        self._pair: Pair | None = None
        self._revealed = False  # this rater has asked which text of the pair on show is whose
        self._comparison: Comparison | None = None
        self._image: Image | None = None

    @property
    def scheme(self) -> Scheme:
        """What is asked."""
        return self.study.scheme

    @property
    def pair(self) -> Pair | None:
        """The pair on show."""
        return self._pair

    @property
    def mine(self) -> Rating | None:
        """What this rater has answered on the pair on show; another object after each that is stored."""
        return self.queue.mine.get(self._pair) if self._pair is not None else None

    def start(self) -> Pair | None:
        """Show the pair where this rater stopped; the last one when all are rated; None when there are none."""
        pairs = self.queue.pairs
        return self.show(self.queue.resume() or (self.queue.last or pairs[0] if pairs else None))

    def show(self, pair: Pair | None) -> Pair | None:
        """Turn to a pair; its side is stored before it is seen and stays for ever. Time starts to run."""
        self.time.turn_to(None)
        self._pair, self.peek = pair, False
        self._catch_up()
        if pair is None:
            self._comparison = self._image = None
            return None
        self._comparison = descriptions.comparison(self._db, pair.job_id, pair.image_id)
        self._image = images.get(self._db, pair.image_id)
        if pair not in self.study.sides:
            self._assign(pair)
        self.time.turn_to(pair)
        return pair

    def _assign(self, pair: Pair) -> None:
        study = self.study
        calibration = pair.image_id in study.calibration
        role = "calibration" if calibration else "repeat" if pair.occasion else "normal"
        order = order_key(pair.job_id, pair.image_id, study.rater, pair.occasion, study.seed)
        key = f"{0 if calibration else 1}-{order:020d}"
        sides = shown_sides(
            study.variants, pair.job_id, pair.image_id, study.rater, pair.occasion, study.seed
        )
        left, right = sides
        ratings.assign(
            self._db,
            [Assignment(pair.job_id, pair.image_id, study.rater, pair.occasion, role, left, key, right)],
        )
        # Another terminal of the same rater may have been first: the stored side is the one that counts.
        stored = ratings.stored_sides(self._db, pair.job_id, study.rater, pair.image_id, pair.occasion)
        study.sides[pair] = stored or sides

    def shown(self) -> Shown | None:
        """The pair on show with all that may be seen of it now, or None."""
        pair, comparison, image = self._pair, self._comparison, self._image
        if pair is None or comparison is None or image is None:
            return None
        sides = self.study.sides[pair]
        a, b = (comparison.by(side) for side in sides)
        rating = self.queue.mine.get(pair)
        rated = rating is not None and not rating.empty
        when = self.scheme.protocol.reference
        may_see = when == "before" or self.peek or (when == "after" and rated)
        reference = visible(comparison.reference).strip()
        return Shown(
            pair=pair, place=self._place.get(pair, 0), image=image, sides=sides,
            texts=(normalise(a.text), normalise(b.text)), reference=reference if may_see else "",
            reference_waits=bool(reference) and when == "after" and not may_see, rating=rating,
            identity_known=self._revealed or _unblinded(rating),
        )  # fmt: skip

    def answer(self, edit: Edit, judges: bool = True) -> Rating | None:
        """Commit the pair's next snapshot: the rating as it stands, with one thing changed.

        Args:
            edit: One of `edits`.
            judges: False for what says nothing about the texts (a note, a flag): it never un-blinds the row.

        Returns:
            The stored row; None when no pair is on show.
        """
        if self._pair is None:
            return None
        self._catch_up()
        pair, before = self._pair, self.queue.mine.get(self._pair)
        left, right = self.study.sides[pair]
        row = before or edits.blank(pair, self.study.rater, self.scheme, left, True, right)
        blinded = row.blinded and not (judges and (self._revealed or _unblinded(before)))
        active_s, wall_s = self.time.unstored_s()
        row = replace(
            edit(row), id=0, scheme=self.scheme.id, scheme_hash=self.scheme.sha256, blinded=blinded,
            active_s=row.active_s + active_s, wall_s=row.wall_s + wall_s, rated_at=self._now(), undoes=None,
        )  # fmt: skip
        stored = self._store(row)
        self.time.stored()
        return stored

    def reveal(self) -> None:
        """The rater wants to know which text is whose.

        Stored before it is seen: what was seen cannot be unseen by a restart. A rating made before stays blind; an
        unrated pair is un-blinded at once, and so is what is answered from now on, on a hidden repeat as well.
        """
        pair = self._pair
        if pair is None:
            return
        ratings.reveal(self._db, Reveal(pair.job_id, pair.image_id, self.study.rater, self._now()))
        self._catch_up()
        before = self.queue.mine.get(pair)
        if before is None or before.empty:
            self.answer(lambda rating: rating)

    def undo(self) -> Pair | None:
        """Take back this rater's last answer, whichever pair it was about, and show that pair; None at the start."""
        self._catch_up()
        step = self._history.next_undo(self.study.rater)
        if step is None:
            return None
        stored = self._store(step.snapshot(self._now()))
        return self.show(pair_of(stored))

    def _store(self, row: Rating) -> Rating:
        stored = ratings.add(self._db, row)
        self._catch_up()
        return stored

    def _catch_up(self) -> None:
        """Take in what is new in the database, by this terminal and any other that the same rater works at."""
        if self._pair is not None:
            job_id, image_id = self._pair.job_id, self._pair.image_id
            self._revealed = ratings.is_revealed(self._db, job_id, self.study.rater, image_id)
        for row in ratings.since(self._db, self.study.job.id, self.study.rater, self._newest_id):
            self._history.add(row)
            self.queue.record(row)
            self._newest_id = row.id

    def next_unrated(self) -> Pair | None:
        """Show the next pair to judge; None, with nothing changed, when there is none.

        In a list of pairs that are rated, such as disagreements, the next one is the one that follows.
        """
        among = self.among
        pair = self.queue.next_unrated(self._pair, None if among is None else set(among))
        if pair is None and among is not None:
            at = among.index(self._pair) if self._pair in among else -1
            pair = among[at + 1] if at + 1 < len(among) else None
        return self.show(pair) if pair is not None else None

    def step(self, by: int) -> Pair | None:
        """Show a neighbour in the order, or in what a filter leaves; stays at the ends."""
        pair = self.queue.step(self._pair, by, self.among)
        return self.show(pair) if pair is not None and pair != self._pair else None

    def jump(self, place: int) -> Pair | None:
        """Show the pair at a place, 1 based; None when there is no such place."""
        pairs = self.queue.pairs
        return self.show(pairs[place - 1]) if 1 <= place <= len(pairs) else None

    def grow(self, pairs: list[Pair]) -> bool:
        """Take in a new order after more descriptions have come; whether there are more pairs than before.

        Orders are read in threads, so an older one may come last: pairs never become fewer.
        """
        if len(pairs) <= len(self.queue.pairs):
            return False
        self.queue.replace_pairs(pairs)
        self._place = {pair: at for at, pair in enumerate(pairs, 1)}
        return True


def _unblinded(rating: Rating | None) -> bool:
    """Whether a pair was answered knowing which text is whose."""
    return rating is not None and not rating.blinded
