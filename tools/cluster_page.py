"""Write `assets/benchmarks/cluster.md`, 8 and 64 GPUs worked out of what was measured: python -m tools.cluster_page."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1] / "assets" / "benchmarks"
PAGE = ROOT / "cluster.md"
BATCH, WIDE_BATCH = 8, 64  # images of a step: as preset default has it, and one for each of 64 GPUs
PER_MACHINE = 8  # GPUs
NETWORKS = {"10 Gbit/s": 1.25e9, "100 Gbit/s": 12.5e9, "400 Gbit/s": 50e9}  # bytes/s of a machine's link
BYTES = 4  # of a gradient
SMALL_SET, LARGE_SET = 1_978, 100_000  # images: Radiology_mini, and a hospital's
IMAGE_MB = 0.3  # of a file: not measured, a PNG of some 650 x 450 px
CHECKPOINT_BYTES = 4 + 2  # of a parameter: its value, and the two moments of 8-bit Adam
READS_GIB_S = (1.0, 5.0)  # of a shared file system: not measured, an NFS server and a parallel one


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, in seconds and bytes."""

    step_s: float  # eight images on one H100
    start_s: float  # until the first step has ended
    fixed_share: float  # of that step, what does not shrink with its images
    gradient_bytes: int
    nvlink_s: float  # one exchange of all gradients, four GPUs of a machine
    sockets_bytes_per_s: float  # of each GPU's link, the same through the network stack
    weights_gib: float  # 16-bit files
    tokens_per_s: tuple[float, float]  # described on one GPU and on two
    line_s: float  # one line of an event file to the disk

    def step(self, images: int, passes: int = 1) -> float:
        """A step of one GPU, without the exchange.

        Args:
            images: Of a pass.
            passes: One after the other.
        """
        fixed = self.step_s * self.fixed_share
        return passes * (fixed + images * (self.step_s - fixed) / BATCH)

    def exchange(self, gpus: int, bytes_per_s: float) -> float:
        """One exchange of all gradients in a ring whose slowest link is this fast."""
        return 2 * (gpus - 1) / gpus * self.gradient_bytes / bytes_per_s


