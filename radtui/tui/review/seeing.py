"""What the review screen's keys let one see: the image over the whole screen, the reference, whose texts these are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from radtui.imaging.view import View
from radtui.records import Case
from radtui.store.blobs import image_bytes
from radtui.study.packed import is_packed
from radtui.study.session import ReviewSession
from radtui.tui.review.answer_panel import key_text
from radtui.tui.review.reviewing import Reviewing
from radtui.tui.screens.base import RadScreen
from radtui.tui.widgets.case_images import CaseImages
from radtui.tui.widgets.image_view import ImageView


def zoom(reviewing: Reviewing, session: ReviewSession) -> None:
    """Show the image over the whole screen: its keys are the image's, so that nobody rates unseen texts."""
    shown = session.shown()
    if shown is not None:
        show_film(reviewing.screen, shown.case, session.time.touch)


def turn(reviewing: Reviewing, by: int) -> None:
    """Show the next image of the case, and after the last the first."""
    reviewing.screen.query_one(CaseImages).turn(by)


def show_film(screen: RadScreen, case: Case, left: Callable[[], object] = lambda: None) -> None:
    """Show a case's images over the whole screen, and go on with the view in the screen's own image.

    Args:
        screen: It has one of the images in its `ImageView`.
        case: Of the image.
        left: Called when the image is left.
    """
    from radtui.tui.screens.film import FilmScreen

    view = screen.query_one(ImageView)
    if view.picture.pyramid is None:
        return
    sha256 = view.picture.name

    def back(seen: tuple[int, View] | None) -> None:
        left()
        names = [image.sha256 for image in case.images if not image.error]
        if seen is not None and names[seen[0] : seen[0] + 1] == [sha256]:
            view.canvas.look_at(seen[1])

    film = FilmScreen.of_case(case, partial(image_bytes, screen.rad.data), sha256, view.canvas.look)
    screen.app.push_screen(film, back)


def reveal(reviewing: Reviewing, session: ReviewSession) -> None:
    """Show whose texts these are; on a pair without a rating after a second press, since it counts for good."""
    shown, key = session.shown(), key_text(session.scheme, "reveal")
    if is_packed(session.study):
        reviewing.message = "This file does not know which text is whose."
    elif (
        shown is None or shown.identity_known or shown.rated or reviewing.revealing == ("reveal", shown.pair)
    ):
        session.reveal()
    else:
        reviewing.revealing = "reveal", shown.pair
        reviewing.message = (
            f"Press {key} again to see whose texts these are: the pair is un-blinded from then on."
        )


def ask(reviewing: Reviewing, session: ReviewSession) -> None:
    """Ask the models about the image of a pair that is rated: their answers say whose text is whose.

    That is stored before they are seen, as when it is asked whose texts these are: the rating stays blind, what is
    answered from then on is not.
    """
    from radtui.tui.ask.screen import AskScreen

    shown = session.shown()
    if shown is None or not shown.rated or is_packed(session.study):
        reviewing.message = "Rate this pair first: what the models answer would say whose texts these are."
        return
    if not shown.identity_known:
        session.reveal()
    reviewing.screen.app.push_screen(AskScreen(shown.case))


def reference(reviewing: Reviewing, session: ReviewSession) -> None:
    """Show the reference, or hide it.

    Where it comes before its time, a second press is asked for, and that is stored before it is seen.
    """
    shown = session.shown()
    if shown is not None and shown.reference_barred:
        reviewing.message = (
            "The reference is one of the texts: it can be seen once you have finished this case."
        )
        return
    if not session.peek and shown is not None and shown.reference:
        reviewing.message = "The reference stays in sight here."
        return
    if not session.peek and shown is not None and shown.reference_marks:
        if not shown.rated and reviewing.revealing != ("reference", shown.pair):
            reviewing.revealing = "reference", shown.pair
            key = key_text(session.scheme, "reference")
            reviewing.message = (
                f"Press {key} again to see the reference: the pair is un-blinded from then on."
            )
            return
        session.reveal("reference")
        reviewing.message = "The reference was seen: what you answer on this case from now on is un-blinded."
    session.peek = not session.peek
