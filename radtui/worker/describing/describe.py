"""A batch of cases to texts: the one way a model is asked, while training and after."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image as Pillow
from torch import Tensor

from radtui.worker.describing import own_decoder
from radtui.worker.model import collator, kinds, template
from radtui.worker.model.template import end_token_ids
from radtui.worker.process import failures

log = logging.getLogger("radtui.worker")


@dataclass(frozen=True, slots=True)
class Decoding:
    """How tokens are chosen. Temperature 0 is greedy: the likeliest token every time."""

    max_new_tokens: int
    temperature: float = 0.0
    min_p: float = 0.0
    seed: int = 0
    sample: int = 0  # which of several texts drawn in the same way


@dataclass(frozen=True, slots=True)
class WrittenText:
    """What was written about one case."""

    text: str
    tokens: int  # without the one that ends it
    seconds: float  # the case's share of its batch's time: they add up to the time all took
    truncated: bool  # ended by `max_new_tokens`
    reasoning: str = ""  # what the model wrote for itself before it


def asked(processor: Any, instruction: str, order: str, images: int = 1, thinking: bool = False) -> str:
    """The prompt of a case as the model's chat template renders it.

    Args:
        processor: The model's.
        instruction: What is asked.
        order: `image_first` or `text_first`.
        images: How many images are shown.
        thinking: Whether the model may reason before it answers.
    """
    return template.rendered_prompt(processor, instruction, images, order, thinking)


def prepare(
    processor: Any, images: Sequence[Sequence[Pillow.Image]], prompts: Sequence[str]
) -> dict[str, Tensor]:
    """The model's inputs for asking about each case, padded on the left so that all rows continue together.

    Args:
        processor: The model's.
        images: Of each of B cases its images, RGB.
        prompts: What each is asked, from `asked`.
    """
    return collator.encode(processor, list(prompts), [list(each) for each in images], padding_side="left")


@torch.inference_mode()
def describe(
    model: Any, processor: Any, inputs: dict[str, Tensor], decoding: Decoding, names: Sequence[int],
    streamer: Any = None,
) -> list[WrittenText]:  # fmt: skip
    """Write one text per row of the inputs.

    Args:
        model: In evaluation mode; an adapter is used or not as the caller left it.
        processor: The model's.
        inputs: From `prepare`, B rows.
        decoding: How tokens are chosen.
        names: For each row the case's id; with `decoding.seed` it decides what is sampled, so that a text
            does not depend on which cases shared its batch.
        streamer: Takes the tokens of a single row as they are written; see transformers' `BaseStreamer`.

    Raises:
        torch.OutOfMemoryError: The batch is too large for the GPU.
    """
    started = time.perf_counter()
    placed = _taken(model, on_device(model, inputs))
    asked = inputs["input_ids"].shape[1]  # tokens of the padded prompt, T
    ends, pad = end_token_ids(model, processor), processor.tokenizer.pad_token_id
    output = _decoded(model, placed, decoding, names, ends, pad)
    if output is None:
        output = model.generate(
            **placed,
            max_new_tokens=decoding.max_new_tokens,
            do_sample=False,
            num_beams=1,
            eos_token_id=ends,
            pad_token_id=pad,
            logits_processor=_sampling(decoding, names, asked),
            streamer=streamer,
        )[:, asked:].cpu()  # (B, new)
    seconds = (time.perf_counter() - started) / len(output)
    return [
        _as_text(processor.tokenizer, row, ends, prompt_ids, seconds)
        for row, prompt_ids in zip(output.tolist(), inputs["input_ids"].tolist(), strict=True)
    ]


def _as_text(
    tokenizer: Any, row: list[int], ends: list[int], asked: list[int], seconds: float
) -> WrittenText:
    """A row of written tokens as a text: up to its end, its reasoning apart."""
    length = next((place for place, token in enumerate(row) if token in ends), None)
    kept = row if length is None else row[:length]
    answer, thought = template.split_reasoning(tokenizer, kept, asked)
    words = tokenizer.decode(answer, skip_special_tokens=True).strip()
    reasoning = tokenizer.decode(thought, skip_special_tokens=True).strip() if thought else ""
    return WrittenText(words, len(kept), seconds, length is None, reasoning)


def made_ready(model: Any, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Inputs in the model's precision and, for a GPU, where it can fetch them by itself; still in main memory."""
    cuda = next(model.parameters()).is_cuda
    ready = {name: value.to(model.dtype) if _is_real(value) else value for name, value in inputs.items()}
    return {
        name: value.pin_memory() if cuda and isinstance(value, Tensor) else value
        for name, value in ready.items()
    }


