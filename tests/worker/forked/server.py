"""A process with torch, transformers, PEFT and TRL loaded, from which workers are forked: python -P server.py SOCKET.

A worker's imports take 7.6 s of CPU, and there are dozens of workers. Nothing of radtui's is loaded here, so that a
worker runs the same modules from the same lines as one that was started anew. What libraries read from the
environment while they are imported cannot be changed afterwards: see `FIXED`. Processes that a worker starts are
forked too: a follower from here, a rank as a child of the worker that launches it.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from functools import partialmethod
from pathlib import Path
from typing import Any, NoReturn

SET_NAME, BECOME_PARENT_OF_ORPHANS = 15, 36  # Source: Linux, prctl(2)
NURSERY = b"nursery"  # by this name those who look at a worker's children pass it over
STAND_IN = str(Path(__file__).absolute().with_name("python"))  # what a worker starts others by
FIXED = ("HF_", "TRANSFORMERS_", "HUGGINGFACE_", "OMP_", "MKL_", "TORCH", "CUDA", "PYTORCH", "ACCELERATE_")
"""Beginnings of the variables that libraries read while they are imported."""
READ_LATER = ("TORCHINDUCTOR_CACHE_DIR",)  # set by each worker for those that follow it
OF_GPUS = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")  # read by nobody where PyTorch was built without CUDA


def has_in_common(
    environment: dict[str, str], own: dict[str, str], quiet: dict[str, str], later: tuple[str, ...]
) -> bool:
    """Whether what is fixed in an environment is so in this process, before or after a worker's own `quiet`."""
    names = {name for name in {*environment, *own} if name.startswith(FIXED)}.difference(later)
    return all(
        environment.get(name) == own.get(name) or (name in quiet and environment.get(name) == quiet[name])
        for name in names
    )


def main(path: str) -> None:
    """Load what is heavy, then fork a worker for each connection until the parent is gone."""
    started_with = dict(os.environ)
    quiet: dict[str, str] = json.loads(os.environ["FORKED_QUIET"])
    os.environ.update(quiet)  # as the worker's own environment sets before imports
    gc.disable()  # nothing is let go of meanwhile: a sixth of the time
    import torch
    import transformers  # noqa: F401
    from peft import LoraConfig  # noqa: F401
    from torch.distributed.elastic.multiprocessing.subprocess_handler import subprocess_handler  # noqa: F401
    from trl import SFTConfig, SFTTrainer  # noqa: F401

    # What is loaded stays: a worker's collections neither walk through it nor copy its pages, a third of its CPU time.
    gc.collect()
    gc.freeze()
    gc.enable()
    later = READ_LATER if torch.version.cuda else READ_LATER + OF_GPUS
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(16)
    while True:
        connection, _ = listener.accept()
        try:
            request, handles = receive(connection)
        except (ValueError, OSError):  # killed while it asked; what came of its handles goes with the message
            connection.close()
            continue
        if not has_in_common(request["environment"], started_with, quiet, later):
            connection.sendall(b"no\n")
            connection.close()
            close(handles)
            continue
        child = os.fork()
        if child == 0:
            listener.close()
            connection.close()
            become_worker(request, handles)
        close(handles)
        threading.Thread(target=watch, args=(connection, child), daemon=True).start()


def receive(connection: socket.socket) -> tuple[dict[str, object], list[int]]:
    """What is to be run, and the handles that come with it: output, errors, then those to pass on as they are."""
    numbers = array.array("i")
    size = int.from_bytes(connection.recv(8, socket.MSG_WAITALL), "big")
    data, ancillary, _, _ = connection.recvmsg(size, socket.CMSG_LEN(16 * numbers.itemsize))
    for _, kind, content in ancillary:
        if kind == socket.SCM_RIGHTS:
            numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            close(list(numbers))
            raise ValueError("the request was cut short")
        data += part
    return json.loads(data), list(numbers)


def close(handles: list[int]) -> None:
    """Let go of handles that a child has now."""
    for handle in handles:
        os.close(handle)


