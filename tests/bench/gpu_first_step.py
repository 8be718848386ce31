"""How soon the first step comes: a plain Unsloth and TRL script and radtui's worker, each a process of its own.

    python -m tests.bench.gpu_first_step MODEL --work DIR --out FILE [--runs plain,default] [--steps 5]

MODEL is a folder with a vision-language model; random weights train at the real speed. `plain` and `default` have
caches of their own, empty at first; a run that is named again finds what the one before has compiled. `trl` is a script
without Unsloth, to be seen beside `seed:transformers`. Seconds count from the start of the process to the end of its
first optimizer step. `--memory-gib` bounds preset default.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

from radtui.paths import DataDir
from radtui.presets import preset
from radtui.settings import INSTRUCTION
from tests.bench.gpu_parts import DATASET, Results, fill, median, new_job, parser_of

LIMIT_S = 400
CACHES = (
    "UNSLOTH_COMPILE_LOCATION", "UNSLOTH_MEGA_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR",
    "XDG_CACHE_HOME",
)  # fmt: skip
RECOMPILED = "Recompiling function"  # of torch's log, with the guard that failed below


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--runs", default="plain,default,plain,default")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--words", type=int, nargs=2, default=(40, 40), help="of captions, least and most")
    parser.add_argument("--memory-gib", type=float, default=0.0)
    parser.add_argument("--evaluated", action="store_true", help="default evaluates and watches, as it ships")
    parser.add_argument("--recompiles", action="store_true", help="say why kernels are compiled again")
    parser.add_argument("--child", default="", choices=("", "plain", "trl"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    data = DataDir(options.work / "data")
    if options.child:
        print(json.dumps((plain if options.child == "plain" else plain_trl)(options, data)), flush=True)
        return
    if not data.database.exists():
        fill(data.create(), train=96, test=16, words=tuple(options.words))
    results = Results(options.out)
    for run in options.runs.split(","):
        name, _, backend = run.partition(":")
        work = start_plain if name in ("plain", "trl") else start_worker
        results.run(
            run, LIMIT_S, lambda work=work, name=name, backend=backend: work(options, data, name, backend)
        )


def environment(options: argparse.Namespace, whose: str) -> dict[str, str]:
    """The process's own, with caches that only runs of the same kind share."""
    caches = {name: str(options.work / "caches" / whose / name.lower()) for name in CACHES}
    return {**os.environ, **caches, "UNSLOTH_DISABLE_STATISTICS": "1", "HF_HUB_OFFLINE": "1"}


