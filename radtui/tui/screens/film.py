"""One image over the whole screen, with its keys; its view is handed back."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from radtui.imaging.view import View
from radtui.records import Case
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.case_images import CaseImages
from radtui.tui.widgets.image_strip import StripImage, images_of
from radtui.tui.widgets.image_view import ImageView

Asking = Callable[[], object] | None


class FilmScreen(RadModal[tuple[int, View]]):
    """A case's images, one at a time; dismissed with the place of the one on show and how it was looked at.

    Args:
        images: At least one; each is decoded when it is first shown.
        at: Place of the image to begin with.
        look: How to show that one; the whole of it when left out.
        ask: Asks models about the images, where that may be: no reader is blind there.
    """

    AUTO_FOCUS = "ImageView"
    BINDINGS: ClassVar[list[BindingType]] = bindings("film")

    def __init__(
        self, images: list[StripImage], at: int = 0, look: View | None = None, ask: Asking = None
    ) -> None:
        super().__init__()
        self._images, self._at, self._look, self._ask = images, at, look, ask

    @classmethod
    def of_case(
        cls, case: Case, read: Callable[[str], bytes], sha256: str = "", look: View | None = None, *,
        ask: Asking = None,
    ) -> FilmScreen:  # fmt: skip
        """The images of a case that can be read.

        Args:
            case: One that can be read.
            read: Returns an image's bytes by its sha256; called in a thread.
            sha256: The image to begin with; the one that stands for the case when left out.
            look: How to show that one.
            ask: Asks models about it, where that may be.
        """
        images = [image for image in images_of(case, read) if not image.error]
        names = [image.name for image in images]
        begin = sha256 or case.shown.sha256
        return cls(images, names.index(begin) if begin in names else 0, look, ask)

    def compose_sheet(self) -> ComposeResult:
        """The image."""
        yield CaseImages()

    def on_mount(self) -> None:
        """Begin."""
        self.query_one(CaseImages).show(self._images, self._at)

    @on(ImageView.Shown)
    def _look_on(self) -> None:
        """Go on where the image was looked at before."""
        if self._look is not None:
            self.query_one(CaseImages).view.canvas.look_at(self._look)
            self._look = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One image has no next one; models are not asked where a reader is blind."""
        if action == "ask":
            return self._ask is not None
        return action != "view" or len(self._images) > 1

    def action_ask(self) -> None:
        """Ask the models about the case."""
        if self._ask is not None:
            self._ask()

    def action_view(self, by: int) -> None:
        """Show the next image of the case, and after the last the first."""
        self._look = None
        self.query_one(CaseImages).turn(by)

    def action_done(self) -> None:
        """Hand back what was seen last."""
        images = self.query_one(CaseImages)
        self.dismiss((images.at, images.view.canvas.look))
