"""Messages of the app that cross widgets."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from radtui.imaging.protocols.answers import Graphics
from radtui.tui.snapshot import Snapshot


@dataclass
class Tick(Message):
    """The poller has read the database."""

    snapshot: Snapshot


class TerminalGone(Message):
    """Nobody sees the app any more."""


class Chosen(Message):
    """A choice was made that is to be remembered; `choices` are fields of `UserChoices`."""

    def __init__(self, **choices: object) -> None:
        super().__init__()
        self.choices = choices


@dataclass
class NotKept(Message):
    """A choice could not be written down; it holds as long as the app is open."""

    sentence: str


class Recoloured(Message):
    """The theme is another one: to screens, for what asks for its colours itself."""


@dataclass
class ColoursKnown(Message):
    """The terminal turned out to have 24-bit colour."""


@dataclass
class GraphicsKnown(Message):
    """The terminal has answered what images it can draw; it may answer more later."""

    graphics: Graphics
