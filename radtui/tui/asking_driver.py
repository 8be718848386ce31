"""Asks the terminal whether it has 24-bit colour, without waiting: an answer is picked out of the keys when it comes.

ssh and sudo drop COLORTERM, so the environment often cannot tell. The terminal is given a 24-bit background and asked
what its background is (DECRQSS); one that knows such colours names them in its answer. The question is written before
the first frame, which paints over whatever a terminal that does not know it may have printed. Textual would take the
answer for typed keys, some of which rate or quit, so it never gets to see it, however late it comes.

Source: DEC STD 070, DECRQSS; xterm, ctlseqs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from time import monotonic

from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.message import Message

from radtui.tui.messages import ColoursKnown

QUESTION = "\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m"
EXPECTED_S = 10.0  # an answer that comes later must come in one piece: the escape key is not to wait for ever
HOLD_S = 0.1  # the rest of an answer follows its beginning at once, or it was a key
_ANSWER = re.compile(r"\x1bP[01]\$r([^\x1b]*)\x1b\\")
_BEGINNING = re.compile(r"\x1b(?:P(?:[01](?:\$(?:r[^\x1b]{0,99}\x1b?)?)?)?)?\Z")
_TRUE_COLOUR = re.compile(r"48[:;]2[:;](?:\d*[:;])?1[:;]2[:;]3(?!\d)")  # with or without a colour space
_DECIDED_ELSEWHERE = ("TMUX", "STY")  # a multiplexer speaks for itself, not for the terminal around it
_MULTIPLEXERS, _NO_DCS = ("tmux", "screen"), ("", "dumb", "unknown", "linux")


class Listener:
    """Takes answers out of what the terminal sends.

    Args:
        clock: Seconds, monotonic; a test passes its own.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._held, self._held_at = "", 0.0
        self._hold_until = clock() + EXPECTED_S

    def take(self, text: str) -> tuple[str, bool]:
        """Split what has come into keys and answers.

        Args:
            text: What the terminal sent; a beginning of an answer is held back for `HOLD_S`.

        Returns:
            The keys, and whether 24-bit colour was confirmed in it.
        """
        text, self._held = self._held + text, ""
        found = [_TRUE_COLOUR.search(answer) is not None for answer in _ANSWER.findall(text)]
        text = _ANSWER.sub("", text)
        now = self._clock()
        if found:
            self._hold_until = now
        beginning = _BEGINNING.search(text) if now < self._hold_until else None
        if beginning is not None:
            self._held, self._held_at = beginning[0], now
            text = text[: beginning.start()]
        return text, any(found)

    def give_up(self) -> str:
        """What was held back for too long to be an answer: the escape key, or Alt and a letter."""
        if not self._held or self._clock() - self._held_at < HOLD_S:
            return ""
        held, self._held = self._held, ""
        return held


class ListeningParser(XTermParser):
    """Textual's parser of keys, which does not see the answer."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._listener = Listener()

    def feed(self, data: str) -> Iterable[Message]:
        """Messages for keys, and one for a good answer."""
        if not data:  # the end
            yield from super().feed(data)
            return
        keys, confirmed = self._listener.take(data)
        if confirmed:
            yield ColoursKnown()
        if keys:
            yield from super().feed(keys)

    def tick(self) -> Iterable[Message]:
        """Messages for what was not an answer after all."""
        held = self._listener.give_up()
        if held:
            yield from super().feed(held)
        yield from super().tick()


class AskingDriver(linux_driver.LinuxDriver):
    """Textual's driver for Unix terminals, which asks one more question when it starts."""

    _asked = False

    def start_application_mode(self) -> None:
        """Ask, the first time: a suspended app that comes back knows."""
        ask = self.input_tty and not self._asked and worth_asking(os.environ)
        if ask:
            linux_driver.XTermParser = ListeningParser  # type: ignore[attr-defined]  # the thread that reads keys makes one
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's has no annotation
        if ask:
            self._asked = True
            self.write(QUESTION)
            self.flush()


def worth_asking(env: Mapping[str, str]) -> bool:
    """Whether the environment leaves it open and the terminal can be expected to know the question.

    Apple's Terminal has no 24-bit colour and prints questions that it does not know.
    """
    term = env.get("TERM", "")
    return not (
        any(name in env for name in _DECIDED_ELSEWHERE)
        or env.get("COLORTERM", "").lower() in ("truecolor", "24bit")
        or env.get("TERM_PROGRAM") == "Apple_Terminal"
        or term.startswith((*_MULTIPLEXERS, "vt"))
        or term in _NO_DCS
        or "NO_COLOR" in env
    )


def asking(driver: type[Driver]) -> type[Driver]:
    """The driver that asks in place of Textual's for Unix terminals; any other as it is."""
    return AskingDriver if driver is linux_driver.LinuxDriver else driver