def become_worker(request: dict[str, Any], handles: list[int]) -> NoReturn:
    """In the child: what was asked for, with a nursery for its ranks."""
    nursery, own_end = socket.socketpair()
    worker = os.getpid()
    if os.fork() == 0:
        nursery.close()
        close(handles)
        raise_ranks(own_end, worker)
    own_end.close()
    of_process(BECOME_PARENT_OF_ORPHANS, 1)
    from torch.distributed.elastic.multiprocessing.subprocess_handler import subprocess_handler

    subprocess_handler.SubprocessHandler._popen = partialmethod(start_rank, nursery=nursery)
    begin(request, handles)


def begin(request: dict[str, Any], handles: list[int]) -> NoReturn:
    """Environment, folder and handles of the one who asked, then `python -m MODULE` as a new process does it."""
    code = 1
    try:
        os.setsid()
        os.setpriority(os.PRIO_PROCESS, 0, request["niceness"])
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for wanted, handle in zip((0, 1, 2, *request["passed"]), handles, strict=True):
            os.dup2(handle, wanted, inheritable=True)
        close([handle for handle in handles if handle not in (0, 1, 2, *request["passed"])])
        # New streams, as a new process has them: what the old ones stood on may have been no pipe or no file.
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        os.chdir(request["folder"])
        sys.executable = STAND_IN
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.argv = [request["module"], *request["arguments"]]
        searched = [
            entry for entry in request["environment"].get("PYTHONPATH", "").split(os.pathsep) if entry
        ]
        sys.path[:0] = searched
        for entry in searched:
            hook = Path(entry) / "sitecustomize.py"
            if hook.exists():
                runpy.run_path(str(hook))
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def raise_ranks(connection: socket.socket, worker: int) -> NoReturn:
    """A worker's ranks are its children, and begin as it began itself, without what it has opened since.

    So they are forked from a process that was forked with it, and their parent there ends at once: they come to the
    worker then, who takes orphans in.
    """
    of_process(SET_NAME, NURSERY)
    with contextlib.suppress(ValueError, OSError):
        while True:
            request, handles = receive(connection)
            between = os.fork()
            if between == 0:
                rank = os.fork()
                if rank == 0:
                    connection.close()
                    of_process(SET_NAME, b"rank")
                    while os.getppid() != worker:
                        time.sleep(0.001)
                    begin(request, handles)
                connection.sendall(rank.to_bytes(8, "big"))
                os._exit(0)
            os.waitpid(between, 0)
            close(handles)
    os._exit(0)


def start_rank(
    handler: object, command: tuple[str, ...], environment: dict[str, str], nursery: socket.socket
) -> subprocess.Popen[bytes]:
    """What torch's launcher does in place of `Popen`."""
    place = command.index("-m")
    request = {
        "module": command[place + 1], "arguments": command[place + 2 :], "environment": environment,
        "folder": str(Path.cwd()), "passed": [], "niceness": os.getpriority(os.PRIO_PROCESS, 0),
    }  # fmt: skip
    message = json.dumps(request).encode()
    nursery.sendall(len(message).to_bytes(8, "big"))
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
    sent = nursery.sendmsg([message], [rights])
    nursery.sendall(message[sent:])
    return Forked(int.from_bytes(nursery.recv(8, socket.MSG_WAITALL), "big"), command)


class Forked(subprocess.Popen[bytes]):
    """A child that was forked, as `Popen` knows one that it started."""

    def __init__(self, pid: int, command: tuple[str, ...]) -> None:
        self.args, self.pid, self.returncode, self._child_created = command, pid, None, True
        self.stdin = self.stdout = self.stderr = None
        self._waitpid_lock = threading.Lock()


def of_process(option: int, value: int | bytes) -> None:
    """Linux's prctl(2) of this process."""
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def watch(connection: socket.socket, child: int) -> None:
    """Tell the client how its worker ended; a client that is gone takes its worker along, as one process would."""
    try:
        connection.sendall(f"{child}\n".encode())
    except OSError:  # it was killed meanwhile
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        connection.close()
        return
    gone = threading.Event()

    def listen() -> None:
        try:
            while message := connection.recv(1):
                os.kill(child, message[0])
            if not gone.is_set():
                os.kill(child, signal.SIGKILL)
        except OSError:
            return

    threading.Thread(target=listen, daemon=True).start()
    _, status = os.waitpid(child, 0)
    gone.set()
    with contextlib.suppress(OSError):
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
