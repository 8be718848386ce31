"""From inside the training loop to the store: a row set per step, and the app's wishes back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from radtui.records import StopRequest
from radtui.worker.process.reporter import Reporter, Stopped
from radtui.worker.training.best import Best
from radtui.worker.training.harm import REWARD, Harm
from radtui.worker.training.watch import Watch

log = logging.getLogger("radtui.worker")
LOGGED = {
    "loss": "loss", "grad_norm": "grad_norm", "learning_rate": "learning_rate",
    "rewards/margins": "reward_margin", "rewards/accuracies": "reward_accuracy",
}  # fmt: skip
"""The trainer's name of a value -> the series it is a point of. The last two are DPO's."""


class ProgressCallback(TrainerCallback):
    """Writes steps, evaluations and checkpoints of one training job, over all its attempts.

    Args:
        reporter: The job's voice.
        watch: Pinned images described at every evaluation, or None.
        evaluates: Whether there are evaluations; without them the watch looks at the start and the end.
        step: Optimizer steps done before this process; there is a checkpoint of it.
        elapsed_s: Time that they took.
    """

    def __init__(
        self, reporter: Reporter, watch: Watch | None, evaluates: bool, step: int, elapsed_s: float
    ) -> None:
        self.reporter = reporter
        self.step = self.saved_step = step
        self.total = 0  # known when the loop begins
        self.watch = watch
        self.evaluates = evaluates
        self.counted = False  # whether the first batch's tokens are reported
        self.stopping = False  # whether the app asked for a checkpoint and an end
        self.looked_at_start = step > 0  # whether there is an evaluation of the untrained model
        self.looks_late = False  # whether the first step changes nothing, so that this can wait for it
        self.last: dict[str, float] = {}  # newest value of each series
        self.facts: Callable[[], Mapping[str, float]] = dict  # further values for a logged step, of the GPUs
        self.best: Best | None = None  # follows the held-out loss, where settings ask for that
        self.harm: Harm | None = None  # watches held-back pairs, where pairs are learnt
        self._reward: float | None = None  # of the newest report
        # From one device's images per second.
        self.of_speed: Callable[[float], Mapping[str, float]] = lambda _: {}
        self._before_s = elapsed_s
        self._began = time.monotonic()
        self._mark = (self._began, 0, 0)  # at the last logged step: time, steps, tokens
        self._idle_s = 0.0  # spent on evaluations and checkpoints since the mark
        self._step_ended = self._began

    @property
    def elapsed_s(self) -> float:
        """Time in the training loop, that of earlier processes of the job included, s."""
        return self._before_s + time.monotonic() - self._began

    @property
    def losses(self) -> str:
        """The newest losses, to end a sentence with."""
        names = {"loss": "loss", "eval_loss": "held-out loss"}
        parts = [f"{words} {self.last[name]:.3f}" for name, words in names.items() if name in self.last]
        return f": {', '.join(parts)}" if parts else ""

    def log(self, step: int, state: TrainerState, values: Mapping[str, float]) -> StopRequest:
        """Write points of one step; returns what the app asks."""
        self.last.update(values)
        return self.reporter.log_step(step, state.max_steps, float(state.epoch or 0), self.elapsed_s, values)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The loop is about to run: start the clocks; before the first step, look at the pinned images."""
        self.total = state.max_steps
        self._obey(self.reporter.progress(state.global_step, state.max_steps, "Training"), control)
        if not self.looks_late:
            self._look_at_start(kwargs["model"])
        now = time.monotonic()
        self._mark = (now, state.global_step, state.num_input_tokens_seen)
        self._idle_s, self._step_ended = 0.0, now

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A step is done: a heartbeat when it will not be logged; the last one is always logged and evaluated."""
        self._step_ended = time.monotonic()
        self.step = state.global_step
        if state.global_step >= state.max_steps:
            control.should_log = True
            control.should_evaluate = self.evaluates
        if not self.looked_at_start:
            self._look_at_start(kwargs["model"])
            control.should_evaluate |= self.evaluates
        if not control.should_log:
            self._obey(self.reporter.progress(state.global_step, state.max_steps), control)

    def _look_at_start(self, model: Any) -> None:
        """The pinned images by the untrained model, where no evaluation comes that would describe them."""
        if self.watch and not self.evaluates and not self.looked_at_start:
            self.watch.describe(model, 0)
        self.looked_at_start |= not self.evaluates

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """The trainer reports the mean loss since the last report: write it with speeds."""
        self._reward = (logs or {}).get(REWARD)
        if not logs or "loss" not in logs:
            return
        values = {series: float(logs[name]) for name, series in LOGGED.items() if name in logs}
        values |= self._speeds(args, state)
        log.info("step %d/%d %s", state.global_step, state.max_steps, _line(values))
        self._obey(self.log(state.global_step, state, {**values, **self.facts()}), control)

    def _speeds(self, args: TrainingArguments, state: TrainerState) -> dict[str, float]:
        """Images and tokens per second since the last report, without evaluations and checkpoints."""
        now = time.monotonic()
        then, steps, tokens = self._mark
        busy_s = max(now - then - self._idle_s, 1e-9)
        images = (state.global_step - steps) * args.train_batch_size * args.gradient_accumulation_steps
        of_speed = self.of_speed(images / busy_s)
        images *= self.reporter.ranks.count
        seen = state.num_input_tokens_seen - tokens
        self._mark, self._idle_s = (now, state.global_step, state.num_input_tokens_seen), 0.0
        return {"samples_per_s": images / busy_s, "tokens_per_s": seen / busy_s, **of_speed}

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A batch of an evaluation is done: a heartbeat, since evaluations can be long."""
        if self.reporter.progress(state.global_step, state.max_steps) is StopRequest.NOW:
            raise Stopped

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """The held-out loss is known: write it, and describe the pinned images."""
        loss = (metrics or {}).get("eval_loss")
        step = state.global_step if self.looked_at_start else 0
        if loss is not None:
            self._obey(self.log(step, state, {"eval_loss": loss}), control)
            self.reporter.event(step, "eval", f"Held-out loss {loss:.4f}", self.elapsed_s)
            if self.best is not None and self.best.seen(kwargs["model"], step, loss):
                control.should_training_stop = True
            if self.harm is not None and self._reward is not None and self.harm.seen(step, self._reward):
                control.should_training_stop = True
        if self.watch:
            self.watch.describe(kwargs["model"], step)
        self.looked_at_start = True
        self._pause_over()

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A checkpoint is complete."""
        self.saved(state.global_step)
        self._pause_over()

    def saved(self, step: int) -> None:
        """Say that a step is saved; a resumed run takes its elapsed time from here."""
        self.saved_step = step
        self.reporter.event(step, "checkpoint", f"Saved step {step}", self.elapsed_s)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The loop is over; without evaluations this is the watch's second look."""
        if self.watch and not self.evaluates and not self.stopping:
            self.watch.describe(kwargs["model"], state.global_step)

    def _pause_over(self) -> None:
        now = time.monotonic()
        self._idle_s += now - self._step_ended
        self._step_ended = now

    def _obey(self, request: StopRequest, control: TrainerControl) -> None:
        """Stop now by an exception, or after this step by saving and leaving the loop."""
        if request is StopRequest.NOW:
            raise Stopped
        if self.reporter.ranks.first_says(request is StopRequest.CHECKPOINT):
            self.stopping = True
            control.should_save = True
            control.should_evaluate = False
            control.should_training_stop = True


def _line(values: Mapping[str, float]) -> str:
    return " ".join(f"{name} {value:.4g}" for name, value in values.items())
