"""The data sets for scripts: a line of JSON a case."""

from __future__ import annotations

import json

import click

from radtui.cli.context import Session, pass_session
from radtui.records import Case, UserError


@click.command()
@click.option("--jsonl", "as_jsonl", is_flag=True, help="A line of JSON a case, readable or not.")
@click.option("--dataset", default="", metavar="NAME", help="Only this data set  [default: all].")
@pass_session
def cases(session: Session, as_jsonl: bool, dataset: str) -> None:
    """Tell the cases of the data sets to a script.

    Without --jsonl, a line a data set: its name, how many cases each split has, and where it came from.
    """
    from radtui.store import cases as stored
    from radtui.store import listing

    db = session.read()
    summaries = [known for known in stored.datasets(db) if dataset in ("", known.name)]
    if dataset and not summaries:
        raise UserError(f"There is no data set {dataset!r}; radtui cases lists them.")
    if as_jsonl:
        for case in listing.each(db, dataset):
            click.echo(json.dumps(case_values(case), ensure_ascii=False))
        return
    if not summaries:
        command = session.data.command
        click.echo(f"No images are imported yet; start with {command('import', 'SOURCE')}.", err=True)
    for summary in summaries:
        splits = ", ".join(f"{split} {count:,}" for split, count in summary.splits.items()) or "empty"
        click.echo(f"{summary.name}: {splits}, from {summary.source}")


def case_values(case: Case) -> dict[str, object]:
    """A case as `cases --jsonl` shows it; patient and exam are keyed hashes, or empty."""
    return {
        "id": case.id, "dataset": case.dataset, "split": case.split, "key": case.source_key,
        "question": case.question, "reference": case.reference, "error": case.error, "leaked": case.leaked,
        "facts": case.facts, "patient": case.patient, "exam": case.exam,
        "images": [
            {
                "sha256": image.sha256, "width_px": image.width_px, "height_px": image.height_px,
                "name": image.name, "role": image.role,
            }
            for image in case.images
        ],
    }  # fmt: skip
