"""What a study holds, read from the store once: for the summary, the exports and the report."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from radtui.measures.arms import compare_arms
from radtui.measures.bias import Words
from radtui.measures.package_scores import CHEXBERT, NOTHING_PACKAGED, Packaged
from radtui.measures.scheme import Scheme
from radtui.measures.scores import ArmScores, ScoredText, compare_trainings, score_arms
from radtui.measures.statistics import LeftOut, Summary, counted, in_order, summarise, versions_of
from radtui.measures.text import word_count
from radtui.measures.trainings import TrainingGain, preference_gain, trainings_of
from radtui.paths import DataDir
from radtui.records import ArmKind, Case, Comparison, Description, Job, Rating, Study, UserError
from radtui.settings import GenerateSettings
from radtui.store import cases, jobs, ratings, studies, text_scores
from radtui.store.database import same_moment
from radtui.store.ratings import Assignment
from radtui.store.showings import Showing, special_roles
from radtui.store.text_scores import TextScore
from radtui.study.scheme_file import DEFAULT_ID, load_scheme

SCHEME_FILE = "scheme.toml"  # in the data folder; without it, the scheme that ships with radtui

CHUNK = 500  # rows per SELECT


@dataclass(frozen=True, slots=True)
class StoredRatings(Collection[Rating]):
    """A study's current ratings that stay in the database: each time they are gone through, few are held at once.

    They are of one moment as long as all is done in one `same_moment`.
    """

    db: sqlite3.Connection
    study_id: int
    rater: str = ""

    def __iter__(self) -> Iterator[Rating]:
        return ratings.current_one_by_one(self.db, self.study_id, self.rater)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, rating: object) -> bool:
        return any(each == rating for each in self)


@dataclass(frozen=True, slots=True)
class Review:
    """All there is to know of one study.

    `ratings` is the current state of every showing that was not wholly taken back, to be gone through as often as
    needed; `special` says which of them were calibration pairs or hidden repeats; `words` counts those of each text.
    Where there are more than two arms, a rating is about the two it names. `job` is the generation job that opened the
    study, None for one made by hand.
    """

    study: Study
    scheme: Scheme
    ratings: Collection[Rating]
    special: dict[Showing, str]
    words: Words
    job: Job | None = None

    @property
    def first_two(self) -> tuple[str, str]:
        """The arms that a summary is about first; "" for the earlier where there is one alone."""
        names = ("", "", *self.study.arm_names)[-2:] if len(self.study.arms) < 2 else self.study.arm_names
        return names[0], names[1]

    @property
    def settings(self) -> dict[str, object]:
        """Of the job that opened the study; none where it was made by hand."""
        return self.job.settings if self.job is not None else {}

    @property
    def further_adapters(self) -> dict[str, str]:
        """Folders of further arms' adapters, by the arms' names."""
        return GenerateSettings.from_dict(self.settings).further_adapters

    @property
    def calibration(self) -> frozenset[tuple[int, int]]:
        """(study id, case id) of the pairs that raters were trained on."""
        return frozenset(
            (self.study.id, case_id) for (case_id, *_), role in self.special.items() if role == "calibration"
        )

    def role(self, rating: Rating) -> str:
        """`normal`, `calibration` or `repeat`."""
        usual = "repeat" if rating.occasion else "normal"
        return self.special.get(showing_key(rating), usual) if self.special else usual

    def counting(self, include_unblinded: bool = False) -> tuple[list[Rating], LeftOut]:
        """The ratings that statistics and preference data are made of, and how many are left out and why."""
        return counted(in_order(self.ratings), self.scheme, self.calibration, include_unblinded)


def showing_key(row: Rating | Assignment) -> Showing:
    """What a rating or an assignment of a study is about, and whose it is."""
    return row.case_id, row.rater, row.occasion, row.pair


def label_of(study: Study) -> str:
    """A study as people know it: by its job's number, "#3 tiny on chests", or by its own, "study 3: four arms"."""
    return f"#{study.job_id} {study.name}" if study.job_id is not None else f"study {study.id}: {study.name}"


