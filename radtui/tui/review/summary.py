"""The summary screen: who is preferred so far, with intervals, checks, and scores against truth and references."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from radtui.export.comparisons import write_review_csv
from radtui.export.files import check_replaceable
from radtui.measures.readings import ReadArm
from radtui.measures.scheme import Scheme
from radtui.measures.scores import ArmScores
from radtui.measures.statistics import Summary
from radtui.measures.words import rows_words
from radtui.paths import expanded
from radtui.plural import many
from radtui.records import Study
from radtui.store.database import same_moment
from radtui.study.figures import reading_figures
from radtui.study.kept_back import pairs_left
from radtui.study.round_lines import RoundLine, read_rounds
from radtui.study.rounds import Round, read_round
from radtui.study.schemes import scheme_note, survey
from radtui.study.study import label_of, read_review, score_study, stored_review, summarise_review
from radtui.tui.aside import aside
from radtui.tui.key_uses import bindings
from radtui.tui.review.dialogs import AskSheet
from radtui.tui.review.round_text import reading_lines, round_lines, rounds_lines
from radtui.tui.review.score_text import score_lines
from radtui.tui.review.summary_text import hung, rating_lines
from radtui.tui.screens.base import RadScreen
from radtui.tui.widgets.keyed import KeyedScroll

BREAKPOINTS = [(0, "-narrow"), (150, "-wide")]  # columns from which a class is set
NOTICE_S = 10.0  # a path takes a while to read
FRAME_CELLS, SCORES_CELLS = 5, 80  # padding and scrollbar; the column of scores with its margin


class SummaryScreen(RadScreen):
    """Statistics of one study, computed in threads.

    Args:
        study: The study.
        rater: Whose ratings are summarised until all are asked for.
        scheme: What was asked.
    """

    TAB = "review"
    CSS_PATH = "summary.tcss"
    HORIZONTAL_BREAKPOINTS = BREAKPOINTS
    BINDINGS: ClassVar[list[BindingType]] = bindings("summary")

    @dataclass
    class Summarised(Message):
        """A thread has summarised the ratings."""

        summary: Summary
        pairs: int
        rated: int  # rows that an export would have
        readings: dict[str, ReadArm]  # by arm, where texts were corrected or taken as they are

    @dataclass
    class Scored(Message):
        """A thread has scored the descriptions."""

        scores: dict[str, ArmScores]
        compared: Round | None  # of a job that learnt from raters
        rounds: tuple[RoundLine, ...]  # that led to it

    @dataclass
    class Withheld(Message):
        """Figures would tell this reader how they choose between the reference and models; `left` pairs are unrated."""

        left: int

    def __init__(self, study: Study, rater: str, scheme: Scheme) -> None:
        super().__init__()
        self._study, self._rater, self._scheme = study, rater, scheme
        self._everybody = False
        self._summary: Summary | None = None
        self._readings: dict[str, ReadArm] = {}
        self._scored: SummaryScreen.Scored | None = None
        self._pairs = 0
        self._rated: int | None = None  # before it is known
        self._withheld = False

    def compose_body(self) -> ComposeResult:
        """Ratings and scores, side by side where there is room."""
        yield Static("", id="title", markup=False)
        with Horizontal(classes="body"), KeyedScroll(id="sheet"):
            yield Static("Computing the statistics ...", id="ratings", markup=False)
            yield Static("", id="scores", markup=False)
        yield Static("Model output, not for clinical use.", id="limits", markup=False)

    def on_mount(self) -> None:
        """Start computing."""
        self.query_one("#sheet").focus()
        self._read()
        self._score()

    @work(thread=True, exclusive=True, group="summary", exit_on_error=False)
    def _read(self) -> None:
        study, scheme = self._study, self._scheme
        wanted = "" if self._everybody else self._rater

        def read(db: sqlite3.Connection) -> SummaryScreen.Summarised | SummaryScreen.Withheld:
            if left := pairs_left(db, study, self._rater, scheme):
                return self.Withheld(left)
            review = read_review(db, study, scheme, wanted)
            compared = sum(len(by_arm) > 1 for by_arm in review.words.values())
            readings = reading_figures(db, study, wanted)
            return self.Summarised(summarise_review(review), compared, len(review.ratings), readings)

        self.post_message(self.rad.read(read))

    @work(thread=True, exclusive=True, group="scores", exit_on_error=False)
    def _score(self) -> None:
        study, scheme = self._study, self._scheme
        wanted = "" if self._everybody else self._rater

        def score(db: sqlite3.Connection) -> SummaryScreen.Scored | SummaryScreen.Withheld:
            if left := pairs_left(db, study, self._rater, scheme):
                return self.Withheld(left)
            compared = read_round(db, study)
            rounds = read_rounds(db, study, scheme, wanted) if compared is not None else ()
            return self.Scored(score_study(db, study), compared, rounds)

        self.post_message(self.rad.read(score))

    @on(Summarised)
    def _show_summary(self, event: Summarised) -> None:
        self._summary, self._pairs, self._rated = event.summary, event.pairs, event.rated
        self._readings = event.readings
        self.refresh_bindings()
        self._draw()

    @on(Withheld)
    def _say_withheld(self, event: Withheld) -> None:
        self._withheld = True
        self.refresh_bindings()
        self.query_one("#title", Static).update(Content.styled(f"Summary of {label_of(self._study)}", "bold"))
        pairs = many(event.left, "pair is", "pairs are")
        self.query_one("#ratings", Static).update(
            f"{pairs} left to rate. The reference is one of the texts here, and figures would tell you how you choose"
            " between it and the models: they are shown once you have rated all. Press esc and go on."
        )

    @on(Scored)
    def _show_scores(self, event: Scored) -> None:
        self._scored = event
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Bars fill the width."""
        del event
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        if self._scored is not None:
            width = self.query_one("#scores").size.width or SCORES_CELLS
            of_rounds = [*round_lines(self._scored.compared, width), *rounds_lines(self._scored.rounds)]
            lines = [*of_rounds, *hung(score_lines(self._scored.scores), width)]
            self.query_one("#scores", Static).update(Content("\n").join(lines))
        if self._summary is None:
            return
        whose = "all raters" if self._everybody else f"ratings by {self._rater}"
        title = Content.assemble(
            (f"Summary of {label_of(self._study)}", "bold"),
            (
                f"  {whose}, {(self._summary.arms or self._summary).cases:,} of {many(self._pairs, 'image')}",
                "$muted",
            ),
        )
        self.query_one("#title", Static).update(title)
        wide = self.size.width >= BREAKPOINTS[1][0]
        width = self.size.width - FRAME_CELLS - (SCORES_CELLS if wide else 0)
        lines = [
            *rating_lines(self._summary, self._scheme, max(40, width)),
            *reading_lines(self._readings, max(40, width)),
        ]
        self.query_one("#ratings", Static).update(Content("\n").join(lines))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where nothing is rated there is nothing to write, and where figures are withheld nothing to see."""
        if self._withheld:
            return action not in ("export", "copy", "all_raters")
        return action != "export" or self._rated != 0

    def action_copy(self) -> None:
        """Copy what the statistics say."""
        shown = [self.query_one(name, Static).content for name in ("#title", "#ratings", "#scores")]
        self.rad.copy("\n\n".join(str(text) for text in shown if str(text)), "the statistics")

    def action_back(self) -> None:
        """Back to the pairs."""
        self.dismiss()

    def action_export(self) -> None:
        """Ask for a file and write the rated comparisons into it."""

        def write(name: str | None) -> None:
            if name and name.strip():
                self._write(expanded(name.strip()))

        self.app.push_screen(
            AskSheet("Export rated comparisons to", "a file", value="comparisons.csv", path=True), write
        )

    def _write(self, out: Path) -> None:
        """Outside the loop: thousands of comparisons take a while."""
        rater = "" if self._everybody else self._rater

        def write(db: sqlite3.Connection) -> str:
            with same_moment(db):
                review = stored_review(db, self._study, self._scheme, rater)
                seen = survey(review)
                rows = write_review_csv(db, review, seen, out)
            note = scheme_note(self._scheme.id, seen)
            return f"{rows_words(rows, seen.counts)}, in {out.resolve()}. {note}".strip()

        def work() -> str:
            check_replaceable(out)
            return self.rad.read(write)

        aside(self, work, lambda text: self.notify(text, timeout=NOTICE_S), group="export", exclusive=False)

    def action_all_raters(self) -> None:
        """Change between this rater's and everybody's ratings."""
        self._everybody = not self._everybody
        self._read()
        if self._scored is not None and self._scored.rounds:  # they say what these readers preferred
            self._score()
