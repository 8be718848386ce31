"""Whether a round of learning from raters made the texts better, as lines of the summary."""

from __future__ import annotations

from textual.content import Content

from radtui.measures.change import NO_CHANGE
from radtui.study.rounds import Round
from radtui.tui.review.summary_text import title

STYLES = {"better": "bold $success", "worse": "bold $error", NO_CHANGE: "$muted"}


def round_lines(compared: Round | None) -> list[Content]:
    """The comparison with the round before, the main score first; nothing where there is no such round."""
    if compared is None or not compared.changes:
        return []
    width = max(len(change.score.label) for change in compared.changes)
    rows = [
        Content.assemble(
            f"{change.score.label:<{width}}  ", (change.sentence, STYLES.get(change.verdict, ""))
        )
        for change in compared.changes
    ]
    return [title(compared.title), *rows, Content("")]
