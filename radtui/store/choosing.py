"""Which cases of a split a describing job takes where it takes only some: new ones before known ones, or a draw."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from dataclasses import dataclass

from radtui.settings import GenerateSettings
from radtui.store import cases, ratings

RANDOM, FIRST = "random", "first"  # values of the setting `take`; the other is new_first


@dataclass(frozen=True, slots=True)
class SplitState:
    """The readable cases of a split, by what has happened to them.

    Attributes:
        cases: Their ids in their order.
        described: How often describing jobs have taken each, those that are under way too; no other is in it.
        judged: Those that a reader has judged.
    """

    cases: tuple[int, ...]
    described: Counter[int]
    judged: frozenset[int]

    def counts(self, among: tuple[int, ...] | None = None) -> dict[str, int]:
        """How many are new, described and judged, of these cases or of all; what is none is left out."""
        chosen = self.cases if among is None else among
        judged = sum(case_id in self.judged for case_id in chosen)
        described = sum(case_id in self.described and case_id not in self.judged for case_id in chosen)
        new = len(chosen) - judged - described
        named = {"not described before": new, "described but not judged": described, "judged before": judged}
        return {what: count for what, count in named.items() if count}

    @property
    def words(self) -> str:
        """For a form: "300 images: 280 not described before, 20 judged before"."""
        return f"{len(self.cases):,} images: {_listed(self.counts())}" if self.cases else "no readable images"


@dataclass(frozen=True, slots=True)
class Taken:
    """The cases that a job takes.

    Attributes:
        cases: Their ids in their data set's order.
        of: How many there are.
        counts: What they are, as `SplitState.counts` has it; empty where all are taken.
        by: The setting `take`, with the seed of a draw.
    """

    cases: tuple[int, ...]
    of: int
    counts: dict[str, int]
    by: str

    @property
    def words(self) -> str:
        """For people: "20 of 300 images: 12 not described before, 8 judged before"; "" where all are taken."""
        return taken_words(self.to_dict()) if self.counts else ""

    def to_dict(self) -> dict[str, object]:
        """For a job's result."""
        return {"images": len(self.cases), "of": self.of, "by": self.by, **self.counts}


def split_state(db: sqlite3.Connection, dataset: str, split: str, but_job: int = 0) -> SplitState:
    """What has happened to the cases of a split, in jobs but this one."""
    ids = tuple(cases.usable(db, dataset, split))
    # A text may come from a study's arms; a case that waits to be described by another job is as good as described.
    rows = db.execute(
        "SELECT case_id, count(DISTINCT job_id) FROM ("
        " SELECT w.job_id, w.case_id FROM work w JOIN jobs j ON j.id = w.job_id"
        "  WHERE j.dataset = :dataset AND j.kind = 'generate' AND j.state IN ('queued', 'starting', 'running')"
        " UNION SELECT t.job_id, t.case_id FROM arm_texts t JOIN jobs j ON j.id = t.job_id"
        "  WHERE j.dataset = :dataset AND j.kind = 'generate' AND t.step IS NULL"
        ") WHERE job_id != :but GROUP BY case_id", {"dataset": dataset, "but": but_job},
    )  # fmt: skip
    described = Counter({row[0]: row[1] for row in rows})
    return SplitState(ids, described, frozenset(ratings.rated_cases(db)))


def taken_by(db: sqlite3.Connection, settings: GenerateSettings, but_job: int = 0) -> Taken:
    """Choose the cases that a describing job takes of its split.

    Args:
        db: The database.
        settings: The job's. `take` is `new_first`: those that no job has described, then those that nobody has judged,
            each in their order; `random`: drawn by the seed, the same ones in every data folder; or `first`.
        but_job: The job that takes them, which has not described them before.
    """
    dataset, split, limit = settings.dataset, settings.split, settings.limit
    if not limit:
        ids = tuple(cases.usable(db, dataset, split))
        return Taken(ids, len(ids), {}, "all")
    state = split_state(db, dataset, split, but_job)
    if limit >= len(state.cases):
        return Taken(state.cases, len(state.cases), {}, "all")
    if settings.take == FIRST:
        chosen, words = state.cases[:limit], "the first"
    elif settings.take == RANDOM:
        keys = cases.source_keys(db, dataset, split)

        def drawn(case_id: int) -> bytes:
            return hashlib.sha256(f"{settings.seed}\n{keys[case_id]}".encode()).digest()

        chosen, words = tuple(sorted(state.cases, key=drawn)[:limit]), f"drawn with seed {settings.seed}"
    else:
        # A stable sort keeps the data set's order.
        ranked = sorted(state.cases, key=lambda case_id: (case_id in state.judged, state.described[case_id]))
        chosen, words = tuple(ranked[:limit]), "new ones first"
    among = set(chosen)
    in_order = tuple(case_id for case_id in state.cases if case_id in among)
    return Taken(in_order, len(state.cases), state.counts(in_order), words)


def taken_words(facts: object) -> str:
    """What a job's result says of the cases that it took, for people; "" where it took all."""
    if not isinstance(facts, dict):
        return ""
    counts = {what: count for what, count in facts.items() if what not in ("images", "of", "by")}
    return f"{facts['images']:,} of {facts['of']:,} images, {facts['by']}: {_listed(counts)}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())
