"""The first steps of a run: what they are waited for, what they took of the memory against the plan, remembered.

Import this module only after the model is loaded: unsloth must be imported before transformers, which it patches.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from radtui.worker.memory import arithmetic, fitting, remembered
from radtui.worker.memory.fitting import Fit
from radtui.worker.memory.forecast import Forecast
from radtui.worker.model import lora_products
from radtui.worker.process import memory
from radtui.worker.process.reporter import Reporter

VERIFIED_STEPS = 3  # a few batches of different lengths
# An estimate is corrected by so much at most: the first steps seldom hold the data set's largest batch.
LEAST_SHARE, MOST_SHARE = 0.9, 3.0


class FirstSteps(TrainerCallback):
    """Says what the first step waits for, compares its memory with the plan, and keeps both for the next run.

    Args:
        reporter: The job's voice.
        forecast: What is known of such runs.
        plan: What this attempt begins with; None where the settings decide.
        was_full: Whether an attempt before this one ran out of memory.
    """

    def __init__(self, reporter: Reporter, forecast: Forecast, plan: Fit | None, was_full: bool) -> None:
        self.reporter, self.forecast, self.plan, self.was_full = reporter, forecast, plan, was_full
        self.began = time.monotonic()
        self.before_gib = 0.0  # what the model took when the loop began
        self.held_gib = 0.0  # of that, weights in 16 bits beside those in 4
        self.first = 0  # number of the first step of this attempt
        self._step_began = self.began
        self._took_s: list[float] = []  # of each step, without what lies between

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The loop is about to run."""
        self.began, self.first = time.monotonic(), state.global_step + 1
        if self.plan:  # what the trainer has set up since may have turned other layers on
            fitting.apply(kwargs["model"], self.plan)
        if self.forecast.load_plan.cuda:
            memory.forget_peak()
            self.before_gib = memory.allocated_gib()
            self.held_gib = lora_products.held_gib(kwargs["model"])
        waited = remembered.last_time(self.forecast.known.get("first_step_s"))
        why = " while its kernels are compiled" if self.forecast.load_plan.cuda else ""
        self.reporter.progress(state.global_step, state.max_steps, f"Waiting for the first step{why}{waited}")

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A step is about to run."""
        self._step_began = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A step is done: the first ones are looked at."""
        step = state.global_step
        if step == self.first:
            self.reporter.progress(step, state.max_steps, "Training")
            took_s = time.monotonic() - self.began
            remembered.keep(self.forecast.key, first_step_s=round(took_s, 1))
            self.reporter.result(first_step_s=round(took_s, 1))
        self._time(args, step, state.max_steps)
        if self.plan and step == min(self.first + VERIFIED_STEPS - 1, state.max_steps):
            self._verify(self.plan, step)

    def _time(self, args: TrainingArguments, step: int, total: int) -> None:
        """Remember what an image takes, by the middle of the first steps but the very first, which compiles."""
        if len(self._took_s) > VERIFIED_STEPS:
            return
        self._took_s.append(time.monotonic() - self._step_began)
        if len(self._took_s) == VERIFIED_STEPS + 1 or (step == total and len(self._took_s) > 1):
            images = args.train_batch_size * args.gradient_accumulation_steps
            each_s = statistics.median(self._took_s[1:]) / images
            remembered.keep(self.forecast.key, image_s=round(each_s, 4))

    def _verify(self, plan: Fit, step: int) -> None:
        # Without what only fills room that is left, so that the next run plans as this one did.
        peak_gib = memory.peak_allocated_gib() - self.held_gib
        planned = f", {plan.peak_gib:.1f} GiB were planned" if plan.peak_gib else ""
        self.reporter.event(
            step, "memory", f"The first steps took {peak_gib:.1f} of {plan.limit_gib:.1f} GiB{planned}"
        )
        self.reporter.result(verified_memory_gib=round(peak_gib, 2))
        facts: dict[str, Any] = {
            "fit": asdict(plan),
            "peak_gib": round(peak_gib, 3),
            "was_full": self.was_full,
        }
        base_gib = self.forecast.base_gib
        if plan.peak_gib > base_gib > 0:
            ratio = (peak_gib + self.held_gib - self.before_gib) / (plan.peak_gib - base_gib)
            share = min(max(self.forecast.share * ratio, LEAST_SHARE), MOST_SHARE)
            facts |= {"base_gib": base_gib, "share": round(share, 3)}
        if self.forecast.flops_per_image:
            facts["flops_per_image"] = self.forecast.flops_per_image
        remembered.keep(self.forecast.key, **facts)


def rates(forecast: Forecast, images_per_s: float) -> dict[str, float]:
    """What the speed of one device says of its arithmetic: `mfu`, where it can be told."""
    if not forecast.load_plan.cuda:
        return {}
    return arithmetic.utilisation(images_per_s, forecast.flops_per_image, forecast.gpu)
