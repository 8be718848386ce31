"""Single passes on a GPU: whether fast paths give the plain one's gradients, and where a pass spends its time."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any
from unittest import mock

from radtui.paths import DataDir
from radtui.settings import INSTRUCTION
from tests.bench.gpu_parts import DATASET, activities, device, forget, kernels, open_gates, peak, seconds

PATHS = {"peft": 0, "peft_again": 0, "steps": 1, "early": 2, "text": 3, "ours": 4}
"""How many of vision layers as steps, the early mask, text layers as steps and flash-attn-4 each has."""


class Passes:
    """The stages of single passes; each leaves the model as trainable as it found it."""

    data: DataDir
    model: Any
    processor: Any

    def _batch(self, count: int = 8) -> dict[str, Any]:
        from radtui.store import cases
        from radtui.store.database import connect
        from radtui.worker.model.collator import Collator
        from radtui.worker.model.examples import ImageTexts, examples

        db = connect(self.data)
        records = cases.get_many(db, cases.usable(db, DATASET, "train", count))
        items = ImageTexts(examples(records, self.data), INSTRUCTION, "image_first", 0)
        return {k: v.to(device()) for k, v in Collator(self.processor, "answer", 2048)(list(items)).items()}

    def _gradients(self, batch: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        import torch

        self.model.zero_grad(set_to_none=True)
        with torch.autocast(device(), torch.bfloat16):
            loss = self.model(**batch).loss
        loss.backward()
        found = {n: p.grad.float().clone() for n, p in self.model.named_parameters() if p.grad is not None}
        self.model.zero_grad(set_to_none=True)
        return float(loss.detach()), found

    def _pass(self, batch: dict[str, Any]) -> None:
        import torch

        with torch.autocast(device(), torch.bfloat16):
            self.model(**batch).loss.backward()
        self.model.zero_grad(set_to_none=True)

    def equal(self) -> dict[str, Any]:
        """Loss and gradients of one batch with the mask, twice, and without it: the difference against the noise."""
        from radtui.worker.memory import fitting
        from radtui.worker.model import vision_attention

        vision_attention.install(self.model)
        fitting.checkpoint_layers(self.model, True)
        self.model.train()
        vision_attention.recompute(self.model, vision_attention.vision_layers(self.model))
        batch = self._batch(2)
        plan = vision_attention.plan
        ours, grads = self._gradients(batch)
        again, grads_again = self._gradients(batch)
        tower = next(m for m in self.model.modules() if type(m).__name__ == "MllamaVisionModel")
        home = vision_attention._home(tower)
        try:
            vision_attention.plan = getattr(home, vision_attention.MASK_FUNCTION)  # the model's own mask
            masked, grads_masked = self._gradients(batch)
        finally:
            vision_attention.plan = plan

        return {
            "loss_maskless": ours, "loss_again": again, "loss_masked": masked,
            "vision_gradient_difference": difference(grads, grads_masked, "vision_model"),
            "vision_gradient_noise": difference(grads, grads_again, "vision_model"),
            "text_gradient_difference": difference(grads, grads_masked, "language_model"),
        }  # fmt: skip

    def layers(self, images: int = 4) -> dict[str, Any]:
        """A pass over a few images as PEFT's and with each fast path in turn: seconds, memory, loss, gradients."""
        import torch

        from radtui.worker.model import early_mask, flash4, text_layer, vision_layer

        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                # Fresh ones are zero, and so A has no gradient.
                if "lora_B" in name and parameter.requires_grad:
                    parameter.normal_(std=0.01)
        open_gates(self.model)
        batch = self._batch(images)
        found: dict[str, Any] = {}
        grads: dict[str, dict[str, Any]] = {}
        paths = [
            (vision_layer, "install"), (early_mask, "install"), (text_layer, "install"), (flash4, "kernel"),
        ]  # fmt: skip
        for name, count in PATHS.items():
            with contextlib.ExitStack() as stack:
                for module, function in paths[count:]:
                    stack.enter_context(mock.patch.object(module, function, lambda *_: None))
                self._path(name, batch, found, grads)
        for part in ("vision_model", "language_model"):
            for name in list(PATHS)[1:]:
                found[f"{part}_{name}"] = difference(grads[name], grads["peft"], part)
        return found

    def _path(
        self, name: str, batch: dict[str, Any], found: dict[str, Any], grads: dict[str, dict[str, Any]]
    ) -> None:
        """Measure a pass over a batch as the model is now."""
        import torch

        from radtui.worker.memory import fitting
        from radtui.worker.model import vision_attention

        vision_attention.uninstall(self.model)
        vision_attention.install(self.model)
        fitting.keeper(self.model)(0, False)
        self.model.train()
        self._pass(batch)
        forget()
        passes = [seconds(lambda: self._pass(batch))[0] for _ in range(3)]
        found[name] = {"pass_s": round(min(passes), 4), **peak()}
        found[name]["loss"], grads[name] = self._gradients(batch)
        found[name]["waits"] = self._waits(batch)
        if name != "peft_again":
            with torch.profiler.profile(activities=activities()) as profiler:
                seconds(lambda: self._pass(batch))
            found[name] |= kernels(profiler)

    def _waits(self, batch: dict[str, Any]) -> list[str]:
        """Where a pass waits for the GPU: the innermost lines of each wait."""
        import traceback
        import warnings

        import torch

        if device() != "cuda":
            return []
        waits: list[str] = []

        def seen(*_: Any, **__: Any) -> None:
            lines = traceback.extract_stack()[-7:-1]
            waits.append(" < ".join(f"{Path(line.filename).name}:{line.lineno}" for line in reversed(lines)))

        shown = warnings.showwarning
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = seen
            torch.cuda.set_sync_debug_mode("warn")
            try:
                self._pass(batch)
            finally:
                torch.cuda.set_sync_debug_mode("default")
                warnings.showwarning = shown
        return waits[:12]

    def profile(self) -> dict[str, Any]:
        """Where a forward and backward pass of 8 images spends the GPU's time, preset default."""
        import torch

        from radtui.worker.memory import fitting
        from radtui.worker.model import vision_attention

        fitting.checkpoint_layers(self.model, False)
        vision_attention.recompute(self.model, 0)
        self.model.train()
        batch = self._batch(8)
        seen: list[str] = []
        tower = next(m for m in self.model.modules() if type(m).__name__ == "MllamaVisionModel")
        hook = tower.transformer.layers[1].register_forward_pre_hook(
            lambda m, a: seen.append(str(a[0].dtype))
        )
        self._pass(batch)
        hook.remove()
        pass_s, _ = seconds(lambda: self._pass(batch))
        with torch.profiler.profile(activities=activities()) as profiler:
            seconds(lambda: self._pass(batch))
        return {"pass_s": round(pass_s, 3), "vision_dtype": seen[:1],
                **kernels(profiler)}  # fmt: skip


def difference(a: dict[str, Any], b: dict[str, Any], part: str) -> float:
    """How far gradients of a part of the model are from others, as a share of those."""
    import torch

    names = [n for n in a if part in n]
    top = torch.stack([(a[n] - b[n]).square().sum() for n in names]).sum()
    return float((top / torch.stack([b[n].square().sum() for n in names]).sum()).sqrt())
