"""What an import would bring in, before it is taken: sample cases as a model sees them, counts, and what is not used.

Another process looks at the source (it may need pyarrow, and a table may be large); columns and the like are changed
in the form beside, and each change looks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from radtui.plural import many
from radtui.records import NewCase, UserError
from radtui.settings import ImportSettings
from radtui.sources.preview import Preview, problem_lines
from radtui.tui import terminal
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.keyed import KeyedScroll
from radtui.tui.widgets.settings_form import SettingsForm

ALWAYS_SAID = frozenset({"source", "name", "hold_out"})  # by the sheet before this screen
PICTURE_CELLS = (46, 16)  # columns and rows of the sample's images
SMALL_PICTURE_CELLS = (34, 8)  # the same on a screen of 80 columns, so that the text below is seen
WIDE_CELLS = 110
MOST_IMAGES = 3  # of a case, side by side
SAMPLES = 3


class PreviewScreen(RadModal[ImportSettings | str | None]):
    """Shows what an import would bring in.

    Dismissed with the settings to import with, with the sentence why there is nothing to look at, or with None.
    """

    DEFAULT_CSS = """
    PreviewScreen { align: center middle; }
    PreviewScreen .sheet { width: 96%; height: 94%; max-width: 170; padding: 0 1; }
    PreviewScreen #sample { width: 50; height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    PreviewScreen #facts { width: 1fr; height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    PreviewScreen #picture { height: auto; }
    PreviewScreen.narrow #sample { width: 38; }
    PreviewScreen.narrow.changing #sample { display: none; }
    PreviewScreen SettingsForm { height: 1fr; display: none; }
    PreviewScreen.changing SettingsForm { display: block; }
    PreviewScreen.changing #facts { display: none; }
    PreviewScreen .state { height: auto; color: $muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("preview")

    @dataclass
    class Looked(Message):
        """The other process has answered."""

        settings: ImportSettings
        preview: Preview | None
        reason: str = ""

    @dataclass
    class Drawn(Message):
        """The image of a sample case as lines of cells, or why there is none."""

        number: int
        lines: list[list[Segment]]
        reason: str = ""

    def __init__(self, settings: ImportSettings) -> None:
        super().__init__()
        self.settings = settings
        self._preview: Preview | None = None
        self._at = 0
        self._form = SettingsForm(settings, ALWAYS_SAID)

    def compose_sheet(self) -> ComposeResult:
        """A sample case on the left, facts or the form on the right."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = f"What comes in from {self.settings.source}"
            yield Static("", classes="state", id="state", markup=False)
            with Horizontal():
                with KeyedScroll(id="sample"):
                    yield Static("", id="picture")
                    yield Static("", id="words", markup=False)
                with KeyedScroll(id="facts"):
                    yield Static("", id="counts", markup=False)
                yield self._form

    def on_mount(self) -> None:
        """Begin to look."""
        self.query_one("#facts").focus()
        self._begin(self.settings)

    def on_resize(self) -> None:
        """Give the sample the room that this width has for it."""
        before = self.has_class("narrow")
        self.set_class(self.app.size.width < WIDE_CELLS, "narrow")
        if self.showing and self.has_class("narrow") != before:
            self._show_sample(self._at)

    def _begin(self, settings: ImportSettings) -> None:
        self.query_one("#state", Static).update("Looking: nothing is imported yet.")
        self._look(settings)

    @work(thread=True, exclusive=True, group="look")
    def _look(self, settings: ImportSettings) -> None:
        from radtui.sources.preview_process import preview_in_process

        try:
            preview = preview_in_process(settings, SAMPLES)
        except UserError as error:
            self.post_message(self.Looked(settings, None, str(error)))
        else:
            self.post_message(self.Looked(settings, preview))

    @on(Looked)
    def _looked(self, event: Looked) -> None:
        if event.settings != self.settings:
            return
        if event.preview is None and self._preview is None:
            self.dismiss(event.reason)
            return
        self._preview = event.preview or self._preview
        if event.preview is None:
            self.query_one("#state", Static).update(Content.styled(event.reason, "$error"))
            return
        state = (
            "" if event.preview.samples else "Nothing of this source can be imported: see what is not used."
        )
        self.query_one("#state", Static).update(Content.styled(state, "$error"))
        self.query_one("#counts", Static).update(facts(event.preview))
        self._form.list.show(self._form.settings, recognised=event.preview.recognised)
        self._show_sample(0)

    def _show_sample(self, number: int) -> None:
        assert self._preview is not None
        self.query_one("#picture", Static).update("")
        if not self._preview.samples:
            self.query_one("#words", Static).update("")
            return
        self._at = number % len(self._preview.samples)
        case = self._preview.samples[self._at]
        self.query_one("#words", Static).update(sample_words(case, self._at + 1, len(self._preview.samples)))
        self._draw(self._at, case)

    @work(thread=True, exclusive=True, group="draw")
    def _draw(self, number: int, case: NewCase) -> None:
        from radtui.imaging.thumbnail import thumbnail
        from radtui.tui.pictures import picture_lines

        columns, rows = SMALL_PICTURE_CELLS if self.has_class("narrow") else PICTURE_CELLS
        readable = [image.data for image in case.images if image.data][:MOST_IMAGES]
        if not readable:
            reason = next((image.error for image in case.images if image.error), "The case has no image.")
            self.post_message(self.Drawn(number, [], reason))
            return
        each_columns = (columns - len(readable) + 1) // len(readable)
        try:
            drawn = [
                picture_lines(thumbnail(data, each_columns, 2 * rows), terminal.current().depth)
                for data in readable
            ]
        except UserError as error:
            self.post_message(self.Drawn(number, [], str(error)))
        else:
            self.post_message(self.Drawn(number, side_by_side(drawn)))

    @on(Drawn)
    def _drawn(self, event: Drawn) -> None:
        if event.number == self._at:
            lines = [Text.assemble(*((part.text, part.style or "") for part in line)) for line in event.lines]
            self.query_one("#picture", Static).update(Text("\n").join(lines) if lines else event.reason)

    @on(SettingsForm.Changed)
    def _changed(self, event: SettingsForm.Changed) -> None:
        assert isinstance(event.settings, ImportSettings)
        if not event.settings.problems():
            self.settings = event.settings
            self._begin(event.settings)

    @property
    def showing(self) -> bool:
        """Whether there is something to look at, and so to take."""
        return self._preview is not None and bool(self._preview.samples)

    def action_sample(self, by: int) -> None:
        """Show another sample case."""
        if self._preview is not None:
            self._show_sample(self._at + by)

    def action_change(self) -> None:
        """Put the form in place of the facts."""
        self.add_class("changing")
        self._form.list.focus()

    def action_leave(self) -> None:
        """From the form to the facts; from there back to the sheet."""
        if self.has_class("changing"):
            self.remove_class("changing")
            self.query_one("#facts").focus()
        else:
            self.dismiss(None)

    def action_take(self) -> None:
        """Import what is shown, once something is."""
        if self.showing:
            self.dismiss(self.settings)
        else:
            self.app.bell()


def side_by_side(pictures: list[list[list[Segment]]]) -> list[list[Segment]]:
    """Images of one case in a row, a cell between them."""
    height = max(map(len, pictures))
    widths = [
        max((sum(part.cell_length for part in line) for line in picture), default=0) for picture in pictures
    ]
    lines: list[list[Segment]] = []
    for row in range(height):
        line: list[Segment] = []
        for picture, width in zip(pictures, widths, strict=True):
            line += [*(picture[row] if row < len(picture) else [Segment(" " * width)]), Segment(" ")]
        lines.append(line[:-1])
    return lines


def facts(preview: Preview) -> Content:
    """Counts, tables with what their columns hold, what tells of people, and what is not used with the reason."""
    parts: list[Content] = []
    for line in preview.count_lines():
        leaks = line.endswith("in more than one split")
        parts.append(Content.styled(f"{line}\n", "$warning" if leaks else ""))
    parts.append(Content(f"{many(preview.files_seen, 'file')} seen, {preview.files_used:,} used"))
    for table in preview.tables:
        parts.append(Content.styled(f"\n\n{table.name}", "bold"))
        uses = [(use, name) for name, use in table.columns.items() if use]
        parts += [Content.assemble("\n", (f"{use}: ", "$muted"), name) for use, name in uses]
        if rest := ", ".join(name for name, use in table.columns.items() if not use):
            parts.append(Content.assemble("\n", ("kept as facts: ", "$muted"), rest))
    if preview.identity:
        names = ", ".join(f"{name} ({kind})" for name, kind in preview.identity.items())
        people = f"\n\nThese columns tell of people and are kept as hashes or not at all: {names}."
        parts.append(Content.styled(people, "$warning"))
    if preview.unused:
        parts.append(Content.styled("\n\nNot used\n", "bold"))
        parts.append(Content("\n".join(problem_lines(preview.unused, 200))))
    return Content("").join(parts)


def sample_words(case: NewCase, number: int, of: int) -> Content:
    """One case as a model will meet it: its split, its question, and the whole text it is to learn."""
    others = f", {len(case.images)} images" if len(case.images) > 1 else ""
    roles = ", ".join(f"{image.name}{f' ({image.role})' if image.role else ''}" for image in case.images)
    return Content("\n").join(
        [
            Content.styled(f"\nCase {number} of {of}: {case.source_key}{others}", "bold"),
            *([Content.assemble(("images    ", "$muted"), roles)] if others else []),
            Content.assemble(("split     ", "$muted"), case.split),
            Content.assemble(("question  ", "$muted"), case.question or "the instruction of the job"),
            Content.assemble(("text      ", "$muted"), case.reference or "none"),
        ]
    )
