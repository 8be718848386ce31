"""What a terminal's environment says about its colours, and the advice that follows."""

import os
import stat

import pytest

from radtui.tui import terminal
from radtui.tui.terminal import ColourDepth, judge

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    "env",
    [
        XTERM | {"COLORTERM": "truecolor"},
        XTERM | {"COLORTERM": "24bit"},
        {"TERM": "xterm-kitty"},
        {"TERM": "alacritty"},
        XTERM | {"TERM_PROGRAM": "iTerm.app"},
        XTERM | {"VTE_VERSION": "7600"},
        XTERM | {"WT_SESSION": "1"},
        {"TERM": "xterm-direct"},
        {"TERM": "dumb", "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"},
    ],
)
def test_terminals_with_all_greys_need_no_advice(env):
    assert judge(env).depth is ColourDepth.TRUE
    assert judge(env).badge == "" and judge(env).why == "" and judge(env).greys == 256


def test_plain_ssh_loses_colorterm_and_is_told_how_to_set_it():
    found = judge(XTERM)
    assert found.depth is ColourDepth.C256 and found.badge == "30 greys"
    assert "export COLORTERM=truecolor" in found.why


def test_tmux_is_believed_over_colorterm():
    inside = XTERM | {"TMUX": "/tmp/tmux-0/default,1,0", "COLORTERM": "truecolor", "TERM": "tmux-256color"}
    assert judge(inside, "256,RGB,title").depth is ColourDepth.TRUE
    for features in ("256,title", "", None):
        found = judge(inside, features)
        assert found.depth is ColourDepth.C256 and "terminal-features ',*:RGB'" in found.why


def test_gnu_screen_never_gets_24_bit_sequences():
    found = judge({"TERM": "screen.xterm-256color", "STY": "1.pts-0", "COLORTERM": "truecolor"})
    assert found.depth is ColourDepth.C256 and "screen" in found.why


@pytest.mark.parametrize("term", ["", "dumb", "linux", "vt100", "vt220", "xterm-16color"])
def test_terminals_with_few_colours_get_letters(term):
    found = judge({"TERM": term})
    assert found.depth is ColourDepth.TEXT and found.badge == "letters" and "xterm-256color" in found.why


def test_advice_is_one_sentence_on_one_line():
    for env in (XTERM, {"TERM": ""}, XTERM | {"STY": "1"}, XTERM | {"TMUX": "x"}):
        why = judge(env).why
        assert why.endswith(".") and "\n" not in why and len(why) < 160


def test_tmux_that_does_not_answer_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(terminal, "TMUX_TIMEOUT_S", 0.2)
    fake = tmp_path / "tmux"
    fake.write_text("#!/bin/sh\nexec sleep 5\n")
    fake.chmod(fake.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert terminal._ask_tmux() is None
    fake.write_text("#!/bin/sh\necho 256,RGB\n")
    assert terminal._ask_tmux() == "256,RGB"
    fake.write_text("#!/bin/sh\nexit 1\n")
    assert terminal._ask_tmux() is None
