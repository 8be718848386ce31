"""What a report is about, read from the store once."""

from __future__ import annotations

import io
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from radtui.charts.model import ChartModel
from radtui.export.loss import loss_model
from radtui.measures.paired import PairedDifference
from radtui.measures.readings import ReadArm
from radtui.measures.scheme import Scheme
from radtui.measures.scores import ArmScores, compare_scores, score_arms
from radtui.measures.statistics import Summary
from radtui.paths import DataDir
from radtui.records import Arm, Case, Comparison, Job, JobKind, Rating, Study, UserError
from radtui.store import arms, cases, jobs, studies
from radtui.store.blobs import image_bytes
from radtui.study.figures import reading_figures
from radtui.study.locking import changes_since
from radtui.study.overview import identical_pairs
from radtui.study.round_lines import RoundLine, read_rounds
from radtui.study.rounds import Round, read_round
from radtui.study.standing_in import StandIns, stand_ins
from radtui.study.study import Review, rated, read_review, scored_texts, summarise_review

EXAMPLES = 6
PREVIEW_PX = 480  # twice the width an example takes on a page


@dataclass(frozen=True, slots=True)
class RatedExample:
    """One comparison with every rating that counts, and a small picture of its image."""

    case: Case
    pair: Comparison
    ratings: tuple[Rating, ...]
    jpeg: bytes
    size_px: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything a report says something about."""

    study: Study
    arms: tuple[Arm, ...]  # of the study, in its order
    job: Job | None  # that opened the study, None where it was made by hand
    train: Job | None  # what the tuned arm has learnt
    after_ratings: Job | None  # what has learnt from readers on top of it
    review: Review
    summary: Summary
    scores: dict[str, ArmScores]
    differences: tuple[PairedDifference, ...]  # of the scores of every two arms, over the same cases
    truncated: dict[str, int]
    described: tuple[Case, ...]
    dataset: cases.DatasetSummary | None
    learnt: int  # images the training learnt from, as its job says; 0 when that is not known
    examples: tuple[RatedExample, ...]
    loss: ChartModel | None
    written_at: datetime
    stand_ins: StandIns
    # Pairs of the same text, which no reader was asked about, by "tuned against base".
    identical: dict[str, int]
    changes: tuple[str, ...]  # of a locked protocol since it was locked
    text_times: tuple[float, ...]  # when the first and the last text were written, Unix seconds
    readings: dict[str, ReadArm]  # by arm, where texts were corrected or taken as they are
    # The newest arm against the one before, where a job that learnt from readers wrote it.
    compared: Round | None
    rounds: tuple[RoundLine, ...]  # that led to it

    @property
    def two(self) -> tuple[str, str]:
        """The arms that are told side by side: the study's first two."""
        return self.review.first_two


def report_study(db: sqlite3.Connection, job: Job) -> Study:
    """The study that a report about a job describes: its own, or the newest one of a training job.

    Raises:
        UserError: Nothing has been described yet.
    """
    for study in (studies.must_get(db, number) for number in studies.with_comparisons(db)):
        opened_by = jobs.get(db, study.job_id) if study.job_id is not None else None
        if opened_by is not None and job.id in (opened_by.id, opened_by.parent_job_id):
            return study
    if job.kind is JobKind.TRAIN:
        raise UserError(
            f"Nothing has been described with training job {job.id} yet; run radtui generate --train-job {job.id}."
        )
    raise UserError(f"Job {job.id} has no pair of descriptions to report on; see radtui jobs list.")


