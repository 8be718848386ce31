"""Which packages a job needs, and which versions belong together, for commands that sentences advise."""

from __future__ import annotations

import importlib.util
import re

from radtui.setting_fields import FieldError
from radtui.settings import TrainSettings

REPORTERS = {"tensorboard": ("tensorboard", "tensorboardX"), "wandb": ("wandb",)}
"""Value of `report_to` -> the packages of which one takes the curves."""


def torchvision_command(torch_version: str) -> str:
    """What installs the torchvision that belongs to a torch. Source: torchvision's table of compatible versions.

    Args:
        torch_version: As torch says it: "2.13.0", "2.13.0+cpu".
    """
    numbers, _, build = torch_version.partition("+")
    parts = [int(part) for part in re.findall(r"\d+", numbers)]
    wanted = (
        f"torchvision==0.{parts[1] + 15}.{parts[2]}" if len(parts) >= 3 and parts[0] == 2 else "torchvision"
    )
    # A wheel built for another build of torch raises at import.
    index = f" --index-url https://download.pytorch.org/whl/{build}" if build else ""
    return f"pip install {wanted}{index}"


def check_report_to(settings: TrainSettings) -> None:
    """Raise FieldError where the package is lacking that a job is to send its curves to; before it is a row."""
    wanted = REPORTERS.get(settings.report_to, ())
    if settings.on == "here" and wanted and not any(map(importlib.util.find_spec, wanted)):
        raise FieldError(
            f"report_to {settings.report_to} needs a package that is not here: pip install {wanted[0]}, or set it"
            " to none.",
            "report_to",
        )
