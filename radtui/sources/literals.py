"""Texts that hold a value: JSON, or as Python writes it."""

from __future__ import annotations

import ast
import json


def parsed_text(text: str) -> object:
    """What a text holds as JSON or as a Python literal; the text itself where it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
