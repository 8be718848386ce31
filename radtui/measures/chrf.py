"""What chrF counts in each text, for all texts of an arm at once: the same figures as sacrebleu's, sooner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from radtui.measures.ngrams import shared_ngrams

if TYPE_CHECKING:
    import numpy as np

ORDERS = 6  # n-grams of 1 to 6 characters, white space left out: chrF2 as sacrebleu has it by default
BETA = 2


def chrf_statistics(texts: Sequence[str], references: Sequence[str]) -> np.ndarray | None:
    """Character n-grams in each text, in its reference, and in both, float (texts, 3 x ORDERS).

    Args:
        texts: At least one.
        references: One for each text.

    Returns:
        None where the texts have so many different characters that n-grams have no room in a number.

    Source: Popovic, chrF (WMT 2015), section 2; sacrebleu 2, `metrics/chrf.py`, for the handling of empty sides.
    """
    import numpy as np

    counts = shared_ngrams(_letters(texts), _letters(references), ORDERS)
    if counts is not None:
        hypothesis, reference = counts[:, 0::3], counts[:, 1::3]
        counts[:, 0::3] = np.where(reference > 0, hypothesis, 0)
    return counts


def _letters(texts: Sequence[str]) -> list[np.ndarray]:
    """Each text as its characters' numbers, without white space."""
    import numpy as np

    return [
        np.frombuffer("".join(text.split()).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        for text in texts
    ]


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
