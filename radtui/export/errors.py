"""`errors.csv`: counted errors in long form, one row per report, rater, category and significance, as in ReXVal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from radtui.export.csv_text import write_table
from radtui.measures.quality import checked, error_counts
from radtui.measures.scheme import checked_answer, error_answer
from radtui.study.study import Review

# Source: Yu et al., ReXVal (PhysioNet 2023): one row per report, rater, category and significance, zeros included.
COLUMNS = ("image_id", "rater", "variant", "category", "category_id", "significant", "n")


def error_rows(review: Review, include_unblinded: bool = False) -> Iterator[tuple[object, ...]]:
    """The grid of counts behind the statistics, in the order of `COLUMNS`; `variant` holds the arm's name.

    Of a text that its reader said to have checked, what is not counted is 0. Readers who never say so, as nobody could
    in older releases, have said 0 of all their texts by counting an error in any; one who never opened that question
    has said nothing, and has no rows.
    """
    kept, _ = review.counting(include_unblinded)
    counting = {rating.rater for rating in kept if error_counts(rating)}
    saying = {r.rater for r in kept if any(r.answers.get(checked_answer(arm)) for arm in r.shown)}
    for rating in kept:
        of_all = rating.rater in counting - saying
        for arm in (arm for arm in rating.shown if of_all or checked(rating, arm)):
            for category in review.scheme.errors:
                for significant in (True, False):
                    key = error_answer(arm, category.id, significant=significant)
                    count = rating.answers.get(key, 0)
                    yield rating.case_id, rating.rater, arm, category.label, category.id, significant, count


def write_errors(review: Review, out: Path, raw: bool = False, include_unblinded: bool = False) -> int:
    """Write `errors.csv`, whole or not at all; returns the number of rows.

    Raises:
        UserError: The file cannot be written.
    """
    return write_table(out, COLUMNS, error_rows(review, include_unblinded), raw)