def figures() -> Figures:
    """Read the measured figures."""
    gpu: dict[str, Any] = json.loads((ROOT / "gpu.json").read_text(encoding="utf-8"))
    own: dict[str, Any] = json.loads((ROOT / "cluster.json").read_text(encoding="utf-8"))
    after = next(each for each in gpu["first_step"]["llama_11b_after"]["after"] if each["stage"] == "default")
    two = gpu["two_gpus"]
    one_s, half_s = two["one"]["train"]["step_s"], two["train"]["step_s"]  # 8 images, and 4 on each of two
    four = {each["transport"]: each["median_ms"] / 1e3 for each in own["all_reduce"] if each["gpus"] == 4}
    gradient_bytes = BYTES * after["trainable_parameters"]
    return Figures(
        after["step_s"], after["first_step_s"], (2 * half_s - one_s) / one_s, gradient_bytes, four["nvlink"],
        2 * 3 / 4 * gradient_bytes / four["sockets"], gpu["checks"]["texts"]["job"]["result"]["base_files"]["gib"],
        tuple(two["ratios"]["generate_tokens_per_s"]), own["local_disk"]["line_ms"] / 1e3,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """GPUs at work on a step, and how they are tied together."""

    words: str
    gpus: int
    step_images: int
    step_s: float  # with the exchange
    exchange_s: float

    @property
    def images_per_s(self) -> float:
        """Learnt."""
        return self.step_images / self.step_s

    def epoch_s(self, images: int, start_s: float) -> float:
        """From the start of the job, over all images once."""
        return start_s + math.ceil(images / self.step_images) * self.step_s


def layouts(known: Figures) -> list[Layout]:
    """What is worked out."""
    eight = PER_MACHINE
    rows = [
        Layout("1 GPU", 1, BATCH, known.step(BATCH), 0.0),
        Layout("8 GPUs of a machine", eight, BATCH, known.step(1) + known.nvlink_s, known.nvlink_s),
        Layout("1 GPU, 8 passes", 1, WIDE_BATCH, known.step(BATCH, 8), 0.0),
        Layout("8 GPUs of a machine", eight, WIDE_BATCH, known.step(8) + known.nvlink_s, known.nvlink_s),
    ]
    for name, bytes_per_s in NETWORKS.items():
        exchange_s = known.exchange(64, bytes_per_s)
        rows.append(
            Layout(f"64 GPUs of 8 machines, {name}", 64, WIDE_BATCH, known.step(1) + exchange_s, exchange_s)
        )
    return rows


def page() -> str:
    """The page."""
    known = figures()
    rows = layouts(known)
    return "\n".join(
        [*_head(known), *_training(known, rows), *_describing(known), *_files(known, rows[-2]), ""]
    )


def _head(known: Figures) -> list[str]:
    return [
        "# 8 and 64 GPUs, worked out", "",
        "Nothing on this page was run on 8 or 64 GPUs: it is arithmetic on what was measured on one, two and four"
        " (`gpu.json`, `cluster.json` beside it). `python -m tools.cluster_page` makes it.", "",
        "| measured | |", "|---|---|",
        f"| a step of {BATCH} images, preset `default`, one H100 | {known.step_s:.2f} s |",
        "| of which does not shrink with the images (8 and 4 on an H200: starting kernels) |"
        f" {known.fixed_share:.0%} |",
        f"| the gradients, 32 bits each | {known.gradient_bytes / 1e6:.0f} MB |",
        f"| one exchange of them, four GPUs over NVLink | {known.nvlink_s * 1e3:.1f} ms |",
        f"| the same through the network stack, of each link | {known.sockets_bytes_per_s / 1e9:.1f} GB/s |",
        f"| from the job's start to the end of its first step, no compiled kernels kept | {known.start_s:.0f} s |",
        f"| describing, one GPU and two | {known.tokens_per_s[0]:,.0f} and {known.tokens_per_s[1]:,.0f} tokens/s |",
        f"| a line of an event file to a local disk | {known.line_s * 1e3:.2f} ms |", "",
    ]  # fmt: skip


def _training(known: Figures, rows: list[Layout]) -> list[str]:
    one, eight = rows[0], rows[1]
    table = [
        f"| {each.words} | {each.step_images} | {each.step_s:.2f} | {each.exchange_s * 1e3:,.0f}"
        f" | {each.images_per_s:.1f} | {each.images_per_s / one.images_per_s:.1f}"
        f" | {each.epoch_s(SMALL_SET, known.start_s) / 60:.1f} | {each.epoch_s(LARGE_SET, known.start_s) / 60:.0f} |"
        for each in rows
    ]
    slow, wide = rows[4], rows[3]
    return [
        "## Training", "",
        f"| | images a step | s/step | exchange, ms | images/s | of one GPU | {SMALL_SET:,} images, min"
        f" | {LARGE_SET:,} images, min |",
        "|---|---|---|---|---|---|---|---|", *table, "",
        f"- **At the same {BATCH} images a step, starting kernels binds first**, inside one machine: eight GPUs are"
        f" {eight.images_per_s / one.images_per_s:.1f} times one. The exchange is"
        f" {eight.exchange_s / eight.step_s:.1%} of the step. 64 GPUs are refused: they do not divide 8.",
        f"- More images a step is another recipe. With {WIDE_BATCH}, eight GPUs hold"
        f" {wide.images_per_s / rows[2].images_per_s:.1f} times one GPU's pace, each with 8 images;"
        f" 64 of them have one image each: {rows[-1].images_per_s / wide.images_per_s:.1f} times eight at most.",
        "- **Between machines a network of 10 Gbit/s binds next**: the exchange is"
        f" {slow.exchange_s / slow.step_s:.0%} of the step where nothing of it is hidden behind the backward pass; at"
        f" 100 Gbit/s {rows[5].exchange_s / rows[5].step_s:.0%}."
        f" It is a tenth of the step at {_tenth(known) * 8 / 1e9:.0f} Gbit/s.",
        f"- **For a small data set the start binds before all of this**: of {SMALL_SET:,} images on 64 GPUs"
        f" {known.start_s / rows[-2].epoch_s(SMALL_SET, known.start_s):.0%} of the time is loading and compiling.", "",
    ]  # fmt: skip


def _tenth(known: Figures) -> float:
    """Bytes a second of a link at which the exchange of 64 GPUs is a tenth of the step."""
    return 2 * 63 / 64 * known.gradient_bytes / (known.step(1) / 9)


def _describing(known: Figures) -> list[str]:
    one, two = known.tokens_per_s
    share = two / 2 / one
    texts = 64 * one * share / 128
    return [
        "## Describing", "",
        f"Ranks exchange nothing but their number of texts: two GPUs keep {share:.0%} of one's pace each. At that share"
        f" 8 GPUs write {8 * one * share:,.0f} tokens/s and 64 write {64 * one * share:,.0f}, {texts:,.0f} texts of 128"
        f" tokens a second. In batches of 64 that is {texts / 64:.0f} lines a second over 64 event files, each with"
        f" one writer: {texts / 64 / 64:.2f} a second each.", "",
    ]  # fmt: skip


def _files(known: Figures, wide: Layout) -> list[str]:
    gib = 8 * known.weights_gib
    checkpoint_mb = known.gradient_bytes / BYTES * CHECKPOINT_BYTES / 1e6
    reads = [
        f"| the weights once on each of 8 machines, {gib:.0f} GiB, at {rate:.0f} GiB/s |"
        f" {gib / rate:.0f} s at the start |"
        for rate in READS_GIB_S
    ]
    return [
        "## The shared file system", "",
        f"Its own speed was not measured: {READS_GIB_S[0]:.0f} GiB/s stands for an NFS server, {READS_GIB_S[1]:.0f} for"
        f" a parallel one. Weights are the {known.weights_gib:.1f} GiB of 16 bits; the ranks of a machine share its"
        " page cache.",
        "", "| 64 GPUs | |", "|---|---|", *reads,
        f"| images of {IMAGE_MB} MB (not measured) | {wide.images_per_s * IMAGE_MB:.0f} MB/s |",
        f"| a checkpoint of {checkpoint_mb:.0f} MB every 100 steps, by the first rank"
        f" | {checkpoint_mb / (100 * wide.step_s):.1f} MB/s |",
        f"| event files while training: one line a step, by the first rank | {1 / wide.step_s:.1f} lines/s |", "",
        f"**The weights bind, once, at the start**: at {READS_GIB_S[0]:.0f} GiB/s they take"
        f" {gib / READS_GIB_S[0] / known.start_s:.1f} times the whole start of one GPU. `hf_home` on a parallel file"
        " system, or a copy of it on each machine's own disk, is the cure; nothing else on this list comes near.",
    ]  # fmt: skip


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
