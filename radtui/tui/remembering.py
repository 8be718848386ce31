"""The base of an app that remembers its user's choices: colours, order, sizes, the last screen."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.dom import DOMNode
from textual.widget import AwaitMount

from radtui import user_choices
from radtui.bell import ringing
from radtui.imaging.protocols.answers import DrawingChoice
from radtui.records import Job, UserError
from radtui.tui import theme
from radtui.tui.messages import Chosen, NotKept, Recoloured
from radtui.tui.pixels.app import PixelApp
from radtui.tui.pixels.support import VARIABLE
from radtui.user_choices import UserChoices

if TYPE_CHECKING:
    from textual.worker import Worker

PLACES = ("data", "train", "review", "jobs")
TROUBLE_S = 15.0  # a notice of what is not kept: choices, or answers


class RememberingApp(PixelApp):
    """An app whose choices outlive it; widgets post `Chosen` for what is to be remembered."""

    def __init__(self, remembered: tuple[UserChoices, str]) -> None:
        """Begin with what `user_choices.read` returned."""
        self.choices, self._damage = remembered
        super().__init__()
        for each in theme.themes():  # before the style sheets that use their variables are read
            self.register_theme(each)
        self.theme = theme.SHOWN[self.choices.theme]
        theme.use(self.theme)
        if not os.environ.get(VARIABLE):
            self.pixels.choice = DrawingChoice(self.choices.pixels)

    def on_mount(self) -> None:
        """Say what in the config file is not used."""
        if self._damage:
            self.notify(self._damage, severity="warning", timeout=TROUBLE_S)

    def on_chosen(self, message: Chosen) -> None:
        """Remember what was chosen somewhere in the app."""
        message.stop()
        self.remember(**message.choices)

    def remember(self, **choices: object) -> Worker[None] | None:
        """Keep choices for the next time; a file that cannot be written is said, and they hold for this time."""
        changed: dict[str, Any] = {
            name: value for name, value in choices.items() if getattr(self.choices, name) != value
        }
        if not changed:
            return None
        self.choices = replace(self.choices, **changed)

        def write() -> None:
            try:
                user_choices.remember(**changed)
            except UserError as error:
                self.post_message(NotKept(str(error)))

        return self.run_worker(write, thread=True, group="remember", exit_on_error=False)

    def on_not_kept(self, message: NotKept) -> None:
        """Say why a choice will not be there the next time."""
        message.stop()
        self.notify(message.sentence, severity="warning", timeout=TROUBLE_S)

    def action_colours(self, name: str) -> None:
        """Draw in the colours of a theme, by the user's name for it."""
        self.theme = theme.SHOWN[name]
        self.remember(theme=name)

    def watch_theme(self, name: str) -> None:
        """Draw anew what asks for its colours itself."""
        theme.use(name)
        for stack in self._screen_stacks.values():
            for screen in stack:
                screen.post_message(Recoloured())

    def switch_mode(self, mode: str) -> AwaitMount:
        """Go to a mode's screen, and begin there the next time."""
        if mode in PLACES:
            self.remember(last_screen=mode)
        return super().switch_mode(mode)


def choices_of(node: DOMNode) -> UserChoices:
    """The choices of the user of the app that a widget is in; defaults in an app without any."""
    own = getattr(node.app, "choices", None)
    return own if isinstance(own, UserChoices) else user_choices.DEFAULTS


def ring(app: RememberingApp, job: Job, kind: str) -> None:
    """Let the terminal be heard at the end of a long job, whichever screen is in front."""
    took_s = None if job.started_at is None or job.ended_at is None else job.ended_at - job.started_at
    sequence = ringing(f"radtui: {kind} #{job.id} {job.state}", took_s, app.choices, os.environ)
    if sequence and app._driver is not None:
        app._driver.write(sequence)
