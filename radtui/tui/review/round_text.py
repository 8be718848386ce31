"""What came of correcting texts and of learning from raters, as lines of the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from radtui.measures.change import NO_CHANGE
from radtui.measures.readings import ReadArm
from radtui.study.figures import figures_words
from radtui.study.round_lines import RoundLine
from radtui.study.round_words import change_rows, figure_row, rounds_title, scale_of, scale_words
from radtui.study.rounds import Round
from radtui.tui.review.summary_text import hung, labelled, title

STYLES = {"better": "bold $success", "worse": "bold $error", NO_CHANGE: "$muted"}


def round_lines(compared: Round | None, width_cells: int) -> list[Content]:
    """The comparison with the round before, the main score first; nothing where there is no such round.

    Args:
        compared: The two rounds.
        width_cells: Room for a line.
    """
    if compared is None or not compared.changes:
        return []
    rows = [
        Content.assemble(labelled(change.score.label), (change.sentence, STYLES.get(change.verdict, "")))
        for change in compared.changes
    ]
    return [title(compared.title), *hung(rows, width_cells), Content("")]


def rounds_lines(lines: Sequence[RoundLine]) -> list[Content]:
    """All rounds on one scale, each with its change against the one before; nothing where there is no such line."""
    if not lines:
        return []
    scale, width = scale_of(lines), max(len(line.label) for line in lines)
    rows = [title(rounds_title(lines))]
    for line in lines:
        style = STYLES.get(line.change.verdict, "") if line.change is not None else "$muted"
        rows.append(Content(figure_row(line, scale, width)))
        rows += [Content.styled(f"   {text}", style) for text in change_rows(line)[:1]]
        rows += [Content.styled(f"   {text}", "$muted") for text in change_rows(line)[1:]]
    return [*rows, Content.styled(scale_words(lines), "$muted"), Content("")]


def reading_lines(readings: Mapping[str, ReadArm], width_cells: int) -> list[Content]:
    """What correcting and accepting came to, an arm a line; nothing where no text was.

    Args:
        readings: By arm.
        width_cells: Room for a line.
    """
    if not readings:
        return []
    rows = [Content(f"{labelled(arm)}{figures_words(read)}") for arm, read in readings.items()]
    return [Content(""), title("Texts corrected or accepted"), *hung(rows, width_cells)]
