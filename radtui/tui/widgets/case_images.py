"""A case's images: one large with its keys, and where there are several a strip of all of them under it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from radtui.records import Case
from radtui.tui.widgets.image_strip import ImageStrip, StripImage, images_of
from radtui.tui.widgets.image_view import ImageView


class CaseImages(Vertical):
    """One image of a case at a time.

    Args:
        labelled: Whether the strip says which image is drawn; without, what stands beside says so.

    Attributes:
        view: Where the image is drawn.
        strip: Where small pictures of all of them are.
        at: Place of the image that is drawn, from 0.
    """

    DEFAULT_CSS = "CaseImages { width: 1fr; height: 1fr; }"

    @dataclass
    class Turned(Message):
        """Another image of the same case is drawn."""

        at: int

    def __init__(self, *, labelled: bool = True) -> None:
        super().__init__()
        self.view, self.strip = ImageView(empty=""), ImageStrip(labelled=labelled)
        self.at = 0
        self._images: tuple[StripImage, ...] = ()

    def compose(self) -> ComposeResult:
        """The image, and the strip under it."""
        yield self.view
        yield self.strip

    @property
    def several(self) -> bool:
        """Whether there is a next image."""
        return len(self._images) > 1

    def show_case(self, case: Case, read: Callable[[str], bytes], at: int | None = None) -> None:
        """Draw an image of a case, or say why none can be.

        Args:
            case: Any.
            read: Returns an image's bytes by its sha256; called in a thread.
            at: As for `show`.
        """
        if case.error or not case.images:
            self.say(f"This image cannot be read: {case.error or 'the case has none'}")
        else:
            self.show(images_of(case, read), at)

    def show(self, images: Sequence[StripImage], at: int | None = None) -> None:
        """Draw one of some images.

        Args:
            images: Of one case, in its order; at least one.
            at: Which of them is drawn large, from 0; the first that can be read when left out.
        """
        if at is None:
            at = next((place for place, image in enumerate(images) if not image.error), 0)
        self._images, self.at = tuple(images), at
        self.strip.show(self._images, at)
        image = self._images[at]
        if image.error:
            self.view.clear(f"This image cannot be read: {image.error}")
            self._fill()
        else:
            self.view.show(image.name, image.load)

    def say(self, text: str) -> None:
        """Draw no image, but a sentence in its place."""
        self._images, self.at = (), 0
        self.strip.show((), 0)
        self.view.clear(text)

    def turn(self, by: int) -> None:
        """Draw the next image of the case, and after the last the first."""
        if self._images:
            self._turn_to((self.at + by) % len(self._images))

    @on(ImageStrip.Picked)
    def _pick(self, event: ImageStrip.Picked) -> None:
        event.stop()
        self._turn_to(event.at)

    def _turn_to(self, at: int) -> None:
        if at != self.at:
            self.show(self._images, at)
            self.post_message(self.Turned(at))

    def on_resize(self) -> None:
        """Another height has other room for the strip."""
        self.strip.fit(self.size.height)

    @on(ImageView.Shown)
    @on(ImageView.Failed)
    def _fill(self) -> None:
        """Let the strip be drawn, once the large image is on the screen."""
        if len(self._images) > 1:
            self.call_after_refresh(self.strip.fill)
