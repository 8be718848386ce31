"""Everything that radtui promises of a terminal, in one run beside its peers.

    python -m tests.bench.terminal assets/benchmarks/terminal.json

Takes some ten minutes on two cores, which should have nothing else to do: the result names the load average. tmux,
chafa and timg take part where they are installed, as do the packages textual-image, chafa.py and textual-plotext.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import terminal_app, terminal_chart, terminal_image

PACKAGES = (
    "radtui",
    "textual",
    "rich",
    "numpy",
    "pillow",
    "rich-pixels",
    "textual-image",
    "chafa.py",
    "textual-plotext",
)
PROGRAMS = {"tmux": "-V", "chafa": "--version", "timg": "--version"}
LINK = f"held key behind {terminal_image.LINK_MBIT} Mbit/s"

# What is promised: where it stands in the results, and the most that it may be.
LIMITS = {
    **{f"image.pty.radtui.{kind}.median_ms": 10 for kind in terminal_image.KEYS},
    **{f"image.tmux.radtui.{kind}.median_ms": 35 for kind in terminal_image.KEYS},
    f"image.{LINK}.radtui.behind_ms": 450,
    "chart.chart_3x10k.median_ms": 15,
    "chart.chart_1m.first_ms": 1000,
    "chart.chart_1m.median_ms": 100,
    "chart.chart_1m_rows.first_ms": 1000,
    "chart.chart_1m_rows.median_ms": 100,
    "chart.table_100k.first_ms": 100,
    **{f"app.first_frame.{screen}.median_ms": 400 for screen in ("welcome", "data", "train")},
    **{f"app.large.search.{words}.median_ms": 50 for words in terminal_app.SEARCHES},
    "app.idle.bytes": 0,
    **{f"app.while_training.{part}.p95_ms": 50 for part in ("list", "image")},
    **{f"app.while_training.{part}.p99_ms": 100 for part in ("list", "image")},
}
TIMES_FASTER = 10  # than rich-pixels, in the same run


def main() -> None:
    """Measure everything that was asked for and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="JSON file to write")
    parser.add_argument(
        "--only", choices=("image", "chart", "app"), action="append", help="leave out the other parts"
    )
    parser.add_argument("--keys", type=int, default=25, help="presses a kind of key, and redraws a chart")
    options = parser.parse_args()
    results: dict[str, Any] = {
        "what": "milliseconds from a key to the last byte that it causes, on a pseudo-terminal, unless named otherwise",
        "at": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": machine(),
        "versions": versions(),
        "load_average": {"before": load()},
    }
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="radtui-bench-") as name:
        for part, run in parts(Path(name), options.keys).items():
            if not options.only or part in options.only:
                print(f"{part} ...", file=sys.stderr)
                results[part] = run()
    results["load_average"]["after"] = load()
    results["took_s"] = round(time.monotonic() - began)
    results["promised"] = promised(results)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for name, said in results["promised"].items():
        print(f"{'met   ' if said['met'] else 'MISSED'} {name}: {said['measured']} of {said['limit']}")


def parts(folder: Path, keys: int) -> dict[str, Callable[[], dict[str, Any]]]:
    """What can be run, in order.

    Args:
        folder: Where files may be written.
        keys: Presses a kind of key, and redraws a chart.
    """

    def app() -> dict[str, Any]:
        from PIL import Image

        radiograph = folder / "app.png"
        Image.fromarray(terminal_image.radiograph()).save(radiograph, compress_level=1)
        return {
            "first_frame": terminal_app.start_up(folder, radiograph, 9),
            "idle": terminal_app.idle(folder, radiograph),
            "large": terminal_app.large_library(folder, radiograph, 9),
            "while_training": terminal_app.while_training(folder, radiograph),
        }

    return {
        "image": lambda: terminal_image.run(folder, keys), "chart": lambda: terminal_chart.run(keys), "app": app,
    }  # fmt: skip


def promised(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each limit with what was measured; what was not run is left out."""
    found = {}
    for path, limit in LIMITS.items():
        value = at(results, path)
        if value is not None:
            found[path] = judged(value, limit)
    for kind in terminal_image.KEYS:
        ours = at(results, f"image.pty.radtui.{kind}.median_ms")
        theirs = at(results, f"image.pty.rich-pixels.{kind}.median_ms")
        if ours and theirs:
            times = round(theirs / ours, 1)
            found[f"image.pty.rich-pixels.{kind} / radtui"] = judged(times, TIMES_FASTER, "at least")
    return found


def judged(value: float | None, limit: float, way: str = "at most") -> dict[str, Any]:
    """A figure beside its limit: what it may be at most, or must be at least; one that is missing misses it."""
    met = value is not None and (value <= limit if way == "at most" else value >= limit)
    return {"limit": f"{way} {limit}", "measured": value, "met": met}


def at(results: dict[str, Any], path: str) -> Any:
    """The value at a path of names with dots between; names may hold dots and spaces themselves."""
    names = path.split(".")
    here: Any = results
    while names:
        for length in range(1, len(names) + 1):
            name = ".".join(names[:length])
            if isinstance(here, dict) and name in here:
                here, names = here[name], names[length:]
                break
        else:
            return None
    return here


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": model[1] if model else platform.machine(), "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1), "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }  # fmt: skip


def versions() -> dict[str, str]:
    """What takes part; "" for what is not installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = ""
    for name, option in PROGRAMS.items():
        if shutil.which(name):
            done = subprocess.run([name, option], capture_output=True, text=True, check=False)
            number = re.search(r"\d+(\.\d+)+\w*|\d+\.\d+", (done.stdout + done.stderr))
            found[name] = number[0] if number else "unknown"
        else:
            found[name] = ""
    return found


def load() -> float:
    """Processes that wanted a core, on average over the last minute."""
    return round(os.getloadavg()[0], 2)


if __name__ == "__main__":
    main()
