"""Greedy and sampled decoding of Mllama one token a step, in buffers of fixed shape that a CUDA graph can replay.

`generate` launches some 2,000 small kernels for every token, and the GPU waits for them; a graph launches them all at
once. A graph needs fixed shapes: keys and values of the text lie in a buffer as long as the longest text, those of
the image are computed once and stay. Only image tokens that the text may look at are kept, which are those of real
tiles. mllama_step.py is the step itself.

Without a GPU the same step runs without graphs, which is how the tests compare it with `generate`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from radtui.worker.model.mllama_step import Buffers, step

CHECK_EVERY = 8  # steps between looks whether all rows have ended; each look waits for the GPU
# Text buffers grow in such steps, so that batches share a graph; attention kernels like them even.
ROUND_TOKENS = 64
PREFILL_ROWS = 32
OF_IMAGES = ("pixel_values", "aspect_ratio_ids", "aspect_ratio_mask")
Choose = Callable[[Tensor, int], Tensor]
"""Scores (B, vocabulary) and the number of the token to choose, 0 first -> the chosen ids (B,)."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a batch's images look like to the text model."""

    pixels: weakref.ref[Tensor]  # of which batch
    features: dict[int, Tensor]  # by the first of a few rows


class Decoder:
    """Writes texts with one Mllama, with or without its adapter.

    Args:
        model: A Mllama for conditional generation, PEFT's wrapper around it or not, in evaluation mode.
        graphs: Whether to replay steps as CUDA graphs.
    """

    def __init__(self, model: Any, graphs: bool) -> None:
        self.model = model
        self.graphs = graphs
        self.text = _text_model(model)
        self.head = _named(model, "lm_head")
        self.adapted = _adapted(model)
        # No adapter on the tower or the projector: all arms see an image alike, so it is looked at once.
        own = {id(each) for each in self.adapted}
        sight = [*_named(model, "vision_model").modules(), *_named(model, "multi_modal_projector").modules()]
        self.sees_alike = bool(own) and not any(id(each) in own for each in sight)
        self._seen: _Seen | None = None
        self._buffers: Buffers | None = None
        self._recorded: dict[str, torch.cuda.CUDAGraph] = {}

    @torch.inference_mode()
    def write(
        self, inputs: dict[str, Tensor], max_new_tokens: int, ends: list[int], pad: int, choose: Choose
    ) -> Tensor:
        """Continue every row until its end, or for `max_new_tokens`.

        Args:
            inputs: What the processor made, on the model's device, B rows padded on the left.
            max_new_tokens: Longest continuation.
            ends: Tokens that end a row.
            pad: What follows them.
            choose: Picks a token of each row.

        Returns:
            (B, new) int64, new <= max_new_tokens; the same as `generate` gives.
        """
        scores, buffers = self._prefill(inputs, max_new_tokens)
        ended = torch.zeros(len(scores), dtype=torch.bool, device=scores.device)
        stops = torch.tensor(ends, device=scores.device)
        written: list[Tensor] = []
        for number in range(max_new_tokens):
            token = torch.where(ended, pad, choose(scores, number))  # (B,)
            written.append(token)
            ended |= torch.isin(token, stops)
            if number + 1 == max_new_tokens or (number % CHECK_EVERY == 0 and bool(ended.all())):
                break
            scores = self._next(buffers, token)
        return torch.stack(written, dim=1)

    def release(self) -> None:
        """Free buffers and graphs."""
        self._recorded.clear()
        self._buffers = self._seen = None

    def row_gib(self, tokens: int, image_tokens: int) -> float:
        """What is held for one row of so many text and image tokens, GiB."""
        crossed = len(self.text.cross_attention_layers)
        held = (len(self.text.layers) - crossed) * tokens + crossed * image_tokens
        config = self.text.config
        each = 2 * config.num_key_value_heads * config.hidden_size // config.num_attention_heads
        features = image_tokens * config.hidden_size if self.sees_alike else 0
        return float((held * each + features) * self.text.embed_tokens.weight.element_size()) / 2**30

    def _prefill(self, inputs: dict[str, Tensor], max_new_tokens: int) -> tuple[Tensor, Buffers]:
        """Run the model's own forward pass over images and prompts, and take its keys and values over.

        A few rows at a time: images fill a GPU however few they are, and their activations would fill its memory.
        """
        rows, seen = inputs["attention_mask"].shape  # B, T
        length = -(-(seen + max_new_tokens) // ROUND_TOKENS) * ROUND_TOKENS
        patches = _named(self.model, "vision_model").num_patches
        last = inputs["cross_attention_mask"][:, -1]  # (B, images, tiles)
        index, bias = _looked_at(last, patches, self.text.embed_tokens.weight.dtype)
        buffers = self._buffers_for(rows, length, index.shape[1], bias)
        positions = (inputs["attention_mask"].cumsum(-1) - 1).clamp_min(0)  # (B, T)
        scores = []
        for start in range(0, rows, PREFILL_ROWS):
            some = slice(start, start + PREFILL_ROWS)
            few = self._looked_once(inputs, start, {name: value[some] for name, value in inputs.items()})
            output = self.model(**few, position_ids=positions[some], use_cache=True, logits_to_keep=1)
            scores.append(output.logits[:, -1].float())
            self._take_over(output.past_key_values, buffers, some, index[some], seen)
        buffers.text_bias.fill_(-torch.inf)
        buffers.text_bias[:, 0, 0, :seen].masked_fill_(inputs["attention_mask"].bool(), 0)
        if buffers.image_bias is not None and bias is not None:
            buffers.image_bias.copy_(bias)
        buffers.position.copy_(positions[:, -1:] + 1)
        buffers.place.fill_(seen)
        return torch.cat(scores), buffers

    def _looked_once(
        self, inputs: dict[str, Tensor], start: int, few: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Some rows' inputs with the images' features in place of pixels, where every arm has the same ones.

        Args:
            inputs: The batch, the same tensors for each arm.
            start: The first of the rows.
            few: Their inputs.
        """
        if not self.sees_alike:
            return few
        pixels = inputs["pixel_values"]
        if self._seen is None or self._seen.pixels() is not pixels:
            self._seen = _Seen(weakref.ref(pixels), {})
        if start not in self._seen.features:
            asked = {name: few[name] for name in OF_IMAGES}
            states = _named(self.model, "vision_model")(**asked).last_hidden_state
            projected = _named(self.model, "multi_modal_projector")(states)
            self._seen.features[start] = projected.flatten(0, 2)  # (rows * images * tiles, patches, C)
        rest = {name: value for name, value in few.items() if name not in OF_IMAGES}
        return rest | {"cross_attention_states": self._seen.features[start]}

    def _take_over(self, cache: Any, buffers: Buffers, rows: slice, index: Tensor, seen: int) -> None:
        """Copy the keys and values of some rows from the model's cache, and empty it."""
        crossed = set(self.text.cross_attention_layers)
        for place, layer in enumerate(cache.layers):
            for targets, source in ((buffers.keys, layer.keys), (buffers.values, layer.values)):
                if place in crossed:
                    _take(source, index, targets[place][rows])
                else:
                    targets[place][rows, :, :seen] = source
            layer.keys = layer.values = None  # the largest tensors there are; don't hold them twice

    def _buffers_for(self, rows: int, length: int, image_tokens: int, bias: Tensor | None) -> Buffers:
        """The last batch's buffers if their shape fits, else new ones."""
        shape = (rows, length, max(length, image_tokens), bias is not None)
        if self._buffers is None or self._buffers.shape != shape:
            self.release()  # before the new ones are made
            self._buffers = self._empty(rows, length, image_tokens, bias)
        return self._buffers

    def _empty(self, rows: int, length: int, image_tokens: int, bias: Tensor | None) -> Buffers:
        text, like = self.text, self.text.embed_tokens.weight
        crossed = set(text.cross_attention_layers)
        heads = text.config.num_key_value_heads
        size = text.config.hidden_size // text.config.num_attention_heads
        whole = {"dtype": torch.int64, "device": like.device}

        def made() -> list[Tensor]:
            # Zeros: what is not written yet is masked, but not-a-number times zero would still show.
            return [
                like.new_zeros(rows, heads, image_tokens if place in crossed else length, size)
                for place in range(len(text.layers))
            ]

        return Buffers(
            keys=made(), values=made(), text_bias=like.new_zeros(rows, 1, 1, length),
            image_bias=None if bias is None else torch.empty_like(bias),
            token=torch.zeros(rows, 1, **whole), position=torch.zeros(rows, 1, **whole),
            place=torch.zeros(1, **whole), scores=like.new_zeros(rows, self.head.weight.shape[0]),
        )  # fmt: skip

    def _next(self, buffers: Buffers, token: Tensor) -> Tensor:
        """Scores after one more token, (B, vocabulary) float32."""
        buffers.token.copy_(token[:, None])
        if self.graphs:
            which = self._adapter()
            if which not in self._recorded:
                self._recorded[which] = self._record(buffers)
            self._recorded[which].replay()  # steps with and without an adapter, or with another, differ
        else:
            step(self.text, self.head, buffers)
        buffers.position += 1
        buffers.place += 1
        return buffers.scores.float()

    def _adapter(self) -> str:
        """The adapter in use, "" with none."""
        if not self.adapted or any(each.disable_adapters for each in self.adapted):
            return ""
        return ",".join(self.adapted[0].active_adapters)

    def _record(self, buffers: Buffers) -> torch.cuda.CUDAGraph:
        """A graph of one step. A step changes nothing that doing it again would not write anew."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):  # libraries pick kernels and take workspaces at their first calls
                step(self.text, self.head, buffers)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step(self.text, self.head, buffers)
        return graph


_ENABLED: weakref.WeakKeyDictionary[Any, Decoder] = weakref.WeakKeyDictionary()


def enable(model: Any) -> bool:
    """From now on decode this model here, if it can be: on a GPU, for a run of many descriptions.

    Not while training, whose memory the buffers would take.

    Returns:
        Whether it is decoded here.
    """
    if next(model.parameters()).is_cuda and supports(model):
        _ENABLED[model] = Decoder(model, graphs=True)
    return model in _ENABLED


def release(model: Any) -> None:
    """Free the buffers of a model's decoder; the next batch makes new ones."""
    if (decoder := _ENABLED.get(model)) is not None:
        decoder.release()


def disable(model: Any) -> None:
    """Leave the model to `generate` again, and free the buffers."""
    _ENABLED.pop(model, None)


def enabled(model: Any) -> Decoder | None:
    """The decoder of a model that is decoded here."""
    return _ENABLED.get(model)


def supports(model: Any) -> bool:
    """Whether a model can be decoded here: a Mllama that `generate` would not treat in a special way."""
    penalty = getattr(model.generation_config, "repetition_penalty", None)
    return _find(model, "MllamaTextModel") is not None and penalty in (None, 1.0)


def image_tokens(model: Any, inputs: dict[str, Tensor]) -> int:
    """The most image tokens a row of such inputs can have: all tiles, real or not."""
    tiles = inputs["cross_attention_mask"][0, -1].numel()
    return int(tiles * _named(model, "vision_model").num_patches)


def greedy(scores: Tensor, number: int) -> Tensor:
    """The likeliest token of each row, whatever its number."""
    return scores.argmax(dim=-1)


def _looked_at(mask: Tensor, patches: int, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
    """Which image tokens the newest text token may look at.

    Args:
        mask: (B, images, tiles), 1 for tiles it may look at.
        patches: Tokens of a tile.
        dtype: Of the bias.

    Returns:
        Their indices (B, K) int64, and a bias (B, 1, 1, K), -inf where a row has fewer than K; None if none has.
    """
    seen = (mask.flatten(1) > 0).repeat_interleave(patches, dim=1)  # (B, all image tokens)
    counts = seen.sum(1)  # (B,)
    most, least = int(counts.max()), int(counts.min())
    index = torch.argsort((~seen).to(torch.uint8), dim=1, stable=True)[:, :most]  # (B, K)
    if most == least:
        return index, None
    beyond = torch.arange(most, device=mask.device) >= counts[:, None]  # (B, K)
    bias = torch.zeros(beyond.shape, dtype=dtype, device=mask.device).masked_fill_(beyond, -torch.inf)
    return index, bias[:, None, None]


def _take(source: Tensor, index: Tensor, target: Tensor) -> None:
    """Tokens `index` (B, K) of a source (B, heads, all, D) into a target (B, heads, K, D)."""
    if index.shape[1] == source.shape[2]:
        target.copy_(source)
        return
    wide = index[:, None, :, None].expand(-1, source.shape[1], -1, source.shape[3])
    target.copy_(torch.gather(source, 2, wide))


def _adapted(model: Any) -> list[Any]:
    """The layers an adapter is on; models have a method named as the layers' switch, so the name alone won't do."""
    try:
        from peft.tuners.tuners_utils import BaseTunerLayer
    except ImportError:  # without PEFT there is no adapter
        return []
    return [each for each in model.modules() if isinstance(each, BaseTunerLayer)]


def _text_model(model: Any) -> Any:
    text_model = _find(model, "MllamaTextModel")
    if text_model is None:
        raise TypeError("no Mllama: ask supports() first")
    return text_model


def _find(model: Any, kind: str) -> Any:
    return next((each for each in model.modules() if type(each).__name__ == kind), None)


def _named(model: Any, name: str) -> Any:
    return next(each for path, each in model.named_modules() if path.rpartition(".")[2] == name)
