"""What a training job can learn from raters: the pairs of its own texts that they preferred one of."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, replace

from radtui.jobs import submit_train
from radtui.measures.scheme import Scheme
from radtui.measures.words import left_out_words
from radtui.paths import DataDir
from radtui.records import Job, JobKind, UserError
from radtui.settings import TrainSettings
from radtui.store import jobs, ratings, studies
from radtui.study.preferences import Choice, Preferred, choose
from radtui.study.study import read_review

LEAST_PAIRS = 10  # fewer are one or two batches: what is learnt then is those texts, not a preference
# Of the rate the references were learnt with. On the demo's model, 22 pairs and 18 steps: at a tenth the loss fell to
# 0.01 and texts broke off; at a fortieth it fell to 0.08 and they stayed whole. For the default of 2e-4 it is 5e-6.
RATE_SHARE = 0.025
# Said by the job that is gone on from, whatever is asked: another model, image size or prompt would not fit the
# adapter, or not the texts that were rated.
FIXED = (
    "model", "dataset", "instruction", "max_side_px", "image_tokens", "thinking", "max_length_tokens", "lora_r",
    "lora_alpha", "lora_dropout", "lora_seed", "dora", "rslora", "tune_vision", "tune_language", "tune_attention",
    "tune_mlp", "trust_remote_code",
)  # fmt: skip
# Taken over too where settings are proposed: the machine, and what is watched.
PROPOSED = ("load_in_4bit", "loader_workers", "eval_split", "watch_images", "watch_tokens", "optimizer")


@dataclass(frozen=True, slots=True)
class Offer:
    """A training job whose texts were rated, the pairs to learn from, and how to."""

    job: Job
    choice: Choice
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
    found = []
    for job in _named(db, asked):
        choice = learnable(db, job, scheme)
        if len(choice.pairs) >= LEAST_PAIRS:
            return Offer(job, choice, _proposed(job, asked))
        found.append((job, choice))
    raise _too_few(found, asked.dataset)


def submit_preferences(data: DataDir, db: sqlite3.Connection, scheme: Scheme, asked: TrainSettings) -> Job:
    """Start a training job that learns from rated pairs.

    Raises:
        UserError: As `offer`, or as every training job.
    """
    job = offer(db, scheme, asked).job
    return submit_train(data, db, _continued(job, asked, FIXED), parent_job_id=job.id)


def _proposed(job: Job, asked: TrainSettings) -> TrainSettings:
    """What a form starts from: as the job before it, at a fortieth of the rate it learnt references with."""
    before = TrainSettings.from_dict(job.settings)
    share = 1 if before.goes_on else RATE_SHARE
    rate = float(f"{before.learning_rate * share:.3g}")
    return replace(_continued(job, asked, (*FIXED, *PROPOSED)), learning_rate=rate)


def _continued(job: Job, asked: TrainSettings, names: tuple[str, ...]) -> TrainSettings:
    before = TrainSettings.from_dict(job.settings)
    return replace(
        asked, **{name: getattr(before, name) for name in names}, objective="dpo", from_job=job.id,
        message_order=before.asking_order, describe_order="as_trained",  # as the rated texts were asked for
    )  # fmt: skip


def learnable(db: sqlite3.Connection, job: Job, scheme: Scheme) -> Choice:
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
    return Choice(tuple(pairs.values()), dict(left_out))


def check_enough(job: Job, choice: Choice) -> None:
    """Raise UserError when a job's rated pairs are too few to learn from."""
    if len(choice.pairs) < LEAST_PAIRS:
        raise _too_few([(job, choice)])


def _named(db: sqlite3.Connection, asked: TrainSettings) -> list[Job]:
    if not asked.from_job:
        return [jobs.must_get(db, number) for number in ratings.rated_training_jobs(db, asked.dataset)]
    return [training_job(db, asked.from_job)]


def training_job(db: sqlite3.Connection, job_id: int) -> Job:
    """The training job of this number, to go on from. Raises UserError where there is none."""
    job = jobs.get(db, job_id)
    if job is None or job.kind is not JobKind.TRAIN:
        raise UserError(f"Job {job_id} is no training job; see radtui jobs list for from_job.")
    return job


def _too_few(found: list[tuple[Job, Choice]], dataset: str = "") -> UserError:
    if not found:
        of = f" of {dataset}" if dataset else ""
        return UserError(
            f"0 pairs{of} are rated and at least {LEAST_PAIRS} are needed; describe training images with"
            " radtui generate --split train, then rate them (r)."
        )
    job, choice = max(found, key=lambda each: len(each[1].pairs))
    why = left_out_words(choice.left_out)
    count = len(choice.pairs)
    return UserError(
        f"{count} rated pair{'' if count == 1 else 's'} of job {job.id} can be learnt from and at least {LEAST_PAIRS}"
        f" are needed{f' (left out: {why})' if why else ''}; describe more images outside the test split with"
        f" radtui generate --train-job {job.id} --split train, then rate them (r)."
    )
