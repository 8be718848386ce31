"""Text in spreadsheet cells: nothing a model wrote may run, and every character must come back."""

from __future__ import annotations

QUOTE = "'"
# What spreadsheets take for a formula or a cell break at the start of a cell, with the full-width forms that some
# of them fold to ASCII. The quote is in the list because it is what the guard adds: so taking one off is exact.
RISKY_FIRST = frozenset("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20" + QUOTE)


def guard(text: str) -> str:
    """Put a quote before a text that a spreadsheet would run; any other text stays as it is."""
    return QUOTE + text if text and text[0] in RISKY_FIRST else text


def unguard(cell: str) -> str:
    """Take off the quote that `guard` put there: `unguard(guard(text)) == text` for every text."""
    return cell[1:] if len(cell) > 1 and cell[0] == QUOTE and cell[1] in RISKY_FIRST else cell
