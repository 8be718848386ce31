"""Learning from corrected and accepted texts: which training job goes on, with what settings, and what is refused."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass, replace

from radtui.jobs import submit_train
from radtui.measures.scheme import Scheme
from radtui.measures.words import left_out_words
from radtui.paths import DataDir
from radtui.plural import many
from radtui.records import Job, UserError
from radtui.settings import TrainSettings
from radtui.store import ratings
from radtui.study.corrections import ReadTexts, read_texts
from radtui.study.going_on import PROPOSED, Search, continued, rate_after

LEAST_TEXTS = 10  # of which a tenth, one text, is held back
# Of the rate the references were learnt with. The demo's model, 200 texts of which 41 were corrected, learnt at a third
# of its 3e-3: the F1 of findings rose by 0.06 to 0.11 on 300 other cases, in four runs of other seeds.
RATE_SHARE = 1 / 3
EVALUATIONS = 8  # over the whole run: two in each of four passes


@dataclass(frozen=True, slots=True)
class CorrectionOffer:
    """A training job whose texts were read, what can be learnt of them, and how."""

    job: Job
    texts: ReadTexts
    settings: TrainSettings

    @property
    def words(self) -> str:
        """What there is to learn, for a line: "41 corrected and 159 accepted texts of job 3"."""
        accepted = many(self.texts.accepted, "accepted text")
        return f"{self.texts.corrected:,} corrected and {accepted} of job {self.job.id}"


def offer_corrections(db: sqlite3.Connection, scheme: Scheme, asked: TrainSettings) -> CorrectionOffer:
    """The job to go on from, its texts and the settings proposed for learning them.

    Takes seconds for many thousands of ratings: call it on a thread.

    Args:
        db: The database.
        scheme: What readers were asked.
        asked: `from_job`, or 0 for the newest finished one with enough texts; `dataset` narrows the search; the rest
            is what the job that is gone on from does not say.

    Raises:
        UserError: The job is not there, or has too few texts; says how many there are and how to get more.
    """
    search = Search(lambda job: read_texts(db, job, scheme), enough)
    first = search.first(db, asked, lambda: ratings.read_training_jobs(db, asked.dataset))
    if first is None:
        raise _too_few(search.met)
    job, texts = first
    return CorrectionOffer(job, texts, _proposed(job, asked, texts))


def submit_corrections(data: DataDir, db: sqlite3.Connection, scheme: Scheme, asked: TrainSettings) -> Job:
    """Start a training job that learns corrected and accepted texts.

    Raises:
        UserError: As `offer_corrections`, or as every training job.
    """
    job = offer_corrections(db, scheme, asked).job
    return submit_train(data, db, continued(job, asked, "corrections"), parent_job_id=job.id)


def enough(texts: ReadTexts) -> bool:
    """Whether there is something to learn: texts to hold some back of, and a correction among them."""
    return len(texts.texts) >= LEAST_TEXTS and texts.corrected > 0


def check_enough(job: Job, texts: ReadTexts) -> None:
    """Raise UserError when a job's read texts are too few to learn from."""
    if not enough(texts):
        raise _too_few([(job, texts)])


def _proposed(job: Job, asked: TrainSettings, texts: ReadTexts) -> TrainSettings:
    """What a form starts from: as the job before it, at a third of the rate it learnt references with."""
    settings = continued(job, asked, "corrections", *PROPOSED, "batch_size", "gradient_accumulation")
    rows = texts.accepted + settings.correction_weight * texts.corrected
    steps = math.ceil(rows / settings.effective_batch) * settings.epochs
    return replace(
        settings,
        learning_rate=rate_after(job, RATE_SHARE),
        eval_every=max(1, round(steps / EVALUATIONS)),
    )


def _too_few(met: list[tuple[Job, ReadTexts]]) -> UserError:
    if not met:
        return UserError(
            f"No texts are corrected or accepted yet and at least {LEAST_TEXTS} are needed; describe training cases"
            " with radtui generate --split train, then read and correct them with radtui review --arm tuned."
        )
    job, texts = max(met, key=lambda each: len(each[1].texts))
    count, why = len(texts.texts), left_out_words(texts.left_out)
    left = f" (left out: {why})" if why else ""
    more = f"read more with radtui review --arm tuned, of cases described with radtui generate --train-job {job.id}"
    if count >= LEAST_TEXTS:
        return UserError(
            f"None of the {many(count, 'accepted text')} of job {job.id} is corrected{left}; {more}."
        )
    return UserError(
        f"{many(count, 'text')} of job {job.id} {'is' if count == 1 else 'are'} corrected or accepted"
        f" and at least {LEAST_TEXTS} are needed{left}; {more} --split train."
    )
