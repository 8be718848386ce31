"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
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
