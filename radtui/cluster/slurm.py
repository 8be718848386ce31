"""Asking Slurm and telling it, through its own commands: they are on every login node, and no library is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from radtui.records import UserError

ANSWER_S = 30.0  # a busy controller takes its time
QUEUE_FORMAT = "%i|%j|%T|%r|%S|%N"
# Beginnings of variables.
OF_SLURM = ("SLURM_", "SBATCH_", "SQUEUE_", "SACCT_", "SCONTROL_", "SINFO_", "SCANCEL_")
KEPT = ("SLURM_CONF", "SLURM_JWT")  # where Slurm is, and who asks
OVER = (
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT",
    "REVOKED", "PREEMPTED",
)  # fmt: skip
"""States after which Slurm does nothing more by itself. Source: squeue(1), JOB STATE CODES."""


CANCELLED = "CANCELLED"
_OUT_OF_REACH = re.compile(
    r"unable to (contact|connect)|connection (refused|timed out|reset)|timed out|zero bytes were transmitted"
    r"|communication connection failure|slurm backup controller in standby|problem talking to the database"
    r"|sending persistconn|no route to host|unable to establish (control|connection)|address to name lookup",
    re.IGNORECASE,
)
"""What Slurm's commands print where the controller or the database of its accounts cannot be reached.

Source: slurm_errno.c and slurm_protocol_api.c of Slurm 22 to 24.
"""


class SlurmError(UserError):
    """Slurm did not answer, or refused."""


class SlurmSilentError(SlurmError):
    """Slurm did not answer: what is known stays as it is, and nothing follows from it."""


@dataclass(frozen=True, slots=True)
class Status:
    """What Slurm says of a job."""

    job: int
    name: str
    state: str  # "PENDING", "RUNNING", ...; "" where Slurm knows the job no more
    reason: str = ""
    start: str = ""  # expected or actual, local time as Slurm writes it
    nodes: str = ""
    by: str = ""  # who cancelled it, where Slurm keeps accounts

    @property
    def is_over(self) -> bool:
        """Whether Slurm does nothing more with it."""
        return not self.state or self.state in OVER


def is_here() -> bool:
    """Whether this machine can hand jobs to Slurm."""
    return shutil.which("sbatch") is not None


def submit(script: Path, test_only: bool = False) -> str:
    """Hand a script over.

    Args:
        script: The batch script.
        test_only: Ask whether it would be taken, and when it would start, and hand over nothing.

    Returns:
        The job's number; what Slurm says of it where it was only asked.

    Raises:
        SlurmError: Slurm refuses it, or is not here.
    """
    flags = ["--test-only"] if test_only else ["--parsable"]
    done = _run(["sbatch", *flags, str(script)])
    answer = (done.stdout or done.stderr).strip()
    if test_only:
        return answer
    # A cluster may print lines of its own before.
    numbers = re.findall(r"^(\d+)(?:;.*)?$", done.stdout, re.MULTILINE)
    if not numbers:
        raise SlurmError(
            f"sbatch says {' '.join(answer.split())[:200]!r} and no job's number: see squeue --me."
        )
    return str(numbers[-1])


def queue(wait_s: float = ANSWER_S) -> dict[int, Status]:
    """All of the user's jobs that wait or run, by number, within so many seconds. Raises SlurmError."""
    # By number: a name may be cut, and --me is not in every Slurm.
    command = ["squeue", f"--user={os.getuid()}", "--noheader", f"--format={QUEUE_FORMAT}"]
    lines = _run(command, wait_s).stdout.splitlines()
    statuses = [_status(line) for line in lines if line.count("|") == QUEUE_FORMAT.count("|")]
    return {status.job: status for status in statuses if status is not None}


