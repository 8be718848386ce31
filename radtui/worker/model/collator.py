"""Messages and images to a training batch: token ids, pixels, and labels that say which tokens are learnt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from radtui.records import UserError
from radtui.worker.model import processors, prompt, template
from radtui.worker.model.prompt import Message

IGNORED = -100  # the label PyTorch's cross-entropy leaves out
IMAGE_TOKENS = (
    "<image>", "<|image|>", "<|image_pad|>", "<|vision_start|>", "<|vision_end|>", "<fake_token_around_image>",
    "<global-img>", "<image_soft_token>", "<start_of_image>", "<end_of_image>", "[IMG]", "[IMG_BREAK]", "[IMG_END]",
    "<IMG_CONTEXT>", "<img>", "</img>", "<IMG_ATOM>", "<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>",
    "<IMG_END>",
)  # fmt: skip
"""Placeholders of the model families transformers has; only those a tokenizer knows as one token count."""
PROBE_PX = (64, 64)
PROBE_TOKENS = 1_000_000  # no probe is cut
MODALITIES = "mm_token_type_ids"
COMPILED_MULTIPLE = 8
"""Kernels compiled for any length are compiled once more for lengths that 8 divides: with lengths as they come, some
step in the midst of a run would wait for that."""


class Collator:
    """Turns items of `examples.ImageTexts` into one batch.

    Args:
        processor: The model's processor, with a chat template.
        loss_on: `answer` supervises the reference and the token that ends it; `all` everything but padding
            and image placeholders.
        max_length_tokens: Longer sequences lose the end of their answer, but never an image token.
        ends: Tokens that end generation, for a template that writes no end itself.
        thinking: Whether the prompt lets the model reason first.
        multiple: Batches are padded to a length that this divides.
    """

    def __init__(
        self, processor: Any, loss_on: str, max_length_tokens: int, ends: Collection[int] = (), thinking: bool = False,
        multiple: int = 1,
    ) -> None:  # fmt: skip
        self.processor = processor
        self.loss_on = loss_on
        self.max_length_tokens = max_length_tokens
        self.ends = tuple(ends)
        self.thinking = thinking
        self.multiple = multiple
        self.image_ids = torch.tensor(sorted(image_token_ids(processor)))
        self._frames: dict[str, template.AnswerFrame] = {}
        self._prompt_ids: dict[str, list[int]] = {}

    def __call__(self, items: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Collate.

        Returns:
            What the model takes: `input_ids`, `attention_mask` and `labels` (B, T) int64, padded on the right,
            and the processor's pixels, such as Mllama's `pixel_values` (B, 1, tiles, 3, H, W) float32.

        Raises:
            UserError: The processor's tokens leave no way to tell where the answer begins.
        """
        texts = [self.text(item["messages"]) for item in items]
        images = [item["images"] for item in items]
        batch = encode(self.processor, texts, images, padding_side="right", multiple=self.multiple)
        batch["labels"] = self._labels(batch, items, texts)  # (B, T)
        return self._truncated(batch)

    def text(self, messages: list[Message]) -> str:
        """A conversation as it is learnt: the prompt as it will be asked, the answer, and its end."""
        return self.frame(messages[:-1]).text(messages[-1]["content"][0]["text"])

    def frame(self, asked: list[Message]) -> template.AnswerFrame:
        """What stands around the answer to a question."""
        key = repr(asked)
        if key not in self._frames:
            self._frames[key] = template.frame(self.processor, asked, self.ends, self.thinking)
        return self._frames[key]

    def _labels(self, batch: dict[str, Tensor], items: list[dict[str, Any]], texts: list[str]) -> Tensor:
        labels = batch["input_ids"].clone()  # (B, T)
        labels[batch["attention_mask"] == 0] = IGNORED
        labels[torch.isin(labels, self.image_ids)] = IGNORED
        if self.loss_on == "answer":
            lengths = batch["attention_mask"].sum(dim=1).tolist()  # tokens of each row
            for row, (item, text, length) in enumerate(zip(items, texts, lengths, strict=True)):
                learnt = self._answer_ids(item["messages"], text)
                start = length - len(learnt)
                if batch["input_ids"][row, start:length].tolist() != learnt:
                    raise UserError(
                        "The processor writes the answer otherwise than its tokenizer does: set loss_on to all."
                    )
                labels[row, :start] = IGNORED
        return labels

    def _answer_ids(self, messages: list[Message], text: str) -> list[int]:
        """Token ids after the prompt, the end-of-turn token included.

        Image placeholders may multiply in the processor, but they stand in the prompt, so counting from the end holds.
        """
        prompt = self.frame(messages[:-1]).prompt
        if prompt not in self._prompt_ids:
            self._prompt_ids[prompt] = text_ids(self.processor, prompt)
        prompt_ids, ids = self._prompt_ids[prompt], text_ids(self.processor, text)
        common = 0
        while common < min(len(prompt_ids), len(ids)) and prompt_ids[common] == ids[common]:
            common += 1
        # A byte-pair merge across the border may take the header's last token along, no more than that.
        if common < len(prompt_ids) - 2 or common == len(ids):
            raise UserError(
                "This model's tokenizer joins the answer to its prompt, so the answer cannot be told from it: set "
                "loss_on to all."
            )
        return ids[common:]

    def _truncated(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        length = batch["input_ids"].shape[1]  # tokens, T
        if length <= self.max_length_tokens:
            return batch
        images = torch.isin(batch["input_ids"], self.image_ids).nonzero()  # (n, 2): row, column
        cut = max(self.max_length_tokens, int(images[:, 1].max()) + 1 if len(images) else 0)
        rows_columns = batch["input_ids"].shape  # (B, T)
        return {
            name: value[:, :cut]
            if value.shape[:2] == rows_columns and not name.startswith("pixel")
            else value
            for name, value in batch.items()
        }


def check(processor: Any, name: str) -> None:
    """Refuse a chat template whose prompt the processor does not take, such as one put beside a model that has none.

    Args:
        processor: With a chat template.
        name: The model's, as it was named.

    Raises:
        UserError: Says what the processor raised, and what to do.
    """
    asked = template.rendered_prompt(processor, "?")
    try:
        encode(processor, [asked], [[Image.new("RGB", PROBE_PX)]], padding_side="left")
    except Exception as error:  # each processor refuses in its own way
        reason = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
        raise UserError(
            f"The processor of {name} does not take an image as its chat template writes it ({reason}): put the "
            "model's own template there, or where its family has none, choose a model of radtui model list."
        ) from error


def probe(processor: Any, loss_on: str, sizes: Sequence[tuple[int, int]]) -> dict[str, Tensor]:
    """A batch of black pictures with a word asked and answered, to see what a processor makes of them.

    Args:
        processor: With a chat template.
        loss_on: As of `Collator`.
        sizes: Width and height of each picture, px.
    """
    messages = [prompt.question("?", "image_first"), prompt.answer("!")]
    items = [{"messages": messages, "images": [Image.new("RGB", size)]} for size in sizes]
    return Collator(processor, loss_on, PROBE_TOKENS)(items)


def encode(
    processor: Any, texts: list[str], images: list[list[Any]], padding_side: str, multiple: int = 1
) -> dict[str, Tensor]:
    """Token ids and pixels of rendered conversations.

    Args:
        processor: The model's.
        texts: B rendered conversations.
        images: For each, its RGB images.
        padding_side: `right` to train, `left` to continue all rows at once.
        multiple: The length is padded to a multiple of this.
    """
    padded = {"pad_to_multiple_of": multiple} if multiple > 1 else {}
    batch = processor(
        text=texts,
        images=images,
        padding=True,
        padding_side=padding_side,
        add_special_tokens=_adds_special_tokens(processor, texts[0]),
        return_tensors="pt",
        **padded,
        **modalities(processor),
        **processor.__dict__.get(processors.IMAGE_OPTIONS, {}),
    )
    return {name: _in_32_bits(value) for name, value in batch.items()}


def modalities(processor: Any) -> dict[str, bool]:
    """Asks for what tells image tokens from words where the model is to be given it; not every processor offers it."""
    return {f"return_{MODALITIES}": True} if MODALITIES in processor.model_input_names else {}


def _in_32_bits(value: Any) -> Any:
    """Pixels as every family but Llama 4 has them: its are of 16 bits, whatever the weights are kept in."""
    return value.float() if isinstance(value, Tensor) and value.is_floating_point() else value


def image_token_ids(processor: Any) -> set[int]:
    """Ids of the tokens that stand for an image, or frame one."""
    tokenizer = processor.tokenizer
    ids = {getattr(processor, "image_token_id", None), getattr(tokenizer, "image_token_id", None)}
    vocabulary = tokenizer.get_vocab()
    names = {getattr(processor, "image_token", None), *IMAGE_TOKENS}
    ids |= {vocabulary[name] for name in names if isinstance(name, str) and name in vocabulary}
    return {int(each) for each in ids if each is not None}


def text_ids(processor: Any, text: str) -> list[int]:
    """Token ids of a rendered text, image placeholders not yet multiplied."""
    special = _adds_special_tokens(processor, text)
    return list(processor.tokenizer(text, add_special_tokens=special)["input_ids"])


def _adds_special_tokens(processor: Any, text: str) -> bool:
    """Whether the tokenizer must add the first token: a template that writes it would give two."""
    first = processor.tokenizer.bos_token
    return first is None or not text.startswith(first)
