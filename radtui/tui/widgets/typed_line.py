"""A line to type in, whose bar of keys says that enter takes what is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from radtui.tui.key_uses import bindings


class TypedLine(Input):
    """Textual's input, with its key for "done" from the map."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("line")
