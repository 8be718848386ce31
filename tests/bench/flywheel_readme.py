"""README's table of learning from corrections, from its figures: python -m tests.bench.flywheel_readme [FIGURES]."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).parents[2] / "assets" / "benchmarks" / "flywheel.json"
ROWS = {
    "corrections against before": ("corrected and accepted texts", "before"),
    "control against before": ("control: the model's own texts, the same cases as often", "before"),
    "corrections against control": ("corrected and accepted texts", "this control"),
    "even control against before": ("even control: as many steps, each own text once", "before"),
    "corrections against even control": ("corrected and accepted texts", "the even control"),
    "second round against corrections": ("a second round, of further texts", "the first round"),
    "second round against before": ("both rounds", "before"),
    "preferences against before": ("preferences between two samples of each text (DPO)", "before"),
}


def table(figures: dict[str, Any]) -> str:
    """The table in Markdown: what was learnt, and the change of F1 pooled over cases and over seeds."""
    lines = [
        "| what was learnt | against | change of F1 over all seeds' cases | mean over seeds | seeds better, worse |",
        "|---|---|---|---|---|",
    ]
    seeds = [own for name, own in figures.items() if name.startswith("seed ")]
    for name, (learnt, against) in ROWS.items():
        if name not in figures["pooled"]:
            continue
        verdicts = [own[name]["f1"]["verdict"] for own in seeds if name in own]
        counts = ", ".join(str(verdicts.count(verdict)) for verdict in ("better", "worse"))
        pooled, means = _figure(figures["pooled"][name]["f1"]), _figure(figures["over_seeds"][name])
        lines.append(f"| {learnt} | {against} | {pooled} | {means} | {counts} of {len(verdicts)} |")
    return "\n".join(lines)


def _figure(found: dict[str, Any]) -> str:
    ends = "" if found["low"] is None else f" ({found['low']:.3f} to {found['high']:.3f})"
    return f"{found['change']:+.3f}{ends}"


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else FIGURES
    sys.stdout.write(f"{table(json.loads(path.read_text(encoding='utf-8')))}\n")
