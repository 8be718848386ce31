"""The line below every screen: the keys that work now, as many as fit."""

from __future__ import annotations

from textual import events
from textual.app import App
from textual.binding import ActiveBinding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

MORE = Content.styled("… ", "$muted")
HELP_KEY = "question_mark"


class KeyBar(Widget):
    """The key that leaves, then those of what has the focus and of the screen; the rest is under `?`."""

    def __init__(self) -> None:
        super().__init__()
        self._ends: list[tuple[int, ActiveBinding | None]] = []  # where each key's part of the line ends
        self._drawn: list[ActiveBinding] | None = None  # what the line was drawn of

    async def on_click(self, event: events.Click) -> None:
        """Do what the key that is clicked does."""
        hit = next((active for end, active in self._ends if event.x < end), None)
        if hit is not None:
            await self.app.run_action(hit.binding.action, hit.node)

    def on_mount(self) -> None:
        """Follow what the keys are."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if screen is self.screen and named(screen.active_bindings) != self._drawn:
            self.refresh()  # else a held key in a list would draw the same line again and again

    def render(self) -> Content:
        """One line; it ends with "…" where keys that work are left out."""
        active = self.screen.active_bindings
        self._drawn, self._ends = named(active), []
        asking = active.get(HELP_KEY)  # where letters are typed, "?" is one of them
        line, end = (
            Content(" "),
            self._part(asking, asking.binding.description.lower()) if asking else Content(" "),
        )
        room = self.size.width - end.cell_length - MORE.cell_length - 1
        for each in shown(active):
            part = self._part(each, f"{each.binding.description} ")
            if line.cell_length + part.cell_length > room:
                end = MORE + end
                break
            line += part
            self._ends.append((line.cell_length, each))
        gap = max(0, self.size.width - line.cell_length - end.cell_length)
        if asking:
            self._ends += [(self.size.width - end.cell_length, None), (self.size.width, asking)]
        return Content.assemble(line, " " * gap, end)

    def _part(self, active: ActiveBinding, word: str) -> Content:
        key = self.app.get_key_display(active.binding)
        return Content.assemble(Content.styled(key, "bold $accent"), Content.styled(f" {word} ", "$muted"))


def named(active: dict[str, ActiveBinding]) -> list[ActiveBinding]:
    """The bindings that the line names: those shown, and the one for help."""
    return [*shown(active), *(active[key] for key in (HELP_KEY,) if key in active)]


def shown(active: dict[str, ActiveBinding]) -> list[ActiveBinding]:
    """The enabled bindings to show, each action once with its first key.

    The key that leaves comes first: back where there is a way back, else quit. Then those of the focus, which work
    only now, before the screen's; whatever works everywhere is left to the help.
    """
    enabled = [bound for bound in active.values() if bound.enabled and bound.binding.description]
    leaving = next((bound for bound in enabled if bound.binding.key == "escape"), None)
    if leaving is None:
        leaving = next(
            (bound for bound in enabled if bound.binding.action == "quit" and bound.binding.key == "q"), None
        )
    by_action: dict[str, ActiveBinding] = {}
    if leaving is not None:
        by_action[leaving.binding.action] = leaving
    for bound in sorted(enabled, key=lambda bound: -len(bound.node.ancestors)):
        if bound.binding.show and not isinstance(bound.node, App):
            by_action.setdefault(bound.binding.action, bound)
    return list(by_action.values())
