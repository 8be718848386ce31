"""Commands that draw: an image in a plain terminal, the loss curves of a job in a file."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Literal

import click

from radtui.cli.context import Session, pass_session
from radtui.records import UserError


@click.command()
@click.argument("image")
@click.option("--width", type=click.IntRange(8, 1000), help="Cells across  [default: the terminal's].")
@pass_session
def show(session: Session, image: str, width: int | None) -> None:
    """Print IMAGE in a plain terminal: the id of an imported image, or a file."""
    from rich.console import Console
    from rich.segment import Segment, Segments

    from radtui.imaging.ansi import ColourDepth
    from radtui.imaging.thumbnail import thumbnail
    from radtui.tui import terminal
    from radtui.tui.pictures import picture_lines

    content, title = _image_bytes(session, image)
    columns, lines = shutil.get_terminal_size()
    picture = thumbnail(content, width or columns, max(2, 2 * (lines - 2)))
    in_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    # Letters survive in a file, half blocks do not.
    colours = terminal.current() if in_colour else terminal.Terminal(ColourDepth.TEXT)
    system: dict[ColourDepth, Literal["truecolor", "256", "standard"] | None] = {
        ColourDepth.TRUE: "truecolor", ColourDepth.C256: "256", ColourDepth.TEXT: "standard" if in_colour else None,
    }  # fmt: skip
    console = Console(color_system=system[colours.depth], width=max(columns, picture.width + 1))
    for line in picture_lines(picture, colours.depth):
        console.print(Segments([*line, Segment.line()]), end="")
    click.echo(f"{title}; not for clinical use")
    if colours.why:
        click.echo(f"{colours.badge}: {colours.why}")


def _image_bytes(session: Session, image: str) -> tuple[bytes, str]:
    """The bytes and the title of an imported image, or of a file."""
    if not image.isdigit():
        try:
            return Path(image).read_bytes(), image
        except OSError as error:
            raise UserError(
                f"Cannot read {image}: {error.strerror}; name a file or the id of an image."
            ) from error
    from radtui.store import images

    found = images.get(session.read(), int(image))
    if found is None:
        raise UserError(f"There is no image {image}; open radtui and press d to see which there are.")
    if found.error:
        raise UserError(f"Image {image} could not be read: {found.error}")
    return session.data.image_bytes(found.sha256), f"{found.dataset}/{found.split} {found.source_key}"


@click.command()
@click.argument("job_ids", metavar="JOB...", type=int, nargs=-1, required=True)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("loss.svg"), show_default=True,
    help="File to write: .svg or .png.",
)  # fmt: skip
@pass_session
def plot(session: Session, job_ids: tuple[int, ...], out: Path) -> None:
    """Draw the loss curves of training jobs into a file."""
    from radtui.cli.plots import write_plot

    write_plot(session.read(), job_ids, out)
    click.echo(f"{', '.join(f'job {job_id}' for job_id in job_ids)} -> {out}")
