"""Which ratings an export with one column per question can hold, where several schemes or versions of one were used."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from radtui.measures.words import HASH_LETTERS, version_counts
from radtui.study.study import Review


def of_scheme(review: Review) -> Review:
    """The review with those ratings alone that have a column for all they answer, of whatever version.

    A table of a job's comparisons has no row for a text that was read by itself.
    """
    rows = filter(review.scheme.holds, review.ratings)
    paired = review.study.job_id is not None
    return replace(review, ratings=tuple(row for row in rows if row.earlier_arm or not paired))


def left_out(review: Review) -> Counter[tuple[str, str]]:
    """(scheme id, hash) of the ratings that `of_scheme` leaves out -> how many there are."""
    return Counter((r.scheme, r.scheme_hash) for r in review.ratings if not review.scheme.holds(r))


def versions(review: Review) -> Counter[str]:
    """Hash -> how many of the ratings that `of_scheme` keeps were made with that version."""
    return Counter(rating.scheme_hash for rating in of_scheme(review).ratings)


def scheme_note(review: Review) -> str:
    """What a reader of a file of one scheme must know of the others, in a sentence or two; "" with one version."""
    sentences = []
    others, kept = left_out(review), versions(review)
    if others:
        named = ", ".join(
            f"{n} by {name!r} ({sha256[:HASH_LETTERS]})" for (name, sha256), n in others.items()
        )
        sentences.append(
            f"Ratings of other schemes are not in this file: {named}; export each with --scheme and its file,"
            " or all together with --format jsonl."
        )
    if len(kept) > 1:
        sentences.append(
            f"The rows come from {len(kept)} versions of the scheme {review.scheme.id!r} ({version_counts(kept)});"
            " the column scheme_hash tells them apart."
        )
    return " ".join(sentences)
