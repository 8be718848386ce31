"""A job on several machines of a cluster: Slurm's srun starts torch's launcher on each, and these meet by themselves.

The process that Slurm's script began holds the job: it says how the job began and ended, and for each launch runs srun
once for each machine, so that it knows which of them is gone. What a machine's launcher has to say of its ranks it
leaves in a file, since srun tells no more than a code. Ranks that exchange nothing any more go on when a machine is
gone, and wait in the end for those that are left; files say so too.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from radtui import durable
from radtui.paths import DataDir
from radtui.records import UserError
from radtui.worker.process import environment, torch_launcher
from radtui.worker.process.torch_launcher import LaunchProblem

log = logging.getLogger("radtui.worker")
NODES_VARIABLE = "RADTUI_NODES"  # of the batch script; an allocation of several may be the user's own affair
NODE_VARIABLE = "RADTUI_NODE"  # a machine's number among the job's, for its ranks
WORDS = "nodes"  # folder of a job's folder: what each machine's launcher says at its end, and how far its ranks are
# Endings: a rank needs no other, has done its part; a machine is gone.
ALONE, DONE, GONE = (".alone", ".done", ".gone")
# After the first machine has ended, until the others are ended too: they may wait for it in vain.
LEAVE_S = 60.0
END_S = 30.0  # for srun to end what it has started
LOOK_S = 0.5  # between looks at srun
LOOK_AT_FILES_S = 1.0  # every look asks the file server


class LostNodeError(UserError):
    """A machine has ended without a word; the others are whole."""


def count() -> int:
    """How many machines a job has."""
    return int(os.environ.get(NODES_VARIABLE, "1"))


def launch(data: DataDir, job_id: int, processes: int) -> LaunchProblem | None:
    """Run all ranks of a job on all its machines to their end; None when all went well, else what went wrong first.

    Args:
        data: The job's folder, which all machines see.
        job_id: The job.
        processes: Ranks of all machines together.

    Raises:
        LostNodeError: A machine is gone, and nothing else went wrong.
        UserError: srun started nothing.
    """
    folder, nodes = data.job(job_id) / WORDS, count()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    meeting_place, children = _meeting_place(), []
    try:
        for node in range(nodes):
            command = _command(data, job_id, node, meeting_place.port, processes // nodes)
            children.append(subprocess.Popen(command, env=environment.as_found(), stdin=subprocess.DEVNULL))
        _wait(children, folder, processes)
    finally:
        _end(children)
    code = max((child.returncode for child in children), key=abs)
    return _outcome([_word(folder / f"{node}.json") for node in range(nodes)], code)


def _wait(children: Sequence[subprocess.Popen[bytes]], folder: Path, processes: int) -> None:
    """Wait until srun has ended on all machines, or on one that the others may wait for in vain."""
    leave_at = float("inf")
    while None in (codes := [child.poll() for child in children]):
        for node, code in enumerate(codes):
            if code is not None and _word(folder / f"{node}.json") is None:
                (folder / f"{node}{GONE}").touch()
        all_run = all(code is None for code in codes)
        if all_run or len(list(folder.glob(f"*{ALONE}"))) == processes:  # each goes on to the end of its part
            leave_at = float("inf")
        else:
            leave_at = min(leave_at, time.monotonic() + LEAVE_S)
        if time.monotonic() > leave_at:
            return
        time.sleep(LOOK_S)


def go_alone(data: DataDir, job_id: int) -> None:
    """Say that this rank needs no other from here on: one that is lost is not to end it."""
    if count() > 1:
        _own_file(data, job_id, ALONE).touch()


def wait_for_those_left(data: DataDir, job_id: int, look: Callable[[], object]) -> None:
    """Having done its part, let a rank wait until all ranks of all machines that are left have done theirs.

    Args:
        data: The job's folder, which all machines see.
        job_id: The job.
        look: Called now and then; what it raises ends the waiting.

    Raises:
        UserError: A machine is gone; the others have done their part.
    """
    _own_file(data, job_id, DONE).touch()
    folder, each = data.job(job_id) / WORDS, int(os.environ["LOCAL_WORLD_SIZE"])
    while True:
        done = [len(list(folder.glob(f"{node}-*{DONE}"))) == each for node in range(count())]
        is_gone = [
            (folder / f"{node}{GONE}").exists() or _word(folder / f"{node}.json") is not None
            for node in range(count())
        ]
        if all(done):
            return
        if all(is_done or gone for is_done, gone in zip(done, is_gone, strict=True)):
            raise UserError(f"{torch_launcher.MACHINE_IS_GONE}; what the others have written is kept.")
        look()
        time.sleep(LOOK_AT_FILES_S)


def _own_file(data: DataDir, job_id: int, ending: str) -> Path:
    """The file of this rank with an ending."""
    name = f"{os.environ[NODE_VARIABLE]}-{os.environ['LOCAL_RANK']}{ending}"
    return data.job(job_id) / WORDS / name


def _outcome(words: list[LaunchProblem | bool | None], code: int) -> LaunchProblem | None:
    """What the machines' words come to; raises as `launch`."""
    nodes, silent = len(words), [node for node, word in enumerate(words) if word is None]
    if len(silent) == nodes:
        raise UserError(
            f"srun ended with code {code} before any machine had begun: read the job's log, then resume the job."
        )
    problems = sorted(
        (word for word in words if isinstance(word, LaunchProblem)), key=lambda problem: problem.place
    )
    # A launcher's own trouble follows too: the machine that is gone may be the one on which all met.
    if silent and (not problems or problems[0].is_echo or problems[0].rank < 0):
        which = " and ".join(str(node + 1) for node in silent)
        raise LostNodeError(
            f"Machine {which} of {nodes} ended without a word: it was lost, or its memory was full; resume the job."
        )
    return problems[0] if problems else None


def say(folder: Path, node: int, problem: LaunchProblem | None) -> None:
    """Leave what a machine's launcher has to say, for the process that holds the job."""
    durable.write_synced(folder / f"{node}.json", json.dumps(asdict(problem) if problem else {}))


def _word(file: Path) -> LaunchProblem | bool | None:
    """What a machine said: a problem, True for none; None where it said nothing."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return LaunchProblem(**values) if values else True


def _command(data: DataDir, job_id: int, node: int, port: int, each: int) -> list[str]:
    srun = [
        "srun", f"--relative={node}", "--nodes=1", "--ntasks=1", "--ntasks-per-node=1", "--mpi=none",
        "--cpu-bind=none",  # one task is all of a machine's ranks
    ]  # fmt: skip
    # Srun does not take it over. Source: srun(1), --cpus-per-task.
    if cores := os.environ.get("SLURM_CPUS_PER_TASK"):
        srun.append(f"--cpus-per-task={cores}")
    own = ["--data-dir", str(data.root), "--node", str(node), "--port", str(port), "--processes", str(each)]
    return [*srun, sys.executable, "-P", "-m", "radtui.worker.process.node", *own, str(job_id)]


def _meeting_place() -> Any:
    """Where the machines meet: a store of torch's in this process, so that it outlives any of their launchers."""
    from torch.distributed import TCPStore

    # Of this machine, on every address.
    return TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)


def _end(children: Sequence[subprocess.Popen[bytes]]) -> None:
    left = [child for child in children if child.poll() is None]
    for child in left:
        child.terminate()  # srun ends its tasks, and with them go their ranks
    for child in left:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(END_S)
        child.kill()
        child.wait()
