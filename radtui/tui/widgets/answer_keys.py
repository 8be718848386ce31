"""The answers of a sheet in one line: keys with what they do, which a click does as well."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

GAP = "    "


class AnswerKeys(Static):
    """Keys beside each other, each with its word.

    Args:
        answers: A key as it stands on the screen, its word, and the action of the screen that it runs.
    """

    DEFAULT_CSS = "AnswerKeys { margin-top: 1; height: auto; }"

    def __init__(self, *answers: tuple[str, str, str]) -> None:
        super().__init__(Content(GAP).join(_answer(*each) for each in answers))
        self.auto_links = False  # what can be clicked looks as its key does


def _answer(key: str, word: str, action: str) -> Content:
    text = Content.assemble((key, "bold $accent"), f" {word}")
    return text.stylize(Style.from_meta({"@click": f"screen.{action}"}))
