"""What a terminal hears at the end of a long job."""

import pytest

from radtui.bell import BELL, ringing
from radtui.user_choices import DEFAULTS, UserChoices

KITTY = {"TERM": "xterm-kitty"}


@pytest.mark.parametrize("took_s", [None, 59.0])
def test_a_short_job_ends_in_silence(took_s):
    assert ringing("done", took_s, DEFAULTS, KITTY) == ""


def test_a_long_one_rings_and_notifies_where_the_terminal_shows_it():
    assert ringing("done", 60.0, DEFAULTS, {"TERM": "xterm"}) == BELL
    assert ringing("done", 60.0, DEFAULTS, KITTY) == f"\x1b]9;done{BELL}{BELL}"
    assert ringing("done", 60.0, DEFAULTS, KITTY | {"TMUX": "/tmp/x"}) == BELL
    assert ringing("done", 60.0, DEFAULTS, {"TERM_PROGRAM": "WezTerm"}).startswith("\x1b]9;")


@pytest.mark.parametrize(
    ("bell", "heard"),
    [("off", ""), ("bell", BELL), ("notification", f"\x1b]9;done{BELL}")],
)
def test_the_choice_is_kept(bell, heard):
    assert ringing("done", 3600.0, UserChoices(bell=bell), KITTY) == heard


def test_a_name_gives_the_terminal_no_order():
    heard = ringing("a\x1b]52;c;AAAA\x07b", 3600.0, UserChoices(bell="notification"), KITTY)
    assert heard.startswith("\x1b]9;") and heard.count("\x1b") == 1 and heard.count(BELL) == 1
