"""Colours of the theme as "#RRGGBB" on a widget's background, for widgets that mix their own."""

from __future__ import annotations

from dataclasses import dataclass

from textual.color import Color
from textual.widget import Widget

from radtui.charts.palette import blend, readable

TERMINAL_DEFAULT = -1  # Textual's number for "whatever the terminal's own colour is"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a widget is drawn on.

    `colour` is its background, a guess in a theme that leaves the background to the terminal; `painted` is what
    to give a style: None there, so that the terminal's own background stays.
    """

    colour: str
    painted: str | None
    text: str

    @classmethod
    def of(cls, widget: Widget) -> Ground:
        """The ground of a mounted widget."""
        dark = widget.app.current_theme.dark
        background = widget.background_colors[1]
        text = "#d0d0d0" if dark else "#202020"
        if background.ansi == TERMINAL_DEFAULT:
            return cls("#000000" if dark else "#ffffff", None, text)
        return cls(background.hex6, background.hex6, text)

    def front(self, colour: Color, share: float = 1.0, behind: str | None = None) -> str:
        """A colour of a style sheet as it looks here.

        Args:
            colour: the colour; its transparency lets what is behind shine through.
            share: strength for themes of terminal colours, which know no transparency.
            behind: "#RRGGBB" it stands on, None for the ground.
        """
        under = behind or self.colour
        if colour.ansi is None:
            return blend(under, colour.hex6, colour.a)
        plain = self.text if colour.ansi == TERMINAL_DEFAULT else colour.hex6
        # Terminal colours are chosen for the terminal's background, not for what a row is painted with.
        return blend(under, readable(plain, under), share)

    def back(self, colour: Color) -> str | None:
        """A background colour of a style sheet as it looks here; None to leave the terminal's own."""
        if colour.ansi == TERMINAL_DEFAULT or colour.a == 0:
            return self.painted
        return blend(self.colour, colour.hex6, 1.0 if colour.ansi is not None else colour.a)
