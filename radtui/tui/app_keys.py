"""What the keys that work everywhere do beside going to a place: help, commands, copying, waiting for room."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from typing import Any, cast

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.screen import Screen

from radtui.records import UserError
from radtui.tui import clipboard, screenshot
from radtui.tui.key_uses import is_command, meaning
from radtui.tui.keys import shown, sign
from radtui.tui.palette import places
from radtui.tui.rad import Rad
from radtui.tui.remembering import RememberingApp
from radtui.tui.screens.small import SmallScreen, fits

COLOURS = {
    "dark": "Colours: dark", "light": "Colours: light", "contrast": "Colours: high contrast",
    "terminal": "Colours: the terminal's own",
}  # fmt: skip
NO_COMMANDS = ("app.focus_next", "command_palette")


class AppKeys(RememberingApp):
    """Base of the app: its keys as they are named, offered and answered."""

    def get_key_display(self, binding: Binding) -> str:
        """Keys as words where the usual sign is missing from many fonts."""
        return shown(binding.key)

    def action_help(self) -> None:
        """Show every key that works now."""
        from radtui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen))

    def action_command_palette(self) -> None:
        """Find a command by name, over whatever is on show."""
        from radtui.tui.screens.commands import Commands

        if not Commands.is_open(cast(App[object], self)):
            self.push_screen(Commands(id="--command-palette"))

    def action_help_quit(self) -> None:
        """What ctrl+c does where nothing is marked for copying: it ends no work."""
        self.notify(f"{sign('quit')} quits radtui, after {sign('back')} where letters are typed; jobs go on.")

    def copy(self, text: str, what: str) -> None:
        """Copy a text to the clipboard of the terminal, which may lie behind SSH and tmux, and say so."""
        taken = bool(os.environ.get("TMUX")) and clipboard.through_tmux(text)
        if not taken:
            self.copy_to_clipboard(text)
        name = self.pixels.graphics.name
        self.notify(clipboard.sentence(what, name, os.environ, tmux_took_it=taken))

    def action_picture(self) -> None:
        """Keep a picture of the screen where it can be kept, and say where."""
        if self.is_web:
            self.deliver_screenshot()
            return
        try:
            path = screenshot.keep(self.export_screenshot(), screenshot.folders(cast(Rad, self).data.root))
        except UserError as error:
            self.notify(str(error), severity="error")
        else:
            self.notify(f"The picture of this screen is {path}")

    def on_resize(self, event: events.Resize) -> None:
        """Wait, keys and all, while there is no room to work in."""
        if not fits(event.size) and not isinstance(self.screen, SmallScreen):
            self.push_screen(SmallScreen())

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Everything that a key does now, by name."""
        seen: set[str] = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if not active.enabled or binding.action in (*seen, *NO_COMMANDS) or not is_command(binding):
                continue
            seen.add(binding.action)
            node = active.node

            async def run(action: str = binding.action, node: Any = node) -> None:
                await self.run_action(action, node)

            title, more = binding.description, active.tooltip
            help_text = meaning(binding) if more.lower() == title.lower() else more
            yield SystemCommand(
                title, " · ".join(part for part in (shown(binding.key), help_text) if part), run
            )
        for name, title in COLOURS.items():
            yield SystemCommand(title, "Remembered for the next time", partial(self.action_colours, name))
        yield SystemCommand("Picture of this screen", "Saved as SVG, where it says then", self.action_picture)
        yield from places(self, cast(Rad, self))
