"""Commands that read what raters have left: stats, import-ratings."""

from __future__ import annotations

import gc
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radtui.cli.context import Session, pass_session, print_result
from radtui.cli.job_care import JobNumber
from radtui.plural import many
from radtui.records import JobKind, Study, UserError

if TYPE_CHECKING:
    from radtui.study.study import Review

JOB_OPTION = click.option(
    "--job", "job_id", type=JobNumber(), metavar="JOB", help="Generation job  [default: the newest]."
)
STUDY_OPTION = click.option(
    "--study", "study_id", type=int, metavar="STUDY", help="Study made of arms of several jobs or files."
)
SCHEME_OPTION = click.option(
    "--scheme", "scheme_file", default="", metavar="FILE",
    help="Rating scheme of the ratings  [default: the data folder's scheme.toml, else radtui's own].",
)  # fmt: skip


def review_study(db: sqlite3.Connection, job_id: int | None, study_id: int | None = None) -> Study:
    """The study of the named generation job, the named study, or the newest one with comparisons.

    Raises:
        UserError: there is none, or the named one is no generation job.
    """
    from radtui.jobs.control import get_job
    from radtui.store import studies
    from radtui.study.study import study_of

    if study_id is not None:
        study = studies.get(db, study_id)
        if job_id is not None:
            raise click.UsageError("Name either a job or a study.")
        if study is None:
            known = ", ".join(str(each.id) for each in studies.all_studies(db) if each.job_id is None)
            raise UserError(f"There is no study {study_id}; studies made by hand: {known or 'none'}.")
        return study
    if job_id is not None:
        job = get_job(db, job_id)
        if job.kind is not JobKind.GENERATE:
            raise UserError(
                f"Job {job_id} ({job.kind}) wrote no comparisons; name a generation job, see radtui jobs list."
            )
        return study_of(db, job)
    known_ids = studies.with_comparisons(db)
    if not known_ids:
        raise UserError("No images have been described yet; run radtui generate first.")
    return studies.must_get(db, next(iter(known_ids)))


def study_words(study: Study) -> str:
    """A study as commands name it: "job 3", or "study 2" where it was made by hand."""
    return f"job {study.job_id}" if study.job_id is not None else f"study {study.id}"


def study_facts(study: Study) -> dict[str, object]:
    """The same as JSON names it."""
    return {"job": study.job_id} if study.job_id is not None else {"study": study.id}


@click.command()
@JOB_OPTION
@STUDY_OPTION
@click.option("--rater", "only_rater", default="", metavar="NAME", help="Only this rater's ratings.")
@click.option(
    "--include-unblinded", is_flag=True, help="Count ratings made by someone who knew which text is whose."
)
@click.option(
    "--scores/--no-scores", "with_scores", default=None,
    help="Set every score against these readers  [default: where there are at most 2,000 texts].",
)  # fmt: skip
@SCHEME_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@pass_session
def stats(
    session: Session,
    job_id: int | None,
    study_id: int | None,
    only_rater: str,
    include_unblinded: bool,
    with_scores: bool | None,
    scheme_file: str,
    as_json: bool,
) -> None:
    """What the ratings show: preference, errors, agreement, bias, each with n and interval."""
    from radtui.cli.scores import print_trainings
    from radtui.cli.stats import print_readings, print_round, print_stand_ins, print_stats
    from radtui.study.figures import reading_figures
    from radtui.study.overview import identical_lines, identical_pairs
    from radtui.study.round_lines import read_rounds
    from radtui.study.rounds import read_round
    from radtui.study.standing_in import QUICK_TEXTS, stand_ins, text_count
    from radtui.study.study import check_scheme, read_review, scheme_for, summarise_review, trainings_gain

    gc.disable()  # what is read are a million objects without a cycle among them, looked through again and again
    db = session.read()
    scheme = scheme_for(session.data, scheme_file)
    review = read_review(db, review_study(db, job_id, study_id), scheme, only_rater)
    check_scheme(review.ratings, scheme)
    summary = summarise_review(review, include_unblinded)
    same = identical_pairs(db, review.study)
    leaked = _leaked_cases(db, review)
    readings = reading_figures(db, review.study, only_rater, review.ratings)
    compared = read_round(db, review.study)
    rounds = read_rounds(db, review.study, scheme, only_rater) if compared is not None else ()
    if with_scores is None:
        with_scores = text_count(review) <= QUICK_TEXTS
    agreeing = stand_ins(db, review, include_unblinded) if with_scores and summary.raters else None
    gains = trainings_gain(db, review, include_unblinded, with_scores)
    _warn_reader(session, db, review)
    if as_json:
        head = study_facts(review.study) | {"scheme": scheme.id, "scheme_hash": scheme.sha256}
        more: dict[str, object] = {"readings": {arm: read.to_dict() for arm, read in readings.items()}}
        more |= {"round": compared.to_dict()} if compared is not None else {}
        more |= {"rounds": [line.to_dict() for line in rounds]} if rounds else {}
        more |= {"identical": same} if same else {}
        more |= {"stand_ins": agreeing.to_dict()} if agreeing is not None else {}
        more |= {"trainings": [each.to_dict() for each in gains]} if gains else {}
        more |= {"leaked": leaked} if leaked else {}
        print_result(head | summary.to_dict() | more, as_json)
        return
    print_round(compared, rounds)
    if not review.ratings:
        whose = f"by {only_rater} " if only_rater else ""
        click.echo(
            f"Nothing is rated {whose}in {study_words(review.study)} yet: open radtui and press r.", err=True
        )
    else:
        print_stats(review.study, summary, scheme)
        for sentence in [*identical_lines(same), *_leakage_lines(leaked)]:
            click.echo(sentence)
        print_readings(readings)
        print_trainings(gains)
        print_stand_ins(agreeing, session.data.command("stats", "--scores"))


