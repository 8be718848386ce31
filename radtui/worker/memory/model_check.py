"""`python -m radtui.worker.memory.model_check NAME`: what a model is and needs, from configuration and processor alone.

The last line of stdout is `{"check": ...}` or `{"error": "one sentence"}`. A process of its own, so that who asks need
not import torch.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from radtui.paths import DataDir
from radtui.store import cases
from radtui.worker.process import environment, failures

USUAL_SIZES = ((657, 442), (1109, 1231), (2500, 3056))  # px: a web picture, a digitised film, a detector's
COUNTED_CASES = 100_000
HUB_TIMEOUT_S = 10.0


def main(arguments: list[str] | None = None) -> int:
    """Print the answers; returns 0, or 1 with a sentence instead."""
    parser = argparse.ArgumentParser(prog="python -m radtui.worker.memory.model_check")
    parser.add_argument("--data-dir", required=True, type=Path)
    parser.add_argument("--dataset", default="")
    parser.add_argument("--trust-remote-code", action="store_true")
    parser.add_argument("name")
    options = parser.parse_args(arguments)
    data = DataDir(options.data_dir)
    environment.prepare(data)
    try:
        answer: dict[str, Any] = {
            "check": check(options.name, data, options.dataset, options.trust_remote_code)
        }
    except Exception as error:  # whatever it is, the caller shows one sentence
        answer = {"error": failures.sentence(error, data, options.name)}
    print(json.dumps(answer), flush=True)
    return int("error" in answer)


def check(name: str, data: DataDir, dataset: str, trust_remote_code: bool = False) -> dict[str, object]:
    """What is known of a model without its weights.

    Raises:
        UserError: There is no such model, or this install cannot read it.
    """
    from radtui.worker.memory import shapes
    from radtui.worker.model import model as models
    from radtui.worker.model import processors, refusals, weight_names

    config, processor = models.describe(name, trust_remote_code)
    doubt = weight_names.check(name, config)
    empty = models.empty(name, config, trust_remote_code)
    files = refusals.weights(name)
    asked = _template(processor, name)
    asked["notes"] = [*asked["notes"], *filter(None, [_learnt(processor), shapes.note(empty, processor)])]
    asked["notes"] += filter(None, [doubt, _few_bits(config)])
    torchvision = {
        "works": "torchvision works",
        "absent": "without torchvision: Pillow prepares images",
        "broken": "torchvision does not import: Pillow prepares images",
    }[processors.torchvision_state()]
    return {
        "model": name,
        "family": f"{config.model_type} ({type(processor).__name__})",
        "packages": torchvision,
        "licence": _licence(name),
        **({"weights": files} if files else {}),
        "parameters": empty.num_parameters(),
        **_memory(empty, config),
        "image_tokens": _image_tokens(processor, data, dataset),
        "several_images": _several_images(processor),
        **asked,
        "lora": _lora(empty),
    }


def _few_bits(config: Any) -> str:
    """What a job would say here of weights that are stored in few bits; empty for others, or beside a CUDA GPU."""
    import torch

    from radtui.worker.model import refusals

    if not refusals.quantisation(config) or torch.cuda.is_available():
        return ""
    return "It is stored in few bits, which needs a CUDA GPU: on this machine name the 16-bit model."


def _licence(name: str) -> str:
    """From the folder's card, the list that comes along, or the hub, where it can be reached."""
    from radtui.jobs.known_models import known_model

    card = Path(name) / "README.md"
    if card.is_file():
        match = re.search(
            r"^license:\s*(\S+)", card.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
        )
        return match[1] if match else "its card names none"
    if Path(name).is_dir():
        return "not known: the folder has no card"
    if known := known_model(name):
        return known.terms
    from huggingface_hub import HfApi, constants

    constants.HF_HUB_OFFLINE = False
    try:
        info = HfApi().model_info(name, timeout=HUB_TIMEOUT_S)
    except Exception as error:  # HTTP clients raise a dozen classes for one broken line
        return f"not known: the hub does not answer ({type(error).__name__})"
    licence = str(getattr(info.card_data, "license", None) or "its card names none")
    return f"{licence}{', asks for an account that has agreed' if info.gated else ''}"


