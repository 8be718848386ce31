"""The rounds of learning from raters one after the other: each adapter's held-out texts, and what changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from radtui.measures.change import ASKED, NO_CHANGE, Change, changes_of
from radtui.measures.intervals import Estimate, Proportion
from radtui.measures.preference import Comparative
from radtui.measures.scheme import Scheme
from radtui.measures.score_table import BY_KEY, Score
from radtui.measures.scores import ScoredText, score_arms
from radtui.measures.statistics import summarise
from radtui.measures.words import p_value, share
from radtui.records import Job, Study
from radtui.settings import GenerateSettings
from radtui.store import jobs, studies
from radtui.study.rounds import is_held_out, training_of
from radtui.study.study import every_scored_text, read_review

LEARNT = {"dpo": "preferences", "corrections": "corrections"}  # else references


@dataclass(frozen=True, slots=True)
class RoundLine:
    """One of the adapters that went on from each other, by what it writes of held-out cases.

    `change` and `preferred` are against the adapter before it, over the cases that both describe; None for the first,
    and where nobody has compared them blind.
    """

    job_id: int  # of the training
    learnt: str  # "references", "corrections" or "preferences"
    cases: int
    score: Score  # the same for all lines
    value: Proportion | Estimate | None  # of the score, over its cases
    change: Change | None
    preferred: Comparative | None

    @property
    def label(self) -> str:
        """Its training job and what that learnt: "#4 corrections"."""
        return f"#{self.job_id} {self.learnt}"

    @property
    def readers(self) -> str:
        """What blind ratings say of it against the one before, verdict first; "" where there are none."""
        preferred = self.preferred
        if preferred is None:
            return ""
        shown = preferred.verdict if " preferred" in preferred.verdict else NO_CHANGE
        counts = f"{preferred.wins} won, {preferred.ties} equal, {preferred.losses} lost"
        return f"{shown}: {counts}, {share(preferred.win_rate)}, {p_value(preferred.sign_p)}"

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "job": self.job_id, "learnt": self.learnt, "cases": self.cases, "score": self.score.key,
            "value": self.value.to_dict() if self.value is not None else None,
            "change": self.change.to_dict() if self.change is not None else None,
            "readers": self.readers or None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """What one adapter writes of held-out cases, by case; `arms` names it in every study that has such texts."""

    job: Job
    texts: Mapping[int, ScoredText]
    arms: Mapping[int, str]


def read_rounds(
    db: sqlite3.Connection, study: Study, scheme: Scheme, rater: str = ""
) -> tuple[RoundLine, ...]:
    """The adapters that led to the one that a study is about, oldest first; nothing where there is one alone.

    Takes seconds for hundreds of texts: call it on a thread.

    Args:
        db: The database.
        study: Opened by a generation job; that one's training job ends the line.
        scheme: What readers were asked.
        rater: Whose ratings count; everybody's where nobody is named.
    """
    described = [own for job in _chain(db, training_of(db, study)) if (own := _held_out(db, job)) is not None]
    if len(described) < 2:
        return ()
    scored = [score_arms({"": list(own.texts.values())})[""] for own in described]
    known = (BY_KEY[key] for key in ASKED if all(_valued(BY_KEY[key].value(own)) for own in scored))
    score = next(known, None)
    if score is None:
        return ()
    lines: list[RoundLine] = []
    for at, own in enumerate(described):
        before, value = (described[at - 1] if at else None), _valued(score.value(scored[at]))
        learnt = LEARNT.get(str(own.job.settings.get("objective")), "references")
        change = _change(before, own, score) if before is not None else None
        preferred = _preferred(db, before, own, scheme, rater) if before is not None else None
        lines.append(RoundLine(own.job.id, learnt, len(own.texts), score, value, change, preferred))
    return tuple(lines)


def _valued(value: Proportion | Estimate | float | None) -> Proportion | Estimate | None:
    """A figure that has an interval, where it is known."""
    return value if isinstance(value, Proportion | Estimate) and value.value is not None else None


def _chain(db: sqlite3.Connection, train: Job | None) -> list[Job]:
    """A training job and those that it went on from, the first one first."""
    chain: list[Job] = []
    while train is not None:
        chain.append(train)
        before = train.settings.get("from_job")
        goes_on = train.settings.get("objective") in LEARNT
        train = jobs.get(db, before) if goes_on and isinstance(before, int) and before < train.id else None
    return chain[::-1]


def _held_out(db: sqlite3.Connection, train: Job) -> _HeldOut | None:
    """What an adapter writes of held-out cases: of its newest study of most of them; None where nothing is there."""
    arms: dict[int, str] = {}
    texts: dict[int, ScoredText] = {}
    for study, own in studies.of_adapter(db, train.id):
        described = jobs.get(db, study.job_id) if study.job_id is not None else None
        if described is None or not is_held_out(described, train):
            continue
        if GenerateSettings.from_dict(described.settings).temperature:
            continue  # drawn: two texts of one adapter differ as well
        arms[study.id] = own[0]
        written = {text.case_id: text for text in every_scored_text(db, study)[own[0]]}
        texts = written if len(written) >= len(texts) else texts
    return _HeldOut(train, texts, arms) if texts else None


def _change(before: _HeldOut, after: _HeldOut, score: Score) -> Change | None:
    """What became of the score, over the cases that both describe."""
    both = sorted(before.texts.keys() & after.texts.keys())
    names = (f"#{before.job.id}", f"#{after.job.id}")
    changes = changes_of(
        [before.texts[case_id] for case_id in both], [after.texts[case_id] for case_id in both], names,
        only=(score.key,),
    )  # fmt: skip
    return changes[0] if changes else None


def _preferred(
    db: sqlite3.Connection, before: _HeldOut, after: _HeldOut, scheme: Scheme, rater: str
) -> Comparative | None:
    """What blind ratings say of two adapters, in the study of held-out cases with most of them; None without any."""
    most, preferred = 0, None
    for study_id in before.arms.keys() & after.arms.keys():
        two = before.arms[study_id], after.arms[study_id]
        review = read_review(db, studies.must_get(db, study_id), scheme, rater)
        rows = [rating for rating in review.ratings if rating.shown == two]
        summary = summarise(rows, scheme, *two, review.words, review.calibration)
        if summary.n > most:
            most, preferred = summary.n, summary.preference
    return preferred