def on_device(model: Any, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Inputs where the model is and in its precision; those that are so already stay the same tensors.

    Raises:
        torch.OutOfMemoryError: They are too large for the GPU.
    """
    device, placed = next(model.parameters()).device, {}
    for name, value in inputs.items():
        if not isinstance(value, Tensor):
            placed[name] = value
            continue
        dtype = model.dtype if _is_real(value) else value.dtype
        placed[name] = value.to(device, dtype, non_blocking=value.is_pinned())
    return placed


def _taken(model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """Without what tells image tokens from words where the model has no use for it, which `generate` would refuse."""
    network = model.get_base_model() if hasattr(model, "get_base_model") else model
    if collator.MODALITIES not in inputs or collator.MODALITIES in kinds.inputs_of(type(network)):
        return inputs
    return {name: value for name, value in inputs.items() if name != collator.MODALITIES}


def _is_real(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _decoded(
    model: Any, inputs: dict[str, Any], decoding: Decoding, names: Sequence[int], ends: list[int], pad: int
) -> Tensor | None:
    """What radtui's own decoder writes, (B, new); None where the model is left to `generate`."""
    if (decoder := own_decoder.enabled(model)) is None:
        return None
    try:
        return decoder.write(inputs, decoding.max_new_tokens, ends, pad, _choosing(decoding, names)).cpu()
    except RuntimeError as error:  # a driver or a library that cannot record graphs
        if failures.is_out_of_memory(error):
            raise
        log.warning("Decoding with the model's own generate, which is slower: %s", error)
        own_decoder.disable(model)
        return None


def _choosing(decoding: Decoding, names: Sequence[int]) -> own_decoder.Choose:
    """What picks the next tokens from their scores: the likeliest, or as `SeededSampling` draws them."""
    return own_decoder.greedy if decoding.temperature == 0 else SeededSampling(decoding, names, 0).choose


def _sampling(decoding: Decoding, names: Sequence[int], asked: int) -> Any:
    """What turns the scores into a sample, or nothing when greedy."""
    from transformers import LogitsProcessorList

    if decoding.temperature == 0:
        return LogitsProcessorList()
    return LogitsProcessorList([SeededSampling(decoding, names, asked)])


class SeededSampling:
    """Samples each row by inverse transform from its own stream of uniform numbers.

    `generate` then takes the greedy choice of what is left, a single token per row. (Its own sampling draws
    for the whole batch from one stream, so that a text would depend on its neighbours.)

    Args:
        decoding: Temperature, min_p and seed.
        names: B ids, one per row.
        asked: Tokens of the prompt, so that the first written token is number 0.
    """

    def __init__(self, decoding: Decoding, names: Sequence[int], asked: int) -> None:
        self.decoding = decoding
        self.asked = asked
        self.uniform = torch.stack([_stream(decoding, name) for name in names])  # (B, new), 0 <= u < 1

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Leave only the sampled token of each row.

        Args:
            input_ids: (B, T + written) int64.
            scores: (B, vocabulary) logits.
        """
        token = self.choose(scores, input_ids.shape[1] - self.asked)[:, None]  # (B, 1)
        return torch.full_like(scores, -torch.inf).scatter_(1, token, 0.0)

    def choose(self, scores: Tensor, place: int) -> Tensor:
        """The sampled token of each row, (B,) int64.

        Args:
            scores: (B, vocabulary) logits.
            place: Number of the written token, 0 first.
        """
        chances = torch.softmax(scores.double() / self.decoding.temperature, dim=-1)  # (B, V)
        if self.decoding.min_p > 0:  # Source: Nguyen et al., Turning Up the Heat: Min-p Sampling (2024)
            floor = self.decoding.min_p * chances.amax(dim=-1, keepdim=True)  # (B, 1)
            chances = torch.where(chances < floor, 0.0, chances)
        reached = chances.cumsum(dim=-1)  # (B, V), ends at what min_p left
        drawn = self.uniform[:, place].to(scores.device)[:, None] * reached[:, -1:]  # (B, 1)
        return torch.searchsorted(reached, drawn, right=True)[:, 0].clamp_(max=scores.shape[-1] - 1)


def _stream(decoding: Decoding, name: int) -> Tensor:
    """Uniform numbers of one image: (max_new_tokens,) float64, the same in every batch and on every machine."""
    which = f"{decoding.seed}/{name}" + (f"/{decoding.sample}" if decoding.sample else "")
    digest = hashlib.sha256(which.encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") & (2**63 - 1))
    return torch.rand(decoding.max_new_tokens, generator=generator, dtype=torch.float64)
