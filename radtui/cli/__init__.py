"""The command line: every command, and without one, the app.

Exit codes: 0 done, 1 failed, 2 wrong usage. Commands are imported when they are called, so that the app's first
frame does not wait for what it does not use.

    start.py            commands that start a job, with settings_options.py; follow.py: its progress line
    jobs.py             what there is of jobs; job_care.py: names, notes, deleting; collect.py, cluster.py: on Slurm
    cases.py  data.py   data sets and the data folder, of which data_findings.py finds what doctor.py says; backup.py;
                        kept.py: answers that the folder could not take
    review.py           rating; study.py, study_plans.py, study_packs.py: studies made by hand
    results.py          what raters left: stats.py writes it, score.py and scores.py score texts
    export.py  report.py  verify.py  adapter.py   into files, and held against themselves
    ask.py  model.py  demo.py  completion.py      one command each; pictures.py and plots.py draw
    context.py          what every command shares: printing.py, groups.py, failures.py
"""

from __future__ import annotations

import importlib
import re
import sys
from difflib import get_close_matches
from typing import Any

import click

from radtui import __version__
from radtui.cli.context import Session
from radtui.cli.failures import keep_traceback, sentence
from radtui.cli.groups import SuggestingGroup
from radtui.cli.printing import guard_streams, let_go_of_streams
from radtui.paths import find_data_dir
from radtui.records import UserError

COMMANDS = {
    "demo": "radtui.cli.demo:demo",
    "import": "radtui.cli.start:import_",
    "train": "radtui.cli.start:train",
    "generate": "radtui.cli.start:generate",
    "ask": "radtui.cli.ask:ask",
    "review": "radtui.cli.review:review",
    "export": "radtui.cli.export:export",
    "import-ratings": "radtui.cli.results:import_ratings",
    "stats": "radtui.cli.results:stats",
    "report": "radtui.cli.report:report",
    "score": "radtui.cli.score:score",
    "study": "radtui.cli.study:study",
    "verify": "radtui.cli.verify:verify",
    "jobs": "radtui.cli.jobs:jobs",
    "collect": "radtui.cli.collect:collect",
    "profile": "radtui.cli.cluster:profile",
    "fetch": "radtui.cli.cluster:fetch",
    "model": "radtui.cli.model:model",
    "adapter": "radtui.cli.adapter:adapter",
    "show": "radtui.cli.pictures:show",
    "cases": "radtui.cli.cases:cases",
    "plot": "radtui.cli.pictures:plot",
    "doctor": "radtui.cli.doctor:doctor",
    "check": "radtui.cli.backup:check",
    "backup": "radtui.cli.backup:backup",
    "restore": "radtui.cli.backup:restore",
    "kept": "radtui.cli.kept:kept",
    "data": "radtui.cli.data:data",
    "completion": "radtui.cli.completion:completion",
}
GROUPS = ("jobs", "study", "model", "profile", "adapter", "data")  # of commands
NEARLY = 0.8  # share of letters in common, of 1, from which a command of a group is suggested
NAMED_COMMAND = re.compile(rf"\bradtui(?= (?:{'|'.join(COMMANDS)})\b)")


class LazyGroup(SuggestingGroup):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, name = target.split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what an error tells the user to type names the data folder where that is needed."""
        try:
            return super().invoke(ctx)
        except UserError as error:
            sentence = NAMED_COMMAND.sub(lambda _: ctx.obj.data.command(), str(error))
            raise UserError(sentence) from error
        except click.NoSuchOption as error:
            if any(error.option_name in option.opts for option in self.params):
                sentence = f"{error.option_name} stands before the command: radtui {error.option_name} ..."
                raise click.UsageError(sentence, error.ctx) from error
            raise
        except click.UsageError as error:
            options = error.ctx.command.params if error.ctx is not None else []
            if "unexpected extra argument" in error.message and any("--job" in each.opts for each in options):
                raise click.UsageError(f"{error.message}. A job is named with --job.", error.ctx) from error
            raise

    def nearest(self, ctx: click.Context, word: str) -> list[str]:
        """The commands that a word was likely meant to be, else those of groups: "radtui jobs log"."""
        groups = {name: self.get_command(ctx, name) for name in GROUPS}
        return super().nearest(ctx, word) or [
            f"radtui {name} {command}"
            for name, group in groups.items()
            if isinstance(group, click.Group)
            for command in get_close_matches(word, group.list_commands(ctx), n=1, cutoff=NEARLY)
        ]


@click.group(
    cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "--data-dir", metavar="DIR",
    help="Data folder; else $RADTUI_DATA, else ./db when it exists, else the user's data folder.",
)  # fmt: skip
@click.option("--rater", metavar="NAME", help="Who rates; else $RADTUI_RATER, else the login name.")
@click.version_option(__version__, prog_name="radtui")
@click.pass_context
def cli(ctx: click.Context, data_dir: str | None, rater: str | None) -> None:
    """Fine-tune a vision-language model on radiographs and review what it writes, in a terminal.

    Without a command, opens the app. Model output is not for clinical use.
    """
    ctx.obj = Session(find_data_dir(data_dir), rater or "")
    ctx.obj.check_rater()
    if ctx.invoked_subcommand is None:
        ctx.obj.open_app()


def main() -> None:
    """Run the command line; a problem is one sentence, never a traceback."""
    guard_streams()
    try:
        _run()
    finally:
        let_go_of_streams()


def _run() -> None:
    try:
        cli.main(standalone_mode=False, prog_name="radtui")
        sys.stdout.flush()  # what cannot be written is to be said here, not by the interpreter's end
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except UserError as error:
        click.echo(f"radtui: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe went away; nothing is left to tell it
        sys.exit(1)
    except Exception as error:  # a full disk, a locked or damaged database, and what nobody has thought of
        log = keep_traceback(error)
        click.echo(f"radtui: {sentence(error)}" + (f" Details are in {log}." if log else ""), err=True)
        sys.exit(1)