def study_of(db: sqlite3.Connection, job: Job) -> Study:
    """The study that a generation job opened.

    Raises:
        UserError: It has not begun to describe yet.
    """
    study = studies.of_job(db, job.id)
    if study is None:
        raise UserError(f"Job {job.id} has described nothing yet; wait for its first descriptions.")
    return study


def read_review(db: sqlite3.Connection, study: Study, scheme: Scheme, rater: str = "") -> Review:
    """Read a study's ratings; of one rater when named."""
    with same_moment(db):  # no rating without its assignment and its texts
        rows = tuple(ratings.current(db, study.id, rater))
        return replace(stored_review(db, study, scheme, rater), ratings=rows, words=_words(db, study))


def stored_review(db: sqlite3.Connection, study: Study, scheme: Scheme, rater: str = "") -> Review:
    """The same, but ratings stay in the database and no words are counted.

    For tables of a hundred thousand rows, which are written row by row; until that is done it takes one `same_moment`.
    """
    with same_moment(db):
        special: dict[Showing, str] = {}
        for name in [rater] if rater else ratings.raters(db, study.id):
            special |= special_roles(db, study.id, name)
        job = jobs.get(db, study.job_id) if study.job_id is not None else None
        return Review(study, scheme, StoredRatings(db, study.id, rater), special, {}, job)


def _words(db: sqlite3.Connection, study: Study) -> Words:
    counts: dict[tuple[int, int], dict[str, int]] = {}
    for case_id, arm, text in studies.lengths(db, study):
        counts.setdefault((study.id, case_id), {})[arm] = word_count(text)
    return counts


def summarise_review(review: Review, include_unblinded: bool = False) -> Summary:
    """All statistics of a study; takes a second for thousands of ratings, so call it on a thread.

    They are about its first two arms; where there are more, `arms` has every two and all of them compared.
    """
    two = review.first_two
    summary = summarise(
        review.ratings, review.scheme, *two, review.words, review.calibration, include_unblinded
    )
    if len(review.study.arms) <= 2:
        return summary
    compared = compare_arms(
        review.ratings, review.study.arm_names, review.scheme, review.words, review.calibration, include_unblinded
    )  # fmt: skip
    kept, left_out = review.counting(include_unblinded)
    return replace(summary, arms=compared, left_out=left_out, versions=versions_of(kept))


def trainings_gain(
    db: sqlite3.Connection, review: Review, include_unblinded: bool = False, with_scores: bool = True
) -> list[TrainingGain]:
    """What a run gains whichever seed it is trained with: readers' preference and the texts' scores.

    Args:
        db: The database.
        review: Of a study; empty where its arms are no several trainings of one job.
        include_unblinded: Count ratings made by someone who knew which text is whose.
        with_scores: Score the texts too, which takes seconds for thousands.
    """
    if not trainings_of(review.study.arm_names):
        return []
    kept, _ = review.counting(include_unblinded)
    preferred = preference_gain(kept, review.study.arm_names)
    scored = compare_trainings(scored_texts(db, review.study)) if with_scores else []
    return [*([preferred] if preferred else []), *scored]


def score_study(db: sqlite3.Connection, study: Study) -> dict[str, ArmScores]:
    """Scores of each arm over the cases that all arms describe; takes seconds for thousands, so call it on a thread."""
    return score_arms(scored_texts(db, study))


def scored_texts(db: sqlite3.Connection, study: Study) -> dict[str, list[ScoredText]]:
    """Each arm's texts of the cases that all arms describe, in the same order, with what they are scored against."""
    pairs = {
        case_id: pair
        for case_id, pair in studies.comparisons(db, study, studies.comparison_ids(db, study)).items()
        if len(pair.texts) == len(study.arms)
    }
    return _scored(
        db, {arm: [(case_id, pair.by(arm)) for case_id, pair in pairs.items()] for arm in study.arm_names}
    )


