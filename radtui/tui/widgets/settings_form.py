"""A form over any settings: the list of fields, an input over the one that is typed, and its help below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from radtui.records import UserError
from radtui.settings import Settings
from radtui.tui.key_uses import bindings
from radtui.tui.widgets.field_line import hint, shown_text
from radtui.tui.widgets.field_list import FieldList
from radtui.tui.widgets.path_input import PathInput

# Fields in which a path may be typed, with the signs between several.
PATHS = {"model": "", "adapter": "", "salt_file": "", "more_adapters": "=;"}


class FieldInput(PathInput):
    """The input over a value; escape gives up, and what leaves it in any other way takes what is typed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("field")

    def action_give_up(self) -> None:
        """Close without a change."""
        self.display = False


class SettingsForm(Vertical):
    """Edits settings field by field; posts `Changed`.

    Whatever is shown can be read from `settings`, valid or not: `settings.problems()` says what is wrong, and
    the lines of the list show it.
    """

    DEFAULT_CSS = """
    SettingsForm { layers: base edit; height: 1fr; }
    SettingsForm FieldList { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    SettingsForm .field-help { height: auto; min-height: 2; max-height: 10; color: $muted; padding: 0 3; }
    SettingsForm FieldInput { layer: edit; position: absolute; display: none; height: 1; padding: 0; }
    """

    @dataclass
    class Changed(Message):
        """A field has another value."""

        settings: Settings

    def __init__(
        self,
        settings: Settings,
        hidden: frozenset[str] = frozenset(),
        about_value: Callable[[str, str], str] = lambda name, value: "",
    ) -> None:
        """`hidden` names fields that are not shown; `about_value` says more of a field's text value, under its help."""
        super().__init__()
        self._about_value = about_value
        self.list = FieldList(settings, hidden)
        self._input = FieldInput(compact=True)
        self._help = Static(classes="field-help")
        self._editing = ""
        self._refused = "", ""  # a field and why no job could start with it, until something is changed

    def compose(self) -> ComposeResult:
        """The list, its help, and the input on a layer above."""
        yield self.list
        yield self._help
        yield self._input

    def on_mount(self) -> None:
        """Help for the first field."""
        self._show_help()

    @property
    def settings(self) -> Settings:
        """The values as they are now."""
        return self.list.settings

    def show(self, settings: Settings, baseline: Settings | None = None) -> None:
        """Show other values; `baseline` are those a changed field is marked against."""
        self.list.show(settings, baseline)
        self._refused = "", ""
        self._show_help()

    def point_out(self, problem: str, field: str = "") -> None:
        """Show what is wrong with a field, after going to it, or with the whole."""
        if field:
            self.list.go_to(field)
        self._refused = self.list.name_at_cursor, problem
        self._show_help()

    def refresh_help(self) -> None:
        """Say anew what there is to say of the current field."""
        self._show_help()

    def refuse_invalid(self) -> bool:
        """Go to the first field that is wrong; returns whether there is one."""
        for name in self.settings.problems():
            self.list.go_to(name)
            self._show_help()
            return True
        return False

    @on(FieldList.Changed)
    def _changed(self, event: FieldList.Changed) -> None:
        # A message of its own: the list's goes no further than here when it answers what was typed here.
        event.stop()
        self._refused = "", ""
        self._show_help()
        self.post_message(self.Changed(event.settings))

    @on(FieldList.Moved)
    def _show_help(self) -> None:
        name = self.list.name_at_cursor
        about = self.settings.about()[name]
        problem = self.settings.problems().get(name)
        field, refusal = self._refused
        if problem:
            self._help.update(Content.styled(f"✗ {problem}.", "$error"))
        elif name == field:
            self._help.update(Content.styled(f"✗ {refusal}", "$error"))
        else:
            extra = hint(about)
            value = getattr(self.settings, name)
            more = self._about_value(name, value) if isinstance(value, str) else ""
            words = f"{about.help}{f' ({extra})' if extra else ''}."
            text = shown_text(self.settings, name)
            whole = text if self.size.width and len(text) > self.list.place(name).cells else ""
            self._help.update(Content("\n".join(line for line in (words, more, whole) if line)))

    @on(FieldList.Edit)
    async def _edit(self, event: FieldList.Edit) -> None:
        if self._input.display and self._editing == event.name:  # keys came faster than the focus moved
            if event.typed:
                self._insert(event.text)
            else:
                await self._input.action_submit()
            return
        self._editing = event.name
        self._input.completes, self._input.between = event.name in PATHS, PATHS.get(event.name, "")
        place = self.list.place(event.name)
        self._input.styles.offset = (place.x, place.y)
        self._input.styles.width = place.cells
        self._input.value = event.text
        self._input.cursor_position = len(event.text)
        self._input.select_on_focus = not event.typed  # else the second digit would replace the first
        self._input.display = True
        self._input.focus()

    def _insert(self, text: str) -> None:
        """Type a key that came before the input had the focus; the first one takes the old value's place."""
        if self._input.select_on_focus and (not self._input.has_focus or not self._input.selection.is_empty):
            self._input.value = ""
        self._input.select_on_focus = False
        self._input.insert_text_at_cursor(text)

    def on_descendant_focus(self) -> None:
        """Whatever has the focus now gets its keys itself."""
        self.list.opens = False

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._take_typed(event.value)

    def _take_typed(self, text: str) -> None:
        """Take a typed value, or say what is wrong with it and leave it for another try."""
        try:
            self.list.change(self._editing, text)
        except UserError as error:
            self._help.update(Content.styled(f"✗ {error}", "$error"))
            return
        self._input.display = False

    @on(Input.Blurred)
    def _blurred(self) -> None:
        if not self.app.app_focus:  # the terminal's window is left, and come back to: the typing goes on
            return
        if self._input.display:  # left by tab or the mouse: what is typed is meant
            self._take_typed(self._input.value)
        self._input.display = False
        if self.screen.focused is None:
            self.list.focus()