def start_plain(options: argparse.Namespace, data: DataDir, name: str, backend: str) -> dict[str, Any]:
    """The plain script in a process of its own."""
    began = time.time()
    command = [
        *module(options, "tests.bench.gpu_first_step"), options.model, "--child", name, "--work", str(options.work),
        "--out", str(options.out), "--steps", str(options.steps),
    ]  # fmt: skip
    ended = subprocess.run(
        command,
        env=environment(options, name),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    with (options.work / "plain.txt").open("a") as log:
        log.write(ended.stdout + ended.stderr)
    answers = [line for line in ended.stdout.splitlines() if line.startswith("{")]
    if not answers:
        raise RuntimeError(f"the plain script ended with code {ended.returncode}: {ended.stderr[-500:]}")
    facts = json.loads(answers[-1])
    ends = facts.pop("ends")
    loaded = facts.pop("loaded")
    if options.recompiles:
        facts["recompiles"] = recompiles(ended.stderr)
    return {
        "load_s": round(loaded - began, 1),
        "first_step_s": round(ends[0] - began, 1),
        **rhythm(ends),
        **facts,
    }


def module(options: argparse.Namespace, name: str) -> list[str]:
    """The command that runs a module, its recompilations logged where asked for."""
    logged = ["tests.bench.recompiles_logged"] if options.recompiles else []
    return [sys.executable, "-m", *logged, name]


def rhythm(ends: list[float]) -> dict[str, Any]:
    """Seconds of the steps after the first; the median leaves out the second, which may compile."""
    steps = [later - earlier for earlier, later in pairwise(ends)]
    return {"step_s": round(median(steps[1:] or steps), 3), "steps_s": [round(each, 3) for each in steps]}


def start_worker(options: argparse.Namespace, data: DataDir, name: str, backend: str) -> dict[str, Any]:
    """radtui's worker as the app starts it, watched through the database."""
    from radtui.store import jobs, metrics
    from radtui.store.database import connect

    settings = replace(
        preset(name), model=options.model, dataset=DATASET, max_steps=options.steps, checkpoint_every=0,
        memory_gib=options.memory_gib, backend=backend or "auto",
    )  # fmt: skip
    if not options.evaluated:
        settings = replace(settings, eval_split="", eval_every=0, watch_images=0)
    job = new_job(data, settings)
    db = connect(data)
    began = time.time()
    log = data.log(job.id).open("a")
    command = [*module(options, "radtui.worker"), "--data-dir", str(data.root), str(job.id)]
    worker = subprocess.Popen(command, env=environment(options, "radtui"), stdout=log, stderr=log)
    waited: dict[str, float] = {}
    ends: dict[int, float] = {}
    while worker.poll() is None:
        row = jobs.must_get(db, job.id)
        if not row.state.live:
            waited.setdefault("over", round(time.time() - began, 1))
        waited.setdefault(row.message, round(time.time() - began, 1))
        for point in metrics.since(db, job.id, 0):
            if point.name == "loss":
                ends.setdefault(point.step, time.time())
        time.sleep(0.05)
    row = jobs.must_get(db, job.id)
    points = metrics.since(db, job.id, 0)
    elapsed = [p.elapsed_s for p in points if p.name == "loss"]
    events = [e.text for e in metrics.events_since(db, job.id, 0)]
    shown = ("batch_size", "gradient_accumulation", "recomputed_vision_layers", "recomputes_text", "peak_memory_gib",
             "planned_memory_gib", "verified_memory_gib", "memory_limit_gib", "supervised_tokens", "batch_tokens",
             "trainable_parameters")  # fmt: skip
    facts = {
        "state": str(row.state), "error": row.error, "first_step_s": round(ends.get(1, 0) - began, 1),
        **(rhythm(elapsed) if len(elapsed) > 1 else {}),
        "losses": [round(p.value or 0, 4) for p in points if p.name == "loss"],
        "mfu": [round(p.value or 0, 4) for p in points if p.name == "mfu"],
        **{key: row.result[key] for key in shown if key in row.result}, "events": events, "messages_s": waited,
    }  # fmt: skip
    written = data.log(job.id).read_text(errors="replace")
    if row.error:
        facts["log"] = written[-1500:]
    if options.recompiles:
        facts["recompiles"] = recompiles(written)
    return facts


def recompiles(log: str) -> list[str]:
    """Functions that were compiled again, each with the guards that failed, from torch's log."""
    lines = log.splitlines()
    places = [place for place, line in enumerate(lines) if RECOMPILED in line]
    return [
        " | ".join(line.partition("] ")[2].strip()[-160:] for line in lines[place : place + 4])
        for place in places
    ]  # fmt: skip


def plain(options: argparse.Namespace, data: DataDir) -> dict[str, Any]:
    """The recipe as a script: Unsloth and TRL, batch 2 x 4, every decoded image in a list."""
    from unsloth import FastVisionModel  # isort: skip
    from PIL import Image
    from trl import SFTConfig, SFTTrainer
    from unsloth.trainer import UnslothVisionDataCollator

    model, processor = FastVisionModel.from_pretrained(
        options.model, load_in_4bit=True, use_gradient_checkpointing="unsloth"
    )
    model = FastVisionModel.get_peft_model(
        model, finetune_vision_layers=True, finetune_language_layers=True, finetune_attention_modules=True,
        finetune_mlp_modules=True, r=16, lora_alpha=16, lora_dropout=0, bias="none", random_state=3407,
        use_rslora=False, loftq_config=None,
    )  # fmt: skip
    loaded = time.time()
    samples = []
    for caption, content in pairs(data):
        image = Image.open(io.BytesIO(content)).convert("RGB")
        user = [{"type": "text", "text": INSTRUCTION}, {"type": "image", "image": image}]
        answer = [{"type": "text", "text": caption}]
        samples.append(
            {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]}
        )
    ends: list[float] = []
    FastVisionModel.for_training(model)
    collator = UnslothVisionDataCollator(model, processor)
    tokens = int(collator(samples[:2])["attention_mask"].sum())
    trainer = SFTTrainer(
        model=model, processing_class=processor, data_collator=collator, train_dataset=samples,
        callbacks=[clock(ends)], args=SFTConfig(**arguments(options)),
    )  # fmt: skip
    return trained(trainer) | {"loaded": loaded, "ends": ends, "tokens_of_two": tokens}


