"""What keys do with the list and the image beside it, whichever of them has the focus."""

from __future__ import annotations

from radtui.tui.data import image_rows
from radtui.tui.data.image_list import ImageList
from radtui.tui.data.image_look import ImageLook
from radtui.tui.screens.base import RadScreen


class ListAndImage(RadScreen):
    """A screen with a list of images and the one that is looked at."""

    list: ImageList
    look: ImageLook

    def action_search(self) -> None:
        """Type a search."""
        self.list.search()

    def action_columns(self) -> None:
        """Choose which columns the list has."""
        from radtui.tui.screens.columns import ColumnsSheet

        def show(names: str) -> None:
            self.rad.remember(data_columns=names)
            self.list.rows.choose(names)
            self.list.find()

        titles = [column.title for column in image_rows.COLUMNS]
        self.app.push_screen(ColumnsSheet(titles, self.rad.choices.data_columns, show))

    def action_step(self, by: int) -> None:
        """Show a neighbour, wherever the focus is."""
        self.list.step(by)

    def action_list(self) -> None:
        """Back to the list."""
        self.list.focus_table()

    def action_view(self, by: int) -> None:
        """Show the next image of the case, and after the last the first."""
        self.look.next_image(by)

    def action_film(self) -> None:
        """Show the image over the whole screen."""
        self.look.open_film()

    def action_ask(self) -> None:
        """Ask the models about the image that is shown."""
        from radtui.tui.ask.screen import AskScreen

        if self.list.case is not None:
            self.app.push_screen(AskScreen(self.list.case))

    def action_copy(self) -> None:
        """Copy the reference, which is what others are shown; without one, the image's name."""
        case = self.list.case
        if case is not None:
            named = not case.reference or case.id in self.list.rows.kept_back
            self.rad.copy(
                case.source_key if named else case.reference, "the name" if named else "the reference"
            )
