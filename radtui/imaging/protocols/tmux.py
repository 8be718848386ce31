"""How a command passes tmux on its way to the terminal around it.

Source: tmux(1), `allow-passthrough`.
"""

from __future__ import annotations


def passed_through(command: str) -> str:
    """One command as tmux hands it on unread, where `allow-passthrough` lets it."""
    doubled = command.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"
