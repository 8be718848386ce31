"""`radtui model`: models to pick from, and what one is and needs before it costs anything."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from radtui.cli.context import Session, pass_session, print_result
from radtui.cli.groups import SuggestingGroup


@click.group(cls=SuggestingGroup)
def model() -> None:
    """Models: which there are, and what one takes."""


@model.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_(as_json: bool) -> None:
    """List models that people tune, with memory, licence and preset.

    GiB are the least that training takes of a GPU, roughly: in 4 bits and in 16. Nothing is asked of the hub.
    """
    from radtui.jobs.known_models import known_models

    if as_json:
        values = [asdict(m) | {"gib_4_bit": m.gib_4_bit, "gib_16_bit": m.gib_16_bit} for m in known_models()]
        click.echo(json.dumps(values, indent=2))
        return
    click.echo(f"{'model':<44} {'4-bit':>5} {'16-bit':>6} GiB  {'preset':<8}  licence")
    for each in known_models():
        need = f"{each.gib_4_bit:5.0f} {each.gib_16_bit:6.0f} GiB"
        click.echo(f"{each.name:<44} {need}  {each.preset:<8}  {each.terms}")


@model.command()
@click.argument("name")
@click.option("--dataset", default="", help="Data set whose images are counted  [default: the newest].")
@click.option("--trust-remote-code", is_flag=True, help="Run Python code that comes with the model.")
@click.option("--json", "as_json", is_flag=True, help="Print the answers as JSON.")
@pass_session
def check(session: Session, name: str, dataset: str, trust_remote_code: bool, as_json: bool) -> None:
    """Say what NAME (a hub id or a folder) is and needs, from its configuration and processor alone.

    Parameters, memory, licence, tokens of an image, its template's ways, and what LoRA would go on. Takes seconds, and
    no weights are read.
    """
    from radtui.jobs.model_check import check_model

    checked = check_model(session.data, name, dataset, trust_remote_code)
    if not as_json:
        checked["prompt"] = repr(checked["prompt"])  # on one line
    print_result(checked, as_json)
