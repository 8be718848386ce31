"""Whether a study of five arms recovers strengths that are known: base, tuned, a file, the reference, half-full file.

    python -m tests.bench.arms assets/benchmarks/arms.json

Three readers rate the pairs that a study draws, one a case; the second file lacks a third of the cases. Every reader
has likings of their own for arms, every case suits some arms better, and some pairs are called equal. What must be
recovered is the strength over all readers and cases: that of the win rates which the model's own numbers give.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np

from radtui.measures.bradley_terry import Match, matches_of, scale_of
from radtui.records import ArmKind, Comparison, Description, Study, StudyArm
from radtui.study.drawing import PAIRS_PER_CASE, draw

ARMS = ("base", "tuned", "file", "reference", "second file")
# Log odds against base, for one reader and case without likings.
STRENGTHS = np.array([0.0, 0.9, 0.4, 1.5, -0.5])
READERS, CASES, RUNS = 3, 150, 500
READER_SD, CASE_SD, TIES = 0.3, 0.5, 0.12
SEED = 31
NEEDED = 0.93


def drawn_pairs(seed: int) -> list[tuple[int, int, int]]:
    """(case, earlier arm, later arm) of one study, as it draws them; the second file has texts of 100 of 150 cases."""
    arms = tuple(StudyArm(name, at + 1, ArmKind.FILE) for at, name in enumerate(ARMS))
    study = Study(1, "five arms", None, "drawn", seed, arms, {PAIRS_PER_CASE: 1}, 0.0)
    comparisons = {
        case: Comparison(1, case, {name: _text(case, name) for name in ARMS[: 5 if case % 3 else 4]}, "")
        for case in range(1, CASES + 1)
    }
    place = {name: at for at, name in enumerate(ARMS)}
    return [
        (case, place[earlier], place[later])
        for case, chosen in draw(study, comparisons).pairs.items()
        for earlier, later in chosen
    ]


def _text(case: int, arm: str) -> Description:
    return Description(1, 1, None, case, arm, None, f"{case} {arm}", "", "", 1, 0.0, False)


def simulated(
    generator: np.random.Generator, pairs: Sequence[tuple[int, int, int]]
) -> list[tuple[int, int, int]]:
    """(row of `pairs`, reader, preference) of every reader and pair."""
    liking = generator.normal(0, READER_SD, (READERS, len(ARMS)))
    suits = generator.normal(0, CASE_SD, (CASES + 1, len(ARMS)))
    given = []
    for row, (case, earlier, later) in enumerate(pairs):
        for reader in range(READERS):
            value = STRENGTHS + liking[reader] + suits[case]
            won = generator.random() < 1 / (1 + np.exp(value[earlier] - value[later]))
            given.append((row, reader, 0 if generator.random() < TIES else 1 if won else -1))
    return given


def true_strengths(pairs: Sequence[tuple[int, int, int]]) -> dict[str, float]:
    """Strengths that fit the expected win rates of the pairs, each as often as it is drawn."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    spread = np.sqrt(2) * np.hypot(READER_SD, CASE_SD)
    wins = np.zeros((len(ARMS), len(ARMS)))
    for _, earlier, later in pairs:
        gap = STRENGTHS[later] - STRENGTHS[earlier] + spread * nodes
        rate = float((weights / (1 + np.exp(-gap))).sum() / weights.sum())
        wins[later, earlier] += rate * (1 - TIES) + TIES / 2
        wins[earlier, later] += (1 - rate) * (1 - TIES) + TIES / 2
    ability = np.ones(len(ARMS))
    played = wins + wins.T
    for _ in range(3000):  # Zermelo's iteration, which needs nothing of what is tested
        ability = wins.sum(axis=1) / (played / (ability[:, np.newaxis] + ability)).sum(axis=1)
        ability /= ability[0]
    return dict(zip(ARMS, np.log(ability).tolist(), strict=True))


def recovered(run: int) -> dict[str, tuple[bool, float]]:
    """Of one study: by arm or two arms, whether the interval holds the truth, and its width; none without a scale."""
    pairs, truth = drawn_pairs(run), true_strengths(drawn_pairs(run))
    given = simulated(np.random.default_rng((SEED, run)), pairs)
    matches: list[Match] = matches_of(
        [(ARMS[pairs[row][1]], ARMS[pairs[row][2]], value) for row, _, value in given]
    )
    found = scale_of(
        matches, "base", [pairs[row][0] for row, *_ in given], [reader for _, reader, _ in given], ARMS
    )
    if found is None:
        return {}
    held = {
        one.arm: (one.low <= truth[one.arm] <= one.high, one.high - one.low)
        for one in found.strengths
        if one.arm != "base"
    }
    return held | {
        f"{one.later} against {one.earlier}": (
            one.low <= truth[one.later] - truth[one.earlier] <= one.high, one.high - one.low,
        )
        for one in found.differences
    }  # fmt: skip


def coverage(runs: int) -> dict[str, dict[str, float]]:
    """By arm and by two arms: the share of runs whose interval holds the truth, and the mean width."""
    found = [held for run in range(runs) if (held := recovered(run))]
    names = [*ARMS[1:], *(f"{later} against {earlier}" for earlier, later in combinations(ARMS, 2))]
    return {
        name: {
            "coverage": round(sum(held[name][0] for held in found) / len(found), 4),
            "width": round(sum(held[name][1] for held in found) / len(found), 3),
            "runs": len(found),
        }
        for name in names
    }


def main() -> None:
    """Simulate and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=int, default=RUNS)
    asked = parser.parse_args()
    rows = coverage(asked.runs)
    least = min(row["coverage"] for row in rows.values())
    mean = sum(row["coverage"] for row in rows.values()) / len(rows)
    result = {
        "what": "five arms, three readers, known strengths: how often 95 % intervals on the scale hold them",
        "when": datetime.now(UTC).isoformat(timespec="seconds"), "runs": asked.runs, "cases": CASES,
        "reader_sd_logit": READER_SD, "case_sd_logit": CASE_SD, "ties": TIES,
        "strengths": dict(zip(ARMS, STRENGTHS.tolist(), strict=True)),
        "needed": NEEDED, "least": least, "mean": round(mean, 4), "passed": least >= NEEDED, "rows": rows,
    }  # fmt: skip
    asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"least coverage {least:.4f}, mean {mean:.4f}")


if __name__ == "__main__":
    main()
