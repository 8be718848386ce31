"""Asks the terminal for 24-bit colour and for pixels, without waiting: answers are picked out of the keys as they come.

ssh and sudo drop COLORTERM, so the environment often cannot tell. The terminal is given a 24-bit background and asked
what its background is (DECRQSS); one that knows such colours names them in its answer. The question is written before
the first frame, which paints over whatever a terminal that does not know it may have printed. Textual would take the
answer for typed keys, some of which rate or quit, so it never gets to see it, however late it comes.

What images the terminal can draw is asked in the same way. tmux answers for itself; where it lets commands through to
the terminal around it, that one is asked as well.

Source: DEC STD 070, DECRQSS; xterm, ctlseqs.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from threading import Thread
from time import monotonic

from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.message import Message

from radtui.imaging.protocols import answers
from radtui.imaging.protocols.tmux import passed_through
from radtui.tui.hangup import SETTLED_MS, hung_up, watch
from radtui.tui.messages import ColoursKnown, GraphicsKnown, TerminalGone

QUESTION = "\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m"
EXPECTED_S = 10.0  # an answer that comes later must come in one piece: the escape key is not to wait for ever
HOLD_S = 0.1  # the rest of an answer follows its beginning at once, or it was a key
TMUX_TIMEOUT_S = 5.0  # on a thread of its own: nothing waits for it
_COLOUR = re.compile(r"\x1bP[01]\$r([^\x1b]*)\x1b\\")
_ANSWER = re.compile("|".join([r"\x1bP[01]\$r[^\x1b]*\x1b\\", *answers.ANSWERS]))
_LAST = re.compile(r"\x1b\[\?[0-9;]*c")
_BEGINNING = re.compile(
    r"\x1b(?:P(?:[01](?:\$(?:r[^\x1b]{0,99}\x1b?)?)?|>(?:\|[^\x1b]{0,99}\x1b?)?)?|_(?:G[^\x1b]{0,99}\x1b?)?"
    r"|\[(?:\?[0-9;]{0,60}|6(?:;\d{0,5}){0,2})?)?\Z"
)
_TRUE_COLOUR = re.compile(r"48[:;]2[:;](?:\d*[:;])?1[:;]2[:;]3(?!\d)")  # with or without a colour space
_DECIDED_ELSEWHERE = ("TMUX", "STY")  # a multiplexer speaks for itself, not for the terminal around it
_MULTIPLEXERS, _NO_DCS = ("tmux", "screen"), ("", "dumb", "unknown", "linux")


class Listener:
    """Takes answers out of what the terminal sends.

    Args:
        clock: Seconds, monotonic; a test passes its own.
        around: Whether a terminal around this one answers too, later than the last answer of this one.

    Attributes:
        heard: All answers but those for colours.
    """

    def __init__(self, clock: Callable[[], float] = monotonic, around: bool = False) -> None:
        self._clock = clock
        self._around = around
        self.heard = ""
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
        came = _ANSWER.findall(text)
        confirmed = any(_COLOUR.match(answer) and _TRUE_COLOUR.search(answer) for answer in came)
        self.heard += "".join(answer for answer in came if not _COLOUR.match(answer))
        text = _ANSWER.sub("", text)
        now = self._clock()
        if not self._around and any(map(_LAST.match, came)):
            self._hold_until = now
        beginning = _BEGINNING.search(text) if now < self._hold_until else None
        if beginning is not None:
            self._held, self._held_at = beginning[0], now
            text = text[: beginning.start()]
        return text, confirmed

    def give_up(self) -> str:
        """What was held back for too long to be an answer: the escape key, or Alt and a letter."""
        if not self._held or self._clock() - self._held_at < HOLD_S:
            return ""
        held, self._held = self._held, ""
        return held


class ListeningParser(XTermParser):
    """Textual's parser of keys, which does not see the answers."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._listener = Listener(around="TMUX" in os.environ)

    def feed(self, data: str) -> Iterable[Message]:
        """Messages for keys, one for a good answer about colours, and one for what is known of images."""
        if not data:  # the end
            yield from super().feed(data)
            return
        heard = self._listener.heard
        keys, confirmed = self._listener.take(data)
        if confirmed:
            yield ColoursKnown()
        if self._listener.heard != heard:
            yield GraphicsKnown(answers.read(self._listener.heard))
        if keys:
            yield from super().feed(keys)

    def tick(self) -> Iterable[Message]:
        """Messages for what was not an answer after all."""
        held = self._listener.give_up()
        if held:
            yield from super().feed(held)
        yield from super().tick()


