"""Shares as they are written everywhere: `71 %`; pure."""

from __future__ import annotations


def percent_text(share: float, digits: int = 0) -> str:
    """A share in per cent: 0.714 is `71 %`, with one digit `71.4 %`."""
    return f"{share:.{digits}%}".replace("%", " %")