def ended(job: int, wait_s: float = ANSWER_S) -> Status:
    """What became of a job that waits and runs no more; its state is "" where Slurm has forgotten it.

    Raises:
        SlurmSilentError: The controller does not answer and the accounts know no end: it may still wait or run.
    """
    cancelled: Status | None = None  # who did it, the accounts alone know
    silent: SlurmSilentError | None = None
    for look in (_by_controller, _by_accounting):
        try:
            status = look(job, wait_s)
        except SlurmSilentError as error:
            silent = error if look is _by_controller else silent
            continue
        except SlurmError:  # it knows no such job, or there are no accounts
            continue
        if status is not None and (status.state != CANCELLED or status.by or look is _by_accounting):
            return status
        cancelled = status or cancelled
    if cancelled is None and silent is not None:
        raise silent
    return cancelled or Status(job, "", "")


def cancel(job: int) -> None:
    """Take a job out of the queue, or end it. Raises SlurmError."""
    _run(["scancel", str(job)])


def partitions() -> list[str]:
    """Names of the partitions. Raises SlurmError."""
    return [line.rstrip("*") for line in _run(["sinfo", "--noheader", "--format=%P"]).stdout.split()]


def _status(line: str) -> Status | None:
    job, name, state, reason, start, nodes = line.split("|")
    if not job.isdigit():  # a part of an array, which no job of radtui's is
        return None
    return Status(int(job), name, state, _word(reason), _word(start), nodes)


def _word(text: str) -> str:
    """A value, or "" for the words by which Slurm says that there is none."""
    return "" if text in ("None", "N/A", "(null)", "Unknown") else text


def _by_controller(job: int, wait_s: float) -> Status | None:
    """As slurmctld has it, for some minutes after a job's end."""
    fields = dict(
        re.findall(r"(\w+)=(\S*)", _run(["scontrol", "--oneliner", "show", "job", str(job)], wait_s).stdout)
    )
    if "JobState" not in fields:
        return None
    return Status(
        job, fields.get("JobName", ""), fields["JobState"], _word(fields.get("Reason", "")),
        _word(fields.get("StartTime", "")), _word(fields.get("NodeList", "")),
    )  # fmt: skip


def _by_accounting(job: int, wait_s: float) -> Status | None:
    """As Slurm's accounting has it, where a cluster keeps one."""
    command = [
        "sacct",
        "--noheader",
        "--parsable2",
        "--allocations",
        f"--jobs={job}",
        "--format=JobName,State,NodeList",
    ]
    for line in _run(command, wait_s).stdout.splitlines():
        name, state, nodes = line.split("|")
        word, _, user = state.partition(" by ")  # "CANCELLED by 1000"
        return Status(job, name, word, nodes=nodes, by=_user(user))
    return None


def _user(number: str) -> str:
    """A user's name by number; what was given where there is none."""
    import pwd

    try:
        return pwd.getpwuid(int(number)).pw_name
    except (KeyError, ValueError):
        return number


def _environment() -> dict[str, str]:
    """The user's variables without those that change what Slurm's commands do or print.

    Those of a job would make one that is handed over from it a part of it; others filter a queue or write times anew.
    """
    return {n: v for n, v in os.environ.items() if not n.startswith(OF_SLURM) or n in KEPT}


def _run(command: Sequence[str], wait_s: float = ANSWER_S) -> subprocess.CompletedProcess[str]:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=wait_s,
            check=False,
            env=_environment(),
        )
    except FileNotFoundError as error:
        raise SlurmError(
            f"There is no {command[0]} on this machine: run radtui on the cluster's login node."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SlurmSilentError(f"{command[0]} gave no answer within {wait_s:g} s.") from error
    except OSError as error:
        raise SlurmSilentError(f"{command[0]} cannot be run: {error.strerror or error}.") from error
    if done.returncode:
        reason = (
            " ".join((done.stderr or done.stdout).split())[-300:].rstrip(".") or f"code {done.returncode}"
        )
        if _OUT_OF_REACH.search(reason):
            raise SlurmSilentError(f"{command[0]} says: {reason}.")
        raise SlurmError(f"Slurm refuses {command[0]}: {reason}.")
    return done
