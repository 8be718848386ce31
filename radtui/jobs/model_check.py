"""Asking what a model is and needs before it costs anything, in a process that may import torch."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from radtui.paths import DataDir
from radtui.records import UserError

CHECK_S = 180.0  # a cold disk, or a hub that answers slowly


def check_model(
    data: DataDir, name: str, dataset: str = "", trust_remote_code: bool = False
) -> dict[str, Any]:  # fmt: skip
    """What configuration and processor say of a model; its weights are not read.

    Args:
        data: The data folder.
        name: Hub id or folder.
        dataset: Whose images to count tokens of; empty takes the newest, or three usual sizes without one.
        trust_remote_code: Whether Python code that comes with the model may run.

    Returns:
        Plain values, in the order in which people read them.

    Raises:
        UserError: There is no such model, or it cannot be loaded here; says what would help.
    """
    command = [sys.executable, "-P", "-m", "radtui.worker.model.check", "--data-dir", str(data.root), name]
    command += ["--dataset", dataset] if dataset else []
    command += ["--trust-remote-code"] if trust_remote_code else []
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"The check of {name} did not come to an end: {error}.") from error
    lines = [line for line in ended.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise UserError(f"The check of {name} ended with code {ended.returncode} and no answer.")
    answer: dict[str, Any] = json.loads(lines[-1])
    if "error" in answer:
        raise UserError(answer["error"])
    checked: dict[str, Any] = answer["check"]
    return checked
