"""What tests of the app share: style sheets that are read once in a process, not once an app."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation


@pytest.fixture(autouse=True, scope="session")
def sheets_read_once() -> Iterator[None]:
    """Keep what was read of each style sheet under each theme: every app reads some twenty of them several times."""
    read = Stylesheet._parse_rules
    rules: dict[tuple[object, ...], list[RuleSet]] = {}

    def remembered(
        self: Stylesheet, css: str, read_from: CSSLocation, is_default_rules: bool = False,
        tie_breaker: int = 0, scope: str = "",
    ) -> list[RuleSet]:  # fmt: skip
        key = (css, read_from, is_default_rules, tie_breaker, scope, *self._variables.items())
        if key not in rules:
            rules[key] = read(self, css, read_from, is_default_rules, tie_breaker, scope)
        return rules[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", remembered)
        yield
