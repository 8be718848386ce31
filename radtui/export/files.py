"""Writing a file or a folder whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from radtui.records import UserError


@contextmanager
def whole_file(path: Path, binary: bool = False) -> Iterator[IO]:  # text or bytes, as asked
    """Open a temporary file beside `path` that takes its place when the block ends well.

    Raises:
        UserError: the folder is missing or cannot be written, or the disk is full; `path` is as it was.
    """
    temporary = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        mode, text = ("wb", {}) if binary else ("w", {"encoding": "utf-8", "newline": ""})
        with os.fdopen(handle, mode, **text) as file:  # type: ignore[call-overload]
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; an export is as readable as any file the user makes.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror}; choose another file with --out.") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, replaceable: Callable[[Path], bool]) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place when the block ends well.

    Args:
        path: The folder to write; its parent must exist.
        replaceable: Whether a folder that is there may go: one that the user made must not.

    Raises:
        UserError: there is something else at `path`, or it cannot be written; `path` is as it was.
    """
    if path.exists() and not (path.is_dir() and (not any(path.iterdir()) or replaceable(path))):
        raise UserError(
            f"{path} holds something else than an earlier export; choose another folder with --out."
        )
    temporary = None
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        new = temporary / "new"
        new.mkdir()
        yield new
        if path.exists():
            path.rename(temporary / "old")  # a folder cannot take another's place in one step
        new.rename(path)
    except OSError as error:
        raise UserError(
            f"Cannot write {path}: {error.strerror}; choose another folder with --out."
        ) from error
    finally:
        if temporary is not None:
            # A crash between the two renames leaves the old export here; it goes only when a new one is in place.
            if (temporary / "old").exists() and not path.exists():
                (temporary / "old").rename(path)
            shutil.rmtree(temporary, ignore_errors=True)
