"""Reading the end of a job's log, however long it is."""

from __future__ import annotations

import os

from radtui.paths import DataDir, open_plain

TAIL_BYTES = 64 * 1024


def tail_log(data: DataDir, job_id: int, lines: int = 200) -> list[str]:
    """The last lines of a job's log, without carriage-return overwrites; empty when there is none."""
    try:
        with open_plain(data.log(job_id)) as log:
            log.seek(0, os.SEEK_END)
            start = max(0, log.tell() - TAIL_BYTES)
            log.seek(start)
            text = log.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        return [f"The log {data.log(job_id)} cannot be read: {error.strerror}."]
    tail = [line.rsplit("\r", 1)[-1] for line in text.splitlines() if line.strip()]
    if start and len(tail) > 1:
        tail = tail[1:]  # the first may be half a line
    elif start and tail:
        tail = [f"... {tail[0]}"]  # one line longer than is read: its end is better than nothing
    return tail[-lines:]