def _warn_reader(session: Session, db: sqlite3.Connection, review: Review) -> None:
    """Say to somebody who rates this study and is not done that its figures are no reader's to see yet."""
    from radtui.study.kept_back import pairs_begun

    reader = session.reader
    if left := pairs_begun(db, review.study, reader, review.scheme):
        click.echo(
            f"{reader} has {many(left, 'pair')} of this left to rate. These figures say how the arms"
            " do so far, though of no pair which text is whose: rate first, to stay blind to them.",
            err=True,
        )


def _leaked_cases(db: sqlite3.Connection, review: Review) -> int:
    """How many rated cases, or their patients, are in more than one split."""
    from radtui.store import cases

    in_several = cases.leaked_ids(db, review.study.dataset)
    return len(in_several.intersection(rating.case_id for rating in review.ratings)) if in_several else 0


def _leakage_lines(leaked: int) -> list[str]:
    """What leaked cases mean, where there are any."""
    if not leaked:
        return []
    return [
        f"Leakage: {leaked:,} of these cases, or their patients, are in more than one split: figures on them show"
        " memory, not skill."
    ]


@click.command("import-ratings")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--job", "job_id", type=JobNumber(), metavar="JOB",
    help="Only into this generation job  [default: the one with these images and texts].",
)  # fmt: skip
@STUDY_OPTION
@SCHEME_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
@pass_session
def import_ratings(
    session: Session, file: Path, job_id: int | None, study_id: int | None, scheme_file: str, as_json: bool
) -> None:
    """Restore exported ratings from FILE: a comparisons.csv (raw or not) or a .jsonl.

    A rating finds its comparison by the image's bytes and the two texts, so the file may come from another data
    folder. Ratings that are there already are not added again, and none is overwritten.
    """
    from dataclasses import asdict

    from radtui.export.import_ratings import import_ratings as restore
    from radtui.study.study import scheme_for

    db = session.connect()
    named = job_id is not None or study_id is not None
    chosen = review_study(db, job_id, study_id).id if named else None
    done = restore(db, file, scheme_for(session.data, scheme_file), chosen)
    if as_json:
        print_result(asdict(done), as_json)
        return
    places = [*(f"job {number}" for number in done.jobs), *(f"study {number}" for number in done.studies)]
    where = ", ".join(places) or "nowhere"
    click.echo(
        f"{done.added:,} of {many(done.rows, 'row')} added -> {where}; {done.known:,} were there already"
    )
    for problem in done.problems:
        click.echo(problem, err=True)
