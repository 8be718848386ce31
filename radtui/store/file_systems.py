"""Which file system a folder lies on and where that is mounted, and on which kinds SQLite's log is not safe."""

from __future__ import annotations

import os
import re
from pathlib import Path

NETWORK = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "9p", "afs", "ceph",
    "fuse.ceph", "glusterfs", "fuse.glusterfs", "lustre", "gpfs", "beegfs", "ncpfs", "davfs", "fuse.davfs2",
})  # fmt: skip
"""File systems of other machines: SQLite's write-ahead log needs memory that all readers share.

Source: https://www.sqlite.org/wal.html, "all processes using a database must be on the same host computer".
"""

MOUNTS = Path("/proc/self/mounts")
"""The system's list: a line per mount, its place and kind second and third."""

OCTAL = re.compile(rb"\\([0-7]{3})")  # how a space is written there; all else are the bytes of the name


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """The kind of file system that a path lies on, such as ext4; "" where the system does not tell.

    Args:
        path: Any path, there or not.
        mounts: The system's list.
    """
    return _mounted(path, mounts)[1]


def mount_point(path: Path, mounts: Path = MOUNTS) -> Path:
    """Where the file system is mounted that a path lies on, or would lie on; see `file_system`."""
    place, _ = _mounted(path, mounts)
    if place:
        return Path(os.fsdecode(place))
    above = path.resolve()
    while not os.path.ismount(above):  # where the system has no list; the root is one
        above = above.parent
    return above


def _mounted(path: Path, mounts: Path) -> tuple[bytes, str]:
    """The last mount of those nearest above a path, and its kind."""
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return b"", ""
    mounted_at, kind = b"", ""
    resolved = os.fsencode(path.resolve()) + b"/"
    for line in lines:
        fields = line.split(b" ")
        if len(fields) < 3:
            continue
        place = OCTAL.sub(lambda octal: bytes([int(octal[1], 8)]), fields[1])
        if len(place) >= len(mounted_at) and resolved.startswith(place.rstrip(b"/") + b"/"):
            mounted_at, kind = place, os.fsdecode(fields[2])
    return mounted_at, kind
