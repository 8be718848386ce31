"""The demo's data set as a source: phantoms drawn by several processes, yielded in a fixed order as they are ready."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator

from radtui.demo.captions import caption
from radtui.demo.cases import PhantomCase, deal
from radtui.records import NewCase, NewCaseImage

DATASET = "phantoms"  # the name the demo's data set goes by
_CHUNK = 16  # cases a process draws at a time: about a quarter of a second


def phantoms(
    seed: int, train: int = 1600, test: int = 300, processes: int = 2, limit: int = 0
) -> Iterator[NewCase]:
    """Yield the cases of the train split, then of the test split, in an order that depends on the seed alone.

    The two splits have separate random streams, so no patient is in both.

    Args:
        seed: chooses every patient; not negative.
        train: images of the train split.
        test: images of the test split.
        processes: how many draw at once; 1 draws in this process.
        limit: only the first of each split are drawn, as they are in the whole of it; 0 draws all.
    """
    kept = slice(limit or None)
    cases = [*deal(seed, "train", train)[kept], *deal(seed, "test", test)[kept]]
    if processes <= 1:
        yield from map(case_of, cases)
        return
    # Fresh interpreters: a forked one would inherit the locks of the threads that run in the caller.
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(case_of, cases, chunksize=_CHUNK)


def case_of(case: PhantomCase) -> NewCase:
    """Draw one case and write its caption."""
    from radtui.demo.phantoms import phantom  # numpy and Pillow are loaded where drawing happens

    drawn = phantom(case.examination, case.truth, case.seed)
    rng = random.Random(".".join(map(str, case.seed)))
    return NewCase(
        split=case.split,
        source_key=f"{case.split}/{case.index:05d}",
        images=(NewCaseImage(drawn.png(), f"{case.index:05d}.png"),),
        reference=caption(rng, case.examination, case.truth),
        examination=case.examination,
        facts={"marker": drawn.marker, "size": case.truth.size},
        truth=(case.truth,),
    )
