"""The line below every screen: the keys that work now, as many as fit."""

from __future__ import annotations

from textual import events
from textual.binding import ActiveBinding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

HELP = Content.assemble(Content.styled("?", "bold $accent"), Content.styled(" help ", "$muted"))


class KeyBar(Widget):
    """Keys of what has the focus and of the screen, in the order of their bindings; the rest is under `?`."""

    def __init__(self) -> None:
        super().__init__()
        self._ends: list[tuple[int, ActiveBinding]] = []  # where each key's part of the line ends

    async def on_click(self, event: events.Click) -> None:
        """Do what the key that is clicked does."""
        if event.x >= self.size.width - HELP.cell_length:
            await self.app.run_action("app.help")
            return
        hit = next((active for end, active in self._ends if event.x < end), None)
        if hit is not None:
            await self.app.run_action(hit.binding.action, hit.node)

    def on_mount(self) -> None:
        """Follow what the keys are."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.refresh()

    def render(self) -> Content:
        """One line."""
        room = self.size.width - HELP.cell_length - 2
        line = Content(" ")
        self._ends = []
        for active in shown(self.screen.active_bindings):
            part = Content.assemble(
                Content.styled(self.app.get_key_display(active.binding), "bold $accent"),
                Content.styled(f" {active.binding.description}  ", "$muted"),
            )
            if line.cell_length + part.cell_length > room:
                break
            line += part
            self._ends.append((line.cell_length, active))
        gap = max(0, self.size.width - line.cell_length - HELP.cell_length)
        return Content.assemble(line, " " * gap, HELP)


def shown(active: dict[str, ActiveBinding]) -> list[ActiveBinding]:
    """The enabled bindings to show, each action once with its first key; the screen's first, the focus's last."""
    found: dict[str, ActiveBinding] = {}
    for one in sorted(active.values(), key=lambda one: len(one.node.ancestors)):
        if one.binding.show and one.enabled and one.binding.description:
            found.setdefault(one.binding.action, one)
    return list(found.values())
