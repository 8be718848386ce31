"""The messages a model sees: one wording and one order for training, watching and describing."""

from __future__ import annotations

from typing import Any

from PIL import Image

Message = dict[str, Any]


def question(instruction: str, order: str, images: int = 1) -> Message:
    """The user's turn about a case.

    Args:
        instruction: What is asked.
        order: `image_first` or `text_first`.
        images: How many images are shown, in their order.
    """
    shown: list[Message] = [{"type": "image"} for _ in range(images)]
    text: Message = {"type": "text", "text": instruction}
    return {"role": "user", "content": [*shown, text] if order == "image_first" else [text, *shown]}


def answer(text: str) -> Message:
    """The assistant's turn: the reference to learn."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def shrink(image: Image.Image, max_side_px: int) -> Image.Image:
    """The image with its longer side at most `max_side_px`; 0 leaves it. Never enlarges.

    Training and generation both call this, so that a model is asked about what it learnt from.
    """
    size = shrunk(image.size, max_side_px)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def shrunk(size_px: tuple[int, int], max_side_px: int) -> tuple[int, int]:
    """The size that `shrink` gives an image of this size."""
    longer = max(size_px)
    if not max_side_px or longer <= max_side_px:
        return size_px
    width, height = (max(1, round(side * max_side_px / longer)) for side in size_px)
    return width, height
