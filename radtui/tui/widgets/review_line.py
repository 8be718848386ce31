"""The line above a comparison: which pair, how far along, how long it takes."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from radtui.jobs.progress import clock_text
from radtui.review.queue import Progress
from radtui.tui import words

BAR_CELLS = 16


class ReviewLine(Widget):
    """One line; what does not fit is left out from the end."""

    DEFAULT_CSS = "ReviewLine { height: 1; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[Content] = []
        self._marks: list[Content] = []

    def show(self, place: int, progress: Progress, job: str, marks: list[Content]) -> None:
        """Take over what is shown.

        Args:
            place: Of the pair on show, 1 based.
            progress: Of this rater.
            job: The job in words.
            marks: What is special about the pair or the list, at the right.
        """
        share = progress.rated / progress.total if progress.total else 0.0
        full, empty = words.bar(share, BAR_CELLS)
        bar = Content.assemble(
            (full, "$accent"), (empty, "$faint"), f" {progress.rated}/{progress.total} rated"
        )
        self._parts = [Content.styled(f"Pair {place}", "bold"), bar]
        if progress.pace_s is not None:
            self._parts.append(Content.styled(f"{clock_text(progress.pace_s)} a pair", "$muted"))
        if progress.time_left_s:
            self._parts.append(Content.styled(f"{clock_text(progress.time_left_s)} left", "$muted"))
        if progress.active_s >= 1:
            self._parts.append(Content.styled(f"{clock_text(progress.active_s)} active", "$muted"))
        self._parts.append(Content.styled(job, "$muted"))
        self._marks = marks
        self.refresh()

    def render(self) -> Content:
        """One line."""
        right = Content("  ").join(self._marks)
        room = self.size.width - right.cell_length - 3
        line = Content(" ")
        for at, part in enumerate(self._parts):
            longer = Content.assemble(line, ("  ·  " if at else "", "$faint"), part)
            if longer.cell_length > room:
                break
            line = longer
        return Content.assemble(
            line, " " * max(1, self.size.width - line.cell_length - right.cell_length - 1), right
        )
