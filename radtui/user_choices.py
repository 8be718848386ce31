"""What radtui remembers of one user on this machine: the `[app]` section of the config file.

The app writes it when a choice is made in it, the command line reads it, and people may edit it: only the lines of
what has changed are written, and what else stands in the file stays as it is. `python -m radtui.user_choices` prints
the README's table.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from radtui.paths import config_file, is_nobodys, parsed_toml, read_written
from radtui.records import UserError
from radtui.setting_fields import Settings
from radtui.setting_fields import setting as _set

SECTION = "app"
HEADER = re.compile(rf"\s*\[\s*{SECTION}\s*\]\s*(#.*)?$")
ANY_HEADER = re.compile(r"\s*\[")
THEMES = ("dark", "light", "contrast", "terminal")
SORTS = ("newest", "name", "loss", "held-out", "F1", "time", "state")


@dataclass(frozen=True)
class UserChoices(Settings):
    """One user's choices; what no file says has its default."""

    theme: str = _set(
        "dark", "Colours: dark, light, high contrast, or the terminal's own sixteen", choices=THEMES
    )
    pixels: str = _set(
        "auto", "How images are drawn; auto takes real pixels where the terminal has them; $RADTUI_PIXELS comes first",
        choices=("auto", "kitty", "sixel", "blocks"),
    )  # fmt: skip
    last_screen: str = _set(
        "", "The screen that was left last", choices=("", "data", "train", "review", "jobs")
    )
    tile_size: int = _set(0, "Size of thumbnails, 1 to 3; 0 goes by the screen", low=0, high=3)
    smoothing: str = _set(
        "medium", "Moving average of loss curves", choices=("off", "light", "medium", "heavy")
    )
    jobs_sort: str = _set("newest", "Order of the jobs, here and in radtui jobs list", choices=SORTS)
    jobs_columns: str = _set(
        "", "Columns of Jobs in their order, with commas between; empty shows what has room"
    )
    data_columns: str = _set(
        "", "Columns of Data in their order: Name, Reference, Examination, Split; empty shows what has room"
    )
    bell: str = _set(
        "both", "When a long job ends: the terminal's bell, a notification (OSC 9) where the terminal is known to show"
        " one, both, or off", choices=("both", "bell", "notification", "off"),
    )  # fmt: skip
    bell_after_s: int = _set(60, "What counts as a long job", unit="seconds", low=0)
    price_per_hour: float = _set(0.0, "What an hour of this machine costs; 0 shows no cost", low=0)
    currency: str = _set("", "Written behind a cost, such as EUR")


DEFAULTS = UserChoices()


def read(file: Path | None = None) -> tuple[UserChoices, str]:
    """What the config file says.

    Args:
        file: The file; None for the user's.

    Returns:
        The choices, and one sentence about what in the file is not used and why, "" where all is.
    """
    file = file or config_file()
    try:
        text = read_written(file)
    except FileNotFoundError:
        return DEFAULTS, ""
    except (OSError, UnicodeError) as error:
        return DEFAULTS, f"{file} cannot be read, so defaults are used: {error}."
    if SECTION not in text:  # a file about clusters alone costs no parser at the app's start
        return DEFAULTS, ""
    try:
        section = parsed_toml(text).get(SECTION, {})
    except ValueError as error:
        return DEFAULTS, f"{file} is damaged, so defaults are used until it is mended: {error}."
    if not isinstance(section, dict):
        return DEFAULTS, f"{file} has {SECTION}, which is to be a section [{SECTION}]; defaults are used."
    return _checked(section, file)


def remember(file: Path | None = None, **changes: object) -> None:
    """Write choices into the config file; everything else in it stays, comments too.

    Args:
        file: The file; None for the user's.
        changes: Fields of `UserChoices` with their new values.

    Raises:
        UserError: The file is damaged, or cannot be written; it stays as it is.
    """
    from radtui.durable import write_synced

    file = file or config_file()
    if is_nobodys(file):
        raise UserError(f"The choice holds for this session only: this machine has no user for {file}.")
    file = file.resolve()  # a link stays a link
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _alone(file.parent):
            text = read_written(file) if file.exists() else ""
            write_synced(file, edited(text, changes))
    except (OSError, ValueError) as error:
        raise UserError(
            f"The choice holds for this session only, since {file} was not written: {error}."
        ) from error


def edited(text: str, changes: Mapping[str, object]) -> str:
    """The text of a config file with other values in its section.

    Raises:
        ValueError: The text is no TOML, or says it in a way that lines cannot be put into.
    """
    before = parsed_toml(text)
    lines = text.splitlines()
    start = next((at for at, line in enumerate(lines) if HEADER.match(line)), None)
    if start is None:
        lines += ["", f"[{SECTION}]"] if lines else [f"[{SECTION}]"]
        start = len(lines) - 1
    for name, value in changes.items():
        end = next((at for at in range(start + 1, len(lines)) if ANY_HEADER.match(lines[at])), len(lines))
        own = re.compile(rf"(\s*{name}\s*=\s*)(\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^#\s]+)(.*)$")
        for at in range(start + 1, end):
            if match := own.match(lines[at]):
                lines[at] = f"{match[1]}{_toml(value)}{match[3]}"
                break
        else:
            while end > start + 1 and not lines[end - 1].strip():
                end -= 1  # behind the section's last line, not behind the empty ones before the next
            lines.insert(end, f"{name} = {_toml(value)}")
    after = "\n".join(lines) + "\n"
    if parsed_toml(after) != before | {SECTION: {**before.get(SECTION, {}), **changes}}:
        raise ValueError(f"its section [{SECTION}] is written in a way that can only be changed by hand")
    return after


def readme_table() -> str:
    """The README's table of all fields, in Markdown."""
    rows = ["| field | default | what it is |", "|---|---|---|"]
    for field in fields(UserChoices):
        about = UserChoices.about()[field.name]
        choices = f": {', '.join(f'`{each}`' for each in about.choices if each)}" if about.choices else ""
        unit = f" [{about.unit}]" if about.unit else ""
        rows.append(f"| `{field.name}` | `{_toml(field.default)}` | {about.help}{choices}{unit} |")
    return "\n".join(rows)


def _checked(section: Mapping[str, Any], file: Path) -> tuple[UserChoices, str]:
    """The values that can be used; the first that cannot is named."""
    own, problem = DEFAULTS, ""
    for name, value in section.items():
        wanted: Any = getattr(DEFAULTS, name, "")
        if name not in UserChoices.about():
            wrong = f"there is no field {name!r}, there are {', '.join(UserChoices.about())}"
        elif type(value) is not type(wanted) and not (type(wanted) is float and type(value) is int):
            kind = {int: "a whole number", float: "a number", str: "a text"}[type(wanted)]
            wrong = f"{name} must be {kind}, not {value!r}"
        else:
            changed = replace(own, **{name: type(wanted)(value)})
            wrong = changed.problems().get(name, "")
            own = own if wrong else changed
        problem = problem or wrong
    return own, f"[{SECTION}] in {file} is not all used: {problem}." if problem else ""


def _toml(value: object) -> str:
    if isinstance(value, str):
        import json

        return json.dumps(value, ensure_ascii=False)  # a basic string of TOML escapes what JSON does
    return str(value)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process after another read, change and write the file of a folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.stdout.write(f"{readme_table()}\n")
