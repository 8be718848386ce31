"""What a report is about, read from the store once."""

from __future__ import annotations

import io
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from radtui.charts.model import ChartModel
from radtui.export.loss import loss_model
from radtui.measures.scheme import Scheme
from radtui.measures.scores import VariantScores, job_scores
from radtui.measures.statistics import Summary
from radtui.paths import DataDir
from radtui.records import TWO_VARIANTS, Comparison, Image, Job, JobKind, Rating, UserError, Variant
from radtui.store import descriptions, images, jobs
from radtui.study.study import Review, rated, read_review, summarise_review

EXAMPLES = 6
PREVIEW_PX = 480  # twice the width an example takes on a page


@dataclass(frozen=True, slots=True)
class Example:
    """One comparison with every rating that counts, and a small picture of its image."""

    image: Image
    pair: Comparison
    ratings: tuple[Rating, ...]
    jpeg: bytes
    size_px: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything a report says something about."""

    job: Job
    train: Job | None  # what the tuned variant has learnt
    after_ratings: Job | None  # what the dpo variant has learnt on top of it
    review: Review
    summary: Summary
    scores: dict[Variant, VariantScores]
    truncated: dict[Variant, int]
    described: tuple[Image, ...]
    dataset: images.DatasetSummary | None
    learnt: int  # images the training learnt from, as its job says; 0 when that is not known
    examples: tuple[Example, ...]
    loss: ChartModel | None
    written_at: datetime


def report_job(db: sqlite3.Connection, job: Job) -> Job:
    """The generation job that a report about `job` describes: itself, or the newest one of a training job.

    Raises:
        UserError: Nothing has been described yet.
    """
    counts = descriptions.jobs_with_comparisons(db)
    if job.id in counts:
        return job
    if job.kind is JobKind.TRAIN:
        for number in counts:
            found = jobs.must_get(db, number)
            if found.parent_job_id == job.id:
                return found
        raise UserError(
            f"Nothing has been described with training job {job.id} yet; run radtui generate --train-job {job.id}."
        )
    raise UserError(f"Job {job.id} has no pair of descriptions to report on; see radtui jobs list.")


def gather(data: DataDir, db: sqlite3.Connection, job: Job, scheme: Scheme) -> Gathered:
    """Read everything. Takes seconds for hundreds of descriptions.

    Args:
        data: Where the images lie.
        db: The database.
        job: A generation job with comparisons, as `report_job` gives it.
        scheme: What its raters were asked.
    """
    review = read_review(db, job, scheme)
    parent = jobs.get(db, job.parent_job_id) if job.parent_job_id is not None else None
    train = jobs.learnt_references(db, parent) if parent is not None else None
    described = images.get_many(db, descriptions.comparison_ids(db, job.id))
    written = [d for d in descriptions.finished(db, job.id) if d.truncated]
    learnt = train.result.get("images") if train else None
    return Gathered(
        job=job,
        train=train,
        after_ratings=parent if parent is not train else None,
        review=review,
        summary=summarise_review(review),
        scores=job_scores(db, job),
        truncated={variant: sum(d.variant is variant for d in written) for variant in Variant},
        described=tuple(described),
        dataset=next((one for one in images.datasets(db) if one.name == job.dataset), None),
        learnt=learnt if isinstance(learnt, int) else 0,
        examples=tuple(_example(data, *chosen) for chosen in _choose(db, review, described)),
        loss=_loss(db, train),
        written_at=datetime.now(UTC),
    )


def _loss(db: sqlite3.Connection, train: Job | None) -> ChartModel | None:
    try:
        return loss_model(db, [train]) if train else None
    except UserError:  # no points: a job that failed early, or one brought from elsewhere
        return None


def _choose(
    db: sqlite3.Connection, review: Review, described: list[Image]
) -> list[tuple[Image, Comparison, tuple[Rating, ...]]]:
    """Examples by rule, so that nobody picks the flattering ones.

    The two pairs with the clearest preference for the tuned text, the two with the clearest for the base, a tie, and
    one with both bad, each the first in the data set's order; the rest spread evenly over all that was described.
    """
    counting = {id(rating) for rating in review.counting()[0] if rating.shown == TWO_VARIANTS}
    judged: dict[int, list[Rating]] = {}
    for rating, image, _ in rated(db, review):
        if id(rating) in counting:
            judged.setdefault(image.id, []).append(rating)
    leaning = {
        image.id: sum(given) / len(given)
        for image in described
        if (given := [r.preference for r in judged.get(image.id, ()) if r.preference is not None])
    }
    clearest = sorted(leaning, key=leaning.__getitem__, reverse=True)
    chosen = [number for number in clearest if leaning[number] > 0][:2]
    chosen += [number for number in sorted(leaning, key=leaning.__getitem__) if leaning[number] < 0][:2]
    chosen += [number for number in leaning if leaning[number] == 0][:1]
    chosen += [n for n in judged if n not in leaning and any(r.both_bad for r in judged[n])][:1]
    rest = [image.id for image in described if image.id not in chosen]
    missing = min(EXAMPLES - len(chosen), len(rest))
    chosen += [rest[at * len(rest) // missing] for at in range(missing)]
    known = {image.id: image for image in described}
    pairs = descriptions.comparisons(db, review.job.id, chosen)
    return [(known[n], pairs[n], tuple(judged.get(n, ()))) for n in chosen if n in pairs]


def _example(data: DataDir, image: Image, pair: Comparison, given: tuple[Rating, ...]) -> Example:
    jpeg, size = _preview(data, image)
    return Example(image, pair, given, jpeg, size)


def _preview(data: DataDir, image: Image) -> tuple[bytes, tuple[int, int]]:
    """A small JPEG of an image in its default window; nothing when it cannot be read any more."""
    from PIL import ImageChops

    from radtui.imaging.thumbnail import thumbnail

    try:
        picture = thumbnail(data.blob(image.sha256).read_bytes(), PREVIEW_PX, PREVIEW_PX)
    except (OSError, UserError):
        return b"", (0, 0)
    red, *others = picture.split()
    grey = all(ImageChops.difference(red, other).getbbox() is None for other in others)
    out = io.BytesIO()
    (picture.convert("L") if grey else picture).save(out, "JPEG", quality=88, optimize=True)
    return out.getvalue(), picture.size
