"""Texts of a megabyte are cut before they are laid out: a screen is not held up by them."""

from __future__ import annotations

from dataclasses import replace

from rich.text import Text

from radtui.records import Case
from radtui.tui.widgets import image_facts
from radtui.tui.widgets.cell_text import MOST_CHARACTERS, fitted, one_line, tail

LONG = "\x1b[2J" + "x" * 1_000_000


def test_a_line_takes_no_more_of_a_text_than_a_terminal_is_wide() -> None:
    assert len(one_line(LONG).plain) == len(one_line(Text(LONG)).plain) == MOST_CHARACTERS
    line = fitted(LONG, 20)
    assert isinstance(line, Text) and line.plain == "␛[2J" + "x" * 15 + "…"
    assert tail(LONG + "\x1bend", 6) == "…x␛end"


def test_a_text_beside_an_image_is_cut_and_says_how_much_is_not_shown() -> None:
    case = Case(1, "d", "train", 0, "a", "", LONG, "", "", "", {})
    shown = image_facts.facts(case, [], []).plain
    assert len(shown) < image_facts.MOST_CHARACTERS + 1000
    left_out = len(LONG) - image_facts.MOST_CHARACTERS
    assert f"… {left_out:,} more characters: radtui cases --jsonl has all." in shown
    assert image_facts.text_rows(case, 80) < image_facts.MOST_CHARACTERS / 40
    whole = image_facts.facts(replace(case, reference="A short text."), [], []).plain
    assert "A short text." in whole and "more characters" not in whole