def plain_trl(options: argparse.Namespace, data: DataDir) -> dict[str, Any]:
    """The recipe as a script of transformers, PEFT and TRL alone: 4-bit weights, LoRA on every linear layer."""
    import torch
    from peft import LoraConfig
    from PIL import Image
    from transformers import AutoModelForImageTextToText, AutoProcessor, BitsAndBytesConfig
    from trl import SFTConfig, SFTTrainer

    cuda = torch.cuda.is_available()
    few_bits = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )  # fmt: skip
    model = AutoModelForImageTextToText.from_pretrained(
        options.model, dtype=torch.bfloat16, quantization_config=few_bits if cuda else None,
        device_map={"": 0} if cuda else None,
    )  # fmt: skip
    processor = AutoProcessor.from_pretrained(options.model)
    loaded = time.time()
    samples = []
    for caption, content in pairs(data):
        user = [{"type": "image"}, {"type": "text", "text": INSTRUCTION}]
        answer = [{"type": "text", "text": caption}]
        messages = [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]
        samples.append({"messages": messages, "images": [Image.open(io.BytesIO(content)).convert("RGB")]})
    ends: list[float] = []
    trainer = SFTTrainer(
        model=model, processing_class=processor, train_dataset=samples, callbacks=[clock(ends)],
        peft_config=LoraConfig(r=16, lora_alpha=16, lora_dropout=0, bias="none", target_modules="all-linear"),
        args=SFTConfig(
            **arguments(options), bf16=cuda, gradient_checkpointing=True,
            gradient_checkpointing_kwargs={"use_reentrant": False},
        ),
    )  # fmt: skip
    return trained(trainer) | {"loaded": loaded, "ends": ends}


def arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The recipe's, for TRL."""
    import torch

    return {
        "per_device_train_batch_size": 2, "gradient_accumulation_steps": 4, "warmup_steps": 5,
        "max_steps": options.steps, "learning_rate": 2e-4, "logging_steps": 1,
        "optim": "adamw_8bit" if torch.cuda.is_available() else "adamw_torch", "weight_decay": 0.001,
        "lr_scheduler_type": "linear", "seed": 3407, "output_dir": str(options.work / "plain"), "report_to": "none",
        "remove_unused_columns": False, "dataset_text_field": "", "save_strategy": "no",
        "dataset_kwargs": {"skip_prepare_dataset": True}, "max_length": 2048, "disable_tqdm": True,
    }  # fmt: skip


def clock(ends: list[float]) -> Any:
    """A callback that notes when each step ended."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):  # type: ignore[misc]
        """When each step ended."""

        def on_step_end(self, *_: Any, **__: Any) -> None:
            import torch

            if torch.cuda.is_available():
                torch.cuda.synchronize()
            ends.append(time.time())

    return Clock()


def trained(trainer: Any) -> dict[str, Any]:
    """What training gave."""
    from tests.bench.gpu_parts import peak

    trainer.train()
    losses = [round(each["loss"], 4) for each in trainer.state.log_history if "loss" in each]
    trainable = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    return {"losses": losses, "trainable_parameters": trainable, **peak()}


def pairs(data: DataDir) -> list[tuple[str, bytes]]:
    """References and bytes of the images to learn from."""
    from radtui.store import cases
    from radtui.store.database import connect

    db = connect(data)
    records = cases.get_many(db, cases.usable(db, DATASET, "train", 0))
    return [(r.reference, data.blob(r.first.sha256).read_bytes()) for r in records]


if __name__ == "__main__":
    main()
