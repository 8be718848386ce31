"""How much of a GPU's arithmetic a run uses (MFU: model FLOP utilisation), from counted operations.

What is counted is what learning needs: forward, backward through frozen weights and into the adapter, attention; what
is computed twice to save memory counts once. Source of the definition: Chowdhery et al., PaLM (2022), appendix B.
"""

from __future__ import annotations

import re

PEAK_TFLOPS: tuple[tuple[str, float], ...] = (
    ("B200|GB200", 2250.0),
    ("H200 NVL|H100 NVL", 835.0),
    ("H100 PCIe", 756.0),
    ("GH200|H200|H100", 989.0),
    ("A100", 312.0),
    ("L40S", 362.0),
    ("L4$", 121.0),
    ("RTX 6000 Ada", 364.0),
    ("RTX A6000", 155.0),
    ("RTX 4090", 165.0),
    ("RTX 3090$", 71.0),
)
"""16-bit matrix products with 32-bit sums, not sparse, by name; the first that matches. Source: NVIDIA's data sheets
and architecture white papers of each chip."""


def peak_flops(gpu: str) -> float | None:
    """The peak of a GPU by its name, in operations per second; None for one that is not in the table."""
    for pattern, tera in PEAK_TFLOPS:
        if re.search(rf"\b(?:{pattern})(?:\b|$)", gpu):
            return tera * 1e12
    return None


def utilisation(images_per_s: float, flops_per_image: float, gpu: str) -> dict[str, float]:
    """The share of one GPU's peak that learning takes, 0..1, as a series `mfu`; empty where it cannot be told.

    Args:
        images_per_s: Of this GPU.
        flops_per_image: From `Footprint.flops`; 0 when not counted.
        gpu: Its name.
    """
    peak = peak_flops(gpu)
    if peak is None or flops_per_image <= 0:
        return {}
    return {"mfu": images_per_s * flops_per_image / peak}
