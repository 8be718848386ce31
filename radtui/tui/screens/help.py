"""The live key map: every key that works on the screen below, by where it comes from; and what images lack here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from radtui.tui import terminal, theme
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal, RadScreen
from radtui.tui.widgets.keyed import KeyedScroll
from radtui.tui.widgets.search_line import SearchLine

# Textual's own, of no use to name.
HIDDEN = ("app.focus_", "screen.copy_text", "help_quit", "scroll_", "page_")
KEYS_CELLS = 14
CHART_SIGNS = {
    "eval": "evaluation",
    "checkpoint": "checkpoint",
    "resume": "goes on from one",
    "warning": "warning",
}


class HelpScreen(RadModal[None]):
    """Keys of the focused part, of the screen and of the whole app."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "KeyedScroll"
    BINDINGS: ClassVar[list[BindingType]] = bindings("help")

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._active = list(below.active_bindings.values())
        self._images_below = bool(below.query("ImageView"))
        self._signs = below.SIGNS if isinstance(below, RadScreen) else ""
        self._chart_below = bool(below.query("LossChart"))

    def compose_sheet(self) -> ComposeResult:
        """Sections of keys in a box that scrolls, under the line of a search."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "Keys"
            yield SearchLine("a key, or words of what it does")
            with KeyedScroll():
                # An image has asked for this already: asking tmux would hold up the loop.
                if self._images_below and (shown := terminal.current()).why:
                    yield Static("Images", classes="help-title")
                    yield Static(f"Here in {shown.badge}. {shown.why}", markup=False)
                if self._signs:
                    yield Static("Signs", classes="help-title")
                    yield Static(self._signs, markup=False)
                if self._chart_below:
                    yield Static("Chart", classes="help-title")
                    from radtui.charts.frame import EVENT_CHARS  # a chart has imported it already

                    signs = (f"{EVENT_CHARS[kind]} {word}" for kind, word in CHART_SIGNS.items())
                    yield Static(f"Under the steps: {', '.join(signs)}.", markup=False)
                for title, keys in self._sections():
                    yield Static(title, classes="help-title")
                    yield Static(keys, classes="help-keys")
                yield Static("", classes="help-none", markup=False)

    def action_search(self) -> None:
        """Type words to look for."""
        self.query_one(SearchLine).open()

    @on(SearchLine.Left)
    def _to_the_keys(self) -> None:
        self.query_one(KeyedScroll).focus()

    @on(SearchLine.Searched)
    def _search(self, event: SearchLine.Searched) -> None:
        """Leave the rows that hold all words, and the titles of those."""
        event.stop()
        left = dict(self._sections(event.words.casefold().split()))
        titles = {title for title, _ in self._sections()}
        for head, keys in zip(self.query(".help-title"), self._keys_by_title(), strict=True):
            title = str(head.content) if isinstance(head, Static) else ""
            head.display = title in left or (title not in titles and not event.words)
            keys.display = head.display
            if title in left:
                keys.update(left[title])
        none = "" if left else f"No key here has {event.words!r} in what it does."
        self.query_one(".help-none", Static).update(none)

    def _keys_by_title(self) -> list[Static]:
        """What stands below each title."""
        return [
            section
            for section in self.query(Static).exclude(".help-title, .help-none")
            if section.parent is not None
        ]

    def _sections(self, words: Iterable[str] = ()) -> Iterable[tuple[str, Table]]:
        groups: dict[str, dict[str, list[ActiveBinding]]] = {"Here": {}, "This screen": {}, "Everywhere": {}}
        for active in self._active:
            if not active.binding.description or active.binding.action.startswith(HIDDEN):
                continue
            group = "Everywhere" if isinstance(active.node, App) else "Here"
            group = "This screen" if isinstance(active.node, Screen) else group
            groups[group].setdefault(active.binding.action, []).append(active)
        for title, actions in groups.items():
            rows = [row for row in map(self._row, actions.values()) if _holds(row, words)]
            if rows:
                yield title, _table(rows)

    def _row(self, actives: list[ActiveBinding]) -> tuple[str, str]:
        """The keys of one action, and what it does."""
        keys = " ".join(dict.fromkeys(self.app.get_key_display(active.binding) for active in actives))
        own = actives[-1]  # after Textual's own key for the same, such as ctrl+q for q
        return keys, own.tooltip or own.binding.description


def _holds(row: tuple[str, str], words: Iterable[str]) -> bool:
    """Whether each word is one of the keys or within what they do."""
    keys, does = row
    return all(word in keys.casefold().split() or word in does.casefold() for word in words)


def _table(rows: Iterable[tuple[str, str]]) -> Table:
    """Keys and what they do; a long text goes on in its own column."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", width=KEYS_CELLS)
    table.add_column()
    for keys, does in rows:
        table.add_row(Text(keys, f"bold {theme.ACCENT}"), Text(does))
    return table
