"""Commands that keep data safe: backup, restore, check."""

from __future__ import annotations

import re
import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from radtui.cli.context import Session, pass_session, print_result
from radtui.cli.failures import sentence
from radtui.plural import many
from radtui.records import UserError

if TYPE_CHECKING:
    from radtui.export.backup import BackedUp

UNIT_S = {"m": 60.0, "h": 3600.0, "d": 86400.0}


class Interval(click.ParamType):  # type: ignore[type-arg]  # older versions of click have none
    """A time such as 30m, 6h or 1d, s."""

    name = "interval"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        match = re.fullmatch(r"([1-9]\d{0,4})([mhd])", str(value))
        if match is None:
            self.fail(f"{value!r} is no time such as 30m, 6h or 1d.", param, ctx)
        return int(match[1]) * UNIT_S[match[2]]


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--every", type=Interval(), metavar="TIME", help="Again and again, such as 30m, 6h or 1d.")
@click.option("--checkpoints", is_flag=True, help="Checkpoints as well, to resume unfinished training from.")
@click.option(
    "--with-salt", is_flag=True,
    help="The salt of patients' keys as well: whoever has it can find out whose numbers they are.",
)  # fmt: skip
@click.option(
    "--with-linked",
    is_flag=True,
    help="Copies of linked images as well; they stay in their archive otherwise.",
)
@click.option(
    "--keep",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Databases of earlier backups to keep.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was copied as JSON.")
@pass_session
def backup(
    session: Session, folder: Path, every: float | None, checkpoints: bool, with_salt: bool, with_linked: bool,
    keep: int, as_json: bool,
) -> None:  # fmt: skip
    """Copy the data folder into FOLDER, also while the app and jobs are at work.

    With --every, a backup that fails is said, and the next one is tried in its time; the first must succeed.

    The copy is a data folder: open it with --data-dir, or take it back with radtui restore. Images that are there
    already are not copied again. Images imported with --link stay where they are and are not part of it, unless
    --with-linked copies them.
    """
    from radtui.export.backup import back_up
    from radtui.store.database import reading

    session.check_disk()
    if not session.data.database.exists():
        raise UserError(f"There is no data folder {session.data.root} to copy.")

    is_first = True
    while True:
        try:
            with reading(session.data) as db:
                done = back_up(
                    session.data, db, folder, checkpoints=checkpoints, salt=with_salt, with_linked=with_linked,
                    keep=keep,
                )  # fmt: skip
        except (UserError, OSError, sqlite3.Error) as error:
            if every is None or is_first:  # what cannot work at all is to be seen at once
                raise
            click.echo(f"{time.strftime('%Y-%m-%d %H:%M')}: no backup: {sentence(error)}", err=True)
            time.sleep(every)
            continue
        is_first = False
        _show(done, as_json)
        if every is None:
            sys.exit(1 if done.problems else 0)
        time.sleep(every)


def _show(done: BackedUp, as_json: bool) -> None:
    """Print what a backup has copied, and on standard error what it has not."""
    print_result(
        {
            "folder": str(done.folder.resolve()), "images": done.images, "new_images": done.new_images,
            "jobs": done.jobs, "mib": round(done.mib, 1),
            "linked": sum(done.linked.values()) if as_json or done.linked else None,
            **({"problems": list(done.problems), "left_out": list(done.left_out)} if as_json else {}),
        },
        as_json,
    )  # fmt: skip
    for source, count in done.linked.items():
        click.echo(
            f"{_linked(count)} in {source} and not in the backup; --with-linked copies them.", err=True
        )
    for problem in done.problems if not as_json else ():
        click.echo(f"{problem}.", err=True)
    for part in done.left_out if not as_json else ():
        click.echo(f"Not in the backup: {part}.", err=True)


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--force", is_flag=True, help="Move what is in the data folder aside; nothing is removed.")
@pass_session
def restore(session: Session, source: Path, force: bool) -> None:
    """Put a backup, or a copy of the database alone, back in the data folder's place.

    Linked images are read from where they were; radtui check says which are not there, radtui data moved where to look.
    """
    from radtui.export.restore_backup import restore_backup
    from radtui.store import links

    session.check_disk()
    aside = restore_backup(session.data, source.absolute(), force=force)
    click.echo(f"{source} -> {session.data.root}")
    if aside is not None:
        click.echo(f"What was there is now {aside}.", err=True)
    try:
        linked = links.sources(session.read())
    except (UserError, sqlite3.Error) as error:  # it is restored all the same, which has been said
        click.echo(f"Linked images were not looked for; radtui check does: {error}", err=True)
        return
    for place, count in linked.items():
        gone = (
            "" if Path(place).exists() else ", which is not there: say where it is now with radtui data moved"
        )
        click.echo(f"{_linked(count)} in {place}{gone}.", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what was looked at as JSON.")
@pass_session
def check(session: Session, as_json: bool) -> None:
    """Check everything in the data folder: the database, every image's bytes, linked files too, checkpoints,
    adapters.

    Exits with 1 when something is wrong.
    """
    from radtui.export.backup import check as look

    session.check_disk()
    if not session.data.root.is_dir():
        raise UserError(f"There is no data folder {session.data.root}, so nothing was checked.")
    done = look(session.data, session.read())
    if as_json:
        print_result(
            {
                "images": done.images, "linked": done.linked, "checkpoints": done.checkpoints,
                "adapters": done.adapters, "adapters_not_known": list(done.unknown), "problems": list(done.problems),
            },
            as_json,
        )  # fmt: skip
    else:
        for problem in done.problems:
            click.echo(problem)
        if done.unknown:
            whose = ", ".join(f"#{job_id}" for job_id in done.unknown)
            click.echo(
                f"Not known whether the adapters of {whose} are as they were written: an older radtui trained them, or"
                " the training did not end by itself."
            )
        verdict = many(len(done.problems), "problem") if done.problems else "All is well"
        linked = f", {many(done.linked, 'linked file')}" if done.linked else ""
        click.echo(
            f"{verdict}: the database, {many(done.images, 'image')}{linked},"
            f" {many(done.checkpoints, 'checkpoint')} and {many(done.adapters, 'adapter')} were looked at."
        )
    sys.exit(1 if done.problems else 0)


def _linked(count: int) -> str:
    """How many images stay somewhere: "1 linked image stays", "20 linked images stay"."""
    return many(count, "linked image stays", "linked images stay")
