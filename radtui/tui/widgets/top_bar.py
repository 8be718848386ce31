"""The line above every screen: tabs with their keys, and the running job with its progress."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from radtui.jobs.progress import JobProgress
from radtui.percent import percent_text
from radtui.tui import theme, words
from radtui.tui.snapshot import Snapshot

TABS = ("Data", "Train", "Review", "Jobs")  # F1 to F4
NAME = " radtui "
NAMED_CELLS = 100  # of the line, from which there is room for the keys of the tabs
BAR_CELLS = (20, 10, 6)


class TopBar(Widget):
    """Tabs on the left, the running job on the right; the job's parts give way on a narrow terminal."""

    class Painted(Message):
        """The screen's first frame has been written: what would have held it back can be done now."""

    def __init__(self, tab: str) -> None:
        super().__init__()
        self._tab = tab
        self._snapshot: Snapshot | None = None
        self._painted = False

    def on_show(self) -> None:
        """Tell of the first frame: this event is sent with the layout that it shows, and received after it."""
        if not self._painted:
            self._painted = True
            self.post_message(self.Painted())

    async def on_click(self, event: events.Click) -> None:
        """Go to the tab that is clicked."""
        tab = tab_at(event.x, self.size.width)
        if tab:
            await self.app.run_action(f"app.go('{tab.lower()}')")

    def show(self, snapshot: Snapshot) -> None:
        """Take over a snapshot; paint only what is another line than before."""
        before, self._snapshot = self.render(), snapshot
        if not self.render().is_same(before):
            self.refresh()

    def render(self) -> Content:
        """One line."""
        tabs = _tabs(self._tab, self.size.width)
        room = self.size.width - tabs.cell_length - 3
        job = self._job(room)
        gap = max(1, self.size.width - tabs.cell_length - job.cell_length - 1)
        return Content.assemble(tabs, " " * gap, job, " ")

    def _job(self, room: int) -> Content:
        snapshot = self._snapshot
        if snapshot is None:
            return Content("")
        if snapshot.trouble:
            return Content.styled(snapshot.trouble[: max(0, room)], "$error")
        if snapshot.main is None:
            return Content.styled("no job running", "$muted") if room > 16 else Content("")
        waiting = len(snapshot.live) - 1
        forms = [
            _job_line(snapshot.main, cells, waiting, full) for full in (True, False) for cells in BAR_CELLS
        ]
        forms.append(_short_line(snapshot.main))
        return next((form for form in forms if form.cell_length <= room), Content(""))


def tab_at(x: int, line_cells: int) -> str:
    """The tab in a column of the line, "" beside them."""
    left, beside = len(NAME) + 1, 5 if line_cells >= NAMED_CELLS else 2
    for tab in TABS:
        if left <= x < left + beside + len(tab):
            return tab
        left += beside + len(tab)
    return ""


def _tabs(current: str, line_cells: int) -> Content:
    """The tabs with their F keys, or on a narrow line with their letters underlined: a job needs the room."""
    parts: list[Content | str] = [Content.styled(NAME, "bold $muted"), " "]
    for number, tab in enumerate(TABS, 1):
        named = line_cells >= NAMED_CELLS
        if named:
            parts.append(Content.styled(f" F{number}", "$accent"))
        if tab.lower() == current:
            parts.append(Content.styled(f" {tab} ", theme.LIT))
        elif named:
            parts.append(Content.styled(f" {tab} ", "$foreground"))
        else:
            first, rest = Content.styled(tab[0], "underline $accent"), Content.styled(tab[1:], "$foreground")
            parts += [" ", first, rest, " "]
    return Content.assemble(*parts)


def _job_line(progress: JobProgress, cells: int, waiting: int, full: bool) -> Content:
    """The job with a bar; `full` has its data set, its speed and how many jobs wait as well."""
    job = progress.job
    parts: list[Content | str] = [Content.styled(f"{words.job_words(job)} ", "$foreground")]
    if full and job.dataset:
        parts.append(Content.styled(f"{job.dataset} ", "$muted"))
    parts += _state(progress, cells)
    notes = [progress.left]
    if full:
        notes.insert(0, progress.speed)
        notes.append(f"{waiting} more" if waiting else "")
    parts.append(Content.styled("".join(f" · {note}" for note in notes if note), "$muted"))
    return Content.assemble(*parts)


def _state(progress: JobProgress, cells: int) -> list[Content | str]:
    job, share = progress.job, progress.share
    if job.stop_requested:
        return [Content.styled("stopping", "$warning")]
    if share is None or not job.state.live:
        return [Content.styled(job.state, "$accent")]
    full, empty = words.bar(share, cells)
    return [Content.styled(full, "$accent"), Content.styled(empty, "$faint"), f" {percent_text(share)}"]


def _short_line(progress: JobProgress) -> Content:
    share = progress.share
    state = percent_text(share) if share is not None else str(progress.job.state)
    return Content.styled(f"#{progress.job.id} {state}", "$accent")
