"""Textual's lists and scrolling boxes, with the map's keys beside their own."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import OptionList

from radtui.tui.key_uses import bindings


class KeyedList(OptionList):
    """Lines to choose one from."""

    DEFAULT_CSS = """
    KeyedList { border: none; background: $surface; padding: 0; height: auto; }
    KeyedList:focus { border: none; background-tint: $foreground 0%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("options")


class KeyedScroll(VerticalScroll):
    """A box that scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("scroll")
