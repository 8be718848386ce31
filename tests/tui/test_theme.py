"""Colours of the themes: words stand out from every ground that they are written on."""

from __future__ import annotations

import pytest

from radtui.charts.palette import contrast
from radtui.tui.theme import COLOURS

LEAST_CONTRAST = 4.5  # Source: WCAG 2.2, criterion 1.4.3: text needs 4.5:1
LEAST_OF_LINES = 2.0  # of borders and separators, which say nothing by themselves


@pytest.mark.parametrize("name", COLOURS)
def test_words_are_readable_on_every_ground_of_a_theme(name):
    colours = COLOURS[name]
    grounds = (colours.background, colours.surface, colours.panel, colours.selected)
    for word in ("text", "muted", "accent", "warning", "error"):
        for ground in grounds:
            assert contrast(getattr(colours, word), ground) >= LEAST_CONTRAST, (word, ground)
    assert contrast(colours.background, colours.accent) >= LEAST_CONTRAST  # what is chosen of several
    assert contrast(colours.faint, colours.background) >= LEAST_OF_LINES
