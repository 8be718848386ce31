"""What stands there while the terminal is too small to work in."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Size
from textual.widgets import Static

from radtui.tui.key_uses import bindings
from radtui.tui.keys import sign
from radtui.tui.screens.base import RadModal

LEAST = Size(60, 16)  # cells in which every screen can be worked with


class SmallScreen(RadModal[None]):
    """One sentence with the size that is needed; gone as soon as there is room, with everything below as it was.

    It takes all keys but the one that leaves: nobody rates or stops what is out of sight.
    """

    DEFAULT_CSS = """
    SmallScreen Static { width: auto; max-width: 100%; height: auto; text-align: center; color: $muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("small")

    def __init__(self) -> None:
        super().__init__()
        self._left = False

    def compose_sheet(self) -> ComposeResult:
        """The sentence."""
        yield Static("", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """Name the size, or give way."""
        if not fits(event.size):
            self.query_one(Static).update(sentence(event.size))
        elif not self._left and self.is_current:
            self._left = True  # a second event may come before the first one has taken it away
            self.dismiss()


def fits(size: Size) -> bool:
    """Whether a terminal of so many cells has room for every screen."""
    return size.width >= LEAST.width and size.height >= LEAST.height


def sentence(size: Size) -> str:
    """What is needed and what there is."""
    return (
        f"radtui needs {LEAST.width} × {LEAST.height} cells; here are {size.width} × {size.height}. "
        f"Make the window larger and it goes on where it was; {sign('quit')} leaves it, jobs go on."
    )
