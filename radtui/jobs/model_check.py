"""Asking what a model is and needs before it costs anything, in a process that may import torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radtui.jobs.asked_process import AskedProcess
from radtui.paths import DataDir, asset

CHECK_S = 180.0  # a cold disk, or a hub that answers slowly


class ModelCheck:
    """A check that is being made; whoever asked cancels it when nobody waits any more.

    Args:
        data: The data folder.
        name: Hub id or folder.
        dataset: Whose images to count tokens of; empty takes the newest, or three usual sizes without one.
        trust_remote_code: Whether Python code that comes with the model may run.

    Raises:
        UserError: No process could be started.
    """

    def __init__(self, data: DataDir, name: str, dataset: str = "", trust_remote_code: bool = False) -> None:
        folder = asset(name)  # as jobs call the demo's model
        arguments = [str(folder) if folder.is_dir() else name, *(["--dataset", dataset] if dataset else [])]
        arguments += ["--trust-remote-code"] if trust_remote_code else []
        self._asked = AskedProcess(
            f"the check of {name}", "radtui.worker.memory.model_check", data, arguments
        )

    def result(self) -> dict[str, Any]:
        """Wait for the answer; from a thread, in the app.

        Raises:
            UserError: There is no such model, or it cannot be loaded here; says what would help.
        """
        checked: dict[str, Any] = self._asked.answer("try it again", CHECK_S)["check"]
        return checked

    def cancel(self) -> None:
        """End it; `result` then raises."""
        self._asked.cancel()


def check_model(
    data: DataDir, name: str, dataset: str = "", trust_remote_code: bool = False
) -> dict[str, Any]:
    """What configuration and processor say of a model; its weights are not read.

    Args:
        data: The data folder.
        name: Hub id or folder.
        dataset: As `ModelCheck`.
        trust_remote_code: As `ModelCheck`.

    Returns:
        Plain values, in the order in which people read them.

    Raises:
        UserError: As `ModelCheck`.
    """
    asked = ModelCheck(data, name, dataset, trust_remote_code)
    try:
        return asked.result()
    finally:
        asked.cancel()


def check_lines(checked: Mapping[str, Any]) -> list[str]:
    """A check's answers as a few short lines for a form: what it is, what it takes, how it is asked, what is tuned."""
    several = (
        "one image a case" if str(checked["several_images"]).startswith("no") else "several images a case"
    )
    four, sixteen = checked["weights_4_bit_gib"], checked["weights_16_bit_gib"]
    tuned = ", ".join(f"{part} {count}" for part, count in checked["lora"].items())
    return [
        f"{checked['family']}; {checked['packages']}; licence {checked['licence']}.",
        f"{count_text(checked['parameters'])} parameters: weights {four} GiB in 4 bits, {sixteen} in 16.",
        f"Tokens of an image: {checked['image_tokens']}; {several}.",
        f"Order {checked['order']}; an answer ends with {checked['ends_with']}; reasoning: {checked['thinking']}.",
        f"LoRA goes on: {tuned}.",
        *checked["notes"],
    ]


def count_text(number: int) -> str:
    """How many parameters: "4.3 thousand million", "256 million", "250,240"."""
    if number >= 1e9:
        return f"{number / 1e9:.1f} thousand million"
    return f"{number / 1e6:.0f} million" if number >= 1e7 else f"{number:,}"
