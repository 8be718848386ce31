"""`radtui kept`: answers that were given while a data folder was not there, and wait for it."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from radtui.cli.context import Session, pass_session
from radtui.cli.printing import json_text
from radtui.paths import DataDir
from radtui.plural import listed, many

if TYPE_CHECKING:
    from radtui.study.kept_files import KeptFile


@click.command()
@click.option("--put-in", is_flag=True, help="Save those that are about this data folder's studies in it.")
@click.option("--json", "as_json", is_flag=True, help="Print what there is as JSON.")
@pass_session
def kept(session: Session, put_in: bool, as_json: bool) -> None:
    """List answers that were given while a data folder was not there; with --put-in, save them in this one.

    The app saves them by itself when the folder is back under its name, or was renamed. Where a copy takes the folder's
    place, --put-in says that they belong into it. Nothing is put in twice.
    """
    from radtui.study import kept_files

    session.says_kept = False  # that is what this command is for
    db = session.connect() if put_in else session.read()
    files = kept_files.kept_files(db, session.data)
    saved = {
        # Also where all is in already: a kill may have left the file.
        file.path: kept_files.put_in(db, session.data, file)
        if put_in and not file.trouble and (file.is_wanted or file.is_of_here)
        else 0
        for file in files
    }
    if as_json:
        click.echo(
            json_text([
                {"file": str(file.path), "folder": file.folder, "answers": dict(file.answers),
                 "missing_here": dict(file.missing), "seen_missing_here": dict(file.unseen),
                 "saved": saved[file.path], "trouble": file.trouble}
                for file in files
            ])
        )  # fmt: skip
    elif not files:
        click.echo("No answers are kept: all were saved.")
    for file in files if not as_json else ():
        click.echo(
            f"{file.path}: {file.trouble or _words(file, saved[file.path] if put_in else None, session.data)}"
        )
    sys.exit(1 if any(file.trouble for file in files) else 0)


def _words(file: KeptFile, saved: int | None, data: DataDir) -> str:
    """What a file holds and what of it is missing here; `saved` answers were put in, None where none were to."""
    whose = f"{_counted(file.answers) or 'Only what was seen'}, kept for {file.folder or 'a data folder'}"
    if not file.is_wanted and file.is_of_here and saved is not None:
        return f"{whose}; all of it was in this one already."
    if not file.is_wanted:
        return f"{whose}; none is about a study of this one, or all are in it."
    if saved is None:
        lacking = listed([*filter(None, (_counted(file.missing), _seen(file.unseen)))])
        return f"{whose}; {lacking} not in this one yet: {data.command('kept', '--put-in')}."
    parts = [many(saved, "was", "were")] if saved else []
    parts += [f"{_seen(file.unseen)} was"] if file.unseen else []
    return f"{whose}; {listed(parts) or 'nothing was'} saved in this one."


def _counted(answers: Counter[str]) -> str:
    return listed([f"{many(count, 'answer')} by {rater}" for rater, count in sorted(answers.items())])


def _seen(cases: Counter[str]) -> str:
    return listed([f"what {rater} saw of {many(count, 'case')}" for rater, count in sorted(cases.items())])
