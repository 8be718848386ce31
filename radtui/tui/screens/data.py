"""The data screen: the images of a data set in a list, one of them drawn large, with all that is known of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from radtui.records import Image, Job, JobKind, UserError
from radtui.store import descriptions, images, ratings
from radtui.store.images import DatasetSummary, ImageQuery
from radtui.tui import image_rows
from radtui.tui.image_rows import ImageRows
from radtui.tui.screens.base import RadScreen
from radtui.tui.screens.data_dialogs import DatasetSheet, FilterSheet
from radtui.tui.screens.data_import import ImportSheet
from radtui.tui.snapshot import Snapshot
from radtui.tui.widgets.data_line import DataLine, filter_words
from radtui.tui.widgets.top_bar import TopBar
from radtui.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from radtui.tui.widgets.image_facts import ImageFacts
    from radtui.tui.widgets.image_view import ImageView

TYPING_S = 0.12  # after the last letter of a search, before it is made
SETTLE_S = 0.08  # on a row, before its image is read: a held key passes many
GROWING_S = 0.7  # between looks at a data set that is being imported
NOTHING = "No images yet. Press i to import some."
BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (150, "-wide")]  # columns from which a class is set


class SearchInput(Input):
    """The line over the list that a search is typed in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "screen.clear_search", "Clear", tooltip="Forget the search"),
        Binding("enter,down", "screen.keep_search", "To the list", tooltip="Go to what was found"),
    ]


