"""Whether somebody else rates under the same name, in another app on this data folder."""

from __future__ import annotations

import contextlib
import fcntl
import os

from radtui.paths import DataDir


class RaterLock:
    """A session's share in its rater's file; the kernel takes it back however the session ends.

    Args:
        data: The data folder.
        rater: Who rates.
    """

    def __init__(self, data: DataDir, rater: str) -> None:
        self._path = data.rater_lock(rater)
        self._file: int | None = None

    def is_shared(self) -> bool:
        """Whether another session has the same rater; False where the folder's file system knows no locks."""
        try:
            file = self._opened()
            try:
                # One's own share is given up for this try: with nobody else's it succeeds.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shared = False
            except BlockingIOError:
                shared = True
            # Another one may be trying just now: the next look takes the share then.
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        return shared

    def _opened(self) -> int:
        if self._file is None:
            self._path.parent.mkdir(exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        return self._file

    def release(self) -> None:
        """Give up the share."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
