"""Which versions of packages belong together, for commands that sentences advise."""

from __future__ import annotations

import re


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
