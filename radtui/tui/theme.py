"""Colours of the app: dark, neutral, with one accent.

Every meaning is carried by a word, a mark or bold as well, so that nothing is lost where a terminal has 16 colours.
"""

from __future__ import annotations

from textual.theme import Theme

# The training curve's colour in `radtui.charts.palette`, so that the accent and the chart are one.
ACCENT = "#56B4E9"
TEXT = "#D3D9DF"
MUTED = "#87919C"
FAINT = "#4A535D"
BACKGROUND = "#0E1114"
SURFACE = "#161B20"
PANEL = "#20272E"
SELECTED = "#1D3A4C"
WARNING = "#E0A84C"
ERROR = "#E57F73"
# What is chosen of several. The terminal itself exchanges the colours: with 16 of them, many draw bold black as grey.
LIT = "bold reverse $accent on $background"

THEME = Theme(
    name="radtui",
    primary=ACCENT,
    secondary=ACCENT,
    accent=ACCENT,
    foreground=TEXT,
    background=BACKGROUND,
    surface=SURFACE,
    panel=PANEL,
    success=ACCENT,
    warning=WARNING,
    error=ERROR,
    dark=True,
    variables={
        "muted": MUTED,
        "faint": FAINT,
        "selected": SELECTED,
        "border": FAINT,
        "border-blurred": FAINT,
        "block-cursor-background": SELECTED,
        "block-cursor-foreground": TEXT,
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": PANEL,
        "block-cursor-blurred-foreground": TEXT,
        "input-cursor-background": ACCENT,
        "input-cursor-foreground": BACKGROUND,
        "input-selection-background": f"{ACCENT} 35%",
        "scrollbar": FAINT,
        "scrollbar-hover": MUTED,
        "scrollbar-active": ACCENT,
        "scrollbar-background": BACKGROUND,
        "scrollbar-background-hover": BACKGROUND,
        "scrollbar-background-active": BACKGROUND,
        "scrollbar-corner-color": BACKGROUND,
    },
)
