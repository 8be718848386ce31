"""What a training job would take of the memory, estimated without the model's weights.

Weights, adapter and optimizer are counted from shapes; activations from the very passes that are probed on a GPU when
a job starts, run on empty tensors. `fitting.fit` decides about both alike. With Llama 3.2 11B at 8 images the estimate
is 110, within 60 GiB 55, and for the report's recipe 9.4 GiB, where 105, 54 and 9.4 were measured
(assets/benchmarks/gpu.json, stages default, default60 and plain): unsloth's kernels keep less of the text layers than
transformers' own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from radtui.settings import TrainSettings
from radtui.worker.memory import fitting, main_memory, meta_pass
from radtui.worker.model import lora, vision_attention
from radtui.worker.model.backend import LoadPlan
from radtui.worker.model.pretrained import empty_model
from radtui.worker.process.memory import GIB

# Source: Dettmers et al., QLoRA (2023), section 3: a scale of 8 bits per block of 64, one of 32 bits per 256 scales.
SCALES_BYTES = 1 / 64 + 4 / (64 * 256)
AVERAGES_BYTES = {"adamw_8bit": 2.0}  # per trainable parameter, where they are not of 32 bits
MASTER_BYTES = 8  # per trainable parameter: itself and its gradient in 32 bits
# Per trainable parameter that several GPUs learn: the gradient once more. Source: torch's DistributedDataParallel,
# gradient_as_bucket_view.
BUCKET_BYTES = 4
# Without unsloth norms compute in 32 bits and each LoRA layer keeps a copy of its input. From one measurement: the
# report's recipe with 448 px tiles took 31.0 GiB on an H100 where a pass in 16 bits alone would keep 13.2.
AUTOCAST_SHARE = 1.65


class _SeenError(Exception):
    """All that a pass was run for is known, at its beginning."""


class Footprint:
    """A model of empty tensors with its adapter, ready for passes that only count.

    Args:
        config: The model's.
        settings: As the machine would do them.
        load_plan: Backend and precision.
        collate: Items to a batch.
        item: The data set's largest picture and longest text.
        others: The next largest: of ten pictures at a time hardly ever all are as large as the largest.
        share: What passes were measured to hold here for each GiB estimated.
    """

    def __init__(
        self, config: Any, settings: TrainSettings, load_plan: LoadPlan,
        collate: Callable[[list[Any]], dict[str, Tensor]], item: Any, others: Sequence[Any] = (), share: float = 1.0,
    ) -> None:  # fmt: skip
        self.settings, self.load_plan, self.collate, self.item = settings, load_plan, collate, item
        self.others, self.share = list(others), share
        self.dtype = getattr(torch, load_plan.precision)
        base = empty_model(config, settings.trust_remote_code, self.dtype)
        self.weights_gib = weights_bytes(base, config, load_plan, load_plan.four_bit) / GIB
        self.weights_4bit_gib = weights_bytes(base, config, load_plan, True) / GIB
        self.model = lora.add_adapter(base, settings)
        trainable = [p for p in self.model.parameters() if p.requires_grad]
        for parameter in trainable:
            parameter.data = parameter.data.to(self.dtype)  # as autocast computes with them
        self.trainable = sum(p.numel() for p in trainable)
        # unsloth recomputes vision layers, masked or not.
        if settings.maskless_vision or load_plan.backend == "unsloth":
            # Without unsloth, tokens are of 32 bits on a GPU, which goes through PEFT's layers.
            vision_attention.install(
                self.model, as_steps=not load_plan.cuda or load_plan.backend == "unsloth"
            )
        self.layers = vision_attention.vision_layers(self.model)
        self.model.train()
        self.keep = fitting.keeper(self.model)
        self._kept: tuple[int, bool] = (0, False)
        self._passes: dict[tuple[int, int, bool], float] = {}

    @property
    def adapter_gib(self) -> float:
        """LoRA matrices and their gradients; several GPUs exchange these in buckets, preferences need a frozen copy."""
        copies = MASTER_BYTES + (4 if self.settings.learns_preferences else 0)
        copies += BUCKET_BYTES if self.settings.gpus > 1 else 0
        return float(self.trainable * copies / GIB)

    @property
    def optimizer_gib(self) -> float:
        """The optimizer's averages, made at the first step."""
        bytes_each = AVERAGES_BYTES.get(self.settings.optimizer, main_memory.ADAM_BYTES)
        return float(self.trainable * bytes_each / GIB)

    def recompute(self, layers: int, text: bool) -> None:
        """Set which activations are computed twice, as `fitting.keeper` does."""
        self.keep(layers, text)
        self._kept = layers, text

    def activations_gib(self, images: int) -> float:
        """What a pass over so many images holds beside weights and adapter."""
        key = images, *self._kept
        if key not in self._passes:
            held = meta_pass.pass_bytes(self.model, self.batch(images), self.dtype) / GIB
            own_gradients = self.trainable * self.dtype.itemsize / GIB  # counted with the adapter
            share = (
                AUTOCAST_SHARE if self.load_plan.cuda and self.load_plan.backend == "transformers" else 1.0
            )
            self._passes[key] = max(held - own_gradients, 0.0) * share * self.share
        return self._passes[key]

    def batch(self, images: int) -> dict[str, Tensor]:
        """So many of the largest items; a pair of preferences is two rows."""
        rows = images * (2 if self.settings.learns_preferences else 1)
        largest = [self.item, *self.others]
        return self.collate([largest[row % len(largest)] for row in range(rows)])

    def flops(self, item: Any) -> float:
        """Floating-point operations that learning one item needs, nothing computed twice."""
        kept = self._kept
        self.keep(0, False)
        cost = meta_pass.pass_cost(self.model, self.collate([item]), self.dtype)
        self.keep(*kept)
        return float(cost.flops)

    def probe(self, limit_gib: float) -> fitting.Probe:
        """What `fitting.fit` asks: what a pass would hold in all; raises torch.OutOfMemoryError above the limit."""

        def held(images: int) -> float:
            taken = self.weights_gib + self.adapter_gib + self.activations_gib(images)
            if taken > limit_gib:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return taken

        return held

    def tokens(self, image_ids: Tensor) -> tuple[int, int]:
        """Of one image: tokens that its vision tower computes, and the longest sequence's length.

        Args:
            image_ids: Placeholders' ids, (n,) int64.
        """
        batch = self.collate([self.item])
        seen: list[int] = []

        def see(module: Any, inputs: Any) -> None:
            seen.append(inputs[0].numel() // module.in_features)
            raise _SeenError

        decoder = {id(module) for module in self.model.get_base_model().get_decoder().modules()}
        linear = next(
            (m for m in self.model.modules() if isinstance(m, nn.Linear) and id(m) not in decoder), None
        )
        if linear is not None:
            hook = linear.register_forward_pre_hook(see)
            self.model.eval()  # a layer that learns as one step calls no linear layer
            with contextlib.suppress(_SeenError):
                meta_pass.pass_bytes(self.model, batch, self.dtype)
            self.model.train()
            hook.remove()
        spliced = int(torch.isin(batch["input_ids"], image_ids).sum())
        return max(seen[:1] or [spliced]), int(batch["input_ids"].shape[1])


def weights_bytes(model: Any, config: Any, load_plan: LoadPlan, four_bit: bool) -> float:
    """What the base model's weights take.

    Args:
        model: On `meta`, without adapter.
        config: Its own; a repository stored in few bits says so here.
        load_plan: For the precision of what is not quantised, and the backend.
        four_bit: Whether linear layers are loaded in 4 bits.
    """
    stored = getattr(config, "quantization_config", None)
    bits, skipped = _quantised(stored) if stored is not None else (4 if four_bit else 0, [])
    own = {"float32": 4}.get(load_plan.precision, 2)
    # PEFT's preparation of 4-bit models puts all that is not quantised into 32 bits; unsloth's does not.
    other = 4 if bits and load_plan.backend == "transformers" else own
    head = model.get_output_embeddings()
    total, counted = 0.0, set()
    for name, module in model.named_modules():
        linear = isinstance(module, nn.Linear) and module is not head
        few = bits and linear and not any(part in name for part in skipped)
        for own_name, parameter in module.named_parameters(recurse=False):
            if id(parameter) in counted:
                continue  # tied weights are there once
            counted.add(id(parameter))
            size = bits / 8 + SCALES_BYTES if few and own_name == "weight" else other
            total += parameter.numel() * size
    return total


def _quantised(stored: Any) -> tuple[int, list[str]]:
    """Bits of a repository's linear layers, and parts of the names of those it left as they were."""
    facts = stored if isinstance(stored, dict) else stored.to_dict()
    bits = 8 if facts.get("load_in_8bit") else int(facts.get("bits") or 4)
    return bits, [str(each) for each in facts.get("llm_int8_skip_modules") or []]
