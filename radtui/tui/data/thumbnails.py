"""Thumbnails made in threads when they are wanted, and forgotten when they have not been for long."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from PIL import Image
from rich.segment import Segment

from radtui.imaging.thumbnail import thumbnail
from radtui.records import UserError
from radtui.tui import terminal
from radtui.tui.pictures import picture_lines

THREADS = 2  # more would only slow down the first one asked for
PICTURES = 4_000  # some 2 KiB each: what was seen before is drawn again without reading the file
DRAWN = 160  # three screens' worth of segments, at some 100 KiB each

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class DrawnThumbnail:
    """A thumbnail as rows of segments, or why there is none."""

    lines: tuple[list[Segment], ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A thumbnail that is asked for.

    Attributes:
        key: What it is kept under, as the file's sha256.
        load: Returns the file's bytes; called in a thread.
        columns: Its box in cells, across.
        rows: Its box in cells, down.
    """

    key: str
    load: Callable[[], bytes]
    columns: int
    rows: int

    @property
    def drawn_key(self) -> tuple[str, int, int]:
        """What it is kept under in this size."""
        return self.key, self.columns, self.rows


class Thumbnails:
    """Gives thumbnails that are there, and makes those that are wanted.

    Args:
        ready: Called in a thread whenever one more is there.
    """

    def __init__(self, ready: Callable[[str], object]) -> None:
        self._ready = ready
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="thumbnail")
        self._pictures: _Newest[tuple[str, int, int], Image.Image] = _Newest(PICTURES)
        self._drawn: _Newest[tuple[str, int, int], DrawnThumbnail] = _Newest(DRAWN)
        self._pending: dict[tuple[str, int, int], Future[None]] = {}

    def get(self, wanted: Wanted) -> DrawnThumbnail | None:
        """A thumbnail, None while it is not there."""
        return self._drawn.get(wanted.drawn_key)

    def want(self, all_wanted: Iterable[Wanted]) -> None:
        """Make these, in their order; what was wanted before and is not among them is given up."""
        wanted = {image.drawn_key: image for image in all_wanted if self.get(image) is None}
        for key, future in list(self._pending.items()):
            if future.done() or (key not in wanted and future.cancel()):
                del self._pending[key]
        for key, image in wanted.items():
            if key not in self._pending:
                self._pending[key] = self._pool.submit(self._make, image)

    def forget_drawn(self) -> None:
        """Draw every thumbnail anew from its picture, as in other colours."""
        self._drawn.clear()

    def close(self) -> None:
        """Make no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _make(self, wanted: Wanted) -> None:
        key = wanted.drawn_key
        try:
            picture = self._pictures.get(key)
            if picture is None:
                picture = thumbnail(wanted.load(), wanted.columns, 2 * wanted.rows)
                self._pictures.put(key, picture)
            drawn = DrawnThumbnail(tuple(picture_lines(picture, terminal.current().depth)))
        except UserError as error:
            drawn = DrawnThumbnail(error=str(error))
        except Exception as error:  # one damaged file must not leave its cell saying "reading" for ever
            drawn = DrawnThumbnail(error=f"The image cannot be read: {error}")
        self._drawn.put(key, drawn)
        self._ready(wanted.key)


class _Newest(Generic[K, V]):
    """A dictionary that keeps the entries used last; for several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()  # an OrderedDict that is reordered while another thread looks breaks

    def get(self, key: K) -> V | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def put(self, key: K, value: V) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
