"""Colours of the app, in four themes with one accent each.

Every meaning is carried by a word, a mark or bold as well, so that nothing is lost where a terminal has 16 colours.
What draws with Rich's styles asks for a colour when it draws (`theme.MUTED`), since the theme can change at any time.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.theme import BUILTIN_THEMES, Theme

# What is chosen of several. The terminal itself exchanges the colours: with 16 of them, many draw bold black as grey.
LIT = "bold reverse $accent on $background"


@dataclass(frozen=True, slots=True)
class Colours:
    """One theme's colours, as Rich and Textual both read them."""

    accent: str
    text: str
    muted: str
    faint: str
    background: str
    surface: str
    panel: str
    selected: str
    warning: str
    error: str
    dark: bool = True


COLOURS = {
    # The training curve's colour in `radtui.charts.palette`, so that the accent and the chart are one.
    "dark": Colours(
        "#56B4E9", "#D3D9DF", "#8F99A4", "#4A535D", "#0E1114", "#161B20", "#20272E", "#183240", "#E0A84C", "#E57F73"
    ),
    "light": Colours(
        "#0B67A3", "#1B2127", "#5A6570", "#9DA7B1", "#FBFCFD", "#F0F3F5", "#E3E8EC", "#D3E8F6", "#8A5A00", "#B3261E",
        dark=False,
    ),
    "contrast": Colours(
        "#00D7FF", "#FFFFFF", "#D0D0D0", "#9E9E9E", "#000000", "#000000", "#1C1C1C", "#003F5C", "#FFD75F", "#FF8787"
    ),
}  # fmt: skip
# Rich's and Textual's words for the same of a terminal's sixteen colours.
ANSI = Colours("cyan", "default", "bright_black", "bright_black", "default", "default", "default", "blue", "yellow",
               "red")  # fmt: skip
SHOWN = {
    "dark": "radtui",
    "light": "radtui-light",
    "contrast": "radtui-contrast",
    "terminal": "radtui-terminal",
}
"""What the user calls a theme, and Textual."""

_now: Colours = COLOURS["dark"]


def use(name: str) -> None:
    """Draw in the colours of a theme, by Textual's name, from now on."""
    global _now  # noqa: PLW0603 - one terminal, one theme
    words = {shown: word for word, shown in SHOWN.items()}
    _now = COLOURS.get(words.get(name, ""), ANSI)


def __getattr__(name: str) -> str:
    """A colour of the theme in use: `theme.ACCENT`."""
    field = name.lower()
    if name.isupper() and field in Colours.__slots__:
        return str(getattr(_now, field))
    raise AttributeError(name)


def themes() -> list[Theme]:
    """The themes for Textual."""
    return [*(_theme(SHOWN[name], colours) for name, colours in COLOURS.items()), _of_terminal()]


def _theme(name: str, c: Colours) -> Theme:
    return Theme(
        name=name, primary=c.accent, secondary=c.accent, accent=c.accent, foreground=c.text, background=c.background,
        surface=c.surface, panel=c.panel, success=c.accent, warning=c.warning, error=c.error, dark=c.dark,
        variables={
            "muted": c.muted,
            "faint": c.faint,
            "selected": c.selected,
            "border": c.faint,
            "border-blurred": c.faint,
            "block-cursor-background": c.selected,
            "block-cursor-foreground": c.text,
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-background": c.panel,
            "block-cursor-blurred-foreground": c.text,
            "input-cursor-background": c.accent,
            "input-cursor-foreground": c.background,
            "input-selection-background": f"{c.accent} 35%",
            "scrollbar": c.faint,
            "scrollbar-hover": c.muted,
            "scrollbar-active": c.accent,
            "scrollbar-background": c.background,
            "scrollbar-background-hover": c.background,
            "scrollbar-background-active": c.background,
            "scrollbar-corner-color": c.background,
        },
    )  # fmt: skip


def _of_terminal() -> Theme:
    """The terminal's own sixteen colours on its own ground."""
    return Theme(
        name=SHOWN["terminal"], ansi=True, primary="ansi_cyan", secondary="ansi_cyan", accent="ansi_cyan",
        foreground="ansi_default", background="ansi_default", surface="ansi_default", panel="ansi_default",
        boost="ansi_default", success="ansi_cyan", warning="ansi_yellow", error="ansi_red", dark=True,
        variables={
            **BUILTIN_THEMES["ansi-dark"].variables,
            "muted": "ansi_bright_black",
            "faint": "ansi_bright_black",
            "selected": "ansi_blue",
            "border": "ansi_bright_black",
            "border-blurred": "ansi_bright_black",
            "block-cursor-background": "ansi_blue",
            "block-cursor-foreground": "ansi_bright_white",
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-background": "ansi_default",
            "block-cursor-blurred-foreground": "ansi_default",
            "input-cursor-background": "ansi_cyan",
            "input-cursor-foreground": "ansi_bright_white",
            "input-selection-background": "ansi_cyan",
            "input-selection-foreground": "ansi_bright_white",
            "scrollbar": "ansi_bright_black",
            "scrollbar-hover": "ansi_cyan",
            "scrollbar-active": "ansi_cyan",
            "scrollbar-background": "ansi_default",
            "scrollbar-background-hover": "ansi_default",
            "scrollbar-background-active": "ansi_default",
            "scrollbar-corner-color": "ansi_default",
        },
    )  # fmt: skip
