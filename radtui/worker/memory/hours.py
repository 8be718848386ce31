"""How long a run would take, before it starts: from a run like it on this machine, or from one layer measured now.

The operations that learning an image needs are counted on empty tensors. How many a second this machine does of them is
measured on a CPU by the text decoder's first layer, with real tensors of the run's own shapes, forward and backward. A
GPU is not measured: it may be in use, and what a run reaches of its peak differs with the model.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map
from torch.utils.flop_counter import FlopCounterMode

from radtui.durations import estimate_text
from radtui.worker.memory import arithmetic, meta_pass

MEASURED_S = 2.0  # at most about so long, one warm pass at least
LEAST_PASSES, MOST_PASSES = 2, 20
# What whole runs reached of a GPU's peak. Source: assets/benchmarks/gpu.json, three models on an H100.
GPU_SHARES = (0.09, 0.21)
# What a pass over many layers hands from one to the next.
CACHES = ("past_key_values", "past_key_value", "use_cache")
EVALUATED_SHARE = 0.5  # of learning an image: no backward pass


@dataclass(frozen=True, slots=True)
class Work:
    """What a run has to do on one device."""

    steps: int
    images_a_step: int
    evaluated_images: int  # over all evaluations
    flops_per_image: float

    @property
    def images(self) -> float:
        """Images, an evaluated one as the share of a learnt one that it costs."""
        return self.steps * self.images_a_step + self.evaluated_images * EVALUATED_SHARE


def sentence(work: Work, known_s: float | None, gpu: str, measure: Callable[[], float]) -> str:
    """The time of a run in words, with where it is from; "" where it cannot be told.

    Args:
        work: What is to be done.
        known_s: Seconds an image took in a run like it here; None where there was none.
        gpu: Name of the GPU; "" where a CPU computes.
        measure: Gives operations a second of a CPU.
    """
    if work.steps and known_s:
        return f"{_length(work, known_s)}, as a run like it took here"
    if not work.steps or work.flops_per_image <= 0:
        return ""
    if gpu:
        return _on_a_gpu(work, gpu)
    rate = measure()
    if rate <= 0:
        return ""
    return f"{_length(work, work.flops_per_image / rate)}, as one layer's pass was measured here just now"


def _on_a_gpu(work: Work, gpu: str) -> str:
    peak = arithmetic.peak_flops(gpu)
    if peak is None:
        return ""
    slow, fast = (work.images * work.flops_per_image / (peak * share) for share in GPU_SHARES)
    shares = " to ".join(f"{share * 100:.0f}" for share in GPU_SHARES)
    return (
        f"{estimate_text(fast)} to {estimate_text(slow)} for {_steps(work)}, if it uses {shares} % of the GPU's "
        "arithmetic, as measured runs did"
    )


def _length(work: Work, image_s: float) -> str:
    step_s = image_s * work.images_a_step
    each = estimate_text(step_s) if step_s >= 10 else f"{step_s:.2g} s"
    also = "; texts that are watched come on top" if work.evaluated_images else ""
    return f"about {estimate_text(work.images * image_s)} for {_steps(work)}, {each} each{also}"


def _steps(work: Work) -> str:
    return f"{work.steps:,} steps of {work.images_a_step} images"


def cpu_rate(footprint: Any, batch: dict[str, Tensor]) -> float:
    """Operations a second of the decoder's first layer, forward and backward; 0.0 where it cannot be run alone.

    Args:
        footprint: A `Footprint` of the run.
        batch: What a pass of it takes.
    """
    layer = next((each for each in _layers(footprint.model)), None)
    if layer is None:
        return 0.0
    inputs: list[tuple[Any, Any]] = []
    hook = layer.register_forward_pre_hook(
        lambda module, args, kwargs: inputs.append((args, kwargs)), with_kwargs=True
    )
    try:
        meta_pass.pass_bytes(footprint.model, batch, footprint.dtype)
    finally:
        hook.remove()
    if not inputs:
        return 0.0
    try:
        args, named = tree_map(_real, inputs[0])
        return _measured(_filled(layer), args, named | {key: None for key in CACHES if key in named})
    except (RuntimeError, TypeError, ValueError, AttributeError):  # a layer that wants more than it gets
        return 0.0


def _layers(model: Any) -> Any:
    """The decoder's layers, as most families name them."""
    decoder = model.get_base_model().get_decoder()
    return getattr(decoder, "layers", None) or getattr(getattr(decoder, "model", None), "layers", None) or ()


def _filled(layer: Any) -> Any:
    """A copy of a layer with small random numbers in the place of its empty weights."""
    made = copy.deepcopy(layer).to_empty(device="cpu")
    with torch.no_grad():
        for each in (*made.parameters(), *made.buffers()):
            if each.is_floating_point():
                each.normal_(std=0.02)
    return made.train()


def _real(value: Any) -> Any:
    """A real tensor of an empty one's shape; anything else as it is."""
    if not isinstance(value, Tensor) or not value.is_meta:
        return value
    if value.is_floating_point():
        return torch.randn(value.shape, dtype=value.dtype)
    return torch.zeros(value.shape, dtype=value.dtype)


def _measured(layer: Any, args: Any, kwargs: Any) -> float:
    def run() -> None:
        made = layer(*args, **kwargs)
        hidden = made[0] if isinstance(made, tuple) else made
        hidden.sum().backward()

    args = tree_map(_learning, args)
    kwargs = {name: _learning(value) if name == "hidden_states" else value for name, value in kwargs.items()}
    with FlopCounterMode(display=False) as counter:
        run()  # also the warm pass
    flops = counter.get_total_flops()
    took_s: list[float] = []
    began = time.monotonic()
    while len(took_s) < LEAST_PASSES or (time.monotonic() - began < MEASURED_S and len(took_s) < MOST_PASSES):
        started = time.monotonic()
        run()
        took_s.append(time.monotonic() - started)
    return float(flops) / max(statistics.median(took_s), 1e-9)


def _learning(value: Any) -> Any:
    """What goes in has a gradient, as between layers."""
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.detach().requires_grad_()
    return value
