"""Profiles: what the config file says of a cluster, so that no job has to say it again."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from radtui.paths import config_file, parsed_toml, read_written
from radtui.records import UserError

SECTION = "slurm"
# Of sbatch's --time: minutes, hours:minutes:seconds, days-hours...
TIME = re.compile(r"(\d+-)?\d+(:\d\d){0,2}")


OWN_OPTIONS = (
    "--array", "--chdir", "--cluster", "--clusters", "--error", "--input", "--job-name", "--nodes", "--ntasks",
    "--ntasks-per-node", "--open-mode", "--output", "--parsable", "--signal", "--test-only", "--wait", "--wrap",
)  # fmt: skip
OWN_LETTERS = ("-a", "-D", "-M", "-e", "-i", "-J", "-N", "-n", "-o", "-W")
"""Options of sbatch that a profile's further lines cannot have: a job would not be found again, or not be one."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One `[slurm.NAME]` of the config file; what is empty is left to the cluster."""

    name: str
    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    time: str = ""  # as sbatch's --time takes it
    memory: str = ""  # of a node, as sbatch's --mem takes it
    gpus_per_node: int = 1
    nodes: int = 0  # machines that one job may have; 0 leaves that to the cluster
    gres: str = "gpu"  # what Slurm calls a GPU here: "gpu", "gpu:h100"; "" asks for none
    cpus_per_gpu: int = 0
    save_before_s: int = 120  # before the time limit, to save a checkpoint in
    folder: str = ""  # where jobs' folders lie; all machines must see it
    scratch: str = ""  # a machine's own disk; its temporary folder unless named
    hf_home: str = ""  # the hub's cache, filled on the login node
    python: str = ""  # that radtui is installed for; the one that submits unless named
    setup: tuple[str, ...] = ()  # lines of shell before the worker starts
    sbatch: tuple[str, ...] = ()  # further options of sbatch

    @property
    def interpreter(self) -> str:
        """The Python that a machine of the cluster starts."""
        return self.python or sys.executable

    def machines(self, gpus: int) -> int:
        """How many machines a job on so many GPUs takes."""
        return max(1, math.ceil(gpus / self.gpus_per_node))

    def each(self, gpus: int) -> int:
        """GPUs of each machine. Raises UserError where they cannot be the same on all, or there are too few."""
        nodes = self.machines(gpus)
        if self.nodes and nodes > self.nodes:
            raise UserError(
                f"{gpus} GPUs are {nodes} machines of {self.gpus_per_node}, and profile {self.name} allows"
                f" {self.nodes}: lower gpus."
            )
        if gpus % nodes:
            raise UserError(
                f"{gpus} GPUs cannot be shared out evenly over {nodes} machines of {self.gpus_per_node}: choose a"
                f" multiple of {self.gpus_per_node} as gpus, or change gpus_per_node of profile {self.name}."
            )
        return gpus // nodes


def profiles() -> dict[str, Profile]:
    """All profiles by name, as the config file has them; empty without a file.

    Raises:
        UserError: The file cannot be read, or says something that no profile has.
    """
    file = config_file()
    try:
        values = parsed_toml(read_written(file))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read: {error}.") from error
    section = values.get(SECTION, {})
    if not isinstance(section, dict) or not all(isinstance(each, dict) for each in section.values()):
        raise UserError(f"{file} names no cluster: a profile begins with a line such as [{SECTION}.gpu].")
    return {name: _profile(name, each, file) for name, each in section.items()}


def named(name: str) -> Profile:
    """A profile by name; without a name the only one there is.

    Raises:
        UserError: There is none of that name, or more than one to choose from.
    """
    known = profiles()
    if name in known:
        return known[name]
    if not name and len(known) == 1:
        return next(iter(known.values()))
    if not known:
        raise UserError(
            f"No cluster is described in {config_file()}: write a line [{SECTION}.NAME] there and what README shows."
        )
    there = ", ".join(known)
    if not name:
        raise UserError(f"There are several clusters, {there}: choose one with --profile.")
    raise UserError(f"There is no profile {name!r} in {config_file()}; there is {there}.")


def _profile(name: str, values: dict[str, Any], file: Path) -> Profile:
    defaults = {each.name: each.default for each in fields(Profile) if each.name != "name"}
    for key, value in values.items():
        if key not in defaults:
            raise UserError(f"{file}: [{SECTION}.{name}] has {key}, but a profile has {', '.join(defaults)}.")
        wanted = defaults[key]
        is_right = (
            isinstance(value, list) and all(isinstance(each, str) for each in value)
            if isinstance(wanted, tuple)
            else type(value) is type(wanted)
        )
        if not is_right:
            kind = {int: "a whole number", str: "a text", tuple: "a list of texts"}[type(wanted)]
            raise UserError(f"{file}: {key} of [{SECTION}.{name}] must be {kind}, not {value!r}.")
    own: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    profile = Profile(name, **own)
    if profile.gpus_per_node < 1 or min(profile.save_before_s, profile.cpus_per_gpu, profile.nodes) < 0:
        raise UserError(
            f"{file}: gpus_per_node of [{SECTION}.{name}] is at least 1, and no number is negative."
        )
    _check_lines(profile, file)
    if profile.time and not TIME.fullmatch(profile.time):
        raise UserError(
            f"{file}: time of [{SECTION}.{name}] is {profile.time!r}; write it as 90, 12:00:00 or 2-00:00:00."
        )
    if profile.time and profile.save_before_s >= _seconds(profile.time) > 0:
        raise UserError(
            f"{file}: save_before_s of [{SECTION}.{name}] is {profile.save_before_s} s and its time {profile.time}: no"
            " job would get anywhere; give it more time."
        )
    return profile


def _check_lines(profile: Profile, file: Path) -> None:
    """Raise UserError where a value would end a line of the batch script, or take a job out of radtui's hands."""
    where = f"of [{SECTION}.{profile.name}]"
    for key in (each.name for each in fields(Profile) if each.name != "setup"):  # which is lines of shell
        value = getattr(profile, key)
        for text in value if isinstance(value, tuple) else [str(value)]:
            if not text.isprintable():
                raise UserError(
                    f"{file}: {key} {where} has a line break or another sign that cannot be seen."
                )
    if '"' in profile.scratch:
        raise UserError(
            f"{file}: scratch {where} has a quotation mark; name a folder, or a variable as $TMPDIR."
        )
    for option in profile.sbatch:
        if not option.startswith("-"):
            raise UserError(f"{file}: {option!r} in sbatch {where} is no option: it begins with --.")
        for word in option.split():
            if word.partition("=")[0] in OWN_OPTIONS or any(
                word.startswith(letter) and not word.startswith("--") for letter in OWN_LETTERS
            ):
                raise UserError(
                    f"{file}: sbatch {where} has {word}, which radtui sets itself or cannot follow: leave it out."
                )


def _seconds(time: str) -> int:
    """What sbatch takes a time for: "90" and "1:30" are minutes, with hours or days before them three parts or two."""
    days, _, rest = time.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if days:
        hours, minutes, seconds = [*parts, 0, 0][:3]
    elif len(parts) == 3:
        hours, minutes, seconds = parts
    else:
        hours, (minutes, seconds) = 0, [*parts, 0][:2]
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds
