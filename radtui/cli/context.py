"""What every command shares: the data folder, the rater, and how results are printed."""

from __future__ import annotations

import gc
import getpass
import os
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from radtui.cli.printing import json_text, own_sequences
from radtui.paths import DataDir, kept_folder
from radtui.records import UserError


@dataclass(slots=True)
class Session:
    """One call of radtui."""

    data: DataDir
    rater: str = ""
    says_kept: bool = True  # what waits for the folder, on standard error

    def connect(self, *, create: bool = False) -> sqlite3.Connection:
        """The data folder's database; `create` makes the folder where there is none."""
        from radtui.store.database import connect

        self.check_disk()
        return self._taken(connect(self.data, create=create))

    def read(self) -> sqlite3.Connection:
        """As `connect`, for commands that only look: also where nothing can be written. Closed with the command."""
        from radtui.store.database import reading

        self.check_disk()
        return self._taken(click.get_current_context().with_resource(reading(self.data)))

    def check_disk(self) -> None:
        """Raise UserError where the disk is not mounted that the data folder was on when it was used last."""
        from radtui.store.last_home import refuse_what_lies_beneath

        refuse_what_lies_beneath(self.data)

    def _taken(self, db: sqlite3.Connection) -> sqlite3.Connection:
        """The database, after what there is to remember and to say of it."""
        from radtui.store.last_home import remember_home

        remember_home(db)
        if self.says_kept:
            self.says_kept = False
            _say_kept(db, self.data)
        return db

    @property
    def chosen_rater(self) -> str:
        """Who rates, by the option or `$RADTUI_RATER`; "" when neither says so, and it is the login's name."""
        return self.rater or os.environ.get("RADTUI_RATER", "")

    @property
    def reader(self) -> str:
        """Who looks: the chosen rater, else the login's name."""
        return self.chosen_rater or _login_name()

    def check_rater(self) -> None:
        """Raise UserError for a rater's name in another encoding, which no database takes."""
        try:
            self.chosen_rater.encode()
        except UnicodeEncodeError:
            raise UserError("The rater's name is not in UTF-8; give another one with --rater.") from None

    def need_terminal(self) -> None:
        """Raise UserError where no keys can be read, or nothing drawn: Textual draws by the standard error."""
        if not (os.environ.get("TEXTUAL_DRIVER") or (sys.stdin.isatty() and sys.stderr.isatty())):
            raise UserError(
                "The app needs a terminal and this is none; radtui --help lists what works without one."
            )

    def open_app(self, screen: str = "", guide: str = "", study_id: int = 0, arm: str = "") -> None:
        """Open the app and return when it is left; see `radtui.tui.app.run_app`."""
        self.need_terminal()
        self.check_disk()
        if os.environ.get("STY") and not os.environ.get("TMUX"):
            # GNU screen 4 misreads 24-bit colours as other commands. Textual reads this when it is imported.
            os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")
        gc.disable()  # what a start makes stays to the end; the first screen switches it on again once it is drawn
        from radtui.tui.app import run_app
        from radtui.tui.opening import Opens

        chosen, opens = self.chosen_rater, Opens(study_id, arm)
        with own_sequences():
            run_app(self.data, self.reader, screen, guide=guide, from_login=not chosen, opens=opens)


def _say_kept(db: sqlite3.Connection, data: DataDir) -> None:
    """Say on standard error which answers wait for the data folder: what a command counts lacks them."""
    with suppress(OSError):  # no home folder, where none can be
        if not any(os.scandir(kept_folder())):
            return
        from radtui.study.kept_files import kept_files

        for file in kept_files(db, data):
            if file.is_wanted or file.trouble:
                sentence = file.sentence.replace("radtui kept", data.command("kept"))
                click.echo(file.trouble or sentence, err=True)


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in the system's table, as in many containers
        return "rater"


class NewFile(click.Path):
    """A file to write: always one on the disk, since what is written replaces it as a whole."""

    def __init__(self, *, file_okay: bool = True, dir_okay: bool = False) -> None:
        super().__init__(file_okay=file_okay, dir_okay=dir_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if str(value) == "-":
            self.fail("'-' names no file: what is written here replaces one as a whole; name it.", param, ctx)
        return super().convert(value, param, ctx)


pass_session: Callable[[Callable[..., Any]], Callable[..., Any]] = click.make_pass_decorator(Session)


def print_result(values: Mapping[str, object], as_json: bool) -> None:
    """Print a command's result: JSON for scripts, exact; aligned lines for people."""
    if as_json:
        click.echo(json_text(values))
        return
    from radtui.settings import value_text

    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        text = "\\n".join(value_text(value).splitlines())  # a line each, also of a chat template
        click.echo(f"{name.replace('_', ' '):<{width}}  {text}")


def _take_gpu_now(context: click.Context, parameter: click.Parameter, now: bool) -> None:
    from radtui.jobs import launch

    if now:
        os.environ[launch.NOW_VARIABLE] = "1"  # the worker inherits it


now_option = click.option(
    "--now", is_flag=True, expose_value=False, callback=_take_gpu_now,
    help="Do not wait for a GPU that another job holds.",
)  # fmt: skip
"""For commands that start a worker."""
