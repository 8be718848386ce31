"""What doctor says of the data folder: who can read it, and whether its file system is safe for it."""

from __future__ import annotations

import stat
from pathlib import Path

from radtui.store.file_systems import NETWORK, file_system

__all__ = ["NETWORK", "file_system", "readers"]


def readers(root: Path) -> tuple[str, bool]:
    """Who can read the data folder, as a sentence; and whether that is more than its owner and a group."""
    status = root.stat()
    if status.st_mode & (stat.S_IROTH | stat.S_IXOTH):
        return "everybody on this machine can read it: radtui data private, or radtui data shared GROUP", True
    if status.st_mode & stat.S_IRGRP:
        return f"its owner and the group {_group(status.st_gid)} can read it", False
    return "only its owner can read it", False


def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
