"""`radtui demo` from nothing to its scores, on several seeds, beside what it promises.

    python -m tests.bench.demo assets/benchmarks/demo.json

Takes some three minutes a seed on two cores, which should have nothing else to do: the result names the load average.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from radtui.paths import DataDir
from radtui.store import texts
from radtui.store.database import connect
from tests.bench.terminal import at, judged, load, machine

SEEDS = (0, 3, 11, 21)  # 0 is what a user gets who names none
LOOK_S = 0.5  # between looks at the processes' memory

# What is promised of every seed: where it stands in its results, and what it may be at most or must be at least.
LIMITS = {
    "training_s": (150, "at most"),
    "seconds.total": (300, "at most"),
    "peak_memory_gib": (4, "at most"),
    "base.finding_f1": (0.05, "at most"),
    "base.right_examination": (0.95, "at least"),
    "tuned.finding_f1": (0.92, "at least"),
    "tuned.right_side": (0.97, "at least"),
    "tuned.right_zone": (0.92, "at least"),
    "tuned.invented_on_normals": (0.05, "at most"),
    "tuned.longest_text_words": (40, "at most"),
}


def main() -> None:
    """Run every seed and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="JSON file to write")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args()
    results: dict[str, Any] = {
        "what": "radtui demo --headless --json: drawing, training, describing 300 held-out phantoms with both models,"
        " scoring; of side and zone, the share among found findings",
        "at": datetime.now(UTC).isoformat(timespec="minutes"), "machine": machine(),
    }  # fmt: skip
    for seed in options.seeds:
        print(f"seed {seed} ...", file=sys.stderr)
        results[f"seed {seed}"] = measured(seed)
    results["promised"] = {
        f"seed {seed}.{path}": judged(at(results[f"seed {seed}"], path), limit, way)
        for seed in options.seeds
        for path, (limit, way) in LIMITS.items()
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for name, said in results["promised"].items():
        print(f"{'met   ' if said['met'] else 'MISSED'} {name}: {said['measured']} of {said['limit']}")


def measured(seed: int) -> dict[str, Any]:
    """A seed's run in a data folder of its own: times in seconds, memory in GiB, shares from 0 to 1."""
    before = load()
    with tempfile.TemporaryDirectory(prefix="radtui-bench-") as folder:
        command = [sys.executable, "-m", "radtui.cli", "--data-dir", folder]
        command += ["demo", "--headless", "--json", "--seed", str(seed)]
        out = Path(folder) / "said.json"
        with out.open("w") as file, subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL) as run:
            peak = _peak_gib(run, folder)
        if run.returncode:
            raise SystemExit(f"The demo of seed {seed} failed.")
        said = json.loads(out.read_text())
        with closing(connect(DataDir(Path(folder)))) as db:
            written = [each.text for each in texts.finished(db, said["jobs"]["describe"])
                     if each.arm == "tuned"]  # fmt: skip
    return {
        "load_average_before": before, "seconds": said["seconds"], "training_s": said["training"]["seconds"],
        "steps": said["training"]["adapter_step"], "peak_memory_gib": peak,
        "base": _scored(said, "base"),
        "tuned": _scored(said, "tuned") | {"longest_text_words": max(len(text.split()) for text in written)},
        "versions": said["training"]["versions"],
    }  # fmt: skip


def _peak_gib(run: subprocess.Popen[bytes], folder: str) -> float:
    """The most that the processes on a data folder held together, at any look until one of them ends; GiB.

    Pages that processes share count once for each of them: the true sum is a little lower.
    """
    peak = 0
    while run.poll() is None:
        held: dict[int, int] = {}  # a worker outlives the one that started it, and is nobody's child then
        for worker in psutil.process_iter():
            with suppress(psutil.Error):
                if folder in worker.cmdline():
                    for each in (worker, *worker.children(recursive=True)):
                        held[each.pid] = each.memory_info().rss
        peak = max(peak, sum(held.values()))
        time.sleep(LOOK_S)
    return round(peak / 2**30, 2)


def _scored(said: dict[str, Any], variant: str) -> dict[str, float | None]:
    truth = said["scores"][variant]["truth"]
    names = {"finding_f1": "f1", "right_side": "side", "right_zone": "zone", "right_examination": "examination",
             "invented_on_normals": "invented_on_normal"}  # fmt: skip
    values = {name: truth[key]["value"] for name, key in names.items()}
    return {name: None if value is None else round(value, 4) for name, value in values.items()}


if __name__ == "__main__":
    main()
