"""Settings as lines: one a field, with its value, unit and range, under headings of their groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from radtui.settings import Settings
from radtui.tui import theme
from radtui.tui.key_uses import bindings
from radtui.tui.keys import KEYS
from radtui.tui.widgets.field_line import (
    FieldColumns,
    choices_of,
    field_line,
    muted,
    plain,
    shown_text,
    text_of,
    value_cells,
)


@dataclass(frozen=True, slots=True)
class ValuePlace:
    """Where a value is on the screen, relative to the list: for the input that edits it."""

    x: int
    y: int
    cells: int


class FieldList(ScrollView, can_focus=True):
    """The lines of a form. It changes choices itself; a value to be typed is asked for with `Edit`."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("fields")

    @dataclass
    class Changed(Message):
        """A field has another value."""

        settings: Settings

    @dataclass
    class Moved(Message):
        """Another field is the current one."""

        name: str

    @dataclass
    class Edit(Message):
        """A value is to be typed, beginning with `text`; `typed` says that this was a key of its own."""

        name: str
        text: str
        typed: bool = False

    def __init__(self, settings: Settings, hidden: frozenset[str] = frozenset()) -> None:
        """`hidden` names fields that have no line."""
        super().__init__()
        self.settings = self.baseline = settings
        self.options: dict[str, tuple[str, ...]] = {}
        self.recognised: dict[str, str] = {}  # what stands for an empty field, where that was found out
        self.opens = False  # whether the value's input is on its way: the keys are its, not yet the focus
        self._hidden = hidden
        self._lines: list[tuple[str, bool]] = []  # (group or field, whether it is a field)
        self._cursor = 0
        self._columns = FieldColumns()
        self._set_lines()

    @property
    def name_at_cursor(self) -> str:
        """The current field."""
        return self._lines[self._cursor][0]

    def show(
        self, settings: Settings, baseline: Settings | None = None, recognised: dict[str, str] | None = None
    ) -> None:
        """Show other values.

        Args:
            settings: The values.
            baseline: Those a changed field is marked against.
            recognised: What is used in place of empty ones, by the field.
        """
        self.settings = settings
        self.baseline = baseline or self.baseline
        self.recognised = self.recognised if recognised is None else recognised
        self._set_lines()

    def hide(self, names: frozenset[str]) -> None:
        """Have no lines for these fields, and lines for all others."""
        if names != self._hidden:
            self._hidden = names
            self._set_lines()

    def set_options(self, name: str, options: tuple[str, ...]) -> None:
        """Offer values for a field in which any may be typed."""
        self.options[name] = options
        self.refresh()

    def go_to(self, name: str) -> None:
        """Make a field the current one."""
        index = next((i for i, line in enumerate(self._lines) if line == (name, True)), None)
        if index is not None:
            self._set_cursor(index)

    def place(self, name: str) -> ValuePlace:
        """Where the field's value is."""
        y = self._lines.index((name, True)) - self.scroll_offset.y
        cells = value_cells(self.settings, name, self.size.width, self._columns)
        return ValuePlace(self._columns.value_at, y, cells)

    def on_resize(self) -> None:
        """Keep to the width: lines are cut, not scrolled."""
        self._set_lines()

    def on_click(self, event: events.Click) -> None:
        """A click makes a field current; a second one edits it."""
        index = event.y + self.scroll_offset.y
        if index < len(self._lines) and self._lines[index][1]:
            if index == self._cursor:
                self.action_edit()
            self._set_cursor(index)

    def on_key(self, event: events.Key) -> None:
        """A digit begins a number; keys that come while a value's input is being opened are typed in it."""
        if self.opens and event.is_printable and event.character:
            event.stop()
            event.prevent_default()
            self.post_message(self.Edit(self.name_at_cursor, event.character, typed=True))
            return
        if event.key in KEYS["take"].keys.split(","):  # a binding's turn comes after that of keys typed ahead
            event.stop()
            event.prevent_default()
            self.action_edit()
            return
        about_number = isinstance(getattr(self.settings, self.name_at_cursor), (int, float))
        if (
            event.character
            and event.character in "0123456789."
            and about_number
            and not choices_of(self.settings, self.name_at_cursor, self.options)
        ):
            event.stop()
            self.opens = True
            self.post_message(self.Edit(self.name_at_cursor, event.character, typed=True))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A field without choices has no next one, and a field as it was nothing to go back to."""
        name = self.name_at_cursor
        if action == "turn":
            return bool(choices_of(self.settings, name, self.options))
        return action != "reset" or getattr(self.settings, name) != getattr(self.baseline, name)

    def action_move(self, by: int) -> None:
        """Go up or down by fields."""
        fields = [i for i, (_, is_field) in enumerate(self._lines) if is_field]
        at = fields.index(self._cursor) + by
        self._set_cursor(fields[max(0, min(len(fields) - 1, at))])

    def action_edit(self) -> None:
        """Ask for a typed value, or turn a field that has only choices."""
        name = self.name_at_cursor
        if choices_of(self.settings, name, self.options) and name not in self.options:
            self.action_turn(1)
        else:
            self.opens = True
            self.post_message(self.Edit(name, shown_text(self.settings, name)))

    def action_turn(self, by: int) -> None:
        """Take the next or the previous choice."""
        name = self.name_at_cursor
        choices = choices_of(self.settings, name, self.options)
        if choices:
            now = text_of(getattr(self.settings, name))
            at = choices.index(now) + by if now in choices else 0
            self.change(name, choices[at % len(choices)])

    def action_reset(self) -> None:
        """Take the baseline's value."""
        name = self.name_at_cursor
        self._take(replace(self.settings, **{name: getattr(self.baseline, name)}))

    def change(self, name: str, text: str) -> None:
        """Set a field from text, which may be the word for a value that has one.

        Raises:
            UserError: the text is not of the field's type.
        """
        self._take(self.settings.with_text(name, self.settings.about()[name].typed(text)))

    def render_line(self, y: int) -> Strip:
        """One line."""
        width, index = self.size.width, y + self.scroll_offset.y
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        name, is_field = self._lines[index]
        current = index == self._cursor
        if is_field:
            changed = getattr(self.settings, name) != getattr(self.baseline, name)
            turns = bool(choices_of(self.settings, name, self.options))
            segments = field_line(
                self.settings, name, width, self._columns, changed=changed, current=current, turns=turns,
                recognised=self.recognised.get(name, ""),
            )  # fmt: skip
        else:
            segments = [Segment(f" {name}", muted(bold=True))]
        strip = Strip(segments).adjust_cell_length(width).apply_style(self.rich_style)
        if current:
            back = theme.SELECTED if self.has_focus else theme.PANEL
            strip = Strip([Segment(s.text, (s.style or plain()) + Style(bgcolor=back)) for s in strip], width)
        return strip

    def _take(self, settings: Settings) -> None:
        self.settings = settings
        self._set_lines()
        self.refresh_bindings()
        self.post_message(self.Changed(settings))

    def _set_lines(self) -> None:
        group = ""
        lines: list[tuple[str, bool]] = []
        for name, about in self.settings.about().items():
            if name in self._hidden:
                continue
            if about.group != group:
                group = about.group
                lines += [("", False)] if lines else []
                lines.append((group, False))
            lines.append((name, True))
        self._columns = FieldColumns.of(self.settings, [name for name, is_field in lines if is_field])
        keep = self._lines[self._cursor] if self._lines else None
        self._lines = lines
        self._cursor = (
            lines.index(keep) if keep in lines else next(i for i, line in enumerate(lines) if line[1])
        )
        self.virtual_size = Size(self.size.width, len(lines))
        self.refresh()

    def _set_cursor(self, index: int) -> None:
        self._cursor = index
        top, height = self.scroll_offset.y, self.size.height
        above = 1 if index and not self._lines[index - 1][1] else 0  # show the heading with its first field
        if index - above < top:
            self.scroll_to(y=index - above, animate=False)
        elif index >= top + height:
            self.scroll_to(y=index - height + 1, animate=False)
        self.refresh()
        self.refresh_bindings()
        self.post_message(self.Moved(self.name_at_cursor))
