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


@dataclass
class ColoursKnown(Message):
    """The terminal turned out to have 24-bit colour."""


@dataclass
class GraphicsKnown(Message):
    """The terminal has answered what images it can draw; it may answer more later."""

    graphics: Graphics
