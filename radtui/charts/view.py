"""Which part of the horizontal axis is shown: all of it, or a window that can follow the newest point."""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(slots=True)
class AxisView:
    """A window on the horizontal axis; the whole of it while `span` is None.

    With `right` None the window ends at the newest point and moves along as points arrive.
    """

    span: float | None = None
    right: float | None = None

    @property
    def whole(self) -> bool:
        """Whether everything is shown."""
        return self.span is None

    def window(self, full: Range) -> Range:
        """First and last x that are shown, given those of all points; always of positive width."""
        lo, hi = full if full[1] > full[0] else (full[0] - 0.5, full[0] + 0.5)
        if self.span is None:
            return lo, hi
        span = min(self.span, hi - lo)
        right = hi if self.right is None else min(max(self.right, lo + span), hi)
        return right - span, right

    def zoom(self, full: Range, factor: float, about: float, smallest: float) -> None:
        """Make the window `factor` times as wide (below 1 zooms in), with the x `about` staying in place.

        Args:
            full: first and last x of all points.
            factor: new width over old width.
            about: x that keeps its place on the screen.
            smallest: the least width of a window.
        """
        lo, hi = self.window(full)
        whole = full[1] - full[0]
        span = max((hi - lo) * factor, smallest)
        if span >= whole:
            self.reset()
            return
        share = (about - lo) / (hi - lo)
        self._set(full, about - share * span, span)

    def pan(self, full: Range, share: float) -> None:
        """Move the window to the right by a share of its width, negative to the left, up to the ends."""
        if self.span is None:
            return
        lo, hi = self.window(full)
        self._set(full, lo + share * (hi - lo), hi - lo)

    def show(self, full: Range, window: Range) -> None:
        """Show the given window."""
        if window[1] - window[0] >= full[1] - full[0]:
            self.reset()
        else:
            self._set(full, window[0], window[1] - window[0])

    def reset(self) -> None:
        """Show everything."""
        self.span = self.right = None

    def _set(self, full: Range, left: float, span: float) -> None:
        self.span = span
        left = min(max(left, full[0]), full[1] - span)
        at_end = left + span >= full[1] - 1e-9 * (full[1] - full[0])
        self.right = None if at_end else left + span
