"""The evaluation with the least held-out loss: its adapter kept, and the run ended when it stays the least."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from radtui.settings import TrainSettings
from radtui.worker.model import adapter_keys
from radtui.worker.model.adapter_keys import FIRST_ADAPTER
from radtui.worker.process.reporter import Reporter

FOLDER, STATE = "best", "best.json"
PARTIAL = ".partial"


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
            kept = json.loads((self._place / STATE).read_text())
        except (OSError, ValueError):
            return
        if kept["step"] <= step:
            self.step, self.loss = kept["step"], kept["loss"]

    @property
    def _place(self) -> Path:
        """Where the best is: not in its folder yet where a process was killed between the two renames of `_keep`."""
        return self.folder if self.folder.exists() else self.folder.with_name(FOLDER + PARTIAL)

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
        """Put the best adapter's weights back into the model.

        Returns:
            False where none is kept, or, which is said, its weights cannot be put back: then the last ones stay.
        """
        if not self.keeps or self.step < 0:
            return False
        try:
            adapter_keys.put_back(model, self._place)
        except (OSError, ValueError, SafetensorError) as error:
            self.reporter.event(
                self.step, "warning",
                f"The adapter of step {self.step}, with the least held-out loss, cannot be put back ({error}): the last"
                f" one is kept instead; that one is in {self._place}.",
            )  # fmt: skip
            return False
        return True

    def _keep(self, model: Any) -> None:
        """A whole folder or none, in place of the one before; killed at any moment, one of the two is left."""
        partial, before = (self.folder.with_name(FOLDER + end) for end in (PARTIAL, ".before"))
        if not self.folder.exists() and (partial / STATE).exists():
            partial.rename(self.folder)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        if self.keeps:
            model.save_pretrained(partial, selected_adapters=[FIRST_ADAPTER])
        (partial / STATE).write_text(json.dumps({"step": self.step, "loss": self.loss}))
        shutil.rmtree(before, ignore_errors=True)
        if self.folder.exists():
            self.folder.rename(before)  # in one step; its files go one by one
        partial.rename(self.folder)
        shutil.rmtree(before, ignore_errors=True)
