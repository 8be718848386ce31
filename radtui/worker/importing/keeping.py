"""Writing images whole, and texts as SQLite takes them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from radtui.records import UserError


def store_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; one that is there already, of the same size, is left.

    Raises:
        UserError: the disk is full or cannot be written.
    """
    try:
        if path.exists() and path.stat().st_size == len(data):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(
            f"Cannot write to {path.parent.parent} ({error.strerror}); make room and import again: what is in stays."
        ) from error


def clean(text: str) -> str:
    """Text as SQLite takes it: without NUL, and with "?" for halves of surrogate pairs (undecodable file names)."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
