"""The demo's phantom radiographs, drawn from a seed: `phantoms:SEED` or `phantoms:SEED:TRAINxTEST`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from radtui.records import NewCase, Problem, UserError
from radtui.sources.base import limited_total
from radtui.sources.choices import SourceChoices
from radtui.sources.preview import Counts, Preview

PREFIX = "phantoms:"
TRAIN_IMAGES = 1600
TEST_IMAGES = 300
_FORM = re.compile(r"phantoms:(\d+)(?::(\d+)x(\d+))?")
_PROCESSES = 2  # drawing is the slow part, and the smallest machine radtui is meant for has two cores


class PhantomSource:
    """Images drawn on the way; the same seed gives the same bytes."""

    def __init__(self, text: str, choices: SourceChoices) -> None:
        """Read the seed and the numbers of images.

        Raises:
            UserError: the text has another form.
        """
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise UserError(
                f"{text!r} is no phantom source; write phantoms:SEED or phantoms:SEED:TRAINxTEST."
            )
        self.location = text.strip()
        self._seed = int(match[1])
        self._train, self._test = (int(match[2]), int(match[3])) if match[2] else (TRAIN_IMAGES, TEST_IMAGES)
        self._limit = choices.limit

    def describe(self) -> str:
        """Say what will be drawn."""
        return f"phantoms of seed {self._seed}: {self._train:,} train and {self._test:,} test images, drawn by code"

    def total(self) -> int:
        """Images that will come."""
        return limited_total(Counter(train=self._train, test=self._test), self._limit)

    def splits(self) -> set[str]:
        """Both: patients of the one are not in the other."""
        return {"train", "test"}

    @property
    def problems(self) -> list[Problem]:
        """None: all that is drawn is used."""
        return []

    def preview(self, samples: int = 3, limit_s: float = 2.0) -> Preview:
        """The first cases, drawn in this process, and the counts."""
        from radtui.demo.source import phantoms

        drawn = tuple(phantoms(self._seed, self._train, 0, processes=1, limit=samples))
        counts = Counts()
        for split, cases in (("train", self._train), ("test", self._test)):
            counts.splits[split] = min(cases, self._limit) if self._limit else cases
        counts.with_text = counts.patients = counts.images = counts.cases
        return Preview(self.location, self.describe(), 0, 0, (), drawn, counts, (), {})

    def __iter__(self) -> Iterator[NewCase]:
        return self.cases()

    def cases(self) -> Iterator[NewCase]:
        """Draw every image; the first ones of a set, for a smaller set of the same seed is dealt differently."""
        from radtui.demo.source import phantoms

        yield from phantoms(self._seed, self._train, self._test, _PROCESSES, self._limit)
