"""The data screen: the images of a data set in a list, one of them drawn large, with all that is known of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from radtui.records import Job, JobKind, JobState
from radtui.settings import ImportSettings
from radtui.store import cases, texts
from radtui.store.cases import CaseQuery, DatasetSummary
from radtui.tui.aside import aside
from radtui.tui.data.data_line import DataLine, filter_words
from radtui.tui.data.dialogs import DatasetSheet, FilterSheet
from radtui.tui.data.image_list import ImageList
from radtui.tui.data.image_look import ImageLook
from radtui.tui.data.image_rows import SIGNS
from radtui.tui.data.importing import ImportSheet
from radtui.tui.data.list_and_image import ListAndImage
from radtui.tui.doors import nothing_to_show
from radtui.tui.key_uses import bindings
from radtui.tui.keys import sign
from radtui.tui.screens.confirm import ConfirmScreen
from radtui.tui.snapshot import Snapshot
from radtui.tui.widgets.top_bar import TopBar
from radtui.tui.widgets.virtual_table import VirtualTable

GROWING_S = 0.7  # between looks at a data set that is being imported
ENDED_S = 0.01  # after the end of an import: all there is can be read
ON_THE_LIST = ("search", "filter", "sort", "gallery", "import", "dataset")
BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (150, "-wide")]  # columns from which a class is set


class DataScreen(ListAndImage):
    """Find an image and look at it."""

    TAB = "data"
    SIGNS = SIGNS
    SHOWS = JobKind.IMPORT
    CSS_PATH = "data.tcss"
    AUTO_FOCUS = "VirtualTable"
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = bindings("data")

    def __init__(self) -> None:
        super().__init__()
        self.list = ImageList(lambda: self.rad.db, id="list")
        self.look = ImageLook(self.rad.data, id="look")
        self._imports: tuple[object, ...] | None = None  # as they were when the list was read last
        self._read_twice = False
        self._importing: Job | None = None
        self._draft = ImportSettings()  # what was typed for an import and not started
        self._opened_at_s = time.time()
        self._fresh: set[str] = set()  # data sets that have come since, and that no job has learnt from

    def compose_body(self) -> ComposeResult:
        """List, image and facts."""
        yield DataLine()
        with Horizontal(classes="body"):
            yield self.list
            yield self.look

    @on(TopBar.Painted)
    def _fill_look(self) -> None:
        """Import what draws images after the first frame."""
        self.look.fill()

    @on(ImageList.Matched)
    def _show_matched(self, event: ImageList.Matched) -> None:
        self.refresh_bindings()
        self._refresh_state()
        if event.trouble:
            self.look.say(event.trouble)

    def _refresh_state(self) -> None:
        """Say what is listed, and in an image's place why nothing is."""
        query, summaries = self.list.query_now, self.list.summaries
        summary = next((summary for summary in summaries if summary.name == query.dataset), None)
        line = self.query_one(DataLine)
        fresh = summary is not None and summary.name in self._fresh
        line.show(summary, query, len(self.list.rows), len(summaries), self._importing, fresh)
        if self._imports and self.list.answered and not summaries and not self._read_twice:
            # A first import may have ended between this reading and the first snapshot.
            self._read_twice = True
            self.list.find_soon(ENDED_S)
        if self.list.answered and not self.list.rows.ids:
            demo = f"{sign('commands')} Demo"
            self.look.say(why_empty(query, summaries, self._importing, demo))

    @on(ImageList.Settled)
    def _show_image(self, event: ImageList.Settled) -> None:
        # Whose text is whose tells which one is the reference, too.
        kept = event.case.id in self.list.rows.kept_back
        written = texts.of_case(self.rad.db, event.case.id) if not kept else []
        if written:
            from radtui.study.kept_back import without_names  # late: the first frame needs none of it

            written = without_names(self.rad.db, written, self.rad.rater)
        self.look.show(event.case, written, self.list.query_now.search.split(), event.near)
        self.refresh_bindings()

    @on(VirtualTable.Selected)
    def _look_closer(self) -> None:
        self.look.focus_image()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Follow imports: rows appear as they come."""
        running = [p.job for p in snapshot.live if p.job.kind is JobKind.IMPORT]
        self._importing = running[0] if running else None
        before, self._imports = self._imports, tuple(
            (job.id, job.state, job.step) for job in snapshot.jobs if job.kind is JobKind.IMPORT
        )  # fmt: skip
        self._fresh = {
            job.dataset for job in snapshot.jobs
            if job.kind is JobKind.IMPORT and job.state is JobState.DONE and (job.ended_at or 0.0) > self._opened_at_s
        } - {job.dataset for job in snapshot.jobs if job.kind is JobKind.TRAIN}  # fmt: skip
        if before is not None and before != self._imports:
            self.list.find_soon(GROWING_S if running else ENDED_S)
        self._refresh_state()
        if self.is_current and self._imports and self.app.screen is self and nothing_to_show(self.app):
            # The only import came to nothing: there it is said, with ways to begin.
            self.app.switch_mode("welcome")

    def on_screen_resume(self, event: object) -> None:
        """Ratings and descriptions may have come since."""
        super().on_screen_resume(event)  # type: ignore[arg-type]
        if self.list.answered:
            self.list.find()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not shown."""
        if action in ON_THE_LIST and self.has_class("-narrow") and self.has_class("-looking"):
            return False  # the image has the list's room
        summaries, case = self.list.summaries, self.list.case
        works = {
            "list": not isinstance(self.focused, VirtualTable),
            "film": case is not None,
            "copy": case is not None,
            "reference": case is not None and case.id in self.list.rows.kept_back,
            "ask": case is not None and any(not image.error for image in case.images),
            "view": case is not None and len(case.images) > 1,
            "dataset": len(summaries) > 1,
            "gallery": len(self.list.rows) > 0,
        } | dict.fromkeys(("search", "filter", "sort", "step"), bool(summaries))
        return works.get(action, True)

    def action_sort(self) -> None:
        """Change to the next order."""
        orders = list(cases.SORT_COLUMNS)
        self.list.find(sort=orders[(orders.index(self.list.query_now.sort) + 1) % len(orders)])
        self._refresh_state()

    def action_reference(self) -> None:
        """Ask once, then show the reference that is kept back; that it was seen is stored before."""
        from radtui.study.kept_back import see_reference
        from radtui.study.study import protocol_of

        case = self.list.case
        if case is None:
            return
        rad = self.rad

        def see(yes: bool | None) -> None:
            if yes:
                aside(self, work, lambda _: self.list.find(), group="reference")

        def work() -> None:
            rad.write(lambda db: see_reference(db, case.id, rad.rater, protocol_of(rad.data)))

        self.app.push_screen(
            ConfirmScreen(
                "See the reference?",
                "It is one of the texts that you have yet to rate. What you rate of this case from now on is"
                " un-blinded: kept, counted apart, and no part of the figures.",
                "see it",
            ),
            see,
        )

    def action_gallery(self) -> None:
        """Show the list as thumbnails."""
        from radtui.tui.data.gallery import GalleryScreen

        query = self.list.query_now
        title = " · ".join([query.dataset, *filter_words(query)])
        gallery = GalleryScreen(
            self.list.rows, title, self.list.place or 0, self._open_image, self.list.search
        )
        self.app.push_screen(gallery)

    def _open_image(self, case_id: int) -> None:
        """Go to an image of the list and look at it: its keys work at once."""
        if self.list.go_to(case_id):
            self.look.focus_image()
            self.list.settle()  # now: the list is read again on return, and keeps the image that is shown

    def action_filter(self) -> None:
        """Open the filters; each change is seen behind them at once."""
        query = self.list.query_now
        values = {
            name: cases.distinct(self.rad.db, query.dataset, name)
            for name in ("split", "examination", "finding")
        }
        self.app.push_screen(FilterSheet(query, values, self.list.show_query))

    def action_dataset(self) -> None:
        """Choose among data sets."""
        self.app.push_screen(DatasetSheet(self.list.summaries, self.list.query_now.dataset), self._choose)

    def _choose(self, name: str | None) -> None:
        if name and name != self.list.query_now.dataset:
            self.list.show_dataset(name)

    def action_import(self) -> None:
        """Ask what to import; what was typed before is still there."""
        self.import_from("")

    def import_from(self, source: str) -> None:
        """Ask what to import, beginning with a source."""
        draft = ImportSettings(source=source) if source else self._draft
        sheet = ImportSheet(draft)

        def closed(job: Job | None) -> None:
            self._draft = ImportSettings() if job is not None else sheet.typed
            self._imported(job)

        self.app.push_screen(sheet, closed)

    def _imported(self, job: Job | None) -> None:
        if job is None:
            return
        self.rad.poller.nudge()
        if not job.state.live:  # a demo that is done
            self._choose(job.dataset)
            return
        self._importing = job
        self._choose(job.dataset)
        self.notify(f"Import #{job.id} has started; images appear as they come.")
        self._refresh_state()


def why_empty(query: CaseQuery, summaries: Sequence[DatasetSummary], importing: Job | None, demo: str) -> str:
    """Why a list has no images, and the next key; `demo` is how the demo is started."""
    if importing is not None:
        return "Importing; images appear here as they come."
    if not summaries:
        return f"No images yet. Press {sign('import')} to import some; {demo} draws its own."
    words = filter_words(query)
    if not words:
        then = f"Press {sign('import')} to import some, or {sign('jobs')} to see what became of it."
        return f"{query.dataset} has no images yet. {then}"
    if query.search:
        return f"Nothing matches {', '.join(words)}. Press esc to clear the search."
    return f"No image passes the filter. Press {sign('filter')}, then {sign('reset')} to clear it."
