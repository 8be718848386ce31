"""The model's inputs about a few cases, made while the cases before are described.

Files are read and decoded by several threads, since decoding keeps no other thread from running: a film of
2500 x 3056 px of 12 bits takes 0.13 s, more than describing it does on a fast GPU. The processor takes them as one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from radtui.worker.describing import describe
from radtui.worker.model import examples
from radtui.worker.model.examples import Example

READERS = 4  # threads; more would take cores from whoever else computes on the machine


class Preparing:
    """Makes inputs; used with `with`, which ends its threads.

    Args:
        model: Whose precision and device the inputs are for.
        processor: Its processor.
        prompts: By case, as rendered.
        max_side_px: Longer images are shrunk; 0 for none.
        ranks: Processes of the job, which share this machine's cores.
    """

    def __init__(
        self, model: Any, processor: Any, prompts: Mapping[int, str], max_side_px: int, ranks: int = 1
    ) -> None:
        self.model, self.processor, self.prompts = model, processor, prompts
        self.max_side_px = max_side_px
        self._readers = ThreadPoolExecutor(readers(len(os.sched_getaffinity(0)), ranks))

    def __enter__(self) -> Preparing:
        return self

    def __exit__(self, *_: object) -> None:
        self._readers.shutdown(cancel_futures=True)

    def inputs(self, cases: Sequence[Example]) -> dict[str, Any]:
        """The model's inputs about cases, in main memory.

        Raises:
            UserError: An image cannot be decoded any more; names the case.
        """
        opened = partial(examples.open_images, max_side_px=self.max_side_px)
        pictures = list(self._readers.map(opened, cases))
        prompts = [self.prompts[case.case_id] for case in cases]
        return describe.made_ready(self.model, describe.prepare(self.processor, pictures, prompts))


def readers(cores: int, ranks: int) -> int:
    """How many threads read and decode: of a machine's cores a rank's share, at most `READERS`."""
    return max(1, min(READERS, cores // ranks))
