"""Which kind of file system a folder lies on, and on which SQLite's log is not safe."""

from __future__ import annotations

from pathlib import Path

NETWORK = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "9p", "afs", "ceph",
    "fuse.ceph", "glusterfs", "fuse.glusterfs", "lustre", "gpfs", "beegfs", "ncpfs", "davfs", "fuse.davfs2",
})  # fmt: skip
"""File systems of other machines: SQLite's write-ahead log needs memory that all readers share.

Source: https://www.sqlite.org/wal.html, "all processes using a database must be on the same host computer".
"""


def file_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The kind of file system that a path lies on, such as ext4; "" where the system does not tell.

    Args:
        path: Any path, there or not.
        mounts: The system's list: a line per mount, its place and kind second and third.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    mounted_at, kind, resolved = "", "", path.resolve()
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        place = fields[1].encode().decode("unicode_escape")  # a space is \040 there
        if resolved.is_relative_to(place) and len(place) >= len(mounted_at):
            mounted_at, kind = place, fields[2]
    return kind
