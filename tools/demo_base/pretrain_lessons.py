"""Exercises as arrays: gathered and encoded once, dealt in batches that share a picture among several questions."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from tools.demo_base import pretrain_exercises as exercises
from tools.demo_base.pretrain_exercises import Exercise
from tools.demo_base.pretrain_images import TILE_PX, Tile, draw

_LENGTH = 112  # tokens of the longest exercise, prompt and answer
_COPIES = 6000  # exercises of copied terms, over a black picture
_BLACK_SHARE = 0.03  # of a batch's pictures are the black one

Book = list[tuple[Tile, list[Exercise]]]  # pictures with their exercises


@dataclass
class Lessons:
    """All exercises; those of one picture lie side by side."""

    tiles: torch.Tensor  # uint8 (pictures, TILE_PX, TILE_PX); the first is black
    first: torch.Tensor  # int64 (pictures,): each picture's first exercise
    count: torch.Tensor  # int64 (pictures,): and how many it has
    tokens: torch.Tensor  # int16 (exercises, _LENGTH), padded
    answer: torch.Tensor  # int16 (exercises, 2): first token of the answer, and one past its last

    def to(self, device: str) -> Lessons:
        """Return the lessons on another device."""
        return Lessons(*(getattr(self, f.name).to(device) for f in fields(self)))


def gather(count: int, seed: int, processes: int) -> Book:
    """Draw `count` phantoms with their exercises; the first picture is black and asks for copies."""
    rng = random.Random(seed)
    black = np.zeros((TILE_PX, TILE_PX), dtype=np.uint8)
    book: Book = [(black, [exercises.copying(rng) for _ in range(_COPIES)])]
    start = time.perf_counter()
    for picture in draw(count, seed, processes):
        book.append(picture)
        if len(book) % 10_000 == 0:
            print(f"{len(book)} pictures, {time.perf_counter() - start:.0f} s", flush=True)
    return book


def encode(tokenizer: Any, book: Book) -> Lessons:
    """Turn exercises into tokens in the chat form that training and generation use, image first."""
    asked = [exercise for _, questions in book for exercise in questions]
    count = torch.tensor([len(questions) for _, questions in book])
    tokens = np.full((len(asked), _LENGTH), tokenizer.pad_token_id, dtype=np.int16)
    answer = np.zeros((len(asked), 2), dtype=np.int16)
    prompts = tokenizer([_turns(tokenizer, q.prompt) for q in asked], add_special_tokens=False)["input_ids"]
    replies = tokenizer([q.answer for q in asked], add_special_tokens=False)["input_ids"]
    for k, (prompt, reply) in enumerate(zip(prompts, replies, strict=True)):
        row = [*prompt, *reply, tokenizer.eos_token_id][:_LENGTH]
        tokens[k, : len(row)] = row
        answer[k] = len(prompt), len(row)
    return Lessons(
        torch.from_numpy(np.stack([square for square, _ in book])),
        count.cumsum(0) - count,
        count,
        torch.from_numpy(tokens),
        torch.from_numpy(answer),
    )


def _turns(tokenizer: Any, prompt: str) -> str:
    """Return the chat up to the answer, as the chat template writes it (spelled out: a template call is slow)."""
    return (
        f"{tokenizer.bos_token}<|start_header_id|>user<|end_header_id|>\n\n<|image|>{prompt}<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )


def deal_rows(lessons: Lessons, pictures: int, questions: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw `pictures` pictures at random, and `questions` exercises of each.

    Returns:
        int64 picture numbers of shape (pictures,), and exercise numbers of shape (pictures * questions,).
    """
    device, total = lessons.tiles.device, len(lessons.count)
    chosen = torch.randint(1, total, (pictures,), device=device)
    chosen[: round(_BLACK_SHARE * pictures)] = 0
    repeated = chosen.repeat_interleave(questions)
    within = torch.rand(len(repeated), device=device) * lessons.count[repeated]
    return chosen, lessons.first[repeated] + within.long()


def pixels_of(lessons: Lessons, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the image inputs of some pictures, exactly as the processor makes them."""
    grey = lessons.tiles[pictures].float() / 127.5 - 1  # the processor's mean and deviation: 0.5
    count, device = len(pictures), grey.device
    return {
        "pixel_values": grey[:, None, None, None].expand(
            -1, 1, 1, 3, -1, -1
        ),  # (batch, image, tile, channel, y, x)
        "aspect_ratio_ids": torch.ones(count, 1, dtype=torch.long, device=device),
        "aspect_ratio_mask": torch.ones(count, 1, 1, dtype=torch.long, device=device),
    }


def texts_of(lessons: Lessons, rows: torch.Tensor, image_token: int) -> dict[str, torch.Tensor]:
    """Return the text inputs of some exercises, with labels on their answers alone."""
    span = lessons.answer[rows].long()
    tokens = lessons.tokens[rows, : int(span[:, 1].max())].long()
    place = torch.arange(tokens.shape[1], device=tokens.device)[None]
    image_at = (tokens == image_token).int().argmax(dim=1, keepdim=True)
    return {
        "input_ids": tokens,
        "attention_mask": (place < span[:, 1:]).long(),
        "labels": tokens.masked_fill((place < span[:, :1]) | (place >= span[:, 1:]), -100),
        "cross_attention_mask": (place >= image_at).long()[:, :, None, None],
    }
