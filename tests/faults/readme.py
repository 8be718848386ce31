"""The README's table of faults, from their figures: python -m tests.faults.readme [FIGURES]."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.faults.table import FAULTS, TIMED

FIGURES = Path(__file__).resolve().parents[2] / "assets" / "benchmarks" / "faults.json"
LEFT_OUT = (
    "what",
    "count",
    "took s",
    "kills",
    "cuts",
    "times",
    "seconds",
    "said",
    "such as",
    "lost",
    "locked s",
    "one job takes s",
    "rows",
    "databases",
    "logs",
    "cpu s",
    "load",
    "commands a round",
    "changed files",
    "schemas",
    "files",
)


def table(results: dict[str, dict[str, object]]) -> str:
    """A row for each fault: what is done and must be so, how often, and what was counted."""
    lines = ["| what is done, and what must be so | times | counted |", "|---|---|---|"]
    for fault in FAULTS:
        facts = results.get(fault.__name__)
        if facts is None:
            continue
        times = f"{facts['count']:,} s" if fault in TIMED else f"{facts['count']:,}"
        lines.append(f"| {str(facts['what']).rstrip('.')} | {times} | {_counted(facts)} |")
    return "\n".join(lines)


def _counted(facts: dict[str, object]) -> str:
    for outcome in ("failed", "not done"):
        if outcome in facts:
            return f"{outcome}: {facts[outcome]}"
    figures = {
        name: value for name, value in facts.items()
        if name not in LEFT_OUT and isinstance(value, int | float) and not isinstance(value, bool) and value
    }  # fmt: skip
    return ", ".join(f"{value:,} {name}" for name, value in figures.items()) or "-"


if __name__ == "__main__":
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else FIGURES
    print(table(json.loads(file.read_text(encoding="utf-8"))["results"]))
