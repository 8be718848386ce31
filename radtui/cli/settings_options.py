"""Turning settings into command-line options, so that a field is described once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

import click

from radtui.settings import About, Settings

Command = TypeVar("Command", bound=Callable[..., Any])
AnySettings = TypeVar("AnySettings", bound=Settings)


def settings_options(kind: type[Settings], leave_out: tuple[str, ...] = ()) -> Callable[[Command], Command]:
    """Add one option per field. An option that is not given is None, so that presets keep their say."""

    def decorate(command: Command) -> Command:
        about = kind.about()
        for field in reversed(fields(kind)):
            if field.name not in leave_out:
                command = _option(field.name, type(field.default), about[field.name])(command)
        return command

    return decorate


def _option(name: str, kind: type, about: About) -> Callable[[Command], Command]:
    flag = name.replace("_", "-")
    if kind is bool:
        return click.option(f"--{flag}/--no-{flag}", name, default=None, help=about.help + ".")
    unit = f" [{about.unit}]" if about.unit else ""
    value_type = click.Choice(about.choices) if about.choices else {int: int, float: float}.get(kind, str)
    metavar = None if about.choices else (about.unit or {int: "N", float: "X"}.get(kind, "TEXT")).upper()
    return click.option(f"--{flag}", name, type=value_type, metavar=metavar, help=about.help + unit + ".")


def apply(settings: AnySettings, options: dict[str, Any]) -> AnySettings:
    """The settings with every option that was given.

    Raises:
        click.UsageError: one of them has a value that cannot be.
    """
    named = {name: value for name, value in options.items() if value is not None}
    changed = replace(settings, **named)
    problems = changed.problems()
    wrong = next((name for name in named if name in problems), "")
    if wrong:
        option = f"--{wrong.replace('_', '-')}"
        raise click.UsageError(f"{problems[wrong].replace(wrong, option, 1)}.")
    return changed
