"""Every form a review is exported in, each with its manifest."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from radtui.export import comparisons, corrections, jsonl, preferences
from radtui.export.columns import schema_of
from radtui.export.errors import write_errors
from radtui.export.files import together
from radtui.export.manifest import write_manifest
from radtui.export.parquet import write_parquet
from radtui.paths import DataDir
from radtui.study import schemes
from radtui.study.preferences import choose
from radtui.study.study import Review

DEFAULT_NAMES = {
    "csv": "comparisons.csv", "corrections": "corrections.csv", "errors": "errors.csv",
    "jsonl": "ratings.jsonl", "parquet": "comparisons.parquet",
    "dpo": "preferences-dpo", "kto": "preferences-kto",
}  # fmt: skip
# Those that are one whatever the arms.
SCHEMAS = {"errors": "radtui-errors-1", "corrections": corrections.SCHEMA, **preferences.FORMS}

TABLES = ("csv", "parquet")  # with a column for each of one scheme's questions
STREAMED = (*TABLES, "jsonl")  # written row by row, from ratings that stay in the database


@dataclass(frozen=True, slots=True)
class Options:
    """What an export takes in and leaves out."""

    rater: str = ""  # already applied by whoever read the review; kept for the manifest
    raw: bool = False
    include_unblinded: bool = False  # errors only: comparisons say of each row whether it was blind
    keep_significant_errors: bool = False  # preference data only


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    path: Path
    manifest: Path
    rows: int
    left_out: dict[str, int]
    counts: dict[str, int] = field(default_factory=dict)  # of a table's rows, by what they are
    note: str = ""  # what a reader must know of ratings by other schemes, or other versions of the scheme


def write_export(
    data: DataDir,
    db: sqlite3.Connection,
    review: Review,
    form: str,
    out: Path,
    options: Options,
    seen: schemes.Survey | None = None,
) -> Exported:
    """Write one form and its manifest, both whole or neither.

    Args:
        data: Where the images of preference data lie.
        db: The database.
        review: What is exported.
        form: One of `DEFAULT_NAMES`.
        out: The file, or the folder for `dpo` and `kto`.
        options: What it takes in.
        seen: Survey of the review, where there is one already.

    Raises:
        UserError: It cannot be written, or there is nothing to learn from.
    """
    with together():
        return _written(data, db, review, form, out, options, seen or schemes.survey(review))


def _written(
    data: DataDir,
    db: sqlite3.Connection,
    review: Review,
    form: str,
    out: Path,
    options: Options,
    seen: schemes.Survey,
) -> Exported:
    left_out: dict[str, int] = {}
    filters: dict[str, object] = {"rater": options.rater or None}
    if form == "csv":
        rows = comparisons.write_review_csv(db, review, seen, out, options.raw)
        filters["raw"] = options.raw
    elif form == "errors":
        rows = write_errors(review, out, options.raw, options.include_unblinded)
        filters |= {"raw": options.raw, "include_unblinded": options.include_unblinded}
        _, why = review.counting(options.include_unblinded)
        left_out = why.by_reason
    elif form == "corrections":
        rows = corrections.write_corrections(db, review, out, options.raw)
        filters["raw"] = options.raw
    elif form == "jsonl":
        rows = jsonl.write_jsonl(db, review, out)
    elif form == "parquet":
        rows = write_parquet(db, review, seen, out)
    else:
        choice = choose(db, review, options.keep_significant_errors)
        rows = preferences.write_preferences(data, choice, out, form)
        left_out = choice.left_out
        filters |= {"held_out_splits": "left out", "keep_significant_errors": options.keep_significant_errors}
    note = schemes.scheme_note(review.scheme.id, seen) if form in TABLES else ""
    if form in TABLES and (others := seen.left_out.total()):
        left_out["other_scheme"] = others
    if form == "jsonl":
        schema = jsonl.schema_of(review.study)
    else:
        schema = SCHEMAS.get(form) or schema_of(review.study, raw=options.raw or form == "parquet")
    more = {"left_out": left_out, "scheme_versions": dict(seen.versions), "note_on_schemes": note}
    manifest = write_manifest(review, out, schema, rows, filters, seen, **more)
    return Exported(out, manifest, rows, left_out, seen.counts if form in TABLES else {}, note)
