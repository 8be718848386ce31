"""Which image is to be shown, and what has become of it; decoded in threads, and kept by a loader."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum

from radtui.imaging.loader import Loader
from radtui.imaging.pyramid import Pyramid
from radtui.records import UserError

Answer = tuple[str, int | None, "Future[Pyramid]"]
"""The name and frame that were asked for, and what came of it."""


class State(StrEnum):
    """What there is to show."""

    EMPTY = "empty"
    LOADING = "loading"
    FAILED = "failed"
    SHOWN = "shown"


class WantedPicture:
    """The image that is wanted; knows no widget.

    Args:
        loader: Decodes and keeps images.
        tell: Takes the answer to a request, in the thread that decoded it; it must come to `take` in the event loop.
        text: What is said while there is no image.

    Attributes:
        state: What there is to show.
        pyramid: The image, while the state is SHOWN.
        text: The state in words, while it is another.
        name: What is wanted; "" for nothing.
    """

    def __init__(self, loader: Loader, tell: Callable[[Answer], object], text: str) -> None:
        self.loader, self._tell = loader, tell
        self.state, self.text, self.name = State.EMPTY, text, ""
        self.pyramid: Pyramid | None = None
        self._frame: int | None = None
        self._load: Callable[[], bytes] = bytes

    @property
    def frames(self) -> int:
        """Frames of the image; 1 while there is none."""
        return self.pyramid.raster.frames if self.pyramid is not None else 1

    def want(self, name: str, load: Callable[[], bytes]) -> bool:
        """Want an image, of several frames the one that stands for the file; whether it is there already.

        Args:
            name: A name for its content, such as its sha256: what was read under it once is not read again.
            load: Returns the file's bytes; called in a thread.
        """
        if name != self.name:
            self.loader.drop_waiting()
        self.name, self._load = name, load
        self.pyramid, self.state, self.text = None, State.LOADING, "reading the image ..."
        return self.want_frame(None)

    def want_frame(self, frame: int | None) -> bool:
        """Want another frame of the same image; until it is decoded the one before stays."""
        name, self._frame = self.name, frame
        future = self.loader.request(name, self._load, frame)
        if future.done() and not future.cancelled():
            return self.take((name, frame, future))
        future.add_done_callback(lambda done: self._tell((name, frame, done)))
        return False

    def nothing(self, text: str) -> None:
        """Want no image, but a line of text."""
        self.name, self.pyramid, self.state, self.text = "", None, State.EMPTY, text

    def take(self, answer: Answer) -> bool:
        """Take what was decoded, or why nothing was; whether it is what is wanted now."""
        name, frame, future = answer
        if (name, frame) != (self.name, self._frame):
            return False
        if future.cancelled():  # another view dropped what was waiting
            return self.want_frame(frame)
        error = future.exception()
        if error is None:
            self.pyramid, self.state = future.result(), State.SHOWN
        else:
            self.pyramid, self.state = None, State.FAILED
            self.text = str(error) if isinstance(error, UserError) else f"The image cannot be read: {error}"
        return True
