"""Commands about adapters: export."""

from __future__ import annotations

from pathlib import Path

import click

from radtui.cli.context import Session, pass_session, print_result
from radtui.cli.groups import SuggestingGroup


@click.group(cls=SuggestingGroup)
def adapter() -> None:
    """What training leaves: the adapter of a job."""


@adapter.command()
@click.argument("job_id", metavar="JOB", type=int)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option("--merged", is_flag=True, help="The base model with the adapter merged in, 16 bits.")
@click.option("--base", metavar="MODEL", default="", help="16-bit base to merge into; else the job's model.")
@click.option(
    "--seed", type=click.IntRange(min=1), metavar="N",
    help="Of a job that trained several times, the adapter of its Nth training alone.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@pass_session
def export(
    session: Session, job_id: int, out: Path, merged: bool, base: str, seed: int | None, as_json: bool
) -> None:
    """Write a training job's adapter, processor and model card to a folder.

    The card holds settings, data and losses. Of a job that trained several times the folder has the first training's
    adapter, and the others' in seed-2, seed-3; merged is the first unless --seed names one. What the model writes is
    not for clinical use.
    """
    from radtui.export.adapter import export_adapter
    from radtui.export.model_card import peft_caution
    from radtui.store import jobs

    folder = export_adapter(session.data, session.read(), job_id, out, merged, base, seed or 0)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    caution = "" if merged else peft_caution(jobs.must_get(session.read(), job_id))
    print_result(
        {"folder": str(folder.resolve()), "merged": merged, "megabytes": round(size / 1e6, 1),
         **({"caution": caution} if caution else {})},
        as_json,
    )  # fmt: skip
