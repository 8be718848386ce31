"""Which ratings an export with one column per question can hold, where several schemes or versions of one were used."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from radtui.export.study import Review
from radtui.records import Rating, Variant
from radtui.review.scheme import Scheme, dimension_answer, error_answer

HASH_LETTERS = 10  # of a scheme's SHA-256, where people read it


def asked(scheme: Scheme) -> frozenset[str]:
    """Keys of `Rating.answers` that a scheme asks for."""
    dimensions = {dimension_answer(one.id) for one in scheme.dimensions}
    errors = {
        error_answer(variant, category.id, significant=significant)
        for variant in Variant
        for category in scheme.errors
        for significant in (True, False)
    }
    return frozenset(dimensions | errors)


def of_scheme(review: Review) -> Review:
    """The review with those ratings alone that have a column for all they answer.

    A rating made with another version of the scheme is among them as long as that holds: preference and
    acceptability mean the same, and its row names the version by its hash.
    """
    keys = asked(review.scheme)
    return replace(review, ratings=tuple(r for r in review.ratings if _fits(r, review.scheme, keys)))


def left_out(review: Review) -> Counter[tuple[str, str]]:
    """(scheme id, hash) of the ratings that `of_scheme` leaves out -> how many there are."""
    keys = asked(review.scheme)
    return Counter((r.scheme, r.scheme_hash) for r in review.ratings if not _fits(r, review.scheme, keys))


def versions(review: Review) -> Counter[str]:
    """Hash -> how many of the ratings that `of_scheme` keeps were made with that version."""
    return Counter(rating.scheme_hash for rating in of_scheme(review).ratings)


def scheme_note(review: Review) -> str:
    """What a reader of a file of one scheme must know of the others, in a sentence or two; "" with one version."""
    said = []
    others, kept = left_out(review), versions(review)
    if others:
        named = ", ".join(
            f"{n} by {name!r} ({sha256[:HASH_LETTERS]})" for (name, sha256), n in others.items()
        )
        said.append(
            f"Ratings of other schemes are not in this file: {named}; export each with --scheme and its file,"
            " or all together with --format jsonl."
        )
    if len(kept) > 1:
        counts = ", ".join(f"{n} of {sha256[:HASH_LETTERS]}" for sha256, n in kept.items())
        said.append(
            f"The rows come from {len(kept)} versions of the scheme {review.scheme.id!r} ({counts});"
            " the column scheme_hash tells them apart."
        )
    return " ".join(said)


def _fits(rating: Rating, scheme: Scheme, keys: frozenset[str]) -> bool:
    return rating.scheme == scheme.id and rating.answers.keys() <= keys
