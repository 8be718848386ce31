"""What BLEU counts in each text, for all texts of an arm at once: the same figures as sacrebleu's, sooner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from radtui.measures.ngrams import shared_ngrams

if TYPE_CHECKING:
    import numpy as np

ORDERS = 4  # n-grams of 1 to 4 words


def bleu_statistics(texts: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> np.ndarray | None:
    """N-grams in each text, in its reference, and in both, float (texts, 3 x ORDERS); those of order 1 are words.

    Args:
        texts: Each as the words that sacrebleu's tokenizer makes of it.
        references: One for each text.

    Returns:
        None where the texts have so many different words that n-grams have no room in a number.
    """
    import numpy as np

    numbers: dict[str, int] = {}

    def numbered(words: Sequence[str]) -> np.ndarray:
        return np.array([numbers.setdefault(word, len(numbers)) for word in words], dtype=np.int64)

    return shared_ngrams([numbered(text) for text in texts], [numbered(text) for text in references], ORDERS)


def bleu_of(sums: np.ndarray, shorter: bool = False) -> np.ndarray:
    """BLEU, 0..100, of summed statistics, float (k, 3 x ORDERS), an order without a match smoothed exponentially.

    Args:
        sums: Of one corpus in each row.
        shorter: Whether orders that a text is too short for are left out, as is usual for single sentences; without,
            such a corpus scores 0.

    Source: Papineni et al. (ACL 2002), section 2.3; Chen & Cherry (WMT 2014), method 3, as sacrebleu 2 has it.
    """
    import numpy as np

    total, match = sums[:, 0::3], sums[:, 2::3]
    length, reference_length = sums[:, 0], sums[:, 1]
    halvings = np.cumsum((match == 0) & (total > 0), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(match > 0, match / total, 1 / (2.0**halvings * total))
        logs = np.where(total > 0, np.log(precision), 0.0)
        brief = np.where(length < reference_length, np.exp(1 - reference_length / length), 1.0)
        orders = (total > 0).sum(axis=1) if shorter else np.full(len(sums), ORDERS)
        score = 100 * brief * np.exp(logs.sum(axis=1) / orders)
    none = (match.sum(axis=1) == 0) | (not shorter) & (total[:, -1] == 0)
    return np.where(none, 0.0, np.nan_to_num(score))
