"""Nothing leaves the machine, and the hub's token is written nowhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.pseudo_terminal import Terminal
from tests.faults.folder import build
from tests.faults.harness import CLI, GUARD, RATER, REPOSITORY, Facts, rating, told_until, two_images

TOKEN = "hf_planted_token_1234567890"
OUTWARD = re.compile(rb"(connect|sendto|sendmsg)\(\d+, .*sa_family=AF_INET6?\b(?!.*(127\.0\.0\.1|::1))")


def no_sockets(scratch: Path, rounds: int) -> Facts:
    """App, worker, export and report open no connection; a hub token in the environment is written nowhere."""
    data, notes, out = build(scratch / "data"), scratch / "notes", scratch / "out"
    out.mkdir()
    told_until(rating(data), 0.2)
    environment = {
        "PYTHONPATH": f"{GUARD}:{REPOSITORY}", "NETWORK_NOTES": str(notes), "HF_TOKEN": TOKEN,
        "XDG_STATE_HOME": str(scratch / "state"), "XDG_CACHE_HOME": str(scratch / "cache"), "TMPDIR": str(out),
    }  # fmt: skip
    tracer = _tracer(scratch)
    with Terminal(
        [*tracer, *CLI, "--data-dir", str(data.root), "--rater", RATER], 120, 40, environment
    ) as app:
        app.settle(first_s=60)
        for key in "djtrs":
            app.press(key)
    commands: list[Sequence[object]] = [
        ["import", two_images(scratch / "source")], ["export", "--out", out / "c.csv"], ["stats"], ["jobs", "log", "1"],
        ["report", "1", "--out", out / "r.html"], ["backup", out / "copy"], ["doctor"],
    ]  # fmt: skip
    for command in commands:
        done = subprocess.run(
            [*tracer, *CLI, "--data-dir", str(data.root), *map(str, command)],
            env={**os.environ, **environment}, capture_output=True, check=False, cwd=REPOSITORY,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-600:]
        assert TOKEN.encode() not in done.stdout + done.stderr
    time.sleep(0.2)
    assert not notes.exists(), notes.read_text()
    traces = list(scratch.glob("trace.*"))
    calls = [call[0] for trace in traces for call in [OUTWARD.search(trace.read_bytes())] if call]
    assert not calls, calls[:3]
    for path in scratch.rglob("*"):
        assert path in traces or not path.is_file() or TOKEN.encode() not in path.read_bytes(), path
    return {
        "commands": len(commands) + 1, "processes traced": len(traces), "connections": 0, "token written": 0,
    }  # fmt: skip


def _tracer(scratch: Path) -> list[str]:
    """What writes down each process's network calls, where it is installed; the guard is there always."""
    program = shutil.which("strace")
    if program is None:
        return []
    return [
        program,
        "-ff",
        "-qq",
        "-e",
        "trace=connect,sendto,sendmsg",
        "-e",
        "signal=none",
        "-o",
        str(scratch / "trace"),
    ]
