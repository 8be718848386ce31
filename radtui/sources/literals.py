"""Texts that hold a value: JSON, or as Python writes it."""

from __future__ import annotations

import ast
import json
import re

_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_WITHOUT_COMMAS = re.compile(r"\[\s*(?:'[^']*'|\"[^\"]*\")(?:\s+(?:'[^']*'|\"[^\"]*\"))+\s*\]")
"""A list as NumPy writes it."""


def parsed_text(text: str) -> object:
    """What a text holds as JSON or as a Python literal; the text itself where it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    if _WITHOUT_COMMAS.fullmatch(text.strip()):  # which Python would take for one text
        return [each[1] or each[2] for each in _QUOTED.finditer(text)]
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
