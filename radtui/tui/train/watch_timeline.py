"""What the model writes about a few held-out images as it learns, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from radtui.paths import DataDir
from radtui.records import Case
from radtui.store import cases
from radtui.store.blobs import image_bytes
from radtui.tui import theme
from radtui.tui.aside import aside
from radtui.tui.rad import rad_of
from radtui.tui.snapshot import News
from radtui.tui.train.watched import Watched
from radtui.tui.widgets.image_view import ImageView

if TYPE_CHECKING:
    from radtui.tui.screens.film import FilmScreen

IMAGE_ROWS = 24  # of the whole pane, from which there is room for the image above its text
BESIDE_CELLS = 56  # of the pane, from which there is room for it beside the text
STEP_CELLS = 7  # of one step's number among the others
STEP_ENDS_CELLS = 8  # of the word before them, and of the signs that there are more
HIGH_ROWS = 40  # of the pane, from which the image is larger above the text, however wide it is


class WatchTimeline(Vertical):
    """One image, its steps, the text of the chosen step, and the reference."""

    DEFAULT_CSS = """
    WatchTimeline { height: 1fr; }
    WatchTimeline .watch-head { height: 2; }
    WatchTimeline .watch-body { height: 1fr; layout: vertical; }
    WatchTimeline ImageView { height: 50%; margin-bottom: 1; display: none; }
    WatchTimeline.-tall ImageView { display: block; }
    WatchTimeline.-beside .watch-body { layout: horizontal; }
    WatchTimeline.-beside ImageView { display: block; width: 48%; height: 1fr; margin: 0 2 0 0; }
    WatchTimeline VerticalScroll { scrollbar-size-vertical: 1; }
    """

    def __init__(self, data: DataDir) -> None:
        super().__init__()
        self._data = data
        self._watched = Watched()
        self._cases: dict[int, Case] = {}
        self._note = self._drawn = ""

    def compose(self) -> ComposeResult:
        """Which image, the image, the texts."""
        yield Static(classes="watch-head")
        with Container(classes="watch-body"):
            image = ImageView(empty="")
            # The screen's keys stay the pane's; its own are those of the whole screen.
            image.can_focus = False
            yield image
            with VerticalScroll(can_focus=False):
                yield Static(classes="watch-text")

    def on_resize(self) -> None:
        """Draw the image where there is room for it beside the texts."""
        self._show()

    @property
    def filled(self) -> bool:
        """Whether there is any text."""
        return self._watched.case_id is not None

    @property
    def counts(self) -> tuple[int, int]:
        """Steps at which the image was described, and images: with one of either there is no other."""
        return len(self._watched.steps), len(self._watched.case_ids)

    def leads(self, by: int) -> bool:
        """Whether there is a later (positive) or an earlier step than the one shown."""
        return self._watched.leads(by)

    def clear(self, note: str) -> None:
        """Another job; `note` is said until there is a text."""
        self._watched, self._note = Watched(), note
        self._show()

    def take(self, news: News) -> None:
        """Take in what is new."""
        self._watched.rewind(news.events)
        self._watched.add(news.descriptions)
        unknown = [case_id for case_id in self._watched.case_ids if case_id not in self._cases]
        if unknown:
            self._read(unknown)
        if news.descriptions or news.events:
            self._show()

    def go(self, steps: int) -> None:
        """Show a later or earlier step."""
        self._watched.go(steps)
        self._show()

    def next_image(self, by: int = 1) -> None:
        """Show the next image, or one further on or back."""
        self._watched.next_image(by)
        self._show()

    @property
    def film(self) -> FilmScreen | None:
        """The image shown, for the whole screen; None while it is not read or cannot be."""
        from radtui.tui.screens.film import FilmScreen

        case = self._cases.get(self._watched.case_id or 0)
        return (
            FilmScreen.of_case(case, partial(image_bytes, self._data))
            if case is not None and not case.error
            else None
        )

    def _read(self, case_ids: Sequence[int]) -> None:
        """Read cases; the bar above says when the database cannot be read, and the next news ask for them again."""
        rad = rad_of(self)
        aside(
            self,
            lambda: rad.read(lambda db: cases.get_many(db, case_ids)),
            self._keep,
            lambda sentence: None,
            group="watch-images",
            exclusive=False,
        )

    def _keep(self, read: Sequence[Case]) -> None:
        self._cases.update({case.id: case for case in read})
        self._show()

    def _show(self) -> None:
        if not self.is_mounted:
            return
        beside = self.size.width >= BESIDE_CELLS and self.size.height < HIGH_ROWS
        self.set_class(self.filled and beside, "-beside")
        self.set_class(self.filled and not beside and self.size.height >= IMAGE_ROWS, "-tall")
        case = self._cases.get(self._watched.case_id or 0)
        self.query_one(".watch-head", Static).update(self._head(case))
        self.query_one(".watch-text", Static).update(self._text(case))
        view = self.query_one(ImageView)
        if case is None or case.error:
            view.clear(case.error if case else "")
            self._drawn = ""
            return
        sha256 = case.shown.sha256
        if self._drawn != sha256:
            self._drawn = sha256
            view.show(sha256, partial(image_bytes, self._data, sha256))

    def _head(self, case: Case | None) -> Content:
        watched = self._watched
        if watched.case_id is None:
            return Content.styled("Held-out images", "bold")
        what = case.examination if case and case.examination else "held-out image"
        title = f"{what} {watched.position + 1}/{len(watched.case_ids)}"
        shown = watched.shown
        marks: list[Content | str] = [Content.styled("step ", "$muted")]
        at = shown.step if shown else None
        in_sight = _around(watched.steps, at, max(1, (self.size.width - STEP_ENDS_CELLS) // STEP_CELLS))
        if in_sight[:1] != watched.steps[:1]:
            marks.append(Content.styled("‹", "$muted"))
        for step in in_sight:
            marks += [Content.styled(f" {step} ", theme.LIT if step == at else "$muted"), " "]
        if in_sight[-1:] != watched.steps[-1:]:
            marks.append(Content.styled("›", "$muted"))
        return Content.assemble(Content.styled(title, "bold"), "\n", *marks)

    def _text(self, case: Case | None) -> Content:
        shown, first = self._watched.shown, self._watched.first
        if shown is None:
            return Content.styled(self._note, "$muted")
        parts: list[Content | str] = [shown.text or "(nothing)", "\n"]
        # Where not all has room, what the text is to become is in sight before what it was.
        if case is not None and case.reference:
            parts += ["\n", Content.styled("reference\n", "$accent"), case.reference, "\n"]
        if case is not None and case.question:
            parts += ["\n", Content.styled("question\n", "$muted"), Content(case.question), "\n"]
        if first is not None and first.step != shown.step:
            parts += [
                "\n",
                Content.styled(f"at step {first.step}\n", "$muted"),
                Content.styled(first.text or "(nothing)", "$muted"),
            ]
        return Content.assemble(*parts)


def _around(steps: list[int], shown: int | None, count: int) -> list[int]:
    """As many steps as fit, the one shown among them."""
    if len(steps) <= count or shown is None:
        return steps[-count:]
    at = steps.index(shown)
    start = max(0, min(at - count // 2, len(steps) - count))
    return steps[start : start + count]
