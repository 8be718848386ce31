"""What chrF counts in each text, for all texts of an arm at once: the same figures as sacrebleu's, sooner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ORDERS = 6  # n-grams of 1 to 6 characters, white space left out: chrF2 as sacrebleu has it by default
BETA = 2
RESAMPLING_SEED = 12345  # sacrebleu's own, so that its interval is met
_BLOCK = 512  # texts whose n-grams are sorted together
_BITS = 62  # of a sorted number: text, n-gram and whose it is


def match_statistics(texts: Sequence[str], references: Sequence[str]) -> np.ndarray | None:
    """N-grams in each text, in its reference, and in both, float (texts, 3 x ORDERS).

    Args:
        texts: At least one.
        references: One for each text.

    Returns:
        None where the texts have so many different characters that n-grams have no room in a number.

    Source: Popovic, chrF (WMT 2015), section 2; sacrebleu 2, `metrics/chrf.py`, for the handling of empty sides.
    """
    import numpy as np

    blocks = []
    for start in range(0, len(texts), _BLOCK):
        part = slice(start, start + _BLOCK)
        block = _block(_joined(texts[part]), _joined(references[part]))
        if block is None:
            return None
        blocks.append(block)
    return np.concatenate(blocks)


def _joined(texts: Sequence[str]) -> list[str]:
    return ["".join(text.split()) for text in texts]


def _block(texts: Sequence[str], references: Sequence[str]) -> np.ndarray | None:
    import numpy as np

    size = len(texts)
    lengths = np.array([[len(text) for text in texts], [len(reference) for reference in references]])
    codes = np.frombuffer(
        "".join([*texts, *references]).encode("utf-32-le", "surrogatepass"), dtype=np.uint32
    )
    known, letters = np.unique(codes, return_inverse=True)
    if ORDERS * max(1, len(known) - 1).bit_length() + size.bit_length() + 1 > _BITS:
        return None
    each = lengths.ravel()
    text_of = np.repeat(np.tile(np.arange(size), 2), each)
    of_reference = np.repeat(np.repeat([0, 1], size), each)
    left = np.repeat(np.cumsum(each), each) - np.arange(len(codes))  # characters from here to the text's end
    statistics = np.zeros((size, 3 * ORDERS))
    grams = np.zeros(len(codes), dtype=np.int64)
    for order in range(1, ORDERS + 1):
        grams[: len(codes) - order + 1] = grams[: len(codes) - order + 1] * len(known) + letters[order - 1 :]
        whole = left >= order
        keys = (text_of[whole] * len(known) ** order + grams[whole]) * 2 + of_reference[whole]
        counts = np.maximum(lengths - order + 1, 0)
        at = 3 * (order - 1)
        statistics[:, at] = np.where(counts[1] > 0, counts[0], 0)
        statistics[:, at + 1] = counts[1]
        statistics[:, at + 2] = _in_both(keys, len(known) ** order, size)
    return statistics


def _in_both(keys: np.ndarray, grams: int, size: int) -> np.ndarray:
    """How many n-grams each text shares with its reference, each as often as the rarer side has it."""
    import numpy as np

    if not len(keys):
        return np.zeros(size)
    keys.sort()
    gram = keys >> 1
    begins = np.flatnonzero(np.concatenate([[True], gram[1:] != gram[:-1]]))
    of_reference = np.add.reduceat(keys & 1, begins)
    total = np.diff(np.append(begins, len(keys)))
    return np.bincount(gram[begins] // grams, np.minimum(of_reference, total - of_reference), minlength=size)


def chrf_of(sums: np.ndarray) -> np.ndarray:
    """chrF2, 0..100, of summed statistics, float (k, 3 x ORDERS)."""
    import numpy as np

    hypothesis, reference, match = (sums[:, part::3] for part in range(3))
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(hypothesis > 0, match / hypothesis, 0.0)
        recall = np.where(reference > 0, match / reference, 0.0)
        both = (hypothesis > 0) & (reference > 0)
        orders = both.sum(axis=1)
        p = (precision * both).sum(axis=1) / orders
        r = (recall * both).sum(axis=1) / orders
        score = (1 + BETA**2) * p * r / (BETA**2 * p + r)
    percent: np.ndarray = np.nan_to_num(100 * score)
    return percent


def resampled_chrf(statistics: np.ndarray, resamples: int) -> np.ndarray:
    """chrF2 of resampled texts, (resamples,), drawn as sacrebleu draws them."""
    import numpy as np

    size = len(statistics)
    drawn = np.random.default_rng(RESAMPLING_SEED).choice(size, size=(resamples, size), replace=True)
    sums = np.empty((resamples, statistics.shape[1]))
    for row, places in enumerate(drawn):
        sums[row] = np.bincount(places, minlength=size) @ statistics
    return chrf_of(sums)
