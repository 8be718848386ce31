"""When to draw: never a frame behind an unwritten one, coarse while a key repeats, fine when it rests."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from textual.widget import Widget

REPEAT_S = 0.09  # two changes closer than this come from a held key: terminals repeat 12 to 40 times a second
REST_S = (0.05, 0.15)  # a key is let go when two of its intervals pass without a change; at least, at most
RETRY_S = 0.01
_QUEUE_ROOM = 10  # of Textual's 30 places for unwritten frames; a full queue would block the event loop


class Pacer:
    """Decides for one widget when its next frame is drawn, and how finely.

    Over a slow link the terminal takes longer to accept a frame than a key takes to repeat. Textual queues up to
    30 frames, which then play on for seconds after the key was released. Here a change that comes while a frame
    is unwritten waits, and all changes that wait become one frame.

    Args:
        widget: What is refreshed.
        draw: Draws it anew; `widget.refresh` when left out.
        clock: Seconds, monotonic; a test passes its own.
    """

    def __init__(
        self,
        widget: Widget,
        clock: Callable[[], float] = monotonic,
        draw: Callable[[], object] | None = None,
    ) -> None:
        self._widget = widget
        self._draw_now = draw or widget.refresh
        self._clock = clock
        self._changed_at = float("-inf")
        self._rest_s = REST_S[1]
        self._waiting = False
        self._resting = False
        self.coarse = False

    def changed(self) -> None:
        """Draw the widget again, now or as soon as the last frame is written."""
        now = self._clock()
        interval = now - self._changed_at
        self.coarse = interval < REPEAT_S
        self._changed_at = now
        if self.coarse:
            self._rest_s = min(max(2 * interval, REST_S[0]), REST_S[1])
        if self.coarse and not self._resting:
            self._resting = True
            self._widget.set_timer(self._rest_s, self._rested)
        self._draw()

    def painted(self) -> None:
        """Note that a frame was handed to Textual; call it from the widget's drawing.

        An empty text is queued behind the frame. The writer thread takes it only when the frame before it is
        written, so a queue that is not empty means that the terminal has not accepted everything yet.
        """
        self._widget.call_after_refresh(self._queue_mark)

    def _draw(self) -> None:
        if not self._link_busy():
            self._draw_now()
        elif not self._waiting:
            self._waiting = True
            self._widget.set_timer(RETRY_S, self._retry)

    def _retry(self) -> None:
        self._waiting = False
        if self._clock() - self._changed_at > self._rest_s * 0.75:
            self.coarse = False  # as good as let go: one more coarse frame would only delay the fine one
        self._draw()

    def _rested(self) -> None:
        left = self._rest_s - (self._clock() - self._changed_at)
        if left > 0.005:
            self._widget.set_timer(left, self._rested)
            return
        self._resting = False
        if self.coarse:
            self.coarse = False
            self._draw()

    def _queue_size(self) -> int | None:
        """Texts the terminal has not accepted, or None where there is no writer thread (tests, browser)."""
        writer = getattr(self._widget.app._driver, "_writer_thread", None)
        queue = getattr(writer, "_queue", None)
        return None if queue is None else int(queue.qsize())

    def _link_busy(self) -> bool:
        return bool(self._queue_size())

    def _queue_mark(self) -> None:
        size = self._queue_size()
        driver = self._widget.app._driver
        if driver is not None and size is not None and size < _QUEUE_ROOM:
            driver.write("")
