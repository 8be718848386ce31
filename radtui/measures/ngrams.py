"""How many n-grams texts share with their references, for all texts of an arm at once; and resampled sums of that."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 1000  # sacrebleu's own number for its intervals
RESAMPLING_SEED = 12345  # and its seed, so that its intervals are met
_BLOCK = 512  # texts whose n-grams are sorted together
_BITS = 62  # of a sorted number: text, n-gram and whose it is


def shared_ngrams(
    texts: Sequence[np.ndarray], references: Sequence[np.ndarray], orders: int
) -> np.ndarray | None:
    """N-grams in each text, in its reference, and in both, float (texts, 3 x orders), order by order.

    Args:
        texts: Each as numbers of its characters or words, int.
        references: One for each text.
        orders: N-grams of 1 to so many are counted.

    Returns:
        None where the texts have so many different characters or words that n-grams have no room in a number.
    """
    import numpy as np

    blocks = []
    for start in range(0, len(texts), _BLOCK):
        block = _block(texts[start : start + _BLOCK], references[start : start + _BLOCK], orders)
        if block is None:
            return None
        blocks.append(block)
    return np.concatenate(blocks) if blocks else np.zeros((0, 3 * orders))


def _block(texts: Sequence[np.ndarray], references: Sequence[np.ndarray], orders: int) -> np.ndarray | None:
    import numpy as np

    size = len(texts)
    lengths = np.array([[len(text) for text in texts], [len(reference) for reference in references]])
    codes = np.concatenate([*texts, *references])
    known, letters = np.unique(codes, return_inverse=True)
    if orders * max(1, len(known) - 1).bit_length() + size.bit_length() + 1 > _BITS:
        return None
    each = lengths.ravel()
    text_of = np.repeat(np.tile(np.arange(size), 2), each)
    of_reference = np.repeat(np.repeat([0, 1], size), each)
    left = np.repeat(np.cumsum(each), each) - np.arange(len(codes))  # signs from here to the text's end
    statistics = np.zeros((size, 3 * orders))
    grams = np.zeros(len(codes), dtype=np.int64)
    for order in range(1, orders + 1):
        inside = max(0, len(codes) - order + 1)
        grams[:inside] = grams[:inside] * len(known) + letters[order - 1 :]
        whole = left >= order
        keys = (text_of[whole] * len(known) ** order + grams[whole]) * 2 + of_reference[whole]
        at = 3 * (order - 1)
        statistics[:, at : at + 2] = np.maximum(lengths - order + 1, 0).T
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


def resampled_as_sacrebleu(statistics: np.ndarray) -> np.ndarray:
    """Sums of resampled texts' statistics, float (RESAMPLES, columns), drawn as sacrebleu draws them."""
    result: np.ndarray = _drawn(len(statistics)) @ statistics
    return result


@lru_cache(maxsize=2)  # BLEU and chrF of all arms of a study are of as many texts
def _drawn(size: int) -> np.ndarray:
    """How often each text is drawn in each resample, float32 (RESAMPLES, size)."""
    import numpy as np

    drawn = np.random.default_rng(RESAMPLING_SEED).choice(size, size=(RESAMPLES, size), replace=True)
    counts = np.empty((RESAMPLES, size), dtype=np.float32)
    for row, places in enumerate(drawn):
        counts[row] = np.bincount(places, minlength=size)
    return counts


def sacrebleus_interval(resampled: np.ndarray) -> tuple[float, float] | None:
    """The 95 % interval that sacrebleu gives: half the distance of two resampled scores to both sides of their mean.

    Args:
        resampled: Scores of the resamples, float (RESAMPLES,).

    Returns:
        None where every resample scores the same.
    """
    import numpy as np

    ordered = np.sort(resampled)
    cut = len(ordered) // 40
    half, middle = float(ordered[-cut - 1] - ordered[cut]) / 2, float(ordered.mean())
    return (middle - half, middle + half) if half > 0 else None
