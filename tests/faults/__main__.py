"""`python -m tests.faults [OUT]`: everything, as often as it takes, with figures in a JSON file."""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import time
from pathlib import Path

from radtui import __version__
from tests.faults.power import NoCompiler
from tests.faults.scenarios import REPOSITORY, SCENARIOS, NotHere

OUT = REPOSITORY / "assets" / "benchmarks" / "faults.json"


def main() -> int:
    """Run every scenario; 1 when something was lost."""
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    results: dict[str, object] = {}
    failed = False
    for scenario, (_, rounds) in SCENARIOS.items():
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            try:
                facts: dict[str, object] = scenario(Path(scratch), rounds)
            except (NotHere, NoCompiler) as reason:
                facts = {"not run": str(reason)}
            except AssertionError as error:
                facts, failed = {"failed": str(error)[:500]}, True
        facts["took_s"] = round(time.monotonic() - began, 1)
        results[scenario.__name__] = {"what": (scenario.__doc__ or "").split("\n")[0], **facts}
        print(f"{scenario.__name__}: {facts}", flush=True)
    machine = {"radtui": __version__, "python": platform.python_version(), "system": platform.platform()}
    out.write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
