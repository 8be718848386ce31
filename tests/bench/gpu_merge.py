"""JSON lines of the GPU benchmarks to the one file the README's table is made from.

python -m tests.bench.gpu_merge TRAIN.jsonl GENERATE.jsonl OUT.json [--note TEXT ...]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

KEPT_KERNELS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("generate", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--note", action="append", default=[])
    options = parser.parse_args()
    train, generate = stages(options.train), stages(options.generate)
    merged = {
        "machine": train.pop("machine"), "model": "the shape of Llama-3.2-11B-Vision, random weights, 560 px tiles",
        "images": "657 x 442 px, captions of 40 words", "notes": options.note, "ratios": ratios(train, generate),
        "train": train, "generate": {k: v for k, v in generate.items() if k != "machine"},
    }  # fmt: skip
    options.out.write_text(json.dumps(merged, indent=1) + "\n")


def stages(file: Path) -> dict[str, Any]:
    """The results by stage, profiles cut to their longest kernels."""
    found: dict[str, Any] = {}
    for line in file.read_text().splitlines():
        facts = json.loads(line)
        for part in (facts, *(v for v in facts.values() if isinstance(v, dict))):
            if "longest" in part:
                part["longest"] = part["longest"][:KEPT_KERNELS]
        found[facts.pop("stage")] = facts
    return found


def ratios(train: dict[str, Any], generate: dict[str, Any]) -> dict[str, float]:
    """How much faster than the plain script, and than one image at a time."""
    # The later run compiles nothing any more.
    plain = train["again" if "again" in train else "plain"]["step_s"]
    found = {f"plain_over_{name}": plain / train[name]["step_s"] for name in ("seed", "default", "default60")}
    alone = generate["same"]["base"]["generate_one_by_one_tokens_per_s"]
    found["job_over_one_by_one_base"] = generate["job"]["tokens_per_s"] / alone
    return {name: round(value, 3) for name, value in found.items()}


if __name__ == "__main__":
    main()
