"""What the terminal can really show, and the one line that says how to get more."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from radtui.imaging.ansi import GREYS_IN_256, ColourDepth

__all__ = ["ColourDepth", "Terminal", "current", "judge"]

TMUX_TIMEOUT_S = 0.5  # somebody waits for what it does
# Terminals that show 24-bit colour but whose COLORTERM is lost on the way through ssh or sudo.
_TRUE_TERMS = ("kitty", "alacritty", "foot", "wezterm", "ghostty", "contour", "rio", "direct")
_TRUE_PROGRAMS = ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "mintty", "rio", "WarpTerminal")
_TEXT_TERMS = ("", "dumb", "unknown", "linux", "ansi", "cons25", "sun")


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal's colours.

    Attributes:
        depth: What it shows.
        why: "" when all greys are shown; else one sentence that says why not and what to do about it.
    """

    depth: ColourDepth
    why: str = ""

    @property
    def greys(self) -> int:
        """How many greys an image has on it; letters count as their ramp."""
        return {ColourDepth.TRUE: 256, ColourDepth.C256: GREYS_IN_256, ColourDepth.TEXT: 0}[self.depth]

    @property
    def badge(self) -> str:
        """What stands beside an image that is not shown in all its greys, or ""."""
        if self.depth is ColourDepth.TRUE:
            return ""
        return "letters" if self.depth is ColourDepth.TEXT else f"{self.greys} greys"


def judge(env: Mapping[str, str], tmux_features: str | None = None) -> Terminal:
    """Decide from the environment what a terminal shows.

    A multiplexer decides for the terminal around it: tmux reduces 24-bit colour to 256 unless told that the
    outer terminal has it, and GNU screen 4 misreads 24-bit sequences as other ones.

    Args:
        env: Environment variables.
        tmux_features: What `tmux display-message -p '#{client_termfeatures}'` printed; None when not asked.

    Returns:
        The depth, and how to get more.
    """
    term = env.get("TERM", "")
    if env.get("TEXTUAL_DRIVER", "").endswith("WebDriver"):  # `textual serve`: the browser draws
        return Terminal(ColourDepth.TRUE)
    if _only_letters(term):
        return Terminal(
            ColourDepth.TEXT,
            f"TERM is {term or 'not set'}: images are drawn in letters; "
            "use a terminal with 256 colours, with TERM=xterm-256color.",
        )
    if env.get("STY") and not env.get("TMUX"):
        return Terminal(
            ColourDepth.C256, "GNU screen has no 24-bit colour; use tmux, or run radtui outside screen."
        )
    if env.get("TMUX"):
        return _in_tmux(tmux_features)
    if _says_true_colour(env, term):
        return Terminal(ColourDepth.TRUE)
    return Terminal(
        ColourDepth.C256,
        "If the terminal has 24-bit colour, run `export COLORTERM=truecolor` before radtui.",
    )


def _only_letters(term: str) -> bool:
    return term in _TEXT_TERMS or term.startswith("vt") or term.endswith(("-16color", "-mono", "-m"))


def _in_tmux(features: str | None) -> Terminal:
    if features is not None and "RGB" in features.split(","):
        return Terminal(ColourDepth.TRUE)
    return Terminal(
        ColourDepth.C256,
        "In tmux, add `set -as terminal-features ',*:RGB'` to ~/.tmux.conf and attach again.",
    )


def _says_true_colour(env: Mapping[str, str], term: str) -> bool:
    if env.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return True
    if env.get("TEXTUAL_COLOR_SYSTEM") == "truecolor" or "WT_SESSION" in env or "KONSOLE_VERSION" in env:
        return True
    vte = env.get("VTE_VERSION", "")
    if vte.isdigit() and int(vte) >= 3600:  # GNOME's terminals since 2014
        return True
    return env.get("TERM_PROGRAM") in _TRUE_PROGRAMS or any(name in term for name in _TRUE_TERMS)


def current() -> Terminal:
    """Judge the terminal of this process, once, and again when it has said that it has 24-bit colour.

    Asks tmux when inside it, for at most half a second.
    """
    return _judged(os.environ.get("COLORTERM", ""))


@cache
def _judged(_colorterm: str) -> Terminal:
    return judge(os.environ, _ask_tmux() if os.environ.get("TMUX") else None)


def _ask_tmux() -> str | None:
    command = ["tmux", "display-message", "-p", "#{client_termfeatures}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TMUX_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