class AskingDriver(linux_driver.LinuxDriver):
    """Textual's driver for Unix terminals, which asks more questions when it starts, and notices when it is gone."""

    _asked = _watched = _gone = False

    def write(self, data: str) -> None:
        """Write to the terminal, while there is one: a queue that nobody empties would hold up whoever leaves."""
        if not self._gone:
            super().write(data)

    def close(self) -> None:
        """Let the writing thread end, where it has not died of writing to no terminal."""
        if not self._gone:
            super().close()

    def _leave(self) -> None:
        # Told to end by a signal, it must leave a terminal as it was.
        self._gone = hung_up(self.fileno, SETTLED_MS)
        self.send_message(TerminalGone())

    def start_application_mode(self) -> None:
        """Ask, the first time: a suspended app that comes back knows."""
        env = os.environ
        if self.input_tty and not self._watched:
            self._watched = True
            watch(self.fileno, self._leave)
        ask = self.input_tty and not self._asked and answers_come(env)
        if ask:
            linux_driver.XTermParser = ListeningParser  # type: ignore[attr-defined]  # the thread that reads keys makes one
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's has no annotation
        if ask:
            self._asked = True
            self.write(QUESTION if worth_asking(env) else "")
            # tmux takes kitty's question for a title of its window.
            self.write(answers.QUESTIONS if env.get("TMUX") else answers.KITTY + answers.QUESTIONS)
            self.flush()
            if env.get("TMUX"):
                Thread(target=self._ask_around_tmux, name="ask-tmux", daemon=True).start()

    def stop_application_mode(self) -> None:
        """Have images taken out of the terminal's memory, then leave it as it was."""
        leave = getattr(self._app, "leave_pixels", None)
        if leave is not None:
            leave()
        super().stop_application_mode()

    def _ask_around_tmux(self) -> None:
        """Ask the terminal around tmux, where tmux lets it; in a thread, as asking tmux may take a while."""
        command = ["tmux", "show-options", "-Apv", "allow-passthrough"]
        try:
            shown = subprocess.run(
                command, capture_output=True, text=True, timeout=TMUX_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return
        if shown.stdout.strip() in ("on", "all"):
            self.write(passed_through(answers.KITTY))


def worth_asking(env: Mapping[str, str]) -> bool:
    """Whether the environment leaves the colours open and the terminal can be expected to know the question."""
    return answers_come(env) and not (
        any(name in env for name in _DECIDED_ELSEWHERE)
        or env.get("COLORTERM", "").lower() in ("truecolor", "24bit")
        or env.get("TERM", "").startswith((*_MULTIPLEXERS, "vt"))
    )


def answers_come(env: Mapping[str, str]) -> bool:
    """Whether the terminal can be expected to answer, or to be silent, instead of printing what it does not know.

    Apple's Terminal prints it; it has neither 24-bit colour nor pixels. In GNU screen nothing comes through.
    """
    return not (
        env.get("TERM_PROGRAM") == "Apple_Terminal"
        or (env.get("STY") and not env.get("TMUX"))
        or env.get("TERM", "") in _NO_DCS
        or "NO_COLOR" in env
    )


def asking(driver: type[Driver]) -> type[Driver]:
    """The driver that asks in place of Textual's for Unix terminals; any other as it is."""
    return AskingDriver if driver is linux_driver.LinuxDriver else driver
