"""The parts of a report about learning from readers: what they made of the texts, and whether each round got better."""

from __future__ import annotations

from radtui.durations import clock_text
from radtui.export.report import plots
from radtui.export.report.document import Block, Figure, Paragraph, ReportTable, Section
from radtui.export.report.gather import Gathered
from radtui.export.report.phrases import heading
from radtui.measures.words import NOTHING, brief, share
from radtui.study.round_words import rounds_title

READINGS_CAPTION = (
    "What readers made of the texts: taken as they are or corrected. Words are the fewest that were added, removed or"
    " exchanged; seconds are active time at texts that were read by themselves. None of this is blind."
)


def rounds(gathered: Gathered) -> Section:
    """The newest arm against the one before it, then every round on one scale."""
    blocks: list[Block] = []
    if gathered.compared is not None and gathered.compared.changes:
        blocks.append(Paragraph(gathered.compared.title + "."))
        rows = tuple(
            (change.score.name[0].upper() + change.score.name[1:], change.sentence)
            for change in gathered.compared.changes
        )
        caption = "Paired over the same cases; p of the first as it is, of the others adjusted by Holm."
        blocks.append(ReportTable(("Score", "Change"), rows, caption, wordy=True))
    if gathered.rounds:
        blocks += _chart(gathered)
    return Section("rounds", "Did it get better?", tuple(blocks))


def _chart(gathered: Gathered) -> list[Block]:
    caption = f"{rounds_title(gathered.rounds)}. Lines are 95 % intervals over cases; none holds what another training"
    light, dark = (
        plots.rounds_svg(gathered.rounds, tones) for tones in (plots.LIGHT_TONES, plots.DARK_TONES)
    )
    rows = tuple(
        (
            line.label, f"{line.cases:,}", brief(line.value, line.score.digits) if line.value else NOTHING,
            line.change.sentence if line.change is not None else NOTHING, line.readers or "not compared",
        )
        for line in gathered.rounds
    )  # fmt: skip
    header = (
        "Round",
        "Cases",
        gathered.rounds[0].score.name,
        "Change from the round before",
        "Blind readers",
    )
    return [
        Figure("rounds", light, dark, f"{caption} of the same run would change."),
        ReportTable(
            header, rows, "Each round against the one before, over the cases that both describe.", wordy=True
        ),
    ]


def readings(gathered: Gathered) -> Section:
    """How readers left each arm's texts: unchanged or corrected, words changed, time."""
    rows = tuple(
        (
            heading(arm), f"{read.texts:,}", share(read.unchanged, n=False),
            NOTHING if read.words_changed is None else f"{read.words_changed:g}",
            NOTHING if read.words_changed_mean is None else f"{read.words_changed_mean:.1f}",
            NOTHING if read.seconds is None else clock_text(read.seconds),
        )
        for arm, read in gathered.readings.items()
    )  # fmt: skip
    header = (
        "Arm", "Texts", "Accepted unchanged", "Words changed in a corrected one, median",
        "Words changed in all, mean", "Time a text, median",
    )  # fmt: skip
    blocks: tuple[Block, ...] = (ReportTable(header, rows, READINGS_CAPTION),) if rows else ()
    return Section("readings", "Texts corrected and accepted", blocks)
