"""Where a picture of the screen goes: the first folder that takes it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from radtui.records import UserError


def folders(data: Path) -> list[Path]:
    """Where to try, in this order: the current folder, the data folder, home; none that everybody may read."""
    return [Path.cwd(), data, Path.home()]


def keep(svg: str, tried: Iterable[Path], clock: time.struct_time | None = None) -> Path:
    """Write a picture into the first folder that can be written, under a name that nothing has.

    Args:
        svg: The picture.
        tried: Folders, the best first; those that are not there are passed over.
        clock: When it was taken; now when left out.

    Raises:
        UserError: none of the folders takes it.
    """
    stem = time.strftime("radtui-%Y-%m-%d-%H%M%S", clock or time.localtime())
    for folder in tried:
        for name in (f"{stem}.svg", *(f"{stem}-{n}.svg" for n in range(2, 100))):
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                with os.fdopen(os.open(folder / name, flags, 0o600), "w", encoding="utf-8") as file:
                    file.write(svg)
            except FileExistsError:
                continue
            except OSError:
                break
            return folder / name
    raise UserError(
        "No folder takes the picture: neither the current one, the data folder nor the home folder."
    )
