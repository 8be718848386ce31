"""The README of an exported adapter: what it was made of, how, with which losses, and what it is not for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from radtui.harmless import printable
from radtui.records import Job, Metric
from radtui.settings import TrainSettings

NOTICE = "**Model output, not for clinical use.**"
SHOWN_LOSSES = 12  # rows of the table; a chart would need a program
RESULTS = (
    ("images", "Images learnt"), ("trainable_parameters", "Trainable parameters"), ("backend", "Backend"),
    ("weights", "Base weights while training"), ("adapter_step", "Optimizer steps"),
    ("seconds", "Seconds in the training loop"), ("peak_memory_gib", "Peak memory, GiB"),
    ("final_loss", "Last training loss"), ("final_eval_loss", "Last held-out loss"),
)  # fmt: skip


def card(job: Job, losses: Sequence[Metric], merged: bool, training: int = 0, further: int = 0) -> str:
    """A model card in Markdown, with the header model hubs read.

    Args:
        job: A training job with its result.
        losses: Its points of the series `loss` and `eval_loss`.
        merged: Whether the weights are the base's with the adapter merged in.
        training: Of a job that trained several times, which one's adapter this is, from 0.
        further: How many other trainings' adapters lie in folders beside it.
    """
    settings = TrainSettings.from_dict(job.settings)
    what = "the base model with the adapter merged in, 16 bits" if merged else "a LoRA adapter"
    header = [
        "---", f"base_model: {json.dumps(settings.model)}", f"library_name: {'transformers' if merged else 'peft'}",
        "pipeline_tag: image-text-to-text", "tags:", "- radiology", "- lora", "- radtui", "---", "",
    ]  # fmt: skip
    learnt = f"fine-tuned by radtui on {settings.dataset}, split {settings.train_split}"
    if settings.learns_preferences:
        learnt = f"trained by radtui with DPO on raters' preferences about {settings.dataset}"
    if settings.learns_corrections:
        learnt = (
            f"trained by radtui on texts about {settings.dataset} that readers corrected or took as they are"
        )
    about = [
        f"# {job.name or f'Job {job.id}'}", "",
        f"{NOTICE} This is {what} of `{settings.model}`, {learnt}. "
        f"What it writes about an image may be wrong and must not guide care.", "",
        f"It was asked about every image: \"{settings.instruction}\" "
        f"({'image before' if settings.message_order == 'image_first' else 'image after'} the instruction).", "",
    ]  # fmt: skip
    if (caution := peft_caution(job)) and not merged:
        about += [caution, ""]
    if settings.seeds > 1:
        about += [_of_seeds(settings, training, further), ""]
    result = {**job.result, **_own_result(job, training)}
    results = {words: result[key] for key, words in RESULTS if result.get(key) is not None}
    loss_of = "the description alone" if settings.loss_on == "answer" else "prompt and description"
    if settings.learns_preferences:
        loss_of = "DPO over rated pairs"
    if settings.learns_corrections:
        loss_of = "corrected and accepted texts"
    return printable("\n".join(
        [*header, *about, "## Result", "", *_table(results), "", f"## Losses, of {loss_of}", "", *_losses(losses),
         "", "## Settings", "", *_table(settings.to_dict()), "", "## Versions", "", *_versions(job), ""]
    ))  # fmt: skip


def peft_caution(job: Job) -> str:
    """What is to be known before an adapter is loaded without radtui; empty where PEFT alone loads it."""
    if job.result.get("plain_peft", True):
        return ""
    return (
        "PEFT alone does not load this adapter: it takes the matrices' names for those of an older layout and leaves "
        "them as if they had never learnt. Use it with radtui, or export it with --merged."
    )


def _of_seeds(settings: TrainSettings, training: int, further: int) -> str:
    """Which training of several this is, and where the others are."""
    others = (
        f"; those of the others lie in {', '.join(f'`seed-{number + 2}`' for number in range(further))}"
        if further
        else ""
    )
    return (
        f"The same run was trained {settings.seeds} times; this is the adapter of training {training + 1}, with seed "
        f"{settings.seed + training}{others}. One adapter alone says nothing of how far chance in training goes."
    )


def _own_result(job: Job, training: int) -> dict[str, object]:
    """Figures of one training of several."""
    seeds = job.result.get("seeds")
    own = seeds[training] if isinstance(seeds, list) and training < len(seeds) else {}
    return dict(own) if isinstance(own, dict) else {}


def _table(values: Mapping[str, object]) -> list[str]:
    rows = [f"| {_cell(name)} | {_cell(value)} |" for name, value in values.items()]
    return ["| | |", "|---|---|", *rows]


def _cell(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return " ".join(text.split()).replace("|", "\\|") or "-"


def _losses(points: Sequence[Metric]) -> list[str]:
    """A few steps, evenly spaced, the first and the last among them; a step without a finite value shows a dash."""
    by_step: dict[int, dict[str, float | None]] = {}
    for point in points:
        by_step.setdefault(point.step, {})[point.name] = point.value
    steps = sorted(by_step)
    if not steps:
        return ["No losses were written."]
    last = len(steps) - 1
    places = sorted({round(i * last / (SHOWN_LOSSES - 1)) for i in range(SHOWN_LOSSES)})
    held_out = [step for step in steps if "eval_loss" in by_step[step]]
    shown = sorted({steps[place] for place in places} | {*held_out[:1], *held_out[-1:]})
    rows = [
        f"| {step} | {_loss(by_step[step], 'loss')} | {_loss(by_step[step], 'eval_loss')} |" for step in shown
    ]
    return ["| Step | Training | Held-out |", "|---|---|---|", *rows]


def _loss(values: Mapping[str, float | None], name: str) -> str:
    value = values.get(name)
    return "-" if value is None else f"{value:.4f}"


def _versions(job: Job) -> list[str]:
    versions = job.result.get("versions")
    return _table(versions) if isinstance(versions, dict) and versions else ["Not recorded."]
