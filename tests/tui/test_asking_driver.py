"""The question for 24-bit colour: answers never become keys, and nothing waits for them."""

from __future__ import annotations

import re
import sys
import time

import pytest
from textual import events

from radtui.tui.asking_driver import EXPECTED_S, HOLD_S, QUESTION, Listener, ListeningParser, worth_asking
from radtui.tui.messages import ColoursKnown
from tests.bench.pseudo_terminal import Terminal

YES = "\x1bP1$r0;48:2::1:2:3m\x1b\\"
NO = "\x1bP1$r0;48:5:16m\x1b\\"
APP = [sys.executable, "-m", "radtui.cli"]
LAST = "\x1b[?62;4c"  # every terminal answers the last question
NO_COLORTERM = {"COLORTERM": "", "TERM": "xterm"}
SIXTEEN_COLOURS = re.compile(rb"\x1b\[(?:\d;)*(?:(?:[349]|10)[0-7];?){1,2}m")


@pytest.mark.parametrize(
    "answer",
    [YES, "\x1bP1$r48;2;1;2;3m\x1b\\", "\x1bP1$r0;48:2:1:2:3m\x1b\\", "\x1bP1$r0;1;48:2:1:1:2:3m\x1b\\"],
)
def test_every_spelling_of_yes_is_understood(answer):
    assert Listener().take(answer) == ("", True)


@pytest.mark.parametrize(
    "answer", [NO, "\x1bP0$r\x1b\\", "\x1bP1$r0m\x1b\\", "\x1bP1$r0;48:2::11:2:3m\x1b\\"]
)
def test_any_other_answer_is_taken_out_too(answer):
    assert Listener().take(f"a{answer}b") == ("ab", False)


@pytest.mark.parametrize("at", range(1, len(YES)))
def test_an_answer_may_come_in_two_parts(at):
    listener = Listener()
    first, early = listener.take("x" + YES[:at])
    rest, confirmed = listener.take(YES[at:] + "y")
    assert (first + rest, early, confirmed) == ("xy", False, True)


def test_a_lone_escape_is_a_key_once_no_answer_has_followed_it():
    now = [0.0]
    listener = Listener(lambda: now[0])
    assert listener.take("\x1b") == ("", False)
    assert listener.give_up() == ""
    now[0] = HOLD_S
    assert listener.give_up() == "\x1b" and listener.give_up() == ""
    assert listener.take(YES + LAST) == ("", True)
    assert listener.take("\x1b") == ("\x1b", False)  # nothing is held back any more


def test_escape_does_not_wait_for_ever_for_an_answer():
    now = [0.0]
    listener = Listener(lambda: now[0])
    now[0] = EXPECTED_S
    assert listener.take("\x1b") == ("\x1b", False)
    assert listener.take(f"a{YES}") == ("a", True)  # but a whole one is never taken for keys


def test_the_parser_tells_keys_from_the_answer():
    parser = ListeningParser()
    found = list(parser.feed("j" + YES[:7])) + list(parser.feed(YES[7:] + "k\x1b[A"))
    assert [type(one) for one in found] == [events.Key, ColoursKnown, events.Key, events.Key]
    assert [one.key for one in found if isinstance(one, events.Key)] == ["j", "k", "up"]


@pytest.mark.parametrize(
    ("env", "asked"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm-256color", "COLORTERM": ""}, True),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, False),
        ({"TERM": "tmux-256color", "TMUX": "x"}, False),
        ({"TERM": "tmux-256color"}, False),  # ssh from within tmux
        ({"TERM": "screen", "STY": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "linux"}, False),
        ({}, False),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
    ],
)
def test_only_a_terminal_that_may_know_is_asked(env, asked):
    assert worth_asking(env) is asked


@pytest.fixture
def command(data, db, add_images):
    """The app with an image to draw."""
    add_images(3)
    return [*APP, "--data-dir", str(data.root)]


def test_a_terminal_that_never_answers_gets_256_colours_at_once(command):
    with Terminal(command, 110, 30, NO_COLORTERM) as terminal:
        got = terminal.settle(quiet_s=1.2, first_s=25)
        assert QUESTION.encode() in got
        assert got.index(QUESTION.encode()) < got.index(b"radtui")  # the first frame paints over it
        assert b"8;5;" in got and b"30 greys" in got
        assert b"8;2;" not in got.replace(QUESTION.encode(), b"")
        terminal.write("\x1b")
        terminal.write("?")
        assert b"Keys" in terminal.settle(quiet_s=1.0)  # keys work as ever


@pytest.mark.parametrize("wait_s", [0.0, 1.5])
def test_an_answer_however_late_brings_all_greys_and_presses_nothing(command, wait_s):
    with Terminal(command, 110, 30, NO_COLORTERM) as terminal:
        got = b""
        while QUESTION.encode() not in got:
            got += terminal.read(5.0)
        if wait_s:
            got += terminal.settle(quiet_s=wait_s)
            assert b"30 greys" in got
        terminal.write(YES[:9])
        time.sleep(0.02)
        terminal.write(YES[9:])
        after = terminal.settle(quiet_s=1.2, first_s=5)
        assert "▀".encode() in after and b"8;2;" in after
        assert not wait_s or not SIXTEEN_COLOURS.search(after)  # what was drawn before changes over as well
        last = after[after.rindex(b"\x1b[?2026h") :]
        assert b"Rate" not in after and b"greys" not in last
