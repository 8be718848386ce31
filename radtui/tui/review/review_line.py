"""The line above a comparison: which pair, how far along, how long it takes."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from radtui.durations import clock_text, left_text
from radtui.study.queue import RaterProgress
from radtui.tui import words
from radtui.tui.review.stint import Stint

BAR_CELLS, SHORT_BAR_CELLS = 16, 8
NARROW_CELLS = 110  # the bar is shorter, so that pace and time left fit as well


class ReviewLine(Widget):
    """One line; what does not fit is left out from the end."""

    DEFAULT_CSS = "ReviewLine { height: 1; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._place = 0
        self._progress = RaterProgress(0, 0, 0, 0, 0.0, None)
        self._job = ""
        self._marks: list[Content] = []
        self._stint: Stint | None = None

    def show(
        self, place: int, progress: RaterProgress, job: str, marks: list[Content], stint: Stint | None = None
    ) -> None:
        """Take over what is shown.

        Args:
            place: Of the pair on show, 1 based.
            progress: Of this rater.
            job: The job in words.
            marks: What is special about the pair or the list, at the right.
            stint: How many pairs this rater has set out for, if any.
        """
        self._place, self._progress, self._job, self._marks = place, progress, job, marks
        self._stint = stint
        self.refresh()

    def _parts(self, bar_cells: int) -> list[Content]:
        """What the line says, the most important first."""
        progress, stint = self._progress, self._stint
        done, of = progress.shown_rated, progress.shown_total
        answered = f"{done}/{of} answered"
        left_s = progress.time_left_s
        if stint is not None:
            done, of = stint.done(progress), stint.pairs
            left_s = left_s and progress.pace_s and progress.pace_s * max(0, of - done)
        full, empty = words.bar(done / of if of else 0.0, bar_cells)
        counted = answered if stint is None else f"{done}/{of}"
        bar = Content.assemble((full, "$accent"), (empty, "$faint"), f" {counted}")
        parts = [Content.styled(f"Pair {self._place}", "bold"), bar]
        if left_s:
            parts.append(Content.styled(left_text(left_s), "$muted"))
        if stint is not None:
            parts.append(Content.styled(answered, "$muted"))
        if progress.pace_s is not None and progress.pace_s >= 1:
            parts.append(Content.styled(f"{clock_text(progress.pace_s)} a pair", "$muted"))
        if progress.active_s >= 1:
            parts.append(Content.styled(f"{clock_text(progress.active_s)} active", "$muted"))
        return [*parts, Content.styled(self._job, "$muted")]

    def render(self) -> Content:
        """One line."""
        right = Content("  ").join(self._marks)
        room = self.size.width - right.cell_length - 3
        line = Content(" ")
        narrow = self.size.width < NARROW_CELLS
        between = " · " if narrow else "  ·  "
        for at, part in enumerate(self._parts(SHORT_BAR_CELLS if narrow else BAR_CELLS)):
            longer = Content.assemble(line, (between if at else "", "$faint"), part)
            if longer.cell_length > room:
                break
            line = longer
        return Content.assemble(
            line, " " * max(1, self.size.width - line.cell_length - right.cell_length - 1), right
        )
