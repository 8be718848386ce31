"""A quote before cells that a spreadsheet would run as a formula: nothing a model wrote may run, all must come back."""

from __future__ import annotations

QUOTE = "'"
# What spreadsheets take for a formula or a cell break at the start of a cell, with the full-width forms that some
# of them fold to ASCII. The quote is in the list because it is what is added: so taking one off is exact.
RISKY_FIRST = frozenset("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20" + QUOTE)


def quote_formula(text: str) -> str:
    """Put a quote before a text that a spreadsheet would run; any other text stays as it is."""
    return QUOTE + text if text and text[0] in RISKY_FIRST else text


def unquote_formula(cell: str) -> str:
    """Take off the quote that `quote_formula` put there, which gives back every text as it was."""
    return cell[1:] if len(cell) > 1 and cell[0] == QUOTE and cell[1] in RISKY_FIRST else cell
