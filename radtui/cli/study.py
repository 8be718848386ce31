"""Commands for reader studies made by hand: new, list, show, and those of its neighbours."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import click

from radtui.cli.context import Session, pass_session, print_result
from radtui.cli.groups import SuggestingGroup
from radtui.plural import many
from radtui.records import Study, UserError

ELSEWHERE = {
    "pack": "radtui.cli.study_packs:pack",
    "open": "radtui.cli.study_packs:open_",
    "merge": "radtui.cli.study_packs:merge",
    "lock": "radtui.cli.study_plans:lock",
    "plan": "radtui.cli.study_plans:plan",
}


class StudyGroup(SuggestingGroup):
    """A group of which some commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the work."""
        return ["plan", "new", "list", "show", "lock", "pack", "open", "merge"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, name = ELSEWHERE[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.group(cls=StudyGroup)
def study() -> None:
    """Plan, make, lock and hand out reader studies of any arms."""


@study.command()
@click.option(
    "--arms", "arm_words", multiple=True, required=True, metavar="ARM,ARM,...",
    help="base, tuned or another arm of a generation job (tuned#7 where several have one), reference, corrections"
    " (texts as readers left them), or file:PATH with texts as CSV or JSONL; NAME=ARM renames. What is new comes last.",
)  # fmt: skip
@click.option(
    "--from-job", "job_ids", type=int, multiple=True, metavar="JOB",
    help="Generation job whose arms are meant  [default: those that arms name, else the newest].",
)  # fmt: skip
@click.option(
    "--cases", "case_words", default="test", show_default=True, metavar="SPLIT|FILE",
    help="A split, or a file that names a case a line.",
)  # fmt: skip
@click.option("--dataset", default="", metavar="NAME", help="Data set  [default: that of the jobs].")
@click.option("--name", default="", metavar="NAME", help="What the study is called; readers see it.")
@click.option("--seed", type=int, default=42, show_default=True, help="Draws order, pairs and sides.")
@click.option(
    "--pairs-per-case", type=click.IntRange(1, 100), default=1, show_default=True,
    help="How many pairs of a case each reader sees.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the study as JSON.")
@pass_session
def new(
    session: Session,
    arm_words: tuple[str, ...],
    job_ids: tuple[int, ...],
    case_words: str,
    dataset: str,
    name: str,
    seed: int,
    pairs_per_case: int,
    as_json: bool,
) -> None:
    """Make a study of arms of several jobs, files of texts and the reference."""
    from radtui.study.making import make_study, parse_arms
    from radtui.study.overview import overview

    db = session.connect()
    made = make_study(
        db, parse_arms(arm_words), case_words, job_ids=job_ids, dataset=dataset, name=name, seed=seed,
        pairs_per_case=pairs_per_case,
    )  # fmt: skip
    facts = overview(db, made.study)
    if as_json:
        print_result(facts.to_dict() | {"notes": list(made.notes)}, as_json)
        return
    for note in made.notes:
        click.echo(note, err=True)
    click.echo(f"Study {made.study.id} {made.study.name!r} is made.")
    _print_lines(facts.lines())
    click.echo("Rate it: open radtui, press r, then o.")


@study.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the studies as JSON.")
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the studies, newest first, with arms, cases and readers."""
    from radtui.store import ratings, studies
    from radtui.study.study import label_of

    db = session.read()
    counts = studies.with_comparisons(db)
    rows = [(each, ratings.raters(db, each.id)) for each in studies.all_studies(db)]
    if as_json:
        listed: list[dict[str, object]] = [
            {
                "study": each.id, "job": each.job_id, "name": each.name, "dataset": each.dataset,
                "arms": list(each.arm_names), "cases": counts.get(each.id, 0), "readers": readers,
                "locked": each.locked_at is not None,
            }
            for each, readers in rows
        ]  # fmt: skip
        print_result({"studies": listed}, as_json)
        return
    for each, readers in rows:
        locked = ", locked" if each.locked_at is not None else ""
        who = f"rated by {', '.join(readers)}" if readers else "not rated yet"
        number = f"{label_of(each)}" if each.job_id is None else f"study {each.id}, job {label_of(each)}"
        click.echo(
            f"{number} ({', '.join(each.arm_names)}): {many(counts.get(each.id, 0), 'case')}, {who}{locked}"
        )
    if not rows:
        click.echo("There is no study yet: radtui generate opens one, radtui study new makes one.", err=True)


@study.command()
@click.argument("study_id", metavar="STUDY", type=int)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@pass_session
def show(session: Session, study_id: int, as_json: bool) -> None:
    """Show a study: arms, cases, pairs, what gives an arm away, who has rated how much."""
    from radtui.study.overview import overview

    db = session.read()
    facts = overview(db, the_study(session, study_id))
    if as_json:
        print_result(facts.to_dict(), as_json)
        return
    _print_lines(facts.lines())


def the_study(session: Session, study_id: int) -> Study:
    """A study by its number.

    Raises:
        UserError: There is none.
    """
    from radtui.store import studies
    from radtui.store.database import reading

    with reading(session.data) as db:
        chosen = studies.get(db, study_id)
    if chosen is None:
        raise UserError(f"There is no study {study_id}; radtui study list shows which there are.")
    return chosen


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)
