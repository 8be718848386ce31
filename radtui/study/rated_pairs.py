"""What a training job can learn from raters: the pairs of its own texts that they preferred one of."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from dataclasses import dataclass, replace

from radtui.jobs import submit_train
from radtui.measures.scheme import Scheme
from radtui.measures.words import left_out_words
from radtui.paths import DataDir
from radtui.plural import many
from radtui.records import Job, JobKind, UserError
from radtui.settings import TrainSettings
from radtui.store import jobs, ratings, studies
from radtui.study.going_on import PROPOSED, Search, continued, rate_after
from radtui.study.preferences import LearnablePairs, Preferred, choose
from radtui.study.study import read_review

LEAST_PAIRS = 10  # fewer are one or two batches: what is learnt then is those texts, not a preference
# Of the rate the references were learnt with. On the demo's model, 22 pairs and 18 steps: at a tenth the loss fell to
# 0.01 and texts broke off; at a fortieth it fell to 0.08 and they stayed whole. For the default of 2e-4 it is 5e-6.
RATE_SHARE = 0.025
LEAST_TO_HOLD_BACK = 2 * LEAST_PAIRS  # with fewer all are learnt
EVALUATIONS = 6  # of a run


@dataclass(frozen=True, slots=True)
class Offer:
    """A training job whose texts were rated, the pairs to learn from, and how to."""

    job: Job
    choice: LearnablePairs
    settings: TrainSettings


def offer(db: sqlite3.Connection, scheme: Scheme, asked: TrainSettings) -> Offer:
    """The job to begin with, its pairs and the settings proposed for learning from them.

    Takes seconds for many thousands of ratings: call it on a thread.

    Args:
        db: The database.
        scheme: What raters were asked.
        asked: `from_job`, or 0 for the newest finished one with enough pairs; `dataset` narrows the search; the rest
            is what the job that is gone on from does not say.

    Raises:
        UserError: The job is not there, or has too few pairs; says how many there are and how to get more.
    """
    search = Search(lambda job: learnable(db, job, scheme), _enough)
    first = search.first(db, asked, lambda: ratings.rated_training_jobs(db, asked.dataset))
    if first is None:
        raise _too_few(search.met, asked.dataset)
    job, choice = first
    settings = replace(continued(job, asked, "dpo", *PROPOSED), learning_rate=rate_after(job, RATE_SHARE))
    return Offer(job, choice, _watched(settings, len(choice.pairs)))


def _watched(settings: TrainSettings, pairs: int) -> TrainSettings:
    """With some pairs held back, where there are enough: a run that makes their preferred texts worse ends itself."""
    if pairs < LEAST_TO_HOLD_BACK or settings.eval_every:
        return settings
    held_back = max(2, pairs // 10)
    steps = math.ceil((pairs - held_back) / settings.effective_batch) * settings.epochs
    return replace(settings, eval_images=held_back, eval_every=max(1, round(steps / EVALUATIONS)))


def submit_preferences(data: DataDir, db: sqlite3.Connection, scheme: Scheme, asked: TrainSettings) -> Job:
    """Start a training job that learns from rated pairs.

    Raises:
        UserError: As `offer`, or as every training job.
    """
    job = offer(db, scheme, asked).job
    return submit_train(data, db, continued(job, asked, "dpo"), parent_job_id=job.id)


def learnable(db: sqlite3.Connection, job: Job, scheme: Scheme) -> LearnablePairs:
    """The pairs to learn from over all rounds of descriptions with a training job's adapter.

    Where a case was described with the same two texts in several rounds, the newest rated one counts.
    """
    pairs: dict[tuple[int, frozenset[str]], Preferred] = {}
    left_out: Counter[str] = Counter()
    for described in jobs.children(db, job.id, JobKind.GENERATE):
        study = studies.of_job(db, described.id)
        if study is None:  # it has not begun
            continue
        choice = choose(db, read_review(db, study, scheme))
        left_out.update(choice.left_out)
        for pair in choice.pairs:
            pairs[pair.case.id, frozenset(pair.texts)] = pair
    return LearnablePairs(tuple(pairs.values()), dict(left_out))


def check_enough(job: Job, choice: LearnablePairs) -> None:
    """Raise UserError when a job's rated pairs are too few to learn from."""
    if not _enough(choice):
        raise _too_few([(job, choice)])


def _enough(choice: LearnablePairs) -> bool:
    return len(choice.pairs) >= LEAST_PAIRS


def _too_few(offers: list[tuple[Job, LearnablePairs]], dataset: str = "") -> UserError:
    if not offers:
        of = f" of {dataset}" if dataset else ""
        return UserError(
            f"0 pairs{of} are rated and at least {LEAST_PAIRS} are needed; describe training images with"
            " radtui generate --split train, then rate them (r)."
        )
    job, choice = max(offers, key=lambda each: len(each[1].pairs))
    why = left_out_words(choice.left_out)
    count = len(choice.pairs)
    return UserError(
        f"{many(count, 'rated pair')} of job {job.id} can be learnt from and at least {LEAST_PAIRS}"
        f" are needed{f' (left out: {why})' if why else ''}; describe more images outside the test split with"
        f" radtui generate --train-job {job.id} --split train, then rate them (r)."
    )
