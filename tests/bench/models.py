"""Which families work, measured on tiny random checkpoints on a CPU: `assets/benchmarks/models.md` and `.json`.

    python -m tests.bench.models --out assets/benchmarks [--only llava,gemma3]

Each family goes through a line of checks, one after another; what a check raises is written in its place.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

CHECKS = (
    "loads", "resolution", "estimate", "mask", "counted", "two images", "trains", "stops", "batch 1 = 2",
    "base = generate", "plain peft", "merged", "DPO batch",
)  # fmt: skip
PICTURE_PX = (500, 611)
GOOD = {"resolution": ("yes", "fixed", "-")}  # not measured on every machine
ONE_SHAPE = (
    "What fails at *loads* takes no two shapes of picture in one batch, which all of these checks have: `radtui model\n"
    "check` says so, and jobs show it one picture at a time (`tests/worker/test_two_shapes.py`)."
)
FRAMES = 2  # tokens around a tile of four, which image_tokens does not count


def main(arguments: list[str] | None = None) -> None:
    """Measure, print a line a family, and write the matrix."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.models")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument(
        "--join", type=Path, nargs="+", metavar="FILE",
        help="measure nothing: put what these models.json say, of a machine with torchvision, beside --out's",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.join:
        join(options.out, options.join)
        return
    logging.disable(logging.WARNING)
    from radtui.worker.model.processors import torchvision_state
    from tests.bench import model_kinds
    from tests.worker.more_families import MAKERS
    from tests.worker.rare_families import RARE_FAMILIES
    from tests.worker.torchvision_families import TORCHVISION_FAMILIES

    without = MAKERS | RARE_FAMILIES
    makers = without | TORCHVISION_FAMILIES
    names = options.only.split(",") if options.only else list(without)
    rows = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            rows[name] = measured(makers[name], Path(folder))
        print(name, rows[name], flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    written = options.out / "models.json"
    earlier = json.loads(written.read_text()) if written.exists() else {}
    facts: dict[str, Any] = {"python": platform.python_version(), **_versions(), "families": rows}
    if torchvision_state() != "works":
        facts["kinds"] = model_kinds.outcomes(rows)
        facts |= {name: earlier[name] for name in ("with_torchvision",) if name in earlier}
    written.write_text(json.dumps(facts, indent=2) + "\n")
    (options.out / "models.md").write_text(matrix(facts))


def join(out: Path, others: list[Path]) -> None:
    """Put the families of a machine where torchvision works beside those of the matrix."""
    facts = json.loads((out / "models.json").read_text())
    beside = [json.loads(file.read_text()) for file in others]
    if wrong := [
        str(file) for file, each in zip(others, beside, strict=True) if each["torchvision"] != "works"
    ]:
        raise SystemExit(f"torchvision did not work there: {', '.join(wrong)}")
    earlier = facts.get("with_torchvision", {})
    families = earlier.get("families", {}) | {
        name: line for each in beside for name, line in each.pop("families").items()
    }
    facts["with_torchvision"] = {**beside[0], **earlier, "families": families}
    facts["kinds"] |= {
        kind: f"row {name}" for name, line in families.items() for kind in line.get("kinds", "").split()
        if not facts["kinds"][kind].startswith("row ")
    }  # fmt: skip
    (out / "models.json").write_text(json.dumps(facts, indent=2) + "\n")
    (out / "models.md").write_text(matrix(facts))


def measured(make: Callable[[Path], Path], folder: Path) -> dict[str, str]:
    """A family's line: `yes` or what went wrong, by check."""
    family = Family(make, folder)
    began = time.monotonic()
    line = {}
    for check in CHECKS:
        try:
            outcome = getattr(family, check.replace(" ", "_").replace("=", "is"))()
            line[check] = outcome if isinstance(outcome, str) else "yes" if outcome else "no"
        except Exception as error:  # the matrix is to say it, whatever it is
            line[check] = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
            if check == "loads":
                break
    line["kinds"] = " ".join(sorted(family.kinds()))
    line["seconds"] = f"{time.monotonic() - began:.0f}"
    return line


class Family:
    """One tiny checkpoint and what is done with it; later checks use what earlier ones left.

    Args:
        make: Writes the checkpoint.
        folder: Into a folder of this.
    """

    def __init__(self, make: Callable[[Path], Path], folder: Path) -> None:
        import torch

        from tests.worker.conftest import train_settings

        torch.manual_seed(0)
        self.work = folder
        self.folder = make(folder / "model")
        self.settings = train_settings(self.folder, lora_alpha=32)
        self.base_texts: list[str] = []
        self.tuned: list[Any] = []

    def loads(self) -> bool:
        """Model and processor, on this install."""
        from radtui.worker.model import backend, model, template

        self.how = backend.plan(self.settings)
        self.model, self.processor = model.load(str(self.folder), self.how)
        self.ends = template.end_token_ids(self.model, self.processor)
        self.base_texts = [each.text for each in self.texts(self.model)]
        return True

    def kinds(self) -> set[str]:
        """Names by which transformers knows what was written: of the whole, and of the part that writes."""
        written = json.loads((self.folder / "config.json").read_text())
        return {str(written["model_type"]), str((getattr(getattr(self, "model", None), "config", None) and
                                                self.model.config.model_type) or written["model_type"])}  # fmt: skip

    def resolution(self) -> str:
        """Whether `image_tokens` bounds what a picture takes; `fixed` where it is said that nothing does."""
        from radtui.worker.model import counting, processors, resolution

        own, bound = (processors.load(str(self.folder)) for _ in range(2))
        for each in (own, bound):
            processors.check(each, "it")  # which takes a tokenizer's template
        taken = counting.ImageTokens(own, []).of(PICTURE_PX)
        budget = max(taken * 2 // 3, 8)
        sentence = resolution.apply(bound, budget)
        now = counting.ImageTokens(bound, []).of(PICTURE_PX)
        if "not used" in sentence:
            return "fixed"
        least = int(re.findall(r"(\d+) tokens at least", sentence)[0]) if sentence else 0
        return "yes" if now <= max(budget + FRAMES * budget // 4, least) else f"{now} of {budget}"

    def estimate(self) -> bool:
        """What a step takes is estimated on empty tensors."""
        from radtui.worker.memory.footprint import Footprint
        from radtui.worker.model import model
        from tests.worker.test_model_families import items

        config, _ = model.describe(str(self.folder))
        footprint = Footprint(config, self.settings, self.how, self.collator(), items()[0])
        return footprint.activations_gib(2) > 0

    def mask(self) -> bool:
        """What is learnt is the reference and its end."""
        from radtui.worker.model.collator import IGNORED
        from tests.worker.test_model_families import REFERENCES, items

        batch = self.collator()(items())
        tokenizer = self.processor.tokenizer
        for row, reference in enumerate(REFERENCES):
            learnt = batch["input_ids"][row][batch["labels"][row] != IGNORED].tolist()
            ended = next(place for place, token in enumerate(learnt) if token in self.ends)
            if (
                tokenizer.decode(learnt[:ended], skip_special_tokens=True).strip() != reference
                or tokenizer.decode(learnt[ended + 1 :]).strip()
            ):
                return False
        return True

    def counted(self) -> bool:
        """Lengths counted from sizes are those of the batches."""
        from radtui.worker.model import counting
        from tests.worker.test_model_counting import QUESTION, SIZES, length

        answer = "A bright disc on the left."
        return all(
            counting.count(
                self.collator(), [counting.Counted((size,), QUESTION, answer)], "image_first", 0
            ).longest_tokens
            == length(self.collator(), size, answer)
            for size in SIZES
        )

    def two_images(self) -> bool:
        """A case may have several images."""
        from radtui.worker.model.examples import takes_several

        return takes_several(self.processor)

    def trains(self) -> bool:
        """The loss falls to what is known by heart."""
        from radtui.worker.model import adapters, prompt
        from tests.worker.test_model_families import LEARNT, REFERENCES, items, learn

        self.model = adapters.with_adapter(self.model, self.how, self.settings)
        same = [{**item, "messages": [item["messages"][0], prompt.answer(REFERENCES[0])]} for item in items()]
        first, last = learn(self.model, self.collator()(same))
        return last < LEARNT < first

    def stops(self) -> bool:
        """It writes what it learnt, and ends by itself."""
        from tests.worker.test_model_families import REFERENCES

        self.tuned = self.texts(self.model)
        return all(each.text == REFERENCES[0] and not each.truncated for each in self.tuned)

    def batch_1_is_2(self) -> bool:
        """A text does not depend on its batch."""
        from tests.worker.test_model_families import describing, pictures

        alone = [describing(self.model, self.processor, [each])[0].text for each in pictures()]
        return alone == [each.text for each in self.tuned]

    def base_is_generate(self) -> bool:
        """With its adapter off the model writes what it wrote before it had one, and what plain `generate` writes."""
        with self.model.disable_adapter():
            off = [each.text for each in self.texts(self.model)]
            plain = self.plainly_generated()
        return off == self.base_texts and off[0] == plain

    def plainly_generated(self) -> str:
        """What transformers alone writes of the first picture."""
        import torch

        from radtui.worker.model import collator, kinds, template
        from tests.worker.test_model_families import INSTRUCTION, pictures

        words, asked = self.processor.tokenizer, template.rendered_prompt(self.processor, INSTRUCTION)
        special = words.bos_token is None or not asked.startswith(words.bos_token)
        inputs = self.processor(
            text=[asked], images=[pictures()[:1]], add_special_tokens=special, return_tensors="pt",
            **collator.modalities(self.processor),
        )  # fmt: skip
        inputs = {name: each.float() if each.is_floating_point() else each for name, each in inputs.items()}
        if collator.MODALITIES not in kinds.inputs_of(type(self.model.get_base_model())):
            inputs.pop(collator.MODALITIES, None)  # MiniMax's processor offers it, and its model takes none
        seen = inputs["input_ids"].shape[1]
        with torch.inference_mode():
            row = self.model.generate(**inputs, max_new_tokens=24, do_sample=False)[0, seen:].tolist()
        ended = next((place for place, token in enumerate(row) if token in self.ends), len(row))
        answer, _ = template.split_reasoning(words, row[:ended], inputs["input_ids"][0].tolist())
        return str(words.decode(answer, skip_special_tokens=True).strip())

    def plain_peft(self) -> bool:
        """Adapter and processor as saved, in PEFT and transformers alone."""
        import torch
        from peft import PeftModel
        from transformers import AutoConfig

        from radtui.worker.model import kinds, processors

        self.model.save_pretrained(self.work / "adapter")
        processors.save(self.processor, self.work / "adapter")
        config = kinds.writer(AutoConfig.from_pretrained(self.folder))
        base = kinds.auto_class(config).from_pretrained(self.folder, config=config, dtype=torch.float32)
        again = PeftModel.from_pretrained(base, self.work / "adapter")
        return [each.text for each in self.texts(again)] == [each.text for each in self.tuned]

    def merged(self) -> bool:
        """The adapter in the base's weights, in 16 bits: almost the same scores, so the same texts."""
        from radtui.worker.model import backend, merge, model

        merge.merge(str(self.folder), self.work / "adapter", self.work / "merged")
        whole, _ = model.load(
            str(self.work / "merged"), backend.LoadPlan("transformers", False, False, "float32")
        )
        return [each.text for each in self.texts(whole)] == [each.text for each in self.tuned]

    def DPO_batch(self) -> bool:
        """A batch of pairs gives both answers' tokens, and a finite loss."""
        import math

        from radtui.worker.training.pairs import PairCollator
        from tests.worker.test_model_families import REFERENCES, items

        pairs = [
            {"prompt": [item["messages"][0]], "chosen": [item["messages"][1]], "images": item["images"],
             "rejected": [{"role": "assistant", "content": [{"type": "text", "text": REFERENCES[0][:10]}]}]}
            for item in items()
        ]  # fmt: skip
        batch = PairCollator(self.processor, 4096, labels=True, ends=self.ends)(pairs)
        return math.isfinite(self.model(**batch).loss.item())

    def collator(self) -> Any:
        """What makes batches of this family."""
        from radtui.worker.model.collator import Collator

        return Collator(self.processor, "answer", 100_000, self.ends)

    def texts(self, network: Any) -> list[Any]:
        """What a model writes of two pictures."""
        from tests.worker.test_model_families import describing, pictures

        return describing(network, self.processor, pictures())


def matrix(facts: dict[str, Any]) -> str:
    """The figures as a table in markdown."""
    beside = facts.get("with_torchvision")
    columns = [*CHECKS, *(["with torchvision"] if beside else [])]
    head = "| family | " + " | ".join(columns) + " |"
    lines = [
        "# Families on a CPU without torchvision",
        "",
        "Tiny random checkpoints of each family's classes, laid out as on the hub, through radtui's own loading,",
        "batches, LoRA and texts. *resolution*: image_tokens bounds what a picture takes, or it is said to be fixed;",
        "*estimate*: of memory, on empty tensors; *counted*: lengths from sizes alone are those of the batches;",
        "*stops*: writes the reference that it learnt and ends by itself; *base = generate*: with the adapter off;",
        "*plain peft*: as saved, in PEFT and transformers alone; *DPO batch*: pairs give a finite loss.",
        f"Made by `python -m tests.bench.models` with torch {facts['torch']}, transformers {facts['transformers']}, "
        f"peft {facts['peft']}; torchvision: {facts['torchvision']}.",
        "",
        head,
        "|" + " --- |" * (len(columns) + 1),
    ]
    for name, line in facts["families"].items():
        cells = [line.get(check, "-") for check in CHECKS]
        if beside:
            cells.append(_in_one_word(beside["families"].get(name, {})))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    if any(line["loads"] != "yes" for line in facts["families"].values()):
        lines += ["", ONE_SHAPE]
    if beside:
        lines += [
            "",
            f"*with torchvision*: all of these checks on a machine where it works, with torch {beside['torch']} and "
            f"transformers {beside['transformers']}.",
        ]
        lines += [beside["notes"]] if beside.get("notes") else []
    elsewhere = beside["families"] if beside else {}
    needing = [
        f"{name} ({_in_one_word(elsewhere[name])})" for name in elsewhere if name not in facts["families"]
    ]
    lines += [
        "",
        f"Load only where torchvision works: {'; '.join(needing)}.",
        "",
        *_kinds(facts.get("kinds", {})),
    ]
    return "\n".join(lines) + "\n"


def _kinds(outcomes: dict[str, str]) -> list[str]:
    """What becomes of each kind that transformers knows."""
    from tests.bench.model_kinds import listed

    return [
        "## Every kind", "",
        "Of every kind that transformers has in AutoModelForImageTextToText or AutoModelForMultimodalLM: the rows of",
        "it, or what `radtui model check` and a job say of a folder of that kind before anything is loaded.", "",
        *listed(outcomes),
    ]  # fmt: skip


def _in_one_word(line: dict[str, str]) -> str:
    """A family's checks: `yes`, or those that did not hold."""
    failed = [check for check in CHECKS if line.get(check, "-") not in GOOD.get(check, ("yes",))]
    return ("-" if not line else f"not {', '.join(failed)}") if failed else "yes"


def _versions() -> dict[str, str]:
    from importlib import metadata

    from radtui.worker.model.processors import torchvision_state

    found = {name: metadata.version(name) for name in ("torch", "transformers", "peft", "trl")}
    return {**found, "torchvision": torchvision_state()}


if __name__ == "__main__":
    main()
