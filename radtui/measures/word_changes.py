"""Two versions of a text compared word by word: how many words were changed, and which."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher


def words_changed(before: str, after: str) -> int:
    """Words inserted, removed or replaced at least to get from one text to the other.

    Source: Levenshtein, Soviet Physics Doklady 10 (1966) 707-710, over words; Wagner & Fischer, J ACM 21 (1974) 168.
    """
    old, new = before.split(), after.split()
    costs = list(range(len(new) + 1))
    for row, word in enumerate(old, 1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(new, 1):
            replaced = diagonal + (word != other)
            diagonal = costs[column]
            costs[column] = min(replaced, costs[column] + 1, costs[column - 1] + 1)
    return costs[-1]


def changes(before: str, after: str) -> list[tuple[str, str]]:
    """What became of each run of words, in order.

    Returns:
        ("same", words), ("removed", words of the text before) and ("added", words of the text after).
    """
    old, new = before.split(), after.split()
    pieces: list[tuple[str, str]] = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(("same", _joined(old[i:j])))
            continue
        pieces += [("removed", _joined(old[i:j]))] if i < j else []
        pieces += [("added", _joined(new[k:m]))] if k < m else []
    return pieces


def _joined(words: Sequence[str]) -> str:
    return " ".join(words)
