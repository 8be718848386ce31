"""Preset default with each means of speed in turn, from the same weights, in one process on one card.

    python -m tests.bench.gpu_levers MODEL --work DIR --out FILE [--steps 8] [--variants NAME,...]

MODEL is a folder of Llama-3.2-11B-Vision's shape; random weights train at the real speed. The first variant compiles.
`held@22` keeps within 22 GiB, `held+trace` says where the GPU has nothing to do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import partial
from typing import Any
from unittest import mock

from radtui.paths import DataDir
from radtui.worker.process import environment
from tests.bench.gpu import Bench
from tests.bench.gpu_parts import Results, fill, open_gates, parser_of
from tests.bench.gpu_trace import Traced

TRACED_FROM, TRACED_STEPS = 4, 3  # the first steps compile
LEVERS = ("tokens", "text", "held", "one_pass", "flash4")
"""Tokens counted without a wait, text layers as steps, weights in 16 bits too, LoRA added in one pass with the
activation, flash-attn-4; each with all before."""


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--variants", default="none,none,tokens,text,held,one_pass,flash4")
    options = parser.parse_args()
    data = DataDir(options.work).create()
    environment.prepare(data)
    fill(data, train=8 * options.steps, test=8)
    bench = Levers(options, data, Results(options.out))
    bench.results.run("load", 200, bench.load)
    bench.keep_start()
    for variant in options.variants.split(","):
        name, _, memory_gib = variant.partition("@")
        name, _, traced = name.partition("+")
        work = partial(bench.with_levers, name, float(memory_gib or 0), bool(traced))
        bench.results.run(variant, 240, work)


class Levers(Bench):
    """The same model for all variants, put back to its first adapter before each."""

    def keep_start(self) -> None:
        """Remember the adapter as it was made, with the gates open and B no longer zero."""
        import torch

        open_gates(self.model)
        torch.manual_seed(0)
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(std=0.005)
        self.start = {n: p.detach().clone() for n, p in self.model.named_parameters() if p.requires_grad}

    def with_levers(self, last: str, memory_gib: float, traced: bool) -> dict[str, Any]:
        """Train with the levers up to one of them, `none` with none."""
        import torch

        from radtui.worker.model import vision_attention
        from radtui.worker.training.trainer import WatchedTrainer

        vision_attention.uninstall(self.model)
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                if name in self.start:
                    parameter.copy_(self.start[name])
        count = 0 if last == "none" else LEVERS.index(last) + 1
        with contextlib.ExitStack() as stack:
            for lever in LEVERS[count:]:
                stack.enter_context(without(lever))
            trace = Traced(TRACED_FROM, TRACED_STEPS)
            if traced:
                step = trace.around(WatchedTrainer.training_step)
                stack.enter_context(mock.patch.object(WatchedTrainer, "training_step", step))
            return self._worker("default", memory_gib=memory_gib) | trace.facts


@contextlib.contextmanager
def without(lever: str) -> Iterator[None]:
    """The code as it is without one of the levers."""
    from radtui.worker.model import flash4, lora_adding, lora_products, text_layer
    from radtui.worker.training import trainer

    replaced = {
        "flash4": (flash4, "kernel", lambda *_: None),
        "one_pass": (lora_adding, "_kernels_on", lambda *_: None),
        "text": (text_layer, "install", lambda model: 0),
        "held": (lora_products, "hold", lambda model, room_gib: 0.0),
        "tokens": (
            trainer.WatchedTrainer,
            "_track_num_input_tokens",
            lambda self, inputs: super(trainer.WatchedTrainer, self)._track_num_input_tokens(inputs),
        ),
    }
    owner, name, plain = replaced[lever]
    with mock.patch.object(owner, name, plain):
        yield


if __name__ == "__main__":
    main()
    os._exit(0)  # loader threads of libraries may keep a finished process
