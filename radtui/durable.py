"""What outlasts a power cut: files and folders on the disk, and folders that can be seen to be whole."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path, files: bool = False) -> None:
    """Make all names in and below a folder outlast a power cut, and with `files` what they hold."""
    for place, _, names in os.walk(folder):
        for name in names if files else ():
            with (Path(place) / name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(place))


def write_synced(path: Path, text: str) -> None:
    """Write a small file so that its name stands for all of it or for what was there before."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def seal(folder: Path, marker: str) -> None:
    """Bring a folder's files to the disk, then write down their sizes and digests: from then on it is whole.

    The marker comes last: a power cut at any moment leaves a folder that agrees with it, or none.
    """
    files = synced_facts(folder, but=marker)  # the files' names, before the marker vouches for them
    write_synced(folder / marker, json.dumps({"files": files}, indent=1))
    sync_folder(folder.parent)


def synced_facts(folder: Path, but: str = "") -> dict[str, dict[str, object]]:
    """Bring a folder's files to the disk; returns the size and digest of each, but for one."""
    files = {path.name: _synced_facts(path) for path in sorted(folder.iterdir()) if path.name != but}
    sync_folder(folder)
    return files


def broken_seal(folder: Path, marker: str) -> str:
    """The first file of a sealed folder that is not as it was written; "" when all are.

    Raises:
        OSError: There is no marker, or it cannot be read.
        ValueError: The marker itself is damaged.
    """
    files = json.loads((folder / marker).read_text(encoding="utf-8")).get("files")
    if not isinstance(files, dict):
        raise ValueError(f"{marker} lists no files")
    return first_changed(folder, files)


def first_changed(folder: Path, files: Mapping[str, object]) -> str:
    """The first file of a folder that has not the size and digest that it had, or is gone; "" when all have."""
    for name, facts in files.items():
        try:
            if _facts(folder / name) != facts:
                return name
        except OSError:
            return name
    return ""


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits. Raises OSError for what is no regular file, as for any."""
    # Without O_NONBLOCK a pipe would be waited for, and a device never ends.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "It is no regular file", str(path))
        return hashlib.file_digest(file, "sha256").hexdigest()


def _synced_facts(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return _facts(path)


def _facts(path: Path) -> dict[str, object]:
    return {"bytes": path.stat().st_size, "sha256": digest(path)}
