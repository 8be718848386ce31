"""What stands where a job's log belongs is no text, endless, or no file."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Callable
from pathlib import Path

from radtui.paths import DataDir
from radtui.records import JobKind, JobState
from radtui.settings import ImportSettings
from radtui.store import jobs
from radtui.store.database import connect
from tests.conftest import drawn_png
from tests.faults.folder import RAW, build
from tests.faults.harness import Facts, app, forked, judged, radtui, some_of

MIB = 1 << 20
MOST_GROWN_KIB = 64 << 10  # of a command that shows the end of a log of 100 MiB
STEERS = b"\x1b]52;c;UExBTlRFRA==\x07\xc2\x9b31m\xe2\x80\xae"


def _written(*parts: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(b"".join(parts))

    return write


def _cut(path: Path) -> None:
    path.write_bytes("first\nsecond, cut in the middle of an \u00e4".encode()[:-1])


def _blocks(block: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            for _ in range(100):
                file.write(block)

    return write


SHAPES: dict[str, Callable[[Path], None]] = {
    "binary": _written(bytes(range(256)) * 4096),
    "cut in mid-line": _cut,
    "a line of 100 MiB": _blocks(b"x" * MIB),
    "100 MiB of lines": _blocks(b"step 1: loss 0.5\n" * (MIB // 17)),
    "100 MiB of empty lines": _blocks(b"\n" * MIB),
    "sequences that steer": _written(STEERS * 1000, b"\n", STEERS),
    "carriage returns": _written(b"\r".join(b"%d %%" % n for n in range(100_000))),
    "UTF-16": _written("step 1\nstep 2\n".encode("utf-16") * 100),
    "a pipe": os.mkfifo,
    "a folder": os.mkdir,
    "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to("/proc/none/log.txt"),
    "unreadable": lambda path: (path.write_bytes(b"x"), path.chmod(0))[1],
}
NO_FILES = ("a pipe", "a folder", "a link to /dev/zero", "a link to itself", "a link to nothing")


def damaged_job_logs(scratch: Path, shapes: int) -> Facts:
    """A job's log is binary, cut, of 100 MiB, a pipe or a folder: commands and app show its end, or say why not."""
    source = scratch / "source"
    source.mkdir()
    for number in range(3):
        (source / f"{number}.png").write_bytes(drawn_png(number))
    commands = started = 0
    names = some_of(list(SHAPES), shapes)
    assert forked(build(scratch / "warm", pairs=2), "doctor")[0] in (0, 1)  # what any command takes
    before_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    for name in names:
        data = build(scratch / name.replace("/", " "), pairs=2)
        job_id = _lost_job(data, source)
        SHAPES[name](data.log(job_id))
        for words in (
            ["jobs", "log", job_id],
            ["jobs", "show", job_id],
            ["jobs", "list"],
            ["check"],
            ["doctor"],
        ):
            code, printed = forked(data, *words)
            assert code in (0, 1) and b"Traceback" not in printed, (name, words, printed[-600:])
            assert RAW.search(printed) is None, (name, words)
            commands += 1
        grown_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before_kib
        assert grown_kib < MOST_GROWN_KIB, f"{name}: {grown_kib >> 10} MiB"
        _drawn(data, name)
        code, printed = radtui(data, "jobs", "resume", job_id, "--wait")
        if name in NO_FILES:
            assert not judged(code, printed, name) and b"Cannot start the worker" in printed, (name, printed)
        else:
            assert code == 0, (name, printed)
            started += 1
    return {"logs": len(names), "commands": commands, "jobs that went on": started, "tracebacks": 0}


def _lost_job(data: DataDir, source: Path) -> int:
    with contextlib.closing(connect(data)) as db:
        settings = ImportSettings(source=str(source), name="drawn anew").to_dict()
        job = jobs.create(db, JobKind.IMPORT, "import", "drawn anew", settings)
        data.job(job.id).mkdir(parents=True)
        jobs.settle(db, job.id, JobState.LOST, "It was killed.")
    return job.id


def _drawn(data: DataDir, name: str) -> None:
    with app(data) as terminal:
        seen = terminal.settle(quiet_s=0.3, first_s=30)
        for key in ("J", "l", "\x1b", "\r", "\x1b"):
            seen += terminal.press(key, patience_s=3.0, quiet_s=0.3).text
        assert os.waitpid(terminal.pid, os.WNOHANG) == (0, 0), f"{name}: the app is gone: {seen[-600:]!r}"
    assert b"Traceback" not in seen and RAW.search(seen) is None, (name, seen[-600:])