def _memory(empty: Any, config: Any) -> dict[str, object]:
    """What the weights take, GiB."""
    from radtui.worker.memory.footprint import weights_bytes
    from radtui.worker.model.backend import LoadPlan
    from radtui.worker.process.memory import GIB

    load_plan = LoadPlan("unsloth", True, False, "bfloat16")
    return {
        "weights_4_bit_gib": float(f"{weights_bytes(empty, config, load_plan, True) / GIB:.3g}"),
        "weights_16_bit_gib": float(f"{weights_bytes(empty, config, load_plan, False) / GIB:.3g}"),
    }


def _image_tokens(processor: Any, data: DataDir, dataset: str) -> str:
    """Tokens of an image on a data set, or of three usual sizes."""
    from radtui.worker.model.counting import NO_TOKENS, ImageTokens

    sizes = _sizes(data, dataset)
    if not sizes:
        counted = ImageTokens(processor, USUAL_SIZES)
        each = ", ".join(f"{counted.of(size):,} at {size[0]} x {size[1]} px" for size in USUAL_SIZES)
        return f"{each} (no data set)"
    counted = ImageTokens(processor, list(sizes))
    spread = sorted(counted.of(size) for size, number in sizes.items() for _ in range(number))
    where = dataset or "the newest data set"
    if not spread[-1]:
        return NO_TOKENS
    return f"{spread[0]:,} to {spread[-1]:,}, median {spread[len(spread) // 2]:,}, on {where}"


def _sizes(data: DataDir, dataset: str) -> Counter[tuple[int, int]]:
    """Sizes of a data set's images; none without a data folder."""
    if not data.database.exists():
        return Counter()
    from radtui.store.database import connect
    from radtui.worker.model.examples import sizes_of

    db: sqlite3.Connection = connect(data)
    known = [each.name for each in cases.datasets(db)]
    chosen = dataset or (known[0] if known else "")
    ids = [
        each
        for split in cases.distinct(db, chosen, "split")
        for each in cases.usable(db, chosen, split, COUNTED_CASES)
    ]
    return Counter(size for case in cases.get_many(db, ids) for size in sizes_of(case))


def _several_images(processor: Any) -> str:
    """Whether a question may have two images."""
    from radtui.worker.model.examples import takes_several

    return "yes" if takes_several(processor) else "no: the first of a case is used"


def _learnt(processor: Any) -> str:
    """What a job would say where the answer cannot be told from its prompt; empty where it can."""
    from radtui.records import UserError
    from radtui.worker.model import collator

    try:
        collator.probe(processor, "answer", [collator.PROBE_PX])
    except UserError as error:
        return str(error)
    return ""


def _template(processor: Any, name: str) -> dict[str, Any]:
    """What the chat template does."""
    from transformers import GenerationConfig

    from radtui.worker.model import prompt, template

    try:
        own = GenerationConfig.from_pretrained(name).eos_token_id
    except OSError:
        own = None
    ends = own if isinstance(own, list) else [own] if own is not None else []
    frame = template.frame(processor, [prompt.question("QUESTION", "image_first")], ends)
    return {
        "order": "as asked" if template.honours_order(processor) else "images first, whatever is asked",
        "ends_with": repr(frame.tail),
        "thinking": "can, off unless asked for" if template.reasons(processor) else "no",
        "prompt": frame.prompt,
        "notes": template.notes(processor, "image_first", False),
    }


def _lora(empty: Any) -> dict[str, object]:
    """Linear layers that LoRA would go on, by part, and what it leaves out."""
    from radtui.records import UserError
    from radtui.worker.model import lora

    def count(**parts: bool) -> int:
        try:
            return len(lora.target_modules(empty, **parts))
        except UserError:
            return 0

    counts: dict[str, object] = {}
    for side in ("vision", "language"):
        for part in ("attention", "mlp"):
            asked = {"vision": side == "vision", "language": side == "language",
                     "attention": part == "attention", "mlp": part == "mlp"}  # fmt: skip
            counts[f"{side} {part}"] = count(**asked)
    if experts := lora.expert_parameters(empty):
        counts["expert weights"] = len(experts)
    if routers := lora.routers(empty):
        counts["routers left out"] = len(routers)
    return counts


if __name__ == "__main__":
    sys.exit(main())
