"""`python -m tests.faults [OUT]`: everything, as often as it takes, with figures in a JSON file."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.faults import workers
from tests.faults.figures import OUT, done, expected_s, keep
from tests.faults.harness import Fault
from tests.faults.soak import soak
from tests.faults.table import ALONE, FAULTS, FORKED, TIMED

SOAK_S = 1800
FEW = 3  # times that are done whatever share is asked for


def main() -> int:
    """Do what was asked for, in two lanes; 1 when something was lost."""
    options = _options()
    chosen = [fault for fault in FAULTS if not options.only or fault.__name__ in options.only]
    if any(fault in FORKED for fault in chosen):
        workers.prepare()  # once, for all lanes
    counts = {fault: _count(fault, options) for fault in chosen}
    known = options.out if options.out.exists() else OUT
    # The longest is not to come last; those with forked workers, one at a time, are a lane's whole time.
    chosen.sort(key=lambda fault: (fault not in FORKED, -expected_s(known, fault.__name__, counts[fault])))
    lanes = Lanes(options.out, counts)
    lanes.run((fault for fault in chosen if fault in ALONE), 1)
    lanes.wait_for_all()
    beside = [fault for fault in chosen if fault is soak and options.soak]  # waits, mostly
    lanes.run(beside, 1)
    lanes.run(
        (fault for fault in chosen if fault not in ALONE and fault not in beside), options.lanes + len(beside)
    )
    lanes.wait_for_all()
    return int(lanes.failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("out", type=Path, nargs="?", default=OUT, help="where the figures go")
    parser.add_argument("--only", nargs="+", metavar="FAULT", help="these alone; the others' figures stay")
    parser.add_argument("--share", type=float, default=1.0, help="of the times that each is done")
    parser.add_argument("--soak", action="store_true", help="use the app for half an hour, not a minute")
    parser.add_argument(
        "--lanes", type=int, default=2, help="faults at a time; 1 for their own CPU time alone"
    )
    return parser.parse_args()


def _count(fault: Fault, options: argparse.Namespace) -> int:
    most = SOAK_S if fault is soak and options.soak else FAULTS[fault][1]
    return most if fault in TIMED or most <= FEW else max(FEW, round(most * options.share))


class Lanes:
    """Faults at work side by side, each in a process of its own that writes its figures into the file."""

    def __init__(self, out: Path, counts: Mapping[Fault, int]) -> None:
        self.failed = False
        self._out, self._counts = out, counts
        self._running: dict[int, Fault] = {}

    def run(self, faults: Iterable[Fault], most: int) -> None:
        """Start each once there is a lane for it; of those with forked workers one at a time, for their CPU time."""
        waiting = list(faults)
        while waiting:
            is_forking = any(fault in FORKED for fault in self._running.values())
            ready = [fault for fault in waiting if not (is_forking and fault in FORKED)]
            if not ready or len(self._running) >= most:
                self._wait()
                continue
            waiting.remove(ready[0])
            self._start(ready[0])

    def wait_for_all(self) -> None:
        """Return when none is at work."""
        while self._running:
            self._wait()

    def _start(self, fault: Fault) -> None:
        sys.stdout.flush()
        if child := os.fork():
            self._running[child] = fault
            return
        code = 1
        try:
            facts = done(fault, self._counts[fault])
            keep(self._out, fault.__name__, facts)
            print(f"{fault.__name__}: {facts}", flush=True)
            code = int("failed" in facts)
        finally:
            os._exit(code)

    def _wait(self) -> None:
        child, status = os.wait()
        self.failed |= self._running.pop(child, None) is not None and status != 0


if __name__ == "__main__":
    raise SystemExit(main())
