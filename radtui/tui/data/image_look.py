"""A case: one image large beside all that is known of it; what draws it is imported late, for a quick first frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.containers import Vertical

from radtui.paths import DataDir
from radtui.records import Case, Description
from radtui.store.blobs import image_bytes
from radtui.tui.aside import aside

if TYPE_CHECKING:
    from radtui.imaging.view import View
    from radtui.tui.widgets.case_images import CaseImages
    from radtui.tui.widgets.image_facts import ImageFacts


def _import_parts() -> None:
    from radtui.tui.widgets import case_images, image_facts  # noqa: F401


class ImageLook(Vertical):
    """An image of a case with its facts, or why there is none. Until `fill` is done it remembers what it is to show.

    Args:
        data: Where images' bytes are.
        id: CSS id.
    """

    def __init__(self, data: DataDir, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._data = data
        self._parts: tuple[CaseImages, ImageFacts] | None = None
        self._missed: Callable[[], None] | None = None  # what was asked for before there were parts
        # The case and its image, or what is said in its place.
        self._shown: tuple[Case, int] | str | None = None
        # Of the case shown, and what is searched for.
        self._texts: tuple[list[Description], list[str]] = ([], [])

    def fill(self) -> None:
        """Import what draws images, in a thread: it takes longer than all the rest of a start."""
        aside(self, _import_parts, self._mount_parts, group="look")

    async def _mount_parts(self, _: None) -> None:
        from radtui.tui.widgets.case_images import CaseImages
        from radtui.tui.widgets.image_facts import ImageFacts

        parts = CaseImages(labelled=False), ImageFacts(sized=True)
        await self.mount(*parts)
        self._parts = parts
        if self._missed is not None:
            self._missed()

    def show(
        self, case: Case, written: list[Description], words: list[str], near: Sequence[Case] = ()
    ) -> None:
        """Show a case; one that is drawn already only gets its facts anew, and stays at its image.

        Args:
            case: Any.
            written: Descriptions of it, newest first.
            words: What is searched for, to be marked in its facts.
            near: Cases that are likely to be shown next: their first images are decoded ahead.
        """
        if self._parts is None:
            self._missed = partial(self.show, case, written, words, near)
            return
        self._texts = written, words
        known = isinstance(self._shown, tuple) and self._shown[0] == case
        at = self._shown[1] if known and isinstance(self._shown, tuple) else _first_place(case)
        self._show_image(case, at)
        for neighbour in near:
            if neighbour.id != case.id and not neighbour.error:
                sha256 = neighbour.shown.sha256
                self._parts[0].view.prefetch(sha256, partial(image_bytes, self._data, sha256))

    def next_image(self, by: int = 1) -> None:
        """Show the next image of the case, and after the last the first."""
        if isinstance(self._shown, tuple) and self._parts is not None:
            self._parts[0].turn(by)

    def on_case_images_turned(self, event: CaseImages.Turned) -> None:
        """Say of the image that is drawn now what is known of it."""
        if isinstance(self._shown, tuple) and self._parts is not None:
            self._shown = self._shown[0], event.at
            self._parts[1].show(self._shown[0], *self._texts, event.at)

    def open_film(self) -> None:
        """Show the image over the whole screen, and go on with its view afterwards."""
        if self._parts is None or not isinstance(self._shown, tuple) or self._shown[0].error:
            return
        from radtui.tui.screens.film import FilmScreen

        view, (case, at) = self._parts[0].view, self._shown
        readable = [place for place, image in enumerate(case.images) if not image.error]

        def back(seen: tuple[int, View] | None) -> None:
            if seen is not None and readable and readable[seen[0]] == at:
                view.canvas.look_at(seen[1])

        if at in readable:
            film = FilmScreen.of_case(
                case,
                partial(image_bytes, self._data),
                case.images[at].sha256,
                view.canvas.look,
                ask=partial(self._ask_about, case),
            )
            self.app.push_screen(film, back)

    def _ask_about(self, case: Case) -> None:
        from radtui.tui.ask.screen import AskScreen

        self.app.push_screen(AskScreen(case))

    def _show_image(self, case: Case, at: int) -> None:
        """Draw one image of a case, or say why it cannot be, with the facts of both."""
        assert self._parts is not None
        images, facts = self._parts
        facts.show(case, *self._texts, at)
        if self._shown == (case, at):
            return
        self._shown = case, at
        images.show_case(case, partial(image_bytes, self._data), at)

    def say(self, text: str) -> None:
        """Show no image, but a sentence in its place."""
        if self._parts is None:
            self._missed = partial(self.say, text)
            return
        if text != self._shown:
            images, facts = self._parts
            self._shown = text
            images.say(text)
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
            self._parts[0].view.focus()


def _first_place(case: Case) -> int:
    return next((at for at, image in enumerate(case.images) if not image.error), 0)