def every_scored_text(db: sqlite3.Connection, study: Study) -> dict[str, list[ScoredText]]:
    """Each arm's texts of whatever cases, with what they are scored against; the reference is no arm to be scored."""
    pairs = studies.comparisons(db, study, studies.comparison_ids(db, study))
    named = [arm.name for arm in study.arms if arm.kind is not ArmKind.REFERENCE]
    return _scored(
        db,
        {
            arm: [(case_id, pair.by(arm)) for case_id, pair in pairs.items() if arm in pair.texts]
            for arm in named
        },
    )


def _scored(
    db: sqlite3.Connection, texts: Mapping[str, Sequence[tuple[int, Description]]]
) -> dict[str, list[ScoredText]]:
    known = {
        case.id: case
        for case in cases.get_many(db, sorted({id_ for own in texts.values() for id_, _ in own}))
    }
    stored = text_scores.of_texts(db, sorted({text.text_id for own in texts.values() for _, text in own}))
    return {
        arm: [
            ScoredText(
                text.text, known[case_id].reference, known[case_id].truth, known[case_id].examination, case_id,
                _packaged(stored.get(text.text_id)),
            )
            for case_id, text in own
        ]
        for arm, own in texts.items()
    }  # fmt: skip


def _packaged(stored: Mapping[str, TextScore] | None) -> Packaged:
    if not stored:
        return NOTHING_PACKAGED
    labels = stored[CHEXBERT].detail if CHEXBERT in stored else None
    return Packaged(
        {key: own.value for key, own in stored.items()},
        (_labels(labels["text"]), _labels(labels["reference"])) if labels else None,
    )


def _labels(values: object) -> tuple[int, ...]:
    return tuple(map(int, values)) if isinstance(values, list) else ()


def scheme_for(data: DataDir, own: str | Path = "") -> Scheme:
    """The rating scheme to read answers by: the named file, else the data folder's own, else the default.

    Raises:
        UserError: The file is missing or does not describe a scheme.
    """
    if own:
        return load_scheme(own)
    stored = data.root / SCHEME_FILE
    return load_scheme(stored if stored.exists() else DEFAULT_ID)


def protocol_of(data: DataDir) -> Scheme:
    """The scheme to draw a reader's pairs by, where no answer is read: the default for a file that is none."""
    try:
        return scheme_for(data)
    except UserError:
        return load_scheme(DEFAULT_ID)


def check_scheme(rows: Iterable[Rating], scheme: Scheme) -> None:
    """Make sure that a scheme is the one at least some of the ratings were made with.

    Raises:
        UserError: There are ratings, and all of them answer another scheme's questions.
    """
    check_scheme_ids(Counter(rating.scheme for rating in rows), scheme)


def check_scheme_ids(ids: Counter[str], scheme: Scheme) -> None:
    """As `check_scheme`, from how many ratings each scheme has."""
    if ids and scheme.id not in ids:
        other = ids.most_common(1)[0][0]
        raise UserError(
            f"These ratings were made with the rating scheme {other!r}, not {scheme.id!r};"
            f" name its file with --scheme, or put it into the data folder as {SCHEME_FILE}."
        )


def rated(
    db: sqlite3.Connection, review: Review, rows: Iterable[Rating] | None = None
) -> Iterator[tuple[Rating, Case, Comparison]]:
    """Every rating with its case and texts, in the order they were last changed, read in chunks.

    Args:
        db: The database.
        review: What is told.
        rows: Only these of its ratings.
    """
    waiting = iter(review.ratings if rows is None else rows)
    while chunk := list(islice(waiting, CHUNK)):
        ids = sorted({rating.case_id for rating in chunk})
        known = {case.id: case for case in cases.get_many(db, ids)}
        pairs = studies.comparisons(db, review.study, ids)
        for rating in chunk:
            case, pair = known.get(rating.case_id), pairs.get(rating.case_id)
            if case is None or pair is None:
                continue
            if rating.later_arm in pair.texts and (
                not rating.earlier_arm or rating.earlier_arm in pair.texts
            ):
                yield rating, case, pair
