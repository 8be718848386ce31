"""Figures as the plain values that JSON holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass


class PlainFields:
    """A dataclass of figures whose fields are its plain values, by their names and in their order."""

    __slots__ = ()

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {part.name: plain(getattr(self, part.name)) for part in fields(self)}  # type: ignore[arg-type]


def plain(value: object) -> object:
    """A value of a field for JSON: figures and what holds them in plain values, anything else as it is."""
    if isinstance(value, PlainFields):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