def gather(data: DataDir, db: sqlite3.Connection, study: Study, scheme: Scheme) -> Gathered:
    """Read everything. Takes seconds for hundreds of descriptions.

    Args:
        data: Where the images lie.
        db: The database.
        study: One with comparisons.
        scheme: What its raters were asked.
    """
    review = read_review(db, study, scheme)
    job = review.job
    parent = jobs.get(db, job.parent_job_id) if job is not None and job.parent_job_id is not None else None
    train = jobs.learnt_references(db, parent) if parent is not None else None
    described = cases.get_many(db, studies.comparison_ids(db, study))
    pairs = studies.comparisons(db, study, [case.id for case in described])
    learnt = train.result.get("images") if train else None
    texts = scored_texts(db, study)
    return Gathered(
        study=study,
        arms=tuple(arms.get(db, arm.arm_id) for arm in study.arms),
        job=job,
        train=train,
        after_ratings=parent if parent is not train else None,
        review=review,
        summary=summarise_review(review),
        scores=score_arms(texts),
        differences=tuple(compare_scores(texts)),
        truncated={
            arm: sum(arm in pair.texts and pair.by(arm).truncated for pair in pairs.values())
            for arm in study.arm_names
        },
        described=tuple(described),
        dataset=next((known for known in cases.datasets(db) if known.name == study.dataset), None),
        learnt=learnt if isinstance(learnt, int) else 0,
        examples=tuple(_example(data, *chosen) for chosen in _choose(db, review, described, pairs)),
        loss=_loss(db, train),
        written_at=datetime.now(UTC),
        stand_ins=stand_ins(db, review),
        identical=identical_pairs(db, study),
        changes=tuple(changes_since(db, study)),
        text_times=studies.written_between(db, study),
        readings=reading_figures(db, study),
        compared=read_round(db, study),
        rounds=read_rounds(db, study, scheme),
    )


def _loss(db: sqlite3.Connection, train: Job | None) -> ChartModel | None:
    try:
        return loss_model(db, [train]) if train else None
    except UserError:  # no points: a job that failed early, or one brought from elsewhere
        return None


def _choose(
    db: sqlite3.Connection, review: Review, described: list[Case], pairs: dict[int, Comparison]
) -> list[tuple[Case, Comparison, tuple[Rating, ...]]]:
    """Examples by rule, so that nobody picks the flattering ones.

    The two pairs with the clearest preference for the later arm's text, the two with the clearest for the earlier, a
    tie, and one with both bad, each the first in the data set's order; the rest spread evenly over all that was
    described.
    """
    counting = {id(rating) for rating in review.counting()[0] if rating.shown == review.first_two}
    judged: dict[int, list[Rating]] = {}
    known = {
        case.id: case for case in described if all(arm in pairs[case.id].texts for arm in review.first_two)
    }
    for rating, case, _ in rated(db, review):
        if id(rating) in counting:
            judged.setdefault(case.id, []).append(rating)
    leaning = {
        case_id: sum(preferences) / len(preferences)
        for case_id in known
        if (preferences := [r.preference for r in judged.get(case_id, ()) if r.preference is not None])
    }
    clearest = sorted(leaning, key=leaning.__getitem__, reverse=True)
    chosen = [number for number in clearest if leaning[number] > 0][:2]
    chosen += [number for number in sorted(leaning, key=leaning.__getitem__) if leaning[number] < 0][:2]
    chosen += [number for number in leaning if leaning[number] == 0][:1]
    chosen += [n for n in judged if n not in leaning and any(r.both_bad for r in judged[n])][:1]
    rest = [case_id for case_id in known if case_id not in chosen]
    missing = min(EXAMPLES - len(chosen), len(rest))
    chosen += [rest[at * len(rest) // missing] for at in range(missing)]
    return [(known[n], pairs[n], tuple(judged.get(n, ()))) for n in chosen if n in known]


def _example(data: DataDir, case: Case, pair: Comparison, ratings: tuple[Rating, ...]) -> RatedExample:
    jpeg, size = _preview(data, case)
    return RatedExample(case, pair, ratings, jpeg, size)


def _preview(data: DataDir, case: Case) -> tuple[bytes, tuple[int, int]]:
    """A small JPEG of a case's first image in its default window; nothing when it cannot be read any more."""
    from PIL import ImageChops

    from radtui.imaging.thumbnail import thumbnail

    try:
        picture = thumbnail(image_bytes(data, case.first.sha256), PREVIEW_PX, PREVIEW_PX)
    except (OSError, UserError):
        return b"", (0, 0)
    red, *others = picture.split()
    grey = all(ImageChops.difference(red, other).getbbox() is None for other in others)
    out = io.BytesIO()
    (picture.convert("L") if grey else picture).save(out, "JPEG", quality=88, optimize=True)
    return out.getvalue(), picture.size
