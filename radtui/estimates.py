"""What a training run would take of the memory there is, as the worker tells the app."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Memory of one GPU, or of the machine where there is none."""

    name: str  # "GPU 0, NVIDIA H200", or "main memory"
    free_gib: float
    total_gib: float
    held: str = ""  # who else holds it: "process 4711 holds 12.3 GiB"
    chosen: bool = False  # whether a job started now would take it


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """What a training run would take of each device's memory, estimated without loading its weights.

    A run on several GPUs has the whole model on each: every figure is of one of them.
    """

    fits: bool
    verdict: str  # one sentence; where nothing fits, with what would
    precision: str  # of the weights: "4-bit", "bfloat16", "float32"
    images: int  # at a time, on each device
    passes: int  # per optimizer step, on each device
    weights_gib: float
    adapter_gib: float  # LoRA matrices and their gradients, and what they are exchanged in
    optimizer_gib: float
    activations_gib: float
    limit_gib: float  # what the job may plan with on one device
    image_tokens: int  # that the vision tower computes of one image
    text_tokens: int  # of the longest sequence
    trainable_parameters: int
    devices: tuple[DeviceMemory, ...] = ()
    changes: tuple[str, ...] = ()  # what this machine would do otherwise than asked
    gpus: int = 1  # as asked for; where there is none, as many processes share the main memory
    lengths: tuple[str, ...] = ()  # what an image of this data set takes, and which answers would be cut
    time: str = ""  # how long the run would take and how that is known; "" where it cannot be told

    @property
    def total_gib(self) -> float:
        """All parts together."""
        return self.weights_gib + self.adapter_gib + self.optimizer_gib + self.activations_gib
