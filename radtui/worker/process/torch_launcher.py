"""torch's own launcher, the one `torchrun` runs, on one machine of a job: its ranks, and what went wrong with them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radtui.paths import DataDir
from radtui.records import UserError
from radtui.worker.process.reporter import Stopped

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

HERE = "127.0.0.1"  # one machine's ranks meet here; its name need not be known to anybody
LOOK_S = 0.2  # between looks at the ranks
# In which all machines must have come: one may have to read its libraries from a cold file system.
ARRIVE_S = 900
MACHINE_IS_GONE = "Another machine is gone"
ECHO = re.compile(
    f"gloo|nccl|connection (closed|reset|refused)|broken pipe|Dist(Backend|Network|Store)|{MACHINE_IS_GONE}"
    f"|^Signal {signal.SIGTERM:d} ",  # so the launcher ends the ranks that are left
    re.IGNORECASE,
)
"""What is said of a rank that ended because another one was gone."""


@dataclass(frozen=True, slots=True)
class LaunchProblem:
    """What went wrong with a rank."""

    rank: int  # of all ranks of the job
    exitcode: int  # negative for a signal
    message: str  # class and words of what it raised; the launcher's own words where it was killed
    at: int  # Unix seconds

    @property
    def is_echo(self) -> bool:
        """Whether it ended because another one was gone."""
        return bool(ECHO.search(self.message))

    @property
    def place(self) -> tuple[bool, int]:
        """Sorts what went wrong: causes before what only followed, then by time."""
        # The exit code tells them apart no better: one that has raised may be ended by a signal on its way out.
        return self.is_echo, self.at

    @classmethod
    def of(cls, rank: int, failure: ProcessFailure) -> LaunchProblem:
        """As torch's launcher tells of it."""
        message: Any = failure.message  # a str by its annotation, a dict where the rank has written its file
        words = message["message"] if isinstance(message, dict) else message
        return cls(rank, failure.exitcode, str(words), failure.timestamp)


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine's part in a job: how many ranks it has, and where all ranks meet."""

    processes: int
    files: Path  # the launcher's own, of what raised; removed at its end
    nodes: int = 1
    endpoint: str = f"{HERE}:0"
    address: str = HERE  # by which the others reach this one
    is_host: bool = True  # whether the endpoint is on this one


def check_gpus(count: int) -> None:
    """Raise UserError when there are fewer GPUs here than a job asks for."""
    import torch

    # Without a GPU the ranks compute on the CPU, as many as were asked for.
    there = torch.cuda.device_count() if torch.cuda.is_available() else count
    if count > there:
        raise UserError(
            f"The job asks for {count} GPUs and there {'is' if there == 1 else 'are'} {there}: lower gpus."
        )


def launch(data: DataDir, job_id: int, machine: Machine) -> LaunchProblem | None:
    """Run a machine's ranks to their end; None when all went well, else what went wrong first.

    Raises:
        Stopped: This process was told to end; its ranks have ended.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=machine.nodes, max_nodes=machine.nodes, nproc_per_node=machine.processes, run_id=f"job-{job_id}",
        role="rank", rdzv_backend="c10d", rdzv_endpoint=machine.endpoint, local_addr=machine.address,
        rdzv_configs={"is_host": machine.is_host, "timeout": ARRIVE_S, "read_timeout": ARRIVE_S},
        max_restarts=0, monitor_interval=LOOK_S, logs_specs=DefaultLogsSpecs(log_dir=str(machine.files)),
    )  # fmt: skip
    whose = ["--data-dir", str(data.root), "--launcher", str(os.getpid()), str(job_id)]
    try:
        elastic_launch(config, sys.executable)("-P", "-m", "radtui.worker", *whose)
    except ChildFailedError as error:
        problems = [LaunchProblem.of(rank, failure) for rank, failure in error.failures.items()]
        return min(problems, key=lambda problem: problem.place)
    except SignalException as signalled:
        raise Stopped from signalled
    finally:
        shutil.rmtree(machine.files, ignore_errors=True)
    return None
