"""`python -m tests.faults [OUT]`: everything, as often as it takes, with figures in a JSON file."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import tempfile
import time
from pathlib import Path

import psutil

from radtui import __version__
from tests.faults.harness import REPOSITORY, Fault, NotHere
from tests.faults.power import NoCompiler
from tests.faults.soak import soak
from tests.faults.table import FAULTS, TIMED

OUT = REPOSITORY / "assets" / "benchmarks" / "faults.json"
SOAK_S = 1800
FEW = 3  # times that are done whatever share is asked for


def main() -> int:
    """Do what was asked for; 1 when something was lost."""
    options = _options()
    chosen = [fault for fault in FAULTS if not options.only or fault.__name__ in options.only]
    results = json.loads(options.out.read_text())["results"] if options.only and options.out.exists() else {}
    for fault in chosen:
        most = SOAK_S if fault is soak and options.soak else FAULTS[fault][1]
        count = most if fault in TIMED or most <= FEW else max(FEW, round(most * options.share))
        results[fault.__name__] = facts = done(fault, count)
        print(f"{fault.__name__}: {facts}", flush=True)
        options.out.write_text(json.dumps({"machine": machine(), "results": results}, indent=2) + "\n")
    return int(any("failed" in results[fault.__name__] for fault in chosen))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("out", type=Path, nargs="?", default=OUT, help="where the figures go")
    parser.add_argument("--only", nargs="+", metavar="FAULT", help="these alone; the others' figures stay")
    parser.add_argument("--share", type=float, default=1.0, help="of the times that each is done")
    parser.add_argument("--soak", action="store_true", help="use the app for half an hour, not a minute")
    return parser.parse_args()


def done(fault: Fault, count: int) -> dict[str, object]:
    """Do one fault so often; its figures, or what failed, or why it cannot be done here."""
    began, facts = time.monotonic(), {}
    with tempfile.TemporaryDirectory(prefix="radtui-fault-") as scratch:
        os.environ["XDG_STATE_HOME"] = str(Path(scratch) / "state")
        try:
            facts = fault(Path(scratch), count)
        except (NotHere, NoCompiler) as reason:
            facts = {"not done": str(reason)}
        except Exception as error:
            facts = {"failed": f"{type(error).__name__}: {error}"[:800]}
    what = (fault.__doc__ or "").split("\n")[0]
    return {"what": what, "count": count, **facts, "took s": round(time.monotonic() - began, 1)}


def machine() -> dict[str, object]:
    """What the figures were made on."""
    return {
        "radtui": __version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version,
        "system": platform.platform(), "cores": os.cpu_count(), "load": [round(n, 1) for n in os.getloadavg()],
        "memory GiB": round(psutil.virtual_memory().total / 2**30, 1),
        "file system": _kind_of(Path(tempfile.gettempdir())),
    }  # fmt: skip


def _kind_of(path: Path) -> str:
    from radtui.cli.data_findings import file_system

    return file_system(path)


if __name__ == "__main__":
    raise SystemExit(main())
