"""Commands that draw: an image in a plain terminal, the loss curves of a job in a file."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Literal

import click

from radtui.cli.context import NewFile, Session, pass_session
from radtui.cli.job_care import JobNumber
from radtui.cli.printing import own_sequences
from radtui.records import JobKind, UserError


@click.command()
@click.argument("image", required=False)
@click.option("--width", type=click.IntRange(8, 1000), help="Cells across  [default: the terminal's].")
@click.option("--problems", is_flag=True, help="List what the newest import did not use, and why.")
@click.option(
    "--dataset", default="", metavar="NAME", help="With --problems: the data set  [default: the newest]."
)
@pass_session
def show(session: Session, image: str | None, width: int | None, problems: bool, dataset: str) -> None:
    """Print IMAGE in a plain terminal: the id of an imported image, or a file."""
    if problems:
        _print_problems(session, dataset)
        return
    if image is None:
        raise click.UsageError("Name an image, or ask for --problems.")
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
    with own_sequences():
        for line in picture_lines(picture, colours.depth):
            console.print(Segments([*line, Segment.line()]), end="")
    click.echo(f"{title}; not for clinical use")
    if colours.why:
        click.echo(f"{colours.badge}: {colours.why}")


def _print_problems(session: Session, dataset: str) -> None:
    """Print what a data set's newest import did not use, a line a kind."""
    from radtui.store import cases, jobs

    db = session.read()
    job = jobs.newest(db, JobKind.IMPORT, dataset=dataset)
    if job is None:
        of = f" of {dataset!r}" if dataset else ""
        raise UserError(f"There is no import{of}; radtui cases lists the data sets.")
    problems = cases.problems(db, job.id)
    for problem in problems:
        times = f" ({problem.count:,} of them)" if problem.count > 1 else ""
        click.echo(f"{problem.where}: {problem.reason}{times}")
    if not problems:
        click.echo(f"Import job {job.id}, {job.dataset}, left nothing out that it has noted.", err=True)


def _image_bytes(session: Session, image: str) -> tuple[bytes, str]:
    """The bytes and the title of an imported image, or of a file."""
    if not image.isdigit():
        try:
            return Path(image).read_bytes(), image
        except OSError as error:
            raise UserError(
                f"Cannot read {image}: {error.strerror}; name a file or the id of an image."
            ) from error
    from radtui.store import cases
    from radtui.store.blobs import image_bytes

    case = cases.get(session.read(), int(image))
    if case is None:
        raise UserError(f"There is no image {image}; open radtui and press d to see which there are.")
    if case.error:
        raise UserError(f"Image {image} could not be read: {case.error}")
    more = f", the first of {len(case.images)} images" if len(case.images) > 1 else ""
    return image_bytes(
        session.data, case.shown.sha256
    ), f"{case.dataset}/{case.split} {case.source_key}{more}"


@click.command()
@click.argument("job_ids", metavar="JOB...", type=JobNumber(), nargs=-1, required=True)
@click.option(
    "--out", type=NewFile(), default=Path("loss.svg"), show_default=True,
    help="File to write: .svg or .png.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a file that is no unchanged export of radtui.")
@pass_session
def plot(session: Session, job_ids: tuple[int, ...], out: Path, force: bool) -> None:
    """Draw the loss curves of training jobs into a file."""
    from radtui.cli.plots import write_plot
    from radtui.export.files import check_replaceable

    check_replaceable(out, force)
    write_plot(session.read(), job_ids, out)
    click.echo(f"{', '.join(f'job {job_id}' for job_id in job_ids)} -> {out}")
