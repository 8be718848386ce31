"""Conversations as trainers keep them: LLaVA, ShareGPT, LLaMA-Factory, TRL, Unsloth, ms-swift, OpenAI."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from radtui.sources.layouts.cells import (
    NAMED_IMAGE,
    ImageCell,
    as_list,
    cell_text,
    image_cells,
)
from radtui.sources.literals import parsed_text

_USER = frozenset(("user", "human", "question", "observation", "instruction"))
_ASSISTANT = frozenset(("assistant", "gpt", "model", "answer", "chatgpt", "bot", "bing", "bard"))
_PAIRS = (("question", "answer"), ("user", "assistant"), ("human", "gpt"))
"""Keys of lists whose objects hold a question with its answer."""
_ROLE = ("role", "from", "speaker", "author")
_CONTENT = ("content", "value", "text", "message", "parts")
_IMAGE_TYPES = frozenset(("image", "image_url", "input_image", "image_path", "image_base64"))
_FILES = ("fileData", "file_data", "inlineData", "inline_data")
"""Keys of Gemini's parts that are images."""
_TEXT_TYPES = frozenset(("text", "input_text", "output_text", ""))
_TOKEN = re.compile(
    r"<\|?/?(?:image|img|image_pad|vision_start|vision_end|image_placeholder|Image)(?:[_-]?\d+)?\|?>"
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer; `later` where others came before it."""

    question: str
    answer: str
    later: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a conversation holds: exchanges, the images inside it, and what the system was told."""

    exchanges: tuple[Exchange, ...]
    images: tuple[ImageCell, ...]
    system: str = ""


def is_conversation(value: object) -> bool:
    """Whether a cell is a list of turns: objects that say who speaks and what."""
    turns = _turns(value)
    if not turns:
        return False
    return all(_first(turn, _ROLE) and any(key in turn for key in _CONTENT) for turn in turns)


def read_conversation(*values: object) -> Conversation:
    """Read one conversation, which may be in several cells (TRL's `prompt` and `completion`).

    Args:
        values: Cells that are lists of turns, in their order.
    """
    exchanges: list[Exchange] = []
    images: list[ImageCell] = []
    asked: list[str] = []
    system: list[str] = []
    for turn in (turn for value in values for turn in _turns(value) or ()):
        role = cell_text(_first(turn, _ROLE)).lower()
        text, inside = _content(next((turn[key] for key in _CONTENT if turn.get(key) is not None), ""))
        images += inside
        if role in _ASSISTANT:
            if text:
                exchanges.append(Exchange("\n".join(filter(None, asked)), text, bool(exchanges)))
            asked = []
        elif role == "system":
            system.append(text)
        elif role in _USER or role:
            asked.append(text)
    return Conversation(tuple(exchanges), tuple(images), "\n".join(filter(None, system)))


def has_image_mark(value: object) -> bool:
    """Whether a cell is a text with a mark that stands for an image."""
    return isinstance(value, str) and "<" in value and _TOKEN.search(value) is not None


def without_image_tokens(text: str) -> str:
    """A question without the marks that stand for its images."""
    return re.sub(r"\n{2,}", "\n", _TOKEN.sub("", NAMED_IMAGE.sub("", text))).strip()


def _turns(value: object) -> list[Mapping[str, object]] | None:
    if isinstance(value, str) and value.lstrip()[:1] in "[{":
        value = parsed_text(value)
    if isinstance(value, Mapping) and isinstance(value.get("messages"), list):
        value = value["messages"]
    if isinstance(value, Mapping):  # datasets keeps a list of objects as an object of lists in its old form
        columns = {str(key): each for key, each in value.items() if isinstance(each, list)}
        if not columns or len(columns) != len(value):
            return None
        value = [dict(zip(columns, cells, strict=False)) for cells in zip(*columns.values(), strict=False)]
    turns = as_list(value)
    for asker, answerer in _PAIRS:
        pairs = [
            turn for turn in turns or () if isinstance(turn, Mapping) and {asker, answerer} <= turn.keys()
        ]
        if turns and len(pairs) == len(turns):
            turns = [{"role": role, "content": pair[role]} for pair in pairs for role in (asker, answerer)]
    if not turns or not all(isinstance(turn, Mapping) for turn in turns):
        return None
    return turns  # type: ignore[return-value]  # just checked


def _content(value: object) -> tuple[str, list[ImageCell]]:
    """The text of a turn and the images in it."""
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        parsed = parsed_text(value)
        value = parsed if isinstance(parsed, list) else value
    if isinstance(value, Mapping):
        value = [value]
    blocks = value if isinstance(value, (list, tuple)) else None
    images: list[ImageCell] = []
    if blocks is None:
        text = cell_text(value)
    else:
        texts: list[str] = []
        for block in blocks:
            for part in _block(block):
                if isinstance(part, str):
                    texts.append(part)
                else:
                    images.append(part)
        text = "\n".join(filter(None, texts))
    if "<img>" in text:
        images += image_cells(text)
    return without_image_tokens(text), images


def _block(block: object) -> Iterator[str | ImageCell]:
    if not isinstance(block, Mapping):
        yield cell_text(block)
        return
    kind = cell_text(block.get("type")).lower()
    for key in _FILES:
        if block.get(key):
            yield from image_cells(block[key])
            return
    if kind in _IMAGE_TYPES or (not kind and any(block.get(key) for key in ("image", "image_url"))):
        for key in ("image_url", "image", "path", "url", "image_path", "data", "source", "base64"):
            if block.get(key):
                yield from image_cells(block[key])
                return
    elif kind in _TEXT_TYPES:
        yield cell_text(block.get("text") or block.get("content") or "")


def _first(turn: Mapping[str, object], keys: tuple[str, ...]) -> object:
    return next((turn[key] for key in keys if turn.get(key)), "")
