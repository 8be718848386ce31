"""A process with torch, transformers, PEFT and TRL loaded, from which workers are forked: python -P server.py SOCKET.

A worker's imports take 7.6 s of CPU, and there are dozens of workers. Nothing of radtui's is loaded here, so that a
worker runs the same modules from the same lines as one that was started anew. What libraries read from the
environment while they are imported cannot be changed afterwards: see `FIXED`.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import runpy
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

FIXED = ("HF_", "TRANSFORMERS_", "HUGGINGFACE_", "OMP_", "MKL_", "TORCH", "CUDA", "PYTORCH", "ACCELERATE_")
"""Beginnings of the variables that libraries read while they are imported."""


def fixed(environment: dict[str, str]) -> dict[str, str]:
    """The variables that a forked worker must have in common with this process."""
    return {name: value for name, value in environment.items() if name.startswith(FIXED)}


def main(path: str) -> None:
    """Load what is heavy, then fork a worker for each connection until the parent is gone."""
    started_with = fixed(dict(os.environ))
    os.environ.update(
        json.loads(os.environ["FORKED_QUIET"])
    )  # as the worker's own environment sets before imports
    import torch  # noqa: F401
    import transformers  # noqa: F401
    from peft import LoraConfig  # noqa: F401
    from trl import SFTConfig, SFTTrainer  # noqa: F401

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
        if fixed(request["environment"]) != started_with:
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


def become_worker(request: dict[str, Any], handles: list[int]) -> None:
    """In the child: environment, folder and handles of the one who asked, then `python -m radtui.worker`."""
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
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        sys.argv = ["radtui.worker", *request["arguments"]]
        searched = [
            entry for entry in request["environment"].get("PYTHONPATH", "").split(os.pathsep) if entry
        ]
        sys.path[:0] = searched
        for entry in searched:
            hook = Path(entry) / "sitecustomize.py"
            if hook.exists():
                runpy.run_path(str(hook))
        runpy.run_module("radtui.worker", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


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
