"""One question to a process of its own, which may import torch: asked from a thread, answered in JSON, cancelled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from radtui.jobs.launch import WORKER_NICENESS
from radtui.paths import DataDir
from radtui.records import UserError


class AskedProcess:
    """A module at work on one answer: no job, it leaves no row; whoever asked cancels it when nobody waits any more.

    The last line of its output that is an object is the answer; one with "error" holds a sentence instead.

    Args:
        what: What is asked for, as sentences name it: "the estimate".
        module: Run as `python -m MODULE --data-dir DIR`; it gives way to the app as workers do.
        data: The data folder.
        arguments: Further words of the command.
        request: What it reads from its input, as JSON; nothing where that is None.

    Raises:
        UserError: No process could be started.
    """

    def __init__(
        self, what: str, module: str, data: DataDir, arguments: Sequence[str] = (), request: object = None
    ) -> None:
        self._what = what
        self._input = None if request is None else json.dumps(request)
        command = [sys.executable, "-P", "-m", module, "--data-dir", str(data.root), *arguments]
        asks = subprocess.DEVNULL if self._input is None else subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                command, stdin=asks, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        except OSError as error:
            raise UserError(f"Cannot start {what}: {error.strerror}.") from error
        os.setpriority(os.PRIO_PROCESS, self._process.pid, WORKER_NICENESS)

    def answer(self, otherwise: str, limit_s: float | None = None) -> dict[str, Any]:
        """Wait for the answer; from a thread, in the app.

        Args:
            otherwise: What to do where none comes, as the end of a sentence.
            limit_s: How long is waited; for ever when left out.

        Raises:
            UserError: What was asked for cannot be had, with the process's own sentence; or it was cancelled.
        """
        what = f"{self._what[:1].upper()}{self._what[1:]}"
        try:
            output, _ = self._process.communicate(self._input, timeout=limit_s)
        except subprocess.TimeoutExpired:
            self.cancel()
            raise UserError(f"{what} did not end within {limit_s:.0f} s; {otherwise}.") from None
        lines = [line for line in output.splitlines() if line.startswith("{")]
        try:
            answer: dict[str, Any] = json.loads(lines[-1])
        except (IndexError, ValueError):
            code = self._process.returncode
            raise UserError(f"{what} ended with code {code} and no answer; {otherwise}.") from None
        if "error" in answer:
            raise UserError(answer["error"])
        return answer

    def cancel(self) -> None:
        """End it; `answer` then raises."""
        if self._process.poll() is None:
            self._process.kill()
