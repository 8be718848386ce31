"""The gallery: the images of the data screen's list as thumbnails, over the whole screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from radtui.records import Case
from radtui.store import cases, ratings
from radtui.store.blobs import image_bytes
from radtui.tui.aside import aside
from radtui.tui.data.image_rows import LEAKED, RATED, SIGNS, UNREADABLE, ImageRows, without_reference
from radtui.tui.data.thumbnail_grid import Mark, ThumbnailGrid, Tile
from radtui.tui.data.thumbnails import Wanted
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadScreen
from radtui.tui.widgets.cell_text import one_line

FOLLOW_S = 0.5
FLAGGED = "►"  # like a pennant, and in more fonts than flags are


class GalleryScreen(RadScreen):
    """A grid of the images that the list holds; enter goes to one of them there.

    Args:
        rows: The list of the data screen; when a search or an import changes it, the grid follows.
        title: What is on show: the data set, and what is filtered.
        cursor: Position of the image to begin at.
        go_to: Takes the id of the image that was chosen.
        search: Begins a search in the list.
    """

    TAB = "data"
    SIGNS = SIGNS
    AUTO_FOCUS = "ThumbnailGrid"
    DEFAULT_CSS = """
    GalleryScreen .gallery-line { height: 1; padding: 0 1; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("gallery")

    def __init__(
        self,
        rows: ImageRows,
        title: str,
        cursor: int,
        go_to: Callable[[int], None],
        search: Callable[[], None],
    ) -> None:
        super().__init__()
        self._rows, self._title, self._start = rows, title, cursor
        self._go_to, self._search = go_to, search
        self._ids: Sequence[int] = rows.ids
        self._marked: dict[int, bool] = {}

    def compose_body(self) -> ComposeResult:
        """The grid over a line about the highlighted image."""
        yield ThumbnailGrid(self._tiles, empty_text="No images to show. Press esc for the list.")
        yield Static(classes="gallery-line")

    def on_mount(self) -> None:
        """Begin at the image that is shown in the list."""
        self.query_one(ThumbnailGrid).show(len(self._ids), self._start)
        self._read_marks()
        self.set_interval(FOLLOW_S, self._follow)

    def _follow(self) -> None:
        """Show what the list shows by now: it grows while an import runs."""
        if self._rows.ids is self._ids:
            return
        grid = self.query_one(ThumbnailGrid)
        kept = self._ids[grid.cursor] if grid.cursor is not None else None
        self._ids = self._rows.ids
        grid.show(len(self._ids), self._ids.index(kept) if kept in self._ids else 0)

    def on_screen_resume(self, event: object) -> None:
        """Ratings may have come since."""
        super().on_screen_resume(event)  # type: ignore[arg-type]
        if self.is_mounted:
            self._read_marks()

    def _read_marks(self) -> None:
        rad = self.rad
        aside(self, lambda: rad.read(ratings.marked_cases), self._take_marks, group="marks")

    def _take_marks(self, marked: dict[int, bool]) -> None:
        if marked != self._marked:
            self._marked = marked
            grid = self.query_one(ThumbnailGrid)
            grid.show(len(self._ids), grid.cursor or 0)

    def _tiles(self, start: int, stop: int, box: tuple[int, int]) -> list[Tile]:
        return [self._tile(case, box) for case in self._cases(start, stop)]

    def _cases(self, start: int, stop: int) -> list[Case]:
        read = cases.get_many(self.rad.db, self._ids[start:stop])
        return [without_reference(case, self._rows.kept_back) for case in read]

    def _tile(self, case: Case, box: tuple[int, int]) -> Tile:
        marks: list[Mark] = []
        if case.error:
            marks.append((UNREADABLE, "error"))
        elif case.leaked:
            marks.append((LEAKED, "warning"))
        if case.id in self._marked:
            marks.append((RATED, "mark"))
            if self._marked[case.id]:
                marks.append((FLAGGED, "warning"))
        name = one_line(case.source_key).plain
        if case.error:
            return Tile(name, None, tuple(marks), one_line(case.error).plain)
        sha256 = case.shown.sha256
        load = partial(image_bytes, self.rad.data, sha256)
        return Tile(name, Wanted(sha256, load, *box), tuple(marks))

    @on(ThumbnailGrid.Highlighted)
    def _describe(self) -> None:
        """Say of the highlighted image what does not fit below it."""
        at = self.query_one(ThumbnailGrid).cursor
        highlighted = self._cases(at, at + 1) if at is not None else []
        if not highlighted or at is None:
            return
        case = highlighted[0]
        flagged = self._marked.get(case.id)
        states = [
            ("unreadable", bool(case.error)), ("leaked", case.leaked),
            ("rated", flagged is not None), ("flagged", bool(flagged)),
        ]  # fmt: skip
        words = [one_line(case.source_key).plain, case.split, *(word for word, true in states if true)]
        place = f"{at + 1:,} of {len(self._ids):,} · {self._title}"
        room = self.size.width - len(place) - 4
        left = one_line(" · ".join(part for part in [*words, case.error or case.reference] if part))
        left.truncate(max(0, room), overflow="ellipsis")
        gap = " " * max(2, self.size.width - 2 - left.cell_len - len(place))
        self.query_one(".gallery-line", Static).update(
            Content.assemble(left.plain, gap, Content.styled(place, "$muted"))
        )

    @on(ThumbnailGrid.Selected)
    def _open(self, event: ThumbnailGrid.Selected) -> None:
        case_id = self._ids[event.index]
        self.dismiss()
        self._go_to(case_id)

    def action_back(self) -> None:
        """Back to the list as it was."""
        self.dismiss()

    def action_search(self) -> None:
        """Back to the list, where a search is typed; the grid shows what it finds when it is opened again."""
        self.dismiss()
        self.app.call_later(self._search)

    def action_film(self) -> None:
        """Show the highlighted image over the whole screen."""
        from radtui.tui.screens.film import FilmScreen

        at = self.query_one(ThumbnailGrid).cursor
        for case in self._cases(at, at + 1) if at is not None else []:
            if not case.error:
                load = partial(image_bytes, self.rad.data)
                self.app.push_screen(FilmScreen.of_case(case, load, ask=self.action_ask))

    def action_ask(self) -> None:
        """Ask the models about the highlighted image."""
        from radtui.tui.ask.screen import AskScreen

        at = self.query_one(ThumbnailGrid).cursor
        for case in self._cases(at, at + 1) if at is not None else []:
            if not case.error:
                self.app.push_screen(AskScreen(case))
