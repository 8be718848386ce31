"""A job on several machines of a cluster: Slurm's srun starts torch's launcher on each, and these meet by themselves.

The process that Slurm's script began holds the job: it says how the job began and ended, and runs srun once for each
launch. What a machine's launcher has to say of its ranks it leaves in a file, since srun tells no more than a code.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from radtui import durable
from radtui.paths import DataDir
from radtui.records import UserError
from radtui.worker.process import environment
from radtui.worker.process.torch_launcher import LaunchProblem

log = logging.getLogger("radtui.worker")
NODES_VARIABLE = "RADTUI_NODES"  # of the batch script; an allocation of several may be the user's own affair
WORDS = "nodes"  # folder of a job's folder: what each machine's launcher says at its end
LEAVE_S = (
    60  # after the first machine has ended, until Slurm ends the others too: they may wait for it in vain
)
END_S = 30.0  # for srun to end what it has started


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
    child = subprocess.Popen(
        _command(data, job_id, nodes, processes // nodes),
        env=environment.as_found(),
        stdin=subprocess.DEVNULL,
    )
    try:
        code = child.wait()
    finally:
        _end(child)
    return _outcome([_word(folder / f"{node}.json") for node in range(nodes)], code)


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


def _command(data: DataDir, job_id: int, nodes: int, each: int) -> list[str]:
    srun = [
        "srun", f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1", "--mpi=none",
        "--cpu-bind=none",  # one task is all of a machine's ranks
        f"--wait={LEAVE_S}",
    ]  # fmt: skip
    if cores := os.environ.get(
        "SLURM_CPUS_PER_TASK"
    ):  # srun does not take it over. Source: srun(1), --cpus-per-task
        srun.append(f"--cpus-per-task={cores}")
    own = ["--data-dir", str(data.root), "--port", str(_free_port()), "--processes", str(each), str(job_id)]
    return [*srun, sys.executable, "-P", "-m", "radtui.worker.process.node", *own]


def _free_port() -> int:
    """A port of this machine, on which the machines meet: Slurm begins its tasks with this one."""
    with socket.socket() as listening:
        listening.bind(("", 0))
        return int(listening.getsockname()[1])


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    child.terminate()  # srun ends its tasks, and with them go their ranks
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(END_S)
    child.kill()
    child.wait()
