"""A data set's cases and references as a model is shown them, one by one, never all in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image as Pillow
from torch.utils.data import Dataset

from radtui.imaging.decode import training_image
from radtui.paths import DataDir
from radtui.plural import many
from radtui.records import Case, UserError
from radtui.store.blobs import Stored, locate
from radtui.worker.model import collator, prompt, template
from radtui.worker.process.reporter import Reporter


@dataclass(frozen=True, slots=True)
class Example:
    """What one item is made of; small enough to hold for every case of a data set."""

    case_id: int
    name: str  # the source's own key, for messages about it
    blobs: tuple[Stored, ...]  # of its images that can be read, in their order
    reference: str
    question: str = ""  # "" for the job's instruction
    sizes_px: tuple[tuple[int, int], ...] = ()  # of those images, width and height as they are stored

    @property
    def length(self) -> int:
        """Characters of the text."""
        return len(self.reference)

    def asked(self, instruction: str) -> str:
        """What a model is asked about it: its own question, else the job's instruction."""
        return self.question or instruction


def examples(records: Sequence[Case], data: DataDir) -> list[Example]:
    """The items of cases that are in the store.

    Raises:
        UserError: An image's bytes are gone from the data folder, or a linked file has changed or is not there.
    """
    items = []
    wanted = [image.sha256 for case in records for image in case.images if not image.error]
    places = iter(locate(data, wanted))
    for case in records:
        blobs = tuple(next(places) for image in case.images if not image.error)
        for blob in blobs:
            if blob.link is None and not blob.path.exists():
                raise UserError(
                    f"The bytes of image {case.source_key} are gone from {blob.path.parent}; import the data set again."
                )
            if problem := blob.problem:
                raise UserError(problem)
        reference, sizes = case.reference.strip(), sizes_of(case)
        items.append(Example(case.id, case.source_key, blobs, reference, case.question, sizes))
    return items


def sizes_of(case: Case) -> tuple[tuple[int, int], ...]:
    """Width and height of a case's images that can be read, px, as they are stored."""
    return tuple((image.width_px, image.height_px) for image in case.images if not image.error)


def as_shown(
    items: list[Example], processor: Any, reporter: Reporter | None = None, step: int = 0
) -> list[Example]:
    """The items with the images that the model is shown: all, or the first where it takes one at a time.

    Args:
        items: From `examples`.
        processor: The model's.
        reporter: Takes an event where images are left out; None where that has been said.
        step: Where the job is.
    """
    if shows_all([len(item.blobs) for item in items], processor, reporter, step):
        return items
    return [replace(item, blobs=item.blobs[:1], sizes_px=item.sizes_px[:1]) for item in items]


def shows_all(counts: Sequence[int], processor: Any, reporter: Reporter | None, step: int) -> bool:
    """Whether the model is shown all images of cases with so many each; where it is not, that is said.

    Args:
        counts: Images of each case.
        processor: The model's.
        reporter: As `as_shown`'s.
        step: Where the job is.
    """
    several = sum(count > 1 for count in counts)
    if not several or takes_several(processor):
        return True
    if reporter is not None and reporter.ranks.first:
        reporter.event(
            step, "warning",
            f"This model takes one image at a time: of {many(several, 'case')} with several images it "
            "sees the first alone.",
        )  # fmt: skip
    return False


def takes_several(processor: Any) -> bool:
    """Whether template and processor take a case of two images; both are asked, since no attribute says so."""
    picture = Pillow.new("RGB", (64, 64))
    try:
        of_one, of_two = (template.rendered_prompt(processor, "?", count) for count in (1, 2))
        if of_one == of_two:
            return False  # the template writes one placeholder whatever it is given
        collator.encode(processor, [of_two], [[picture, picture]], padding_side="left")
    except Exception:  # each processor refuses in its own way
        return False
    return True


def open_images(example: Example, max_side_px: int) -> list[Pillow.Image]:
    """Read, decode and shrink the images of one case.

    Returns:
        Mode RGB, in their order.

    Raises:
        UserError: The bytes cannot be decoded any more; names the case.
    """
    try:
        return [prompt.shrink(training_image(blob.read_bytes()), max_side_px) for blob in example.blobs]
    except UserError as error:
        raise UserError(f"Image {example.name} cannot be read: {error}") from error


class ImageTexts(Dataset[dict[str, Any]]):
    """Items `{"messages": [question, answer], "images": [RGB images]}`, decoded when they are asked for.

    Holds no database connection, so that loader processes can carry it.
    """

    def __init__(self, items: Sequence[Example], instruction: str, order: str, max_side_px: int) -> None:
        self.items = list(items)
        self.instruction = instruction
        self.order = order
        self.max_side_px = max_side_px

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < len(self.items):
            raise IndexError(index)  # ends the iteration of `for item in dataset`
        example = self.items[index]
        question = prompt.question(example.asked(self.instruction), self.order, len(example.blobs))
        return {
            "messages": [question, prompt.answer(example.reference)],
            "images": open_images(example, self.max_side_px),
        }
