"""A case's images as small pictures in a row: which there are, which one is drawn large, and the key for the next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from PIL import Image
from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.css.scalar import Scalar
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from radtui.harmless import visible
from radtui.imaging.loader import Loader, shared
from radtui.records import Case
from radtui.tui import terminal
from radtui.tui.keys import sign
from radtui.tui.pictures import picture_lines
from radtui.tui.widgets.cell_text import fitted

HERE = "▌"  # left of the one that is drawn large
GONE = "×"  # in place of one that cannot be read
LEAST_ROWS, MOST_ROWS = 3, 6  # of a small picture: below, a frontal view looks like a lateral one
SHARE = 6  # the large picture keeps this many times as many rows
LABEL_CELLS = 18
MOST_DOTS = 12
KEPT = 256  # small pictures as cells, some 10 KiB each

Box = tuple[int, int]
"""Columns and rows of cells."""
Lines = tuple[list[Segment], ...]


@dataclass(frozen=True, slots=True)
class StripImage:
    """One image of a case; `load` returns its bytes and is called in a thread, `error` says why it cannot be read."""

    name: str
    load: Callable[[], bytes] = field(compare=False)
    role: str = ""
    error: str = ""


def images_of(case: Case, read: Callable[[str], bytes]) -> tuple[StripImage, ...]:
    """The images of a case in their order.

    Args:
        case: Any.
        read: Returns an image's bytes by its sha256; called in a thread.
    """
    return tuple(
        StripImage(image.sha256, partial(read, image.sha256), visible(image.role), image.error)
        for image in case.images
    )


class ImageStrip(Widget):
    """Small pictures of a case's images, or dots where rows are few; nothing where there is one image.

    Args:
        labelled: Whether to say which image is drawn; without, what stands beside says so, and there are no dots.
        loader: Decodes and keeps pictures; the one that all canvases share when left out.
    """

    DEFAULT_CSS = """
    ImageStrip { width: 1fr; height: 0; display: none; background: black; color: $foreground-muted; }
    ImageStrip > .strip--here { background: black; color: $accent; text-style: bold; }
    ImageStrip > .strip--error { background: black; color: $error; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"strip--here", "strip--error"}
    ALLOW_SELECT = False

    @dataclass
    class Picked(Message):
        """An image was clicked on."""

        at: int

    @dataclass
    class Ready(Message):
        """A thread has drawn a small picture, None where it was given up; of no use outside this widget."""

        key: tuple[str, Box]
        lines: Lines | None

    def __init__(self, *, labelled: bool = True, loader: Loader | None = None) -> None:
        super().__init__()
        self._labelled, self._loader = labelled, loader or shared()
        self._images: tuple[StripImage, ...] = ()
        self._at = 0
        self._rows = 0
        self._filling = False  # the large picture is out
        # One at a time: another thread stays free for the large picture.
        self._asked: tuple[str, Box] | None = None
        self._lines: OrderedDict[tuple[str, Box], Lines] = OrderedDict()

    def show(self, images: Sequence[StripImage], at: int) -> None:
        """Show which image of a case is drawn; what is not drawn yet waits for `fill`."""
        # As of nearly all cases: nothing to draw, before or now.
        if len(images) < 2 and len(self._images) < 2:
            self._images, self._at = tuple(images), at
            return
        if tuple(images) != self._images:
            self._images, self._filling = tuple(images), False
        self._at = at
        self._arrange()
        self.refresh()

    def fit(self, rows: int) -> None:
        """Take as many rows as there is room for above and below the large picture: `rows` together."""
        self._rows = rows_of(rows, labelled=self._labelled)
        self._arrange()

    def rows_taken(self, rows: int) -> int:
        """How many of so many rows it takes from the images that are shown."""
        return rows_of(rows, labelled=self._labelled) if len(self._images) > 1 else 0

    def fill(self) -> None:
        """Draw what is missing, now that the large picture is out."""
        self._filling = True
        self._ask()

    def colours_changed(self) -> None:
        """Draw again in the colours that the terminal has turned out to have."""
        self._lines.clear()
        self._ask()

    def _arrange(self) -> None:
        display = len(self._images) > 1 and self._rows > 0
        if display and self.styles.height != Scalar.from_number(self._rows):
            self.styles.height = self._rows
        if self.display != display:
            self.display = display

    def on_resize(self) -> None:
        """Another width has room for others."""
        self._ask()

    @property
    def _box(self) -> Box:
        return 2 * self._rows, self._rows

    def _in_sight(self) -> range:
        """Places of the images whose pictures fit, the drawn one among them."""
        room = self.size.width - (LABEL_CELLS if self._labelled else 0)
        return page(len(self._images), self._at, room // (self._box[0] + 1))

    def _ask(self) -> None:
        """Ask for the first picture in sight that is missing."""
        if not self._filling or self._asked is not None or self._rows < LEAST_ROWS or not self.display:
            return
        for place in self._in_sight():
            image, key = self._images[place], (self._images[place].name, self._box)
            if image.error or key in self._lines:
                continue
            self._asked = key
            columns, rows = self._box
            drawn = self._loader.thumbnail(image.name, image.load, columns, 2 * rows)
            drawn.add_done_callback(partial(self._drawn, key))
            return

    def _drawn(self, key: tuple[str, Box], future: Future[Image.Image]) -> None:
        """Put a picture into cells, in the thread that made it."""
        lines: Lines | None = None
        if not future.cancelled():
            lines = ()
            if future.exception() is None:
                lines = tuple(picture_lines(future.result(), terminal.current().depth))
        self.post_message(self.Ready(key, lines))

    @on(Ready)
    def _take(self, event: Ready) -> None:
        event.stop()
        self._asked = None
        if event.lines is None:  # another image is wanted large; `fill` comes again when that one is out
            return
        self._lines[event.key] = event.lines
        while len(self._lines) > KEPT:
            self._lines.popitem(last=False)
        self.refresh()
        self._ask()

    def on_click(self, event: events.Click) -> None:
        """Pick an image with the mouse."""
        if self._rows < LEAST_ROWS:
            return
        place = event.x // (self._box[0] + 1)
        in_sight = self._in_sight()
        if place < len(in_sight):
            self.post_message(self.Picked(in_sight[place]))

    def render_line(self, y: int) -> Strip:
        """One line over the whole width."""
        width, base = self.size.width, self.rich_style
        if len(self._images) < 2:
            return Strip.blank(width, base)
        here = self.get_component_rich_style("strip--here")
        if self._rows < LEAST_ROWS:
            return Strip([Segment(dotted(self._images, self._at, width), here)]).adjust_cell_length(
                width, base
            )
        in_sight = self._in_sight()
        segments: list[Segment] = []
        for place in in_sight:
            segments.append(Segment(HERE if place == self._at else " ", here))
            segments += self._body(place, y)
        if self._labelled:
            label = self._label(in_sight)
            text = label[y] if y < len(label) else ""
            style = here if y == 0 else base
            segments.append(Segment(" " + str(fitted(text, LABEL_CELLS - 1)), style))
        return Strip(segments).adjust_cell_length(width, base)

    def _body(self, place: int, y: int) -> list[Segment]:
        """A line of a small picture, in the middle of its box."""
        columns, rows = self._box
        image = self._images[place]
        lines = () if image.error else self._lines.get((image.name, self._box))
        if lines is None:
            return [Segment(" " * columns, self.rich_style)]
        if not lines:
            failed = self.get_component_rich_style("strip--error")
            return [Segment((GONE if y == rows // 2 else "").center(columns), failed)]
        at = y - (rows - len(lines)) // 2
        if not 0 <= at < len(lines):
            return [Segment(" " * columns, self.rich_style)]
        free = columns - sum(len(segment.text) for segment in lines[at])
        black = self.rich_style + Style()
        return [Segment(" " * (free // 2), black), *lines[at], Segment(" " * (free - free // 2), black)]

    def _label(self, in_sight: range) -> list[str]:
        """What is said beside the pictures, the most important first."""
        parts = [f"image {self._at + 1} of {len(self._images)}", self._images[self._at].role]
        parts.append(f"{sign('later')} next · {sign('earlier')} before")
        if len(in_sight) < len(self._images):
            parts.append(f"here {in_sight.start + 1} to {in_sight.stop}")
        return [part for part in parts if part]


def rows_of(rows: int, *, labelled: bool) -> int:
    """Rows for a strip in an area of so many: a small share, one for dots where that is too little, or none."""
    share = min(MOST_ROWS, rows // SHARE)
    return share if share >= LEAST_ROWS else int(labelled)


def page(count: int, at: int, fitting: int) -> range:
    """Places of the images in sight: the page with the one that is drawn.

    Args:
        count: How many images there are.
        at: Which of them is drawn, from 0.
        fitting: How many pictures fit side by side; at least one is shown.
    """
    fitting = max(1, fitting)
    start = at // fitting * fitting
    return range(start, min(count, start + fitting))


def dots(count: int, at: int) -> str:
    """A dot for each image, the drawn one filled; nothing where they are many."""
    return "".join("●" if place == at else "○" for place in range(count)) if count <= MOST_DOTS else ""


def dotted(images: Sequence[StripImage], at: int, width: int) -> str:
    """A strip as one line of so many cells: dots, and as much of what they mean as fits."""
    role = images[at].role
    text = f" {dots(len(images), at)} {at + 1} of {len(images)}".replace("  ", " ")
    for more in (f", {role}" if role else "", f" · {sign('later')} next", f" · {sign('earlier')} before"):
        text += more if len(text + more) <= width else ""
    return text
