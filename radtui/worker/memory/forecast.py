"""What a run will need, told by another process while the model loads: what fits, and what an image costs.

A probe of the real model would take its own minutes, and under unsloth spoil what is compiled for the real passes. The
process runs the same passes on empty tensors (`python -m radtui.worker.memory.forecast`, a request on stdin, an answer
as the last line of stdout). Of a run that this machine has done before, what fitted then is taken instead.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from radtui.paths import DataDir
from radtui.settings import TrainSettings
from radtui.worker.memory import remembered
from radtui.worker.process import memory

if TYPE_CHECKING:
    from radtui.worker.memory.fitting import Fit
    from radtui.worker.model.backend import LoadPlan

log = logging.getLogger("radtui.worker")
WAIT_S = 60.0  # after the model is loaded; then the run begins without an answer
ROOMY = 0.8  # a run that recomputed while it took less than this share of what it might is planned anew
SAME_LIMIT = 1.05  # up to so much more memory, a run whose first plan was too large is begun as it ended


class Forecast:
    """What is known of a run before its first step.

    Args:
        data: The data folder.
        settings: One device's share, as this machine does them.
        load_plan: Backend and precision.
    """

    def __init__(self, data: DataDir, settings: TrainSettings, load_plan: LoadPlan) -> None:
        self.settings, self.load_plan = settings, load_plan
        self.gpu, self.key = remembered.key_of(settings, load_plan)
        self.known = remembered.recall(self.key)
        self.limit_gib = 0.0
        self._process: subprocess.Popen[str] | None = None
        self._answer: dict[str, Any] | None = None
        if not load_plan.cuda or settings.learns_preferences:
            return
        self.limit_gib = min(settings.memory_gib or float("inf"), memory.free_gpu_gib())
        if (self.fits_by_itself and not self._fitted_before()) or not self.known.get("flops_per_image"):
            self._ask(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def fits_by_itself(self) -> bool:
        """Whether micro-batch and recomputation are left to the machine."""
        return self.load_plan.cuda and self.settings.gradient_checkpointing == "auto"

    @property
    def flops_per_image(self) -> float:
        """Operations that learning an image needs; 0 while, or where, they are not counted."""
        if self._process is not None and self._process.poll() is not None:
            self._wait()
        flops = (self._answer or {}).get("flops_per_image") or self.known.get("flops_per_image")
        return float(flops or 0.0)

    @property
    def base_gib(self) -> float:
        """Weights and adapter by the estimate, GiB; 0 without one."""
        return float((self._answer or {}).get("base_gib") or self.known.get("base_gib") or 0.0)

    @property
    def share(self) -> float:
        """What passes held here for each GiB that was estimated."""
        return float(self.known.get("share") or 1.0)

    def fit(self, layers: int) -> tuple[Fit, str]:
        """What to begin with, and why in a sentence's end; waits for the other process.

        Args:
            layers: Vision layers of the model that can be recomputed one by one.
        """
        from radtui.worker.memory import fitting

        if self._fitted_before():
            return self._known_fit(), "as it fitted last time"
        self._wait()
        answer = self._answer or {}
        if answer.get("fit"):
            return fitting.Fit(**answer["fit"]), "by estimate"
        why = answer.get("error") or "none was asked for"
        return fitting.most_recomputed(
            self.settings, layers, self.limit_gib
        ), f"without an estimate ({why.rstrip('.')})"

    def _fitted_before(self) -> bool:
        """Whether what fitted last time would be planned now."""
        from radtui.worker.memory import fitting

        if not self.known.get("fit") or not self.known.get("peak_gib"):
            return False
        allowed = self.limit_gib * (1 - fitting.SPARE_SHARE)
        if self.known["peak_gib"] > allowed:
            return False
        if self.known.get("was_full"):
            return bool(self.limit_gib <= self.known["fit"]["limit_gib"] * SAME_LIMIT)
        roomy = self.known["peak_gib"] < ROOMY * allowed
        return not (self._known_fit().recomputes and roomy)

    def _known_fit(self) -> Fit:
        from dataclasses import replace

        from radtui.worker.memory import fitting

        fit = fitting.Fit(**self.known["fit"])
        return replace(fit, peak_gib=self.known["peak_gib"], limit_gib=self.limit_gib)

    def _ask(self, data: DataDir) -> None:
        request = {
            "settings": self.settings.to_dict(), "load_plan": asdict(self.load_plan), "limit_gib": self.limit_gib,
            "share": self.share, "fits": self.fits_by_itself,
        }  # fmt: skip
        command = [sys.executable, "-P", "-m", "radtui.worker.memory.forecast", "--data-dir", str(data.root)]
        hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}  # it needs no GPU, and would take memory of one
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=hidden,
            )  # fmt: skip
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request))
            self._process.stdin.close()
        except OSError as error:
            log.warning("What fits cannot be estimated: %s", error)

    def _wait(self) -> None:
        if self._process is None or self._answer is not None:
            return
        self._process.stdin = None  # closed; communicate would close it again
        try:
            output, _ = self._process.communicate(timeout=WAIT_S)
            why = f"its process ended with code {self._process.returncode} and no answer"
        except subprocess.TimeoutExpired:
            self._process.kill()
            output, _ = self._process.communicate()
            why = f"it took longer than {WAIT_S:.0f} s"
        lines = [line for line in output.splitlines() if line.startswith("{")]
        try:
            self._answer = json.loads(lines[-1])
        except (IndexError, ValueError):
            self._answer = {"error": why}


def main(arguments: list[str] | None = None) -> int:
    """Answer one request; returns 0, or 1 with a sentence instead."""
    parser = argparse.ArgumentParser(prog="python -m radtui.worker.memory.forecast")
    parser.add_argument("--data-dir", required=True, type=Path)
    data = DataDir(parser.parse_args(arguments).data_dir)
    request = json.loads(sys.stdin.read())
    from radtui.worker.process import failures

    try:
        answer = _forecast(data, request)
    except Exception as error:  # whatever it is, the run begins without an estimate and says why
        answer = {"error": failures.sentence(error, data, request["settings"].get("model", ""))}
    print(json.dumps(answer), flush=True)
    return int("error" in answer)


def _forecast(data: DataDir, request: dict[str, Any]) -> dict[str, Any]:
    import torch

    from radtui.worker.memory.estimate import Estimator, largest
    from radtui.worker.memory.fitting import SPARE_GIB
    from radtui.worker.model import backend, resolution
    from radtui.worker.model import model as models
    from radtui.worker.process import workplace

    settings = TrainSettings.from_dict(request["settings"])
    load_plan = backend.LoadPlan(
        **{**request["load_plan"], "changes": tuple(request["load_plan"]["changes"])}
    )
    config, processor = models.describe(settings.model, settings.trust_remote_code)
    resolution.apply(processor, settings.image_tokens, config)
    estimator = Estimator(
        settings,
        load_plan,
        config,
        processor,
        largest(settings, data, workplace.looked_at(data)),
        request["share"],
    )
    parts = estimator.footprint
    answer = {
        "fit": None,
        "base_gib": parts.weights_gib + parts.adapter_gib,
        "flops_per_image": estimator.flops(),
    }
    if request["fits"]:
        try:
            answer["fit"] = asdict(estimator.fit(request["limit_gib"]))
        except torch.OutOfMemoryError:  # the estimate may err, so the smallest is tried all the same
            answer["error"] = f"one image at a time is estimated to leave less than {SPARE_GIB:g} GiB free"
    return answer


if __name__ == "__main__":
    sys.exit(main())
