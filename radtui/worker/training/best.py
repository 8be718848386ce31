"""The evaluation with the least held-out loss: its adapter kept, and the run ended when it stays the least."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from radtui.settings import TrainSettings
from radtui.worker.model.adapter_keys import FIRST_ADAPTER
from radtui.worker.process.reporter import Reporter

FOLDER, STATE = "best", "best.json"


class Best:
    """Follows the held-out loss of one job, over all its processes.

    Args:
        checkpoints: The job's folder of checkpoints.
        settings: Whether to keep the best adapter, and when to stop.
        reporter: The job's voice.
        step: Where this process goes on; an evaluation after it is done again.
    """

    def __init__(self, checkpoints: Path, settings: TrainSettings, reporter: Reporter, step: int) -> None:
        self.folder = checkpoints / FOLDER
        self.keeps, self.patience = settings.keep_best, settings.stop_after
        self.reporter = reporter
        self.step, self.loss, self.without = -1, float("inf"), 0
        try:
            kept = json.loads((self.folder / STATE).read_text())
        except (OSError, ValueError):
            return
        if kept["step"] <= step:
            self.step, self.loss = kept["step"], kept["loss"]

    def seen(self, model: Any, step: int, loss: float) -> bool:
        """Take note of an evaluation.

        Args:
            model: With the adapter as it is.
            step: Optimizer steps done.
            loss: Held out.

        Returns:
            Whether the run is to end: the loss has not fallen for as many evaluations as it may.
        """
        if loss < self.loss:
            self.step, self.loss, self.without = step, loss, 0
            if self.reporter.ranks.first:
                self._keep(model)
            return False
        self.without += 1
        if not self.patience or self.without < self.patience:
            return False
        self.reporter.event(
            step, "eval", f"Stopped: {self.without} evaluations without a held-out loss below {self.loss:.4f}, that "
            f"of step {self.step}",
        )  # fmt: skip
        return True

    def restore(self, model: Any) -> bool:
        """Put the best adapter's weights back into the model; False where none is kept."""
        from peft import load_peft_weights, set_peft_model_state_dict

        if not self.keeps or self.step < 0:
            return False
        set_peft_model_state_dict(model, load_peft_weights(str(self.folder), device="cpu"), FIRST_ADAPTER)
        return True

    def _keep(self, model: Any) -> None:
        """A whole folder or none, in place of the one before."""
        partial = self.folder.with_name(FOLDER + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        if self.keeps:
            model.save_pretrained(partial, selected_adapters=[FIRST_ADAPTER])
        (partial / STATE).write_text(json.dumps({"step": self.step, "loss": self.loss}))
        shutil.rmtree(self.folder, ignore_errors=True)
        partial.rename(self.folder)
