"""A data set's images and references as the trainer asks for them, one by one, never all in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image as Pillow
from torch.utils.data import Dataset

from radtui.imaging.decode import training_image
from radtui.paths import DataDir
from radtui.records import Image, UserError
from radtui.worker.model import prompt


@dataclass(frozen=True, slots=True)
class Example:
    """What one item is made of; small enough to hold for every image of a data set."""

    image_id: int
    name: str  # the source's own key, for messages about it
    blob: Path
    reference: str
    sizes_px: tuple[tuple[int, int], ...] = ()  # of its images, width and height as they are stored

    @property
    def length(self) -> int:
        """Characters of the text."""
        return len(self.reference)


def examples(records: Sequence[Image], data: DataDir) -> list[Example]:
    """The items of images that are in the store.

    Raises:
        UserError: An image's bytes are gone from the data folder.
    """
    found = [
        Example(r.id, r.source_key, data.blob(r.sha256), r.reference.strip(), ((r.width_px, r.height_px),))
        for r in records
    ]
    for example in found:
        if not example.blob.exists():
            raise UserError(
                f"The bytes of image {example.name} are gone from {example.blob.parent}; import the data set again."
            )
    return found


def open_image(example: Example, max_side_px: int) -> Pillow.Image:
    """Read, decode and shrink one image.

    Returns:
        Mode RGB.

    Raises:
        UserError: The bytes cannot be decoded any more; names the image.
    """
    try:
        return prompt.shrink(training_image(example.blob.read_bytes()), max_side_px)
    except UserError as error:
        raise UserError(f"Image {example.name} cannot be read: {error}") from error


class ImageTexts(Dataset[dict[str, Any]]):
    """Items `{"messages": [question, answer], "images": [RGB image]}`, decoded when they are asked for.

    Holds no database connection, so that loader processes can carry it.
    """

    def __init__(self, items: Sequence[Example], instruction: str, order: str, max_side_px: int) -> None:
        self.items = list(items)
        self.question = prompt.question(instruction, order)
        self.max_side_px = max_side_px

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < len(self.items):
            raise IndexError(index)  # ends the iteration of `for item in dataset`
        example = self.items[index]
        return {
            "messages": [self.question, prompt.answer(example.reference)],
            "images": [open_image(example, self.max_side_px)],
        }
