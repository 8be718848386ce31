"""Whether intervals hold the truth when readers differ: simulated studies of known win rates.

    python -m tests.bench.readers assets/benchmarks/readers.json

Takes two minutes on one core. Readers and cases have effects on the log-odds scale; a rating is a win with the chance
that the two give it. What counts is how often the 95 % interval holds the win rate of readers and cases in general.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import numpy as np

from radtui.measures.answers import Answers

READERS, CASES, SPREADS, MISSING = (2, 3, 4, 5), (20, 60, 100, 300), (0.0, 0.3, 0.5, 0.8), (0.0, 0.5)
RUNS = 2000
ADVANTAGE, CASE_SD = 0.5, 1.0  # log odds of a win of the later arm, and how far cases differ
SEED = 20
NEEDED = 0.93  # coverage from three readers on


def true_share(reader_sd: float) -> float:
    """Win rate over all readers and cases, by Gauss and Hermite's quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    effects = ADVANTAGE + np.hypot(reader_sd, CASE_SD) * nodes
    return float((weights / (1 + np.exp(-effects))).sum() / weights.sum())


def simulated_answers(
    generator: np.random.Generator, readers: int, cases: int, reader_sd: float, missing: float
) -> Answers:
    """One study: 1 for a win, -1 for a loss; every rating is missing with the same chance, two at least are there."""
    effects = ADVANTAGE + generator.normal(0, 1, (readers, 1)) * reader_sd
    chances = 1 / (1 + np.exp(-(effects + generator.normal(0, CASE_SD, (1, cases)))))
    won = generator.random((readers, cases)) < chances
    there = generator.random((readers, cases)) >= missing
    there[:, 0] = True  # no reader is without a rating
    reader, case = np.nonzero(there)
    return Answers(case, reader, np.where(won[there], 1.0, -1.0))


def main() -> None:
    """Simulate and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=int, default=RUNS)
    asked = parser.parse_args()
    rows = [_cell(*cell, asked.runs) for cell in product(READERS, CASES, SPREADS, MISSING)]
    from_three = [row["coverage"] for row in rows if row["readers"] >= 3]
    result = {
        "what": "coverage of the 95 % interval of a win rate, readers and cases random",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "runs": asked.runs, "advantage_logit": ADVANTAGE, "case_sd_logit": CASE_SD, "seed": SEED,
        "needed_from_three_readers": NEEDED,
        "least_from_three_readers": min(from_three),
        "passed": min(from_three) >= NEEDED,
        "rows": rows,
    }  # fmt: skip
    asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"least coverage from three readers on: {min(from_three):.4f}")


def _cell(readers: int, cases: int, reader_sd: float, missing: float, runs: int) -> dict[str, float]:
    generator, truth = (
        np.random.default_rng((SEED, readers, cases, round(10 * reader_sd), round(10 * missing))),
        true_share(reader_sd),
    )
    general, these = np.zeros((runs, 2)), np.zeros((runs, 2))
    for run in range(runs):
        answers = simulated_answers(generator, readers, cases, reader_sd, missing)
        share = answers.share(answers.values > 0)
        general[run] = share.low, share.high
        these[run] = share.these_readers
    return {
        "readers": readers, "cases": cases, "reader_sd_logit": reader_sd, "missing": missing, "truth": round(truth, 4),
        **_figures("", general, truth), **_figures("_these_readers", these, truth),
    }  # fmt: skip


def _figures(suffix: str, limits: np.ndarray, truth: float) -> dict[str, float]:
    inside = (limits[:, 0] <= truth) & (truth <= limits[:, 1])
    return {
        f"coverage{suffix}": round(float(inside.mean()), 4),
        f"width{suffix}": round(float((limits[:, 1] - limits[:, 0]).mean()), 4),
    }


if __name__ == "__main__":
    main()
