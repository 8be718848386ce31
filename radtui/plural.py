"""Numbers with their nouns, and names in a row, as they are written everywhere: `1,978 images`; pure."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: `base`, `base and tuned`, `base, tuned and gpt`; "" for none."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def many(count: int, noun: str, nouns: str = "") -> str:
    """A number of things in words: 3 is `3 images`, 1 is `1 image`.

    Args:
        count: How many.
        noun: For one of them, with its verb where a sentence has one.
        nouns: For several, where that is not the noun with an s: `many(2, "pair is", "pairs are")`.
    """
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"
