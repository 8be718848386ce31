"""Timers that go off whatever holds the process up.

Textual leaves out the beats of a timer that are over before it waits for them. Of one that is to go off once there is
no other beat: where the machine holds the process up between two of its lines for longer than its delay, it never goes
off. That is rare, but a change of screens stops all drawing until such a timer of 50 ms: without it nothing is ever
drawn again.
"""

from __future__ import annotations

from textual import message_pump
from textual.message_pump import MessagePump
from textual.timer import Timer, TimerCallback


class SureTimer(Timer):
    """Textual's timer; one that is to go off once does, late if need be."""

    def __init__(
        self, event_target: MessagePump, interval: float, *, name: str | None = None,
        callback: TimerCallback | None = None, repeat: int | None = None, skip: bool = True, pause: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            event_target, interval, name=name, callback=callback, repeat=repeat, skip=skip and repeat != 0, pause=pause
        )  # fmt: skip


def make_sure() -> None:
    """Let everything that has timers have these: widgets and screens of Textual's own, too."""
    vars(message_pump)["Timer"] = SureTimer  # Textual has no other way to choose them
