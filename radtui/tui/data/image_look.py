"""One image large beside all that is known of it; what draws it is imported late, for a quick first frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Vertical

from radtui.paths import DataDir
from radtui.records import Description, Image

if TYPE_CHECKING:
    from radtui.tui.widgets.image_facts import ImageFacts
    from radtui.tui.widgets.image_view import ImageView


class ImageLook(Vertical):
    """An image with its facts, or why there is none. Until `fill` is done it remembers what it is to show.

    Args:
        data: Where images' bytes are.
        id: CSS id.
    """

    def __init__(self, data: DataDir, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._data = data
        self._parts: tuple[ImageView, ImageFacts] | None = None
        self._missed: Callable[[], None] | None = None  # what was asked for before there were parts
        self._shown: Image | str | None = None  # the image that is drawn, or what is said in its place

    @work(thread=True, group="look")
    def fill(self) -> None:
        """Import what draws images, in a thread: it takes longer than all the rest of a start."""
        from radtui.tui.widgets import image_facts, image_view  # noqa: F401

        self.app.call_from_thread(self.call_later, self._mount_parts)

    async def _mount_parts(self) -> None:
        from radtui.tui.widgets.image_facts import ImageFacts
        from radtui.tui.widgets.image_view import ImageView

        parts = ImageView(empty=""), ImageFacts()
        await self.mount(*parts)
        self._parts = parts
        if self._missed is not None:
            self._missed()

    def show(
        self, image: Image, written: list[Description], words: list[str], near: Sequence[Image] = ()
    ) -> None:
        """Show an image; one that is drawn already only gets its facts anew.

        Args:
            image: Any.
            written: Descriptions of it, newest first.
            words: What is searched for, to be marked in its facts.
            near: Images that are likely to be shown next: they are decoded ahead.
        """
        if self._parts is None:
            self._missed = partial(self.show, image, written, words, near)
            return
        view, facts = self._parts
        facts.show(image, written, words)
        if image == self._shown:
            return
        self._shown = image
        if image.error:
            view.clear(f"This image cannot be read: {image.error}")
            return
        view.show(image.sha256, partial(self._data.image_bytes, image.sha256))
        for one in near:
            if one.id != image.id and not one.error:
                view.prefetch(one.sha256, partial(self._data.image_bytes, one.sha256))

    def say(self, text: str) -> None:
        """Show no image, but a sentence in its place."""
        if self._parts is None:
            self._missed = partial(self.say, text)
            return
        if text != self._shown:
            view, facts = self._parts
            self._shown = text
            view.clear(text)
            facts.clear()

    def on_descendant_focus(self) -> None:
        """Let the screen's style make room for what is looked at."""
        self.screen.add_class("-looking")
        self.screen.refresh_bindings()

    def on_descendant_blur(self) -> None:
        """Give the room back."""
        self.screen.remove_class("-looking")
        self.screen.refresh_bindings()

    def focus_image(self) -> None:
        """Give the image its keys."""
        if self._parts is not None:
            self._parts[0].focus()