class DataScreen(RadScreen):
    """Find an image and look at it."""

    TAB = "data"
    CSS_PATH = "data.tcss"
    AUTO_FOCUS = "VirtualTable"
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", tooltip="Search in references and names"),
        Binding("f", "filter", "Filter", tooltip="Show only some images"),
        Binding("s", "sort", "Sort", tooltip="Next order: as imported, name, reference, size"),
        Binding("g", "gallery", "Gallery", tooltip="The list as thumbnails over the whole screen"),
        Binding("i", "import", "Import", tooltip="Import images from a folder, a file or the hub"),
        Binding("o", "dataset", "Data set", tooltip="Look at another data set"),
        Binding("n", "step(1)", "Next", show=False, tooltip="Next image"),
        Binding("p", "step(-1)", "Previous", show=False, tooltip="Previous image"),
        Binding("escape", "leave", "Back to the list", show=False, tooltip="Back to the list"),
    ]

    @dataclass
    class Found(Message):
        """A thread has read what a query shows."""

        asked: int
        query: ImageQuery
        ids: list[int]
        rated: frozenset[int]
        summaries: list[DatasetSummary]

    def __init__(self) -> None:
        super().__init__()
        self.query_now = ImageQuery("")
        self.summaries: list[DatasetSummary] = []
        self.rows = ImageRows(lambda: self.rad.db)
        self.image: Image | None = None
        self._view: ImageView | None = None
        self._facts: ImageFacts | None = None
        self._settling: Timer | None = None
        self._typing: Timer | None = None
        self._seen: tuple[object, ...] = ()
        self._importing: Job | None = None
        self._asked = self._answered = 0  # searches so far: only the newest one's answer is shown

    def compose_body(self) -> ComposeResult:
        """List, image and facts."""
        yield DataLine()
        with Horizontal(classes="body"):
            with Vertical(id="list"):
                yield SearchInput(placeholder="words in references and names", compact=True)
                yield VirtualTable(image_rows.COLUMNS, self.rows, empty_text="No images")
            yield Vertical(id="look")

    def on_mount(self) -> None:
        """Read the newest data set."""
        self.query_one(SearchInput).display = False
        self.find()

    @on(TopBar.Painted)
    @work(thread=True, group="look")
    def _import_look(self) -> None:
        """Import what draws images after the first frame, in a thread: it takes longer than all the rest of a start."""
        from radtui.tui.widgets import image_facts, image_view  # noqa: F401

        self.app.call_from_thread(self.call_later, self._mount_look)

    async def _mount_look(self) -> None:
        """Show the image that is highlighted by now, or why there is none."""
        from radtui.tui.widgets.image_facts import ImageFacts
        from radtui.tui.widgets.image_view import ImageView

        view, facts = ImageView(empty=""), ImageFacts()
        await self.query_one("#look").mount(view, facts)
        self._view, self._facts = view, facts
        self._show_current()
        if self._answered and not self.rows.ids:
            self._show_nothing()

    def find(self, **changes: object) -> None:
        """Read the list again, with a changed query when changes are given."""
        self.query_now = replace(self.query_now, **changes)  # type: ignore[arg-type]
        self._asked += 1
        self._read(self._asked, self.query_now)

    @work(thread=True, exclusive=True, group="find")
    def _read(self, asked: int, query: ImageQuery) -> None:
        def read(db: sqlite3.Connection) -> DataScreen.Found:
            summaries = images.datasets(db)
            known = query
            if not query.dataset and summaries:
                known = replace(query, dataset=summaries[0].name)
            ids = images.find(db, known) if known.dataset else []
            return self.Found(asked, known, ids, frozenset(ratings.rated_images(db)), summaries)

        self.post_message(self.rad.read(read))

    @on(Found)
    def _show_found(self, found: Found) -> None:
        if found.asked != self._asked:
            return
        self._answered = found.asked
        self.query_now, self.summaries = found.query, found.summaries
        self.refresh_bindings()
        table = self.query_one(VirtualTable)
        kept = self.image.id if self.image else None
        self.rows.replace(found.ids, found.rated, found.query.search.split())
        table.empty_text = "No images"
        table.reload()
        if kept is not None and kept in found.ids:
            table.move_to(found.ids.index(kept))
        if not found.ids:
            self._show_nothing()
        self._refresh_line()

    def _why_empty(self) -> str:
        if self._importing is not None:
            return "Importing; images appear here as they come."
        if not self.summaries:
            return NOTHING
        if not any(filter_words(self.query_now)):
            return f"{self.query_now.dataset} has no images yet. Press i to import some, or j to see what became of it."
        if self.query_now.search:
            return (
                f"Nothing matches {', '.join(filter_words(self.query_now))}. Press esc to clear the search."
            )
        return "No image passes the filter. Press f, then x to clear it."

    def _refresh_line(self) -> None:
        summary = next((one for one in self.summaries if one.name == self.query_now.dataset), None)
        self.query_one(DataLine).show(
            summary, self.query_now, len(self.rows), len(self.summaries), self._importing
        )

    @on(VirtualTable.Highlighted)
    def _settle(self, event: VirtualTable.Highlighted) -> None:
        """Show the first image at once, and after a moment's rest where a key is held."""
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE_S if self.image else 0.001, self._show_current)

    def _show_current(self) -> None:
        """Draw the highlighted image; neighbours are decoded ahead."""
        index = self.query_one(VirtualTable).cursor
        view, facts = self._view, self._facts
        if index is None or index >= len(self.rows.ids) or view is None or facts is None:
            return
        near = images.get_many(self.rad.db, self.rows.ids[max(0, index - 1) : index + 2])
        image = next((one for one in near if one.id == self.rows.ids[index]), None)
        if image is None:
            return
        changed = self.image is None or self.image != image
        self.image = image
        written = descriptions.of_image(self.rad.db, image.id)
        facts.show(image, written, self.query_now.search.split())
        if not changed:
            return
        if image.error:
            view.clear(f"This image cannot be read: {image.error}")
            return
        view.show(image.sha256, self._loader(image))
        for one in near:
            if one.id != image.id and not one.error:
                view.prefetch(one.sha256, self._loader(one))

    @on(VirtualTable.Selected)
    def _look_closer(self) -> None:
        if self._view is not None:
            self._view.focus()

    def _show_nothing(self) -> None:
        self.image = None
        if self._view is not None and self._facts is not None:
            self._view.clear(self._why_empty())
            self._facts.clear()

    def _loader(self, image: Image) -> Callable[[], bytes]:
        return image_loader(self.rad.data.blob(image.sha256).read_bytes)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Follow imports: rows appear as they come."""
        running = [p.job for p in snapshot.live if p.job.kind is JobKind.IMPORT]
        self._importing = running[0] if running else None
        seen = tuple((job.id, job.state, job.step) for job in snapshot.jobs if job.kind is JobKind.IMPORT)
        if seen != self._seen:
            first = not self._seen
            self._seen = seen
            if not first and self._typing is None:
                self._typing = self.set_timer(GROWING_S if running else 0.01, self._search_typed)
        self._refresh_line()

    def on_screen_resume(self, event: object) -> None:
        """Ratings and descriptions may have come since."""
        super().on_screen_resume(event)  # type: ignore[arg-type]
        if self.image is not None:
            self.find()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not shown."""
        if action == "dataset":
            return len(self.summaries) > 1
        if action == "gallery":
            return len(self.rows) > 0
        return bool(self.summaries) if action in ("search", "filter", "sort", "step") else True

    def action_search(self) -> None:
        """Type a search."""
        box = self.query_one(SearchInput)
        box.display = True
        box.focus()

    @on(Input.Changed, "SearchInput")
    def _typed(self) -> None:
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(TYPING_S, self._search_typed)

    def _search_typed(self) -> None:
        self._typing = None
        self.find(search=self.query_one(SearchInput).value)

    def action_keep_search(self) -> None:
        """Go to the list of what was found."""
        box = self.query_one(SearchInput)
        box.display = bool(box.value)
        self.query_one(VirtualTable).focus()

    def action_clear_search(self) -> None:
        """Forget the search."""
        box = self.query_one(SearchInput)
        box.value, box.display = "", False
        self.query_one(VirtualTable).focus()

    def action_leave(self) -> None:
        """Go back to the list; from the list, forget the search."""
        if self.query_one(VirtualTable).has_focus:
            self.action_clear_search()
        self.query_one(VirtualTable).focus()

    def action_step(self, by: int) -> None:
        """Show a neighbour, wherever the focus is."""
        self.query_one(VirtualTable).action_move(by)

    def action_sort(self) -> None:
        """Change to the next order."""
        orders = list(images.SORT_COLUMNS)
        self.find(sort=orders[(orders.index(self.query_now.sort) + 1) % len(orders)])
        self._refresh_line()

    def action_gallery(self) -> None:
        """Show the list as thumbnails."""
        from radtui.tui.screens.gallery import GalleryScreen

        if self.rows.ids:
            title = " · ".join([self.query_now.dataset, *filter_words(self.query_now)])
            cursor = self.query_one(VirtualTable).cursor or 0
            self.app.push_screen(GalleryScreen(self.rows, title, cursor, self._loader, self._show_image))

    def _show_image(self, image_id: int) -> None:
        """Go to an image of the list and look at it: its keys work at once."""
        if image_id in self.rows.ids:
            self.query_one(VirtualTable).move_to(self.rows.ids.index(image_id))
            if self._view is not None:
                self._view.focus()
            self._show_current()  # now: the list is read again on return, and keeps the image that is shown

    def action_filter(self) -> None:
        """Open the filters; each change is seen behind them at once."""
        values = {
            name: images.distinct(self.rad.db, self.query_now.dataset, name)
            for name in ("split", "examination", "finding")
        }
        self.app.push_screen(FilterSheet(self.query_now, values, self._filtered))

    def _filtered(self, query: ImageQuery) -> None:
        self.query_now = query
        self.find()

    def action_dataset(self) -> None:
        """Choose among data sets."""
        self.app.push_screen(DatasetSheet(self.summaries, self.query_now.dataset), self._choose)

    def _choose(self, name: str | None) -> None:
        if name and name != self.query_now.dataset:
            self.query_one(SearchInput).value = ""
            self.query_one(SearchInput).display = False
            self.image = None
            self.query_now = ImageQuery(name, sort=self.query_now.sort)
            self.find()

    def action_import(self) -> None:
        """Ask what to import."""
        self.app.push_screen(ImportSheet(), self._imported)

    def _imported(self, job: Job | None) -> None:
        if job is None:
            return
        self.rad.poller.nudge()
        self._importing = job
        self._choose(job.dataset)
        self.notify(f"Import #{job.id} has started; images appear as they come.")
        self._refresh_line()


def image_loader(read: Callable[[], bytes]) -> Callable[[], bytes]:
    """Turn a missing file into a sentence a person can act on; for `ImageView.show`."""

    def load() -> bytes:
        try:
            return read()
        except FileNotFoundError:
            raise UserError("The stored bytes of this image are gone; import its source again.") from None

    return load
