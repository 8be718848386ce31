"""`python -m radtui.worker.process.node`: what srun starts on each machine of a job, torch's launcher of its ranks."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

from radtui.paths import DataDir
from radtui.records import UserError
from radtui.worker.process import environment, nodes, torch_launcher
from radtui.worker.process.reporter import Stopped
from radtui.worker.process.torch_launcher import LaunchProblem, Machine
from radtui.worker.process.workplace import SCRATCH_VARIABLE

log = logging.getLogger("radtui.worker")


def main() -> int:
    """Run this machine's ranks; how that went is said in the job's folder.

    Returns:
        0: what went wrong is told by the file, and Slurm is not to end the others for it.
    """
    parser = argparse.ArgumentParser(description="Run the ranks of one machine of a job.")
    parser.add_argument("--data-dir", required=True, type=Path)
    parser.add_argument("--node", required=True, type=int)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--processes", required=True, type=int)
    parser.add_argument("job_id", type=int)
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(message)s")
    data, node = DataDir(options.data_dir), options.node
    os.environ[nodes.NODE_VARIABLE] = str(node)
    environment.prepare(data, options.processes)
    try:
        problem = _launched(data, options.job_id, node, options.port, options.processes)
    except Stopped:
        problem = LaunchProblem(-1, 0, "Stopped: ", int(time.time()))
    except Exception as error:  # whatever it is, the process that holds the job is to say it
        log.exception("machine %d", node + 1)
        words = str(error) if isinstance(error, UserError) else _in_words(node, error)
        problem = LaunchProblem(-1, 1, f"UserError: {words}", int(time.time()))
    nodes.say(data.job(options.job_id) / nodes.WORDS, node, problem)
    return 0


def _launched(data: DataDir, job_id: int, node: int, port: int, processes: int) -> LaunchProblem | None:
    torch_launcher.check_gpus(processes)
    # Of the machine that srun runs on, and so the job's process.
    host = os.environ["SLURM_LAUNCH_NODE_IPADDR"]
    own = _address_towards(host, port)
    if interface := _interface(own):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", interface)
    scratch = os.environ.get(SCRATCH_VARIABLE) or None
    if scratch:
        Path(scratch).mkdir(parents=True, exist_ok=True)  # the script has made the first machine's alone
    files = Path(tempfile.mkdtemp(prefix="radtui-ranks-", dir=scratch))
    machine = Machine(processes, files, nodes.count(), f"{host}:{port}", own, is_host=False)
    return torch_launcher.launch(data, job_id, machine)


def _in_words(node: int, error: Exception) -> str:
    reason = " ".join(str(error).split())[:200].rstrip(".")
    return (
        f"Machine {node + 1} could not run its processes ({type(error).__name__}: {reason}); read the job's log, then"
        " resume the job."
    )


def _address_towards(host: str, port: int) -> str:
    """The address by which this machine is reached from another one; nothing is sent."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((host, port))
        return str(way.getsockname()[0])


def _interface(address: str) -> str:
    """The network interface that has an address; "" where none has."""
    import psutil

    for name, addresses in psutil.net_if_addrs().items():
        if any(each.address.partition("%")[0] == address for each in addresses):
            return str(name)
    return ""


if __name__ == "__main__":
    sys.exit(main())
