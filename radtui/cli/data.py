"""The data folder: who may read it (data private, data shared), and where linked images are (data moved)."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import click

from radtui.cli.context import Session, pass_session
from radtui.cli.groups import SuggestingGroup
from radtui.plural import many
from radtui.records import UserError

PRIVATE = (0o700, 0o600)  # folders, files
SHARED = (0o2770, 0o660)  # new files get the folder's group


@click.group(cls=SuggestingGroup)
def data() -> None:
    """Who may read the data folder, its owner alone or a group; where linked images are."""


@data.command()
@pass_session
def private(session: Session) -> None:
    """Let nobody but the owner read and write the data folder, and what comes into it."""
    count = set_modes(session.data.root, PRIVATE)
    click.echo(f"{_places(count)} of {session.data.root} can be read by the owner alone.")


@data.command()
@click.argument("group")
@pass_session
def shared(session: Session, group: str) -> None:
    """Let the members of GROUP read and write the data folder, and what comes into it."""
    try:
        number = grp.getgrnam(group).gr_gid
    except KeyError:
        raise UserError(
            f"There is no group {group} on this machine; see the groups you are in with id."
        ) from None
    count = set_modes(session.data.root, SHARED, number)
    click.echo(f"{_places(count)} of {session.data.root} can be read and written by {group}.")


@data.command()
@click.argument("dataset")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@pass_session
def moved(session: Session, dataset: str, folder: Path) -> None:
    """Say that the archive that DATASET is linked to is now at FOLDER.

    FOLDER is what was imported: the folder, or the table in it. Nothing is read; radtui check looks at every file.
    """
    from radtui.store import cases, links

    db = session.connect()
    summary = next((each for each in cases.datasets(db) if each.name == dataset), None)
    if summary is None:
        raise UserError(f"There is no data set {dataset!r}; radtui cases lists them.")
    links.move_source(db, dataset, str(folder.resolve()))
    click.echo(f"{dataset} is looked for in {folder.resolve()}, no longer in {summary.source}.")


def _places(count: int) -> str:
    return many(count, "file or folder", "files and folders")


def set_modes(root: Path, modes: tuple[int, int], group: int = -1) -> int:
    """Give a folder and everything in it the same modes; returns how many there are.

    Raises:
        UserError: There is no such folder, or it belongs to somebody else.
    """
    if not root.is_dir():
        raise UserError(f"There is no data folder {root}.")
    count = 0
    try:
        for path in (root, *root.rglob("*")):
            if path.is_symlink():
                continue  # what it leads to is not in the folder
            if group >= 0:
                os.chown(path, -1, group)
            path.chmod(modes[0] if path.is_dir() else modes[1])
            count += 1
    except PermissionError as error:
        raise UserError(f"{error.filename} belongs to somebody else, or you are not in the group.") from error
    return count
