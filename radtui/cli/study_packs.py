"""Commands for readers elsewhere: pack, open, merge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from radtui.cli.context import NewFile, Session, pass_session
from radtui.cli.study import the_study
from radtui.plural import many


@click.command()
@click.argument("study_id", metavar="STUDY", type=int)
@click.option("--reader", required=True, metavar="NAME", help="Who is going to rate.")
@click.option("--out", type=NewFile(), required=True, metavar="FILE")
@click.option("--force", is_flag=True, help="Replace FILE whatever it is.")
@pass_session
def pack(session: Session, study_id: int, reader: str, out: Path, force: bool) -> None:
    """Write one reader's part of a study into one file, to be rated elsewhere and offline.

    Images are 8-bit PNG with nothing but pixels; no arm is named, and texts of one arm cannot be told to be.
    """
    from radtui.export.pack import write_pack
    from radtui.records import UserError
    from radtui.study.study import SCHEME_FILE, scheme_for

    if out.exists() and not force:
        raise UserError(f"{out} is there already and may hold ratings; --force replaces it.")
    chosen = the_study(session, study_id)
    own = session.data.root / SCHEME_FILE
    text = own.read_text(encoding="utf-8") if own.exists() else ""
    scheme = scheme_for(session.data)
    done = write_pack(session.data, session.connect(), chosen, reader, scheme, text, out)
    click.echo(f"{many(done.pairs, 'pair')} with {many(done.images, 'image')} for {reader} -> {out}")
    if done.left_out:
        click.echo(f"Not in it, since it cannot be read: {many(done.left_out, 'image')}.", err=True)
    click.echo(
        "Names and dates that are burned into an image's pixels are still there: look at the images first.",
        err=True,
    )
    click.echo(f"{reader} rates it with: radtui study open {out.name}; then: radtui study merge {out.name}")


@click.command("open")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_session
def open_(session: Session, file: Path) -> None:
    """Rate a pack: the Review screen, offline; each answer is in the file at once."""
    from radtui.export.pack_home import opened_pack

    with opened_pack(file) as (data, study):
        reader = str(study.protocol["reader"])
        replace(session, data=data, rater=reader).open_app(screen="review")
    click.echo(f"{reader}'s answers are in {file}; send it back, for radtui study merge {file.name}.")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_session
def merge(session: Session, file: Path) -> None:
    """Take a reader's ratings home from a pack, once; a pack that was altered is refused."""
    from radtui.export.pack_home import merge_pack

    done = merge_pack(session.data, session.connect(), file)
    known = f"; {done.known:,} were here already" if done.known else ""
    click.echo(
        f"{many(done.added, 'answer')} of {done.reader} -> study {done.study.id} {done.study.name!r}{known}."
        f" {done.rated:,} of {many(done.pairs, 'pair')} in the pack {'has' if done.rated == 1 else 'have'} an answer."
    )
    if done.rated < done.pairs:
        click.echo(
            f"If {done.reader} answered more: they open the pack with radtui study open where they rated it, and send"
            f" it again; {file.name}-wal beside it holds what is not in it.",
            err=True,
        )
