"""Commands for clusters: their profiles, and what a job's machines need while they have a network."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radtui.cli.context import Session, pass_session, print_result
from radtui.cli.groups import SuggestingGroup
from radtui.paths import expanded
from radtui.records import UserError

if TYPE_CHECKING:
    from radtui.cluster.profile import Profile

IMPORT_S = 120.0  # of the worker's modules, from a cold file system


@click.group(cls=SuggestingGroup)
def profile() -> None:
    """List and check what the config file says of Slurm clusters."""


@profile.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@pass_session
def list_profiles(session: Session, as_json: bool) -> None:
    """All profiles, with what they say."""
    from radtui.cluster.profile import profiles
    from radtui.paths import config_file

    known = profiles()
    if as_json:
        print_result({name: asdict(each) for name, each in known.items()}, as_json)
        return
    for name, each in known.items():
        values = {
            key: value for key, value in asdict(each).items() if value not in ("", (), 0) and key != "name"
        }
        click.echo(f"{name}: " + "; ".join(f"{key} {_text(value)}" for key, value in values.items()))
    if not known:
        click.echo(f"No cluster is described in {config_file()}.", err=True)


@profile.command()
@click.argument("name", default="")
@pass_session
def check(session: Session, name: str) -> None:
    """Ask Slurm, the folders and the Python of a profile whether a job could run; starts none."""
    from radtui.cluster.profile import named

    chosen = named(name)
    problems = 0
    for what, look in (("folder", _folder), ("python", _python), ("slurm", _slurm)):
        try:
            click.echo(f"ok       {what:<8}  {look(session, chosen)}")
        except UserError as error:
            problems += 1
            click.echo(f"missing  {what:<8}  {error}")
    sys.exit(1 if problems else 0)


def _folder(session: Session, chosen: Profile) -> str:
    from radtui.cluster.submit import FOLDER

    folder = expanded(chosen.folder) if chosen.folder else session.data.root / FOLDER
    probe, missing = (
        folder / ".radtui-check",
        [path for path in (folder, *folder.parents) if not path.exists()],
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"{folder} cannot be written ({error.strerror}): name another folder.") from error
    finally:
        # Looking leaves nothing behind: a data folder that an import makes is its owner's alone.
        with suppress(OSError):
            for path in missing:
                path.rmdir()
    return f"{folder} can be written; that all machines see it only a job can tell"


def _python(session: Session, chosen: Profile) -> str:

    command = [
        chosen.interpreter,
        "-P",
        "-c",
        "import radtui, torch, trl; print(radtui.__version__, torch.__version__)",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"{chosen.interpreter} does not start: {error}; name another python.") from error
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        raise UserError(
            f"{chosen.interpreter} lacks what a job needs ({last[0]}): install radtui[train] for it."
        )
    version, torch = done.stdout.split()
    return f"{chosen.interpreter} has radtui {version} and torch {torch}"


def _slurm(session: Session, chosen: Profile) -> str:
    import tempfile

    from radtui.cluster import script, slurm
    from radtui.cluster.run_folder import RunFolder

    wanted, there = filter(None, chosen.partition.split(",")), slurm.partitions()
    if unknown := next((name for name in wanted if name not in there), ""):
        raise UserError(f"There is no partition {unknown!r}; there is {', '.join(there)}.")
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder), 1)
        run.data.job(1).mkdir(parents=True)
        file = Path(folder) / script.NAME
        file.write_text(script.text(chosen, run, "radtui-check", chosen.gpus_per_node, 1), encoding="utf-8")
        answer = slurm.submit(file, test_only=True)
    return " ".join(answer.removeprefix("sbatch: ").split()) or "a job would be taken"


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


@click.command()
@click.argument("model")
@click.argument("dataset", required=False, default="")
@click.option(
    "--profile", "profile_name", default="", help="Whose HF_HOME is filled; this shell's without profiles."
)
@pass_session
def fetch(session: Session, model: str, dataset: str, profile_name: str) -> None:
    """Bring a model, and a data set of the hub, into the cache that jobs on a cluster read without a network.

    DATASET may also be one that is imported: its images travel with each job, and are only counted.
    """
    from radtui.cluster import fetched
    from radtui.cluster.profile import named, profiles
    from radtui.sources.hub_fetch import fetch_dataset, fetch_model

    chosen = named(profile_name) if profile_name or profiles() else None
    home, python = (chosen.hf_home, chosen.interpreter) if chosen else ("", "")
    in_4_bits, in_16_bits = (fetched.read_by_unsloth(model, each, python) for each in (True, False))
    for name in dict.fromkeys((model, in_4_bits)):
        if fetched.missing(name, home):
            fetch_model(name, home, lambda text: click.echo(text, err=True))
        fetched.check(name, home)
    where = Path(model).resolve() if Path(model).is_dir() else fetched.cache_of(home)
    click.echo(f"A job reads {model} from {where}.")
    if in_4_bits != model:
        click.echo(
            f"A training job in 4 bits reads {in_4_bits} from there, which unsloth takes in its place."
        )
    if in_16_bits != model:
        there = (
            f"is not there: radtui fetch {in_16_bits}"
            if fetched.missing(in_16_bits, home)
            else "is there too"
        )
        click.echo(f"With load_in_4bit off unsloth reads {in_16_bits}, which {there}.")
    if not dataset:
        return
    if (words := _imported(session, dataset)) is None:
        fetch_dataset(dataset, home, lambda text: click.echo(text, err=True))
        words = f"{dataset} is in {fetched.cache_of(home)}; radtui import {dataset} makes it a data set."
    click.echo(words)


def _imported(session: Session, dataset: str) -> str | None:
    """What travels with a job of a data set that is imported; None where it is not."""
    from radtui.store import cases

    for each in cases.datasets(session.read()):
        if each.name == dataset:
            counts = ", ".join(f"{split} {count:,}" for split, count in each.splits.items())
            return f"{dataset} is imported ({counts} cases): its images are linked or copied into each job's folder."
    return None
