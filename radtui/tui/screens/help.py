"""The live key map: every key that works on the screen below, by where it comes from; and what images lack here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from radtui.tui import terminal, theme
from radtui.tui.screens.base import RadModal

HIDDEN = (
    "app.focus_",
    "screen.copy_text",
    "help_quit",
    "scroll_",
    "page_",
)  # Textual's own, of no use to name
KEYS_CELLS = 14


class HelpScreen(RadModal[None]):
    """Keys of the focused part, of the screen and of the whole app."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q", "dismiss", "Close")]

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._active = list(below.active_bindings.values())
        self._images_below = bool(below.query("ImageCanvas"))

    def compose(self) -> ComposeResult:
        """Sections of keys in a box that scrolls."""
        with VerticalScroll(classes="sheet") as sheet:
            sheet.border_title = "Keys"
            sheet.border_subtitle = "esc closes"
            # An image has asked for this already: asking tmux would hold up the loop.
            if self._images_below and (shown := terminal.current()).why:
                yield Static("Images", classes="help-title")
                yield Static(f"Here in {shown.badge}. {shown.why}", markup=False)
            for title, keys in self._sections():
                yield Static(title, classes="help-title")
                yield Static(keys, classes="help-keys")

    def _sections(self) -> Iterable[tuple[str, Table]]:
        groups: dict[str, dict[str, list[ActiveBinding]]] = {"Here": {}, "This screen": {}, "Everywhere": {}}
        for active in self._active:
            if not active.binding.description or active.binding.action.startswith(HIDDEN):
                continue
            group = "Everywhere" if isinstance(active.node, App) else "Here"
            group = "This screen" if isinstance(active.node, Screen) else group
            groups[group].setdefault(active.binding.action, []).append(active)
        for title, actions in groups.items():
            if actions:
                yield title, self._table(actions.values())

    def _table(self, actions: Iterable[list[ActiveBinding]]) -> Table:
        """Keys and what they do; a long text goes on in its own column."""
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(justify="right", width=KEYS_CELLS)
        table.add_column()
        for actives in actions:
            keys = " ".join(dict.fromkeys(self.app.get_key_display(one.binding) for one in actives))
            own = actives[-1]  # after Textual's own key for the same, such as ctrl+q for q
            table.add_row(Text(keys, f"bold {theme.ACCENT}"), Text(own.tooltip or own.binding.description))
        return table
