"""The command that writes ratings into files: export."""

from __future__ import annotations

import gc
from pathlib import Path

import click

from radtui.cli.context import NewFile, Session, pass_session, print_result
from radtui.cli.results import (
    JOB_OPTION,
    SCHEME_OPTION,
    STUDY_OPTION,
    review_study,
    study_facts,
    study_words,
)
from radtui.measures.words import left_out_words, row_counts, rows_words
from radtui.records import UserError

FORMS = ("csv", "corrections", "errors", "jsonl", "parquet", "dpo", "kto")
NOUNS = {"corrections": "texts", "errors": "counts", "dpo": "pairs", "kto": "texts"}


@click.command()
@JOB_OPTION
@STUDY_OPTION
@click.option(
    "--format", "form", type=click.Choice(FORMS), default="csv", show_default=True,
    help="csv: one row per image and rater; corrections: texts corrected or accepted;"
    " errors: counted errors in long form; jsonl: everything, with history;"
    " parquet: typed columns; dpo, kto: image folders that TRL trains on.",
)  # fmt: skip
@click.option(
    "--out", type=NewFile(dir_okay=True), metavar="PATH",
    help="File or folder to write, replaced once the new one is whole  [default: comparisons.csv and the like].",
)  # fmt: skip
@click.option("--rater", "only_rater", default="", metavar="NAME", help="Only this rater's ratings.")
@click.option("--raw", is_flag=True, help="Texts exactly as they are, even if a spreadsheet would run them.")
@click.option(
    "--include-unblinded", is_flag=True, help="Count errors in un-blinded ratings as well (errors)."
)
@click.option(
    "--keep-significant-errors", is_flag=True,
    help="Learn also from chosen texts in which a significant error was counted (dpo, kto).",
)  # fmt: skip
@SCHEME_OPTION
@click.option("--force", is_flag=True, help="Replace a file that is no unchanged export of radtui.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@pass_session
def export(
    session: Session,
    job_id: int | None,
    study_id: int | None,
    form: str,
    out: Path | None,
    only_rater: str,
    raw: bool,
    include_unblinded: bool,
    keep_significant_errors: bool,
    scheme_file: str,
    force: bool,
    as_json: bool,
) -> None:
    """Write the rated comparisons of a generation job, or of a study, into a file, with a manifest beside it."""
    from radtui.export.files import check_replaceable
    from radtui.export.formats import DEFAULT_NAMES, STREAMED, Options, write_export
    from radtui.store.database import same_moment
    from radtui.store.ratings import raters
    from radtui.study.schemes import survey
    from radtui.study.study import check_scheme_ids, read_review, scheme_for, stored_review

    gc.disable()  # rows come and go, and none is a cycle
    db = session.read()
    scheme = scheme_for(session.data, scheme_file)
    study = review_study(db, job_id, study_id)
    out = out or Path(DEFAULT_NAMES[form])
    options = Options(only_rater, raw, include_unblinded, keep_significant_errors)
    with same_moment(db):  # a table's ratings are gone through twice
        review = (stored_review if form in STREAMED else read_review)(db, study, scheme, only_rater)
        seen = survey(review)
        check_scheme_ids(seen.schemes, scheme)
        # An empty study is written as a table of no rows, as scripts expect.
        if only_rater and not seen.raters:
            raise UserError(_nothing(study_words(study), only_rater, raters(db, study.id)))
        replaces = check_replaceable(out, force)
        done = write_export(session.data, db, review, form, out, options, seen)
        counts = done.counts or ({} if form in NOUNS else row_counts(review.ratings))
    if as_json:
        facts = study_facts(review.study) | {"format": form, "rows": done.rows} | counts
        facts |= {"path": str(done.path.resolve())}
        print_result(
            facts | {"manifest": str(done.manifest.resolve()), "left_out": done.left_out, "note": done.note},
            as_json,
        )
        return
    what = rows_words(done.rows, counts) if counts else f"{done.rows:,} {NOUNS[form]}"
    click.echo(f"{what}, of {study_words(review.study)} -> {done.path}")
    if not seen.raters:
        click.echo("Nobody has rated anything there yet: open radtui and press r.", err=True)
    if done.left_out:
        click.echo(f"Left out: {left_out_words(done.left_out)}.", err=True)
    if done.note:
        click.echo(done.note, err=True)
    if replaces:
        click.echo(f"It replaces the {out.name} that was there.", err=True)


def _nothing(where: str, rater: str, known: list[str]) -> str:
    """Why there is nothing to export, and so nothing was written."""
    if rater and known:
        return f"{rater} has rated nothing in {where}, so nothing was written; {', '.join(known)} have."
    return f"Nothing is rated in {where} yet, so nothing was written: open radtui and press r."
