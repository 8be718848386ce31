"""Copying to the clipboard of the terminal, which may lie behind SSH and tmux; and what is known to refuse it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

_REFUSE = {
    "xterm": "xterm takes it only with `XTerm*allowWindowOps: true` in ~/.Xresources",
    "vte": "GNOME's terminals let no program copy: mark it with shift and the mouse",
    "apple": "Apple's Terminal lets no program copy: mark it with the mouse",
}
"""By the beginning of the name that a terminal gives itself."""


def through_tmux(text: str) -> bool:
    """Hand a text to tmux, which keeps it and passes it on to the terminal around it; whether it has taken it.

    tmux ignores a program's own sequence for the clipboard unless `set-clipboard` is `on`; its command needs none.
    """
    # Late: numpy comes with it, and the first frame needs none.
    from radtui.tui.terminal import TMUX_TIMEOUT_S

    command = ["tmux", "load-buffer", "-w", "-"]
    try:
        loaded = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=TMUX_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return loaded.returncode == 0


def sentence(what: str, terminal: str, env: Mapping[str, str], *, tmux_took_it: bool = False) -> str:
    """What to say of a copy: no terminal answers whether it has taken one, but some are known not to.

    Args:
        what: What was copied.
        terminal: What the terminal calls itself, "" where it has not said.
        env: Environment variables.
        tmux_took_it: Whether tmux has it, so that its own paste works whatever the terminal does.
    """
    if tmux_took_it:
        return f"Copied {what} to tmux (prefix ] pastes it), and around it where that terminal lets programs copy."
    name = "apple" if env.get("TERM_PROGRAM") == "Apple_Terminal" else terminal.lower()
    refused = next((why for known, why in _REFUSE.items() if name.startswith(known)), "")
    if refused:
        return f"Could not surely copy {what}: {refused}."
    return f"Copied {what}, where this terminal lets programs copy (OSC 52)."
