"""Which ratings an export with one column per question can hold, where several schemes or versions of one were used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from radtui.measures.pace import pace_mark
from radtui.measures.words import HASH_LETTERS, version_counts
from radtui.records import Rating
from radtui.study.study import Review

MORE = ("checked.", "accepted.")  # beginnings of answers that came after the oldest tables


@dataclass(slots=True)
class Survey:
    """What there is to say of a table's rows before and after them, from going through a review's ratings once.

    Attributes:
        schemes: Scheme id -> ratings, of all.
        left_out: (scheme id, hash) -> ratings that the table has no columns for.
        versions: Hash -> rows made with that version of the scheme.
        counts: What the rows are, as `measures.words.row_counts` has it.
        raters: Everybody who rated, with rows or without.
        corrected: Whether a row has an answer for which the oldest tables of base and tuned have no column.
        paced: Whether a row's time is out of the ordinary.
        chained: Whether any rating is chained.
    """

    schemes: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    counts: dict[str, int] = field(default_factory=lambda: {"ratings": 0, "skipped": 0, "unrated": 0})
    raters: set[str] = field(default_factory=set)
    corrected: bool = False
    paced: bool = False
    chained: bool = False


def survey(review: Review) -> Survey:
    """Go through a review's ratings."""
    seen, of_job = Survey(), review.study.job_id is not None
    plain: set[str] = set()  # keys of answers that the oldest tables have columns for
    for rating in review.ratings:
        seen.schemes[rating.scheme] += 1
        seen.raters.add(rating.rater)
        seen.chained = seen.chained or bool(rating.chain)
        if not review.scheme.holds(rating):
            seen.left_out[rating.scheme, rating.scheme_hash] += 1
        elif rating.earlier_arm or not of_job:
            seen.versions[rating.scheme_hash] += 1
            kind = "unrated" if rating.empty else "skipped" if rating.skipped else "ratings"
            seen.counts[kind] += 1
            if not plain.issuperset(rating.answers) or rating.corrections:
                seen.corrected = seen.corrected or says_more(rating)
                plain.update(key for key in rating.answers if not key.startswith(MORE))
            seen.paced = seen.paced or bool(pace_mark(rating))
    return seen


def says_more(rating: Rating) -> bool:
    """Whether a rating has an answer for which the oldest tables of base and tuned have no column."""
    return bool(rating.corrections) or any(key.startswith(MORE) for key in rating.answers)


def table_rows(review: Review) -> Iterator[Rating]:
    """The ratings that have a row in a table of one scheme: those with a column for all they answer.

    A table of a job's comparisons has no row for a text that was read by itself.
    """
    of_job, holds = review.study.job_id is not None, review.scheme.holds
    return (rating for rating in review.ratings if holds(rating) and (rating.earlier_arm or not of_job))


def scheme_note(scheme_id: str, seen: Survey) -> str:
    """What a reader of a file of one scheme must know of the others, in a sentence or two; "" with one version."""
    sentences = []
    if seen.left_out:
        named = ", ".join(
            f"{n} by {name!r} ({sha256[:HASH_LETTERS]})" for (name, sha256), n in seen.left_out.items()
        )
        sentences.append(
            f"Ratings of other schemes are not in this file: {named}; export each with --scheme and its file,"
            " or all together with --format jsonl."
        )
    if len(seen.versions) > 1:
        sentences.append(
            f"The rows come from {len(seen.versions)} versions of the scheme {scheme_id!r}"
            f" ({version_counts(seen.versions)}); the column scheme_hash tells them apart."
        )
    return " ".join(sentences)
