"""A line that a path is typed in: tab completes it."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from radtui.tui.key_uses import bindings
from radtui.tui.widgets.path_completion import Completion, complete

NAMED = 12  # names that are told where a path may go on in several ways
TOLD_S = 4.0
# In which a disk answers mostly: the next letter may be on its way, and belongs to the next field.
AT_ONCE_S = 0.05
AGAIN_S = 0.1  # between looks for the answer of a slow one


class PathInput(Input):
    """An input whose tab goes on with the path, and to the next field where there is nothing to complete.

    Args:
        more: As for any input.

    Attributes:
        completes: Whether what is typed is a path.
        between: Signs between several paths.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("path")

    def __init__(self, *args: Any, between: str = "", **more: Any) -> None:
        super().__init__(*args, **more)
        self.completes, self.between = True, between
        self._told_of = ""  # the text whose ways to go on were told: the next tab leaves it

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where no path is typed, tab is the next field's, and the bar of keys names no completion."""
        return action != "complete" or self.completes

    def action_complete(self) -> None:
        """Complete the path as far as it can only go on one way; then say which ways there are."""
        typed = self.value
        if not typed.strip() or typed == self._told_of:
            self.screen.focus_next()
            return
        answer: list[Completion] = []
        answered = threading.Event()

        def work() -> None:
            answer.append(complete(typed, self.between))
            answered.set()

        def look() -> None:
            if answered.is_set():
                self._take(typed, answer[0])
            elif self.is_attached:
                self.set_timer(AGAIN_S, look)

        threading.Thread(target=work, name="radtui-path", daemon=True).start()
        answered.wait(AT_ONCE_S)
        look()

    def _take(self, typed: str, completion: Completion) -> None:
        if self.value != typed:  # keys came faster than the disk
            return
        names = completion.names
        if len(names) < 2 and completion.text.rstrip("/") == typed.rstrip("/"):
            self.screen.focus_next()
            return
        self.value = completion.text
        self.cursor_position = len(completion.text)
        if len(names) > 1:
            self._told_of = self.value
            left = len(names) - NAMED
            names_text = "  ".join(names[:NAMED]) + (f"  and {left:,} more" if left > 0 else "")
            self.app.notify(names_text, timeout=TOLD_S)


class SourceInput(PathInput):
    """The line that a source is named in, which is looked at before anything is taken."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("source")
