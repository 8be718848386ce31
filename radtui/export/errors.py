"""`errors.csv`: counted errors in long form, one row per report, rater, category and significance, as in ReXVal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from radtui.export.csv_text import cell, csv_line
from radtui.export.files import whole_file
from radtui.measures.quality import checked
from radtui.measures.scheme import error_answer
from radtui.study.study import Review

# Source: Yu et al., ReXVal (PhysioNet 2023): one row per report, rater, category and significance, zeros included.
COLUMNS = ("image_id", "rater", "variant", "category", "category_id", "significant", "n")


def error_rows(review: Review, include_unblinded: bool = False) -> Iterator[tuple[object, ...]]:
    """The grid of counts behind the statistics, in the order of `COLUMNS`.

    A reader who checked a text has said 0 where there is no count; of a text that nobody checked nothing was said, and
    it has no rows. The column `variant` holds the arm's name.
    """
    kept, _ = review.counting(include_unblinded)
    for rating in kept:
        for arm in (arm for arm in rating.shown if checked(rating, arm)):
            for category in review.scheme.errors:
                for significant in (True, False):
                    key = error_answer(arm, category.id, significant=significant)
                    count = rating.answers.get(key, 0)
                    yield (
                        rating.case_id, rating.rater, arm, category.label, category.id, significant, count
                    )  # fmt: skip


def write_errors(review: Review, out: Path, raw: bool = False, include_unblinded: bool = False) -> int:
    """Write `errors.csv`, whole or not at all; returns the number of rows.

    Raises:
        UserError: The file cannot be written.
    """
    written = 0
    with whole_file(out) as file:
        file.write(csv_line(COLUMNS))
        for row in error_rows(review, include_unblinded):
            file.write(csv_line(cell(value, raw) for value in row))
            written += 1
    return written
