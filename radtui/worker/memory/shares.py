"""How the images of an optimizer step are shared out: among ranks, and into forward passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from radtui.records import Job
from radtui.settings import TrainSettings
from radtui.worker.process.ranks import Ranks

PADDING = -1  # an index that stands for no image


def of_one_rank(settings: TrainSettings, count: int) -> TrainSettings:
    """The settings with one rank's share of a step: as many images at a time as were asked for, or a divisor.

    Args:
        settings: With a step that `count` divides.
        count: Ranks.
    """
    own = settings.effective_batch // count
    batch = next(size for size in range(min(settings.batch_size, own), 0, -1) if own % size == 0)
    return replace(settings, batch_size=batch, gradient_accumulation=own // batch)


def as_last_fitted(settings: TrainSettings, job: Job) -> TrainSettings:
    """The settings with one GPU's micro-batch: what fitted before the job was stopped, so that it will again."""
    batch_size, accumulation = job.result.get("batch_size"), job.result.get("gradient_accumulation")
    if not (isinstance(batch_size, int) and isinstance(accumulation, int)):
        return of_one_rank(settings, settings.gpus)
    return replace(settings, batch_size=batch_size, gradient_accumulation=accumulation)


def halved(settings: TrainSettings) -> TrainSettings | None:
    """Half the micro-batch and twice the accumulation, so that a step sees the same images; None at one image.

    A size that two does not divide falls to its next smaller divisor.
    """
    batch = settings.batch_size
    smaller = next((size for size in range(batch // 2, 0, -1) if batch % size == 0), None)
    return None if smaller is None else with_batch(settings, smaller)


def with_batch(settings: TrainSettings, size: int) -> TrainSettings:
    """The settings with another micro-batch, a divisor of the one they have, and the same images per step."""
    passes = settings.gradient_accumulation * settings.batch_size // size
    return replace(settings, batch_size=size, gradient_accumulation=passes)


def smaller_sentence(before: TrainSettings, after: TrainSettings, cuda: bool) -> str:
    """What to say when the memory did not suffice."""
    return (
        f"The {'GPU' if cuda else 'machine'}'s memory does not hold {before.batch_size} images at a time: going on "
        f"with {after.batch_size} and {after.gradient_accumulation} passes per step, the same images per step"
    )


class RankBatches:
    """One rank's micro-batches: each optimizer step learns the images that a single process would take for it.

    The Trainer's own way pads an epoch's last step with its first images. Here whoever runs out gets `PADDING`, whose
    tokens don't count, and since the loss is a sum over all ranks' tokens divided by their number, it is the same as
    a single process's.

    Args:
        order: The images' indices in the order of an epoch, the same on every rank, with `set_epoch`.
        images: How many there are.
        batch_size: Images of one rank's micro-batch.
        passes: Micro-batches of one rank per optimizer step.
        ranks: This one and the others.
    """

    def __init__(self, order: Any, images: int, batch_size: int, passes: int, ranks: Ranks) -> None:
        self.order = order
        self.images = images
        self.batch_size = batch_size
        self.passes = passes
        self.ranks = ranks

    @property
    def step_images(self) -> int:
        """Images of a whole optimizer step, over all ranks."""
        return self.batch_size * self.passes * self.ranks.count

    def __len__(self) -> int:
        whole, rest = divmod(self.images, self.step_images)
        return whole * self.passes + self._passes_for(rest)

    def __iter__(self) -> Iterator[list[int]]:
        step: list[int] = []
        for index in self.order:
            step.append(index)
            if len(step) == self.step_images:
                yield from self._own(step)
                step = []
        if step:
            yield from self._own(step)

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch, whose number decides the order."""
        self.order.set_epoch(epoch)

    def _own(self, step: list[int]) -> Iterator[list[int]]:
        own = step[self.ranks.number :: self.ranks.count]
        for number in range(self._passes_for(len(step))):
            yield own[number * self.batch_size : (number + 1) * self.batch_size] or [PADDING]

    def _passes_for(self, images: int) -> int:
        """Forward passes that the fullest rank needs for images of one step."""
        fullest = -(-images // self.ranks.count)
        return -(-fullest // self.batch_size)


class PaddedItems:
    """A data set in which `PADDING` stands for its first item, marked so that `padded` leaves its tokens out.

    Args:
        items: The data set.
    """

    def __init__(self, items: Any) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item: dict[str, Any] = self.items[max(index, 0)]
        return item if index != PADDING else {**item, "padding": True}


class PaddedBatches:
    """A collator whose batches learn nothing from padding.

    Args:
        collate: Items to a batch with `labels`.
    """

    def __init__(self, collate: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> None:
        self.collate = collate

    def __call__(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        """Collate; labels of padding are `IGNORED`."""
        from radtui.worker.model.collator import IGNORED

        batch = self.collate(items)
        for row, item in enumerate(items):
            if item.get("padding"):
                batch["labels"][row] = IGNORED
        return batch
