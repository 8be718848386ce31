"""The file with the figures of all faults: what each counted, when, and on which machine."""

from __future__ import annotations

import fcntl
import importlib.metadata
import json
import os
import platform
import resource
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

from radtui import __version__
from radtui.store.file_systems import file_system
from tests.faults import workers
from tests.faults.harness import REPOSITORY, Facts, Fault, NotHere
from tests.faults.power import NoCompiler

OUT = REPOSITORY / "assets" / "benchmarks" / "faults.json"
PACKAGES = ("textual", "torch", "transformers", "trl", "peft", "pillow", "pydicom")
NEVER_DONE_S = 600.0  # is begun before those of which it is known how long they take


def done(fault: Fault, count: int) -> Facts:
    """Do one fault so often; its figures, or what failed, or why it cannot be done here."""
    began_at, began, cpu_before_s = datetime.now(UTC), time.monotonic(), _cpu_s()
    with tempfile.TemporaryDirectory(prefix="radtui-fault-", ignore_cleanup_errors=True) as scratch:
        os.environ["XDG_STATE_HOME"] = str(Path(scratch) / "state")
        # The user's own choices are not to change.
        os.environ["RADTUI_CONFIG"] = str(Path(scratch) / "config.toml")
        try:
            facts = fault(Path(scratch), count)
        except (NotHere, NoCompiler) as reason:
            facts = {"not done": str(reason)}
        except Exception as error:
            facts = {"failed": f"{type(error).__name__}: {error}"[:800]}
    what = (fault.__doc__ or "").split("\n")[0]
    return {
        "what": what, "count": count, **facts, "took s": round(time.monotonic() - began, 1),
        "cpu s": round(_cpu_s() - cpu_before_s, 1), "load": round(os.getloadavg()[0], 1),
        "date": f"{began_at:%Y-%m-%d %H:%M}Z",
    }  # fmt: skip


def keep(out: Path, name: str, facts: Facts) -> None:
    """Write one fault's figures into the file; those of the others stay, whoever else writes at the same time."""
    with out.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        values = json.loads(text) if text else {"results": {}}
        values = {"machine": machine(), "results": values["results"] | {name: facts}}
        file.truncate(0)
        file.write(json.dumps(values, indent=2) + "\n")


def expected_s(out: Path, name: str, count: int) -> float:
    """How long a fault takes, by what it took when it was done last, however often that was, s."""
    try:
        facts = json.loads(out.read_text(encoding="utf-8"))["results"].get(name, {})
        return float(facts["took s"]) * count / max(1, facts["count"])
    except (OSError, ValueError, KeyError):
        return NEVER_DONE_S


def machine() -> dict[str, object]:
    """What the figures were made on, and with which versions."""
    return {
        "radtui": __version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "system": platform.platform(), "cores": os.cpu_count(),
        "memory GiB": round(psutil.virtual_memory().total / 2**30, 1),
        "file system": file_system(Path(tempfile.gettempdir())), "written": f"{datetime.now(UTC):%Y-%m-%d %H:%M}Z",
        "note": "Each fault has its own date, and the load of the machine when it ended: others worked on it as well.",
    }  # fmt: skip


def _cpu_s() -> float:
    """CPU time of this process, of the children that it has waited for, and of the workers forked elsewhere, s."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used) + workers.forked_cpu_s()
