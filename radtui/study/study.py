"""What a generation job's review holds, read from the store once: for the summary, the exports and the report."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from radtui.measures.bias import Words
from radtui.measures.scheme import Scheme
from radtui.measures.statistics import LeftOut, Summary, counted, summarise, versions_of
from radtui.measures.text import word_count
from radtui.measures.variants import Lengths, compare_variants
from radtui.paths import DataDir
from radtui.records import TWO_VARIANTS, Comparison, Image, Job, Rating, UserError, Variant
from radtui.store import descriptions, images, ratings
from radtui.store.database import same_moment
from radtui.store.ratings import Assignment
from radtui.study.scheme_file import DEFAULT_ID, load_scheme

SCHEME_FILE = "scheme.toml"  # in the data folder; without it, the scheme that ships with radtui

PairKey = tuple[int, str, int]  # image id, rater, occasion

CHUNK = 500  # rows per SELECT


@dataclass(frozen=True, slots=True)
class Review:
    """All there is to know of one job's review.

    `ratings` is the current state of every showing that was not wholly taken back; `assigned` says which of them
    were calibration pairs or hidden repeats; `lengths` are the words of each text. Where there are three variants, a
    rating is about the two it names.
    """

    job: Job
    scheme: Scheme
    ratings: tuple[Rating, ...]
    assigned: dict[PairKey, Assignment]
    lengths: Lengths
    variants: tuple[Variant, ...] = TWO_VARIANTS

    @property
    def words(self) -> Words:
        """Words of the base and the tuned text of each image that has both."""
        base, tuned = TWO_VARIANTS
        return {
            key: (found[base], found[tuned])
            for key, found in self.lengths.items()
            if base in found and tuned in found
        }

    @property
    def of_two(self) -> tuple[Rating, ...]:
        """The ratings of base against tuned: all of them, unless there is a third variant."""
        if len(self.variants) == len(TWO_VARIANTS):
            return self.ratings
        return tuple(rating for rating in self.ratings if rating.shown == TWO_VARIANTS)

    @property
    def calibration(self) -> frozenset[tuple[int, int]]:
        """(job id, image id) of the pairs that raters were trained on."""
        roles = self.assigned.values()
        return frozenset((a.job_id, a.image_id) for a in roles if a.role == "calibration")

    def role(self, rating: Rating) -> str:
        """`normal`, `calibration` or `repeat`."""
        found = self.assigned.get((rating.image_id, rating.rater, rating.occasion))
        return found.role if found else "repeat" if rating.occasion else "normal"

    def counting(self, include_unblinded: bool = False) -> tuple[list[Rating], LeftOut]:
        """The ratings that statistics and preference data are made of, and how many are left out and why."""
        rows = sorted(self.ratings, key=lambda r: (r.image_id, r.rater, r.occasion))
        return counted(rows, self.scheme, self.calibration, include_unblinded)


def read_review(db: sqlite3.Connection, job: Job, scheme: Scheme, rater: str = "") -> Review:
    """Read a job's review; of one rater when named."""
    with same_moment(db):  # no rating without its assignment and its texts
        names = [rater] if rater else ratings.raters(db, job.id)
        assigned = {
            (a.image_id, a.rater, a.occasion): a for name in names for a in ratings.assigned(db, job.id, name)
        }
        return Review(
            job, scheme, tuple(ratings.current(db, job.id, rater)), assigned, _lengths(db, job.id),
            descriptions.variants(db, job.id),
        )  # fmt: skip


def summarise_review(review: Review, include_unblinded: bool = False) -> Summary:
    """All statistics of a review; takes a second for thousands of ratings, so call it on a thread.

    They are about base and tuned; where there is a third variant, `variants` has every two and all three compared.
    """
    summary = summarise(review.of_two, review.scheme, review.words, review.calibration, include_unblinded)
    if len(review.variants) == len(TWO_VARIANTS):
        return summary
    compared = compare_variants(
        review.ratings, review.variants, review.scheme, review.lengths, review.calibration, include_unblinded
    )
    kept, left_out = review.counting(include_unblinded)
    return replace(summary, variants=compared, left_out=left_out, versions=versions_of(kept))


def scheme_for(data: DataDir, own: str | Path = "") -> Scheme:
    """The rating scheme to read answers by: the named file, else the data folder's own, else the default.

    Raises:
        UserError: The file is missing or does not describe a scheme.
    """
    if own:
        return load_scheme(own)
    stored = data.root / SCHEME_FILE
    return load_scheme(stored if stored.exists() else DEFAULT_ID)


def check_scheme(found: Iterable[Rating], scheme: Scheme) -> None:
    """Make sure that a scheme is the one at least some of the ratings were made with.

    Raises:
        UserError: There are ratings, and all of them answer another scheme's questions.
    """
    ids = Counter(rating.scheme for rating in found)
    if ids and scheme.id not in ids:
        other = ids.most_common(1)[0][0]
        raise UserError(
            f"These ratings were made with the rating scheme {other!r}, not {scheme.id!r};"
            f" name its file with --scheme, or put it into the data folder as {SCHEME_FILE}."
        )


def _lengths(db: sqlite3.Connection, job_id: int) -> Lengths:
    counts: dict[tuple[int, int], dict[Variant, int]] = {}
    for description in descriptions.finished(db, job_id):
        found = counts.setdefault((job_id, description.image_id), {})
        found[description.variant] = word_count(description.text)
    return counts


def rated(db: sqlite3.Connection, review: Review) -> Iterator[tuple[Rating, Image, Comparison]]:
    """Every rating with its image and texts, in the order they were last changed, read in chunks."""
    for start in range(0, len(review.ratings), CHUNK):
        chunk = review.ratings[start : start + CHUNK]
        ids = sorted({rating.image_id for rating in chunk})
        known = {image.id: image for image in images.get_many(db, ids)}
        pairs = descriptions.comparisons(db, review.job.id, ids)
        for rating in chunk:
            image, pair = known.get(rating.image_id), pairs.get(rating.image_id)
            if image is not None and pair is not None:
                yield rating, image, pair
