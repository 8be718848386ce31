"""How a terminal is told that a long job has ended: its bell, and a notification where it is known to show one."""

from __future__ import annotations

from collections.abc import Mapping

from radtui.harmless import visible
from radtui.user_choices import UserChoices

BELL = "\a"
# Terminals that show the text of OSC 9 as a notification; others may print it, so none is guessed at.
# Source: the documentation of iTerm2, WezTerm, Ghostty, kitty and foot.
_PROGRAMS = ("iTerm.app", "WezTerm", "ghostty")
_TERMS = ("xterm-kitty", "xterm-ghostty", "foot", "wezterm")


def ringing(text: str, took_s: float | None, choice: UserChoices, env: Mapping[str, str]) -> str:
    """What to write to the terminal at a job's end; "" where nothing is to be heard.

    Args:
        text: What to say, one line.
        took_s: How long the job ran, None where it never did.
        choice: Whether and from when on it rings.
        env: Environment variables.
    """
    if choice.bell == "off" or took_s is None or took_s < choice.bell_after_s:
        return ""
    notice = f"\x1b]9;{visible(text)}{BELL}" if choice.bell != "bell" and _notifies(env) else ""
    return notice + (BELL if choice.bell != "notification" else "")


def _notifies(env: Mapping[str, str]) -> bool:
    """Whether OSC 9 is a notification here; a multiplexer would have to pass it on, and does not by itself."""
    if env.get("TMUX") or env.get("STY"):
        return False
    return env.get("TERM_PROGRAM") in _PROGRAMS or any(
        env.get("TERM", "").startswith(term) for term in _TERMS
    )
