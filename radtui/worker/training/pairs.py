"""Rated pairs as the trainer asks for them: frozen in the job's folder, read one by one, two conversations each."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from radtui.export.preferences import write_preferences
from radtui.imaging.decode import training_image
from radtui.paths import DataDir
from radtui.records import Job, UserError
from radtui.settings import TrainSettings
from radtui.store import jobs
from radtui.study import rated_pairs
from radtui.study.study import scheme_for
from radtui.worker.model import examples as images_of
from radtui.worker.model import prompt
from radtui.worker.model.collator import IGNORED, Collator
from radtui.worker.process.reporter import Reporter

FOLDER = "preferences"


@dataclass(frozen=True, slots=True)
class LearntPair:
    """A case's images, what was asked about them, and the two texts that raters compared."""

    images: tuple[Path, ...]  # in their order
    instruction: str
    chosen: str
    rejected: str

    @property
    def length(self) -> int:
        """Characters of both texts."""
        return len(self.chosen) + len(self.rejected)


def frozen(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> list[LearntPair]:
    """The pairs a job learns from: chosen and written to its folder when it starts, the same when it goes on.

    Raters may go on meanwhile; a run that took their newer answers in half-way would be no run of any one data set.

    Raises:
        UserError: There are too few pairs, or an image's bytes are gone.
    """
    folder = data.job(job.id) / FOLDER
    if not folder.exists():
        before = jobs.get(db, TrainSettings.from_dict(job.settings).from_job)
        if before is None:
            raise UserError("Preferences are learnt from a job's rated pairs: name it as from_job.")
        choice = rated_pairs.learnable(db, before, scheme_for(data))
        rated_pairs.check_enough(before, choice)
        write_preferences(data, choice, folder, "dpo")
        reporter.result(pairs=len(choice.pairs), pairs_left_out=choice.left_out)
    return read(folder)


def read(folder: Path) -> list[LearntPair]:
    """The pairs of a folder that `write_preferences` wrote in the form `dpo`."""
    train = folder / "train"
    with (train / "metadata.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [
        LearntPair(
            tuple(train / name for name in row["images_file_names"]), row["prompt"][0]["content"],
            row["chosen"][0]["content"], row["rejected"][0]["content"],
        )
        for row in rows
    ]  # fmt: skip


def split(pairs: Sequence[LearntPair], held_out: int) -> tuple[list[LearntPair], list[LearntPair]]:
    """Pairs to learn from and pairs to evaluate on, spread evenly; no image is in both.

    Args:
        pairs: All of them.
        held_out: Cases wanted for the evaluation; at most half of them are given, and with each those that share an
            image with it.
    """
    cases = list(dict.fromkeys(pair.images for pair in pairs))
    count = min(held_out, len(cases) // 2)
    chosen = {cases[place * len(cases) // count] for place in range(count)}
    kept_back = {image for images in chosen for image in images}
    while more := [images for images in cases if images not in chosen and kept_back.intersection(images)]:
        chosen.update(more)
        kept_back.update(image for images in more for image in images)
    learnt = [pair for pair in pairs if pair.images not in chosen]
    return learnt, [pair for pair in pairs if pair.images in chosen]


def as_shown(
    pairs: Sequence[LearntPair], processor: Any, reporter: Reporter | None = None, step: int = 0
) -> list[LearntPair]:
    """The pairs with the images that the model is shown: all, or the first where it takes one at a time.

    Args:
        pairs: From `frozen`.
        processor: The model's.
        reporter: Takes an event where images are left out; None where that has been said.
        step: Where the job is.
    """
    if images_of.shows_all([len(pair.images) for pair in pairs], processor, reporter, step):
        return list(pairs)
    return [replace(pair, images=pair.images[:1]) for pair in pairs]


class PairTexts(Dataset[dict[str, Any]]):
    """Items `{"prompt", "chosen", "rejected": messages, "images": [RGB images]}`, decoded when they are asked for.

    The keys are those by which TRL's DPOTrainer knows a data set of images.
    """

    def __init__(self, pairs: Sequence[LearntPair], order: str, max_side_px: int) -> None:
        self.pairs = list(pairs)
        self.order = order
        self.max_side_px = max_side_px

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < len(self.pairs):
            raise IndexError(index)  # ends the iteration of `for item in dataset`
        pair = self.pairs[index]
        pictures = [training_image(image.read_bytes()) for image in pair.images]
        return {
            "prompt": [prompt.question(pair.instruction, self.order, len(pair.images))],
            "chosen": [prompt.answer(pair.chosen)],
            "rejected": [prompt.answer(pair.rejected)],
            "images": [prompt.shrink(picture, self.max_side_px) for picture in pictures],
        }


class PairCollator:
    """Turns items of `PairTexts` into the batch of DPOTrainer, through the collator that references go through.

    Every row is a whole conversation, so the processor itself draws what depends on its length, such as Mllama's
    cross-attention mask. TRL 1.8's own collator has the processor see the prompt alone and puts the answer's tokens
    behind it: that mask is then too short, and the forward pass raises.

    Args:
        processor: The model's processor, with a chat template.
        max_length_tokens: Longer sequences lose the end of their answer.
        labels: Whether `labels` come too, for a model that is to compute a loss by itself.
        ends: As `Collator`'s.
        thinking: As `Collator`'s.
    """

    def __init__(
        self, processor: Any, max_length_tokens: int, labels: bool = False, ends: Collection[int] = (),
        thinking: bool = False,
    ) -> None:  # fmt: skip
        self.collate = Collator(processor, "answer", max_length_tokens, ends, thinking)
        self.labels = labels

    def __call__(self, items: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Collate B pairs.

        Returns:
            What the model takes, 2 B rows: first every chosen text, then every rejected one in the same order; with
            `completion_mask` (2 B, T) int64, 1 where a token is of the answer.
        """
        rows = [
            {"messages": [*item["prompt"], *item[side]], "images": item["images"]}
            for side in ("chosen", "rejected")
            for item in items
        ]
        batch = self.collate(rows)
        labels = batch["labels"] if self.labels else batch.pop("labels")
        if not self.labels:
            batch["completion_mask"] = (labels != IGNORED).long()
        return batch
