"""The sheet that makes a study: which arms, which cases, under which name."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from radtui.records import JobKind, UserError
from radtui.store import arms, jobs
from radtui.study.corrected_arm import CORRECTIONS
from radtui.study.making import REFERENCE, ArmWish, Made, make_study, parse_arms
from radtui.tui.key_uses import bindings
from radtui.tui.keys import sign
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.aligned import aligned
from radtui.tui.widgets.keyed import MarkList
from radtui.tui.widgets.path_input import PathInput
from radtui.tui.widgets.typed_line import TypedLine

MOST_JOBS = 20  # the newest; others are made studies of by radtui study new


class NewStudySheet(RadModal[int | None]):
    """Make a study of marked arms; dismissed with its number, or None."""

    DEFAULT_CSS = """
    NewStudySheet .sheet { width: 84; }
    NewStudySheet MarkList { max-height: 12; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("typing")

    class Ended(Message):
        """A thread has made a study, or says why it could not."""

        def __init__(self, made: Made | None, trouble: str = "") -> None:
            super().__init__()
            self.made, self.trouble = made, trouble

    def compose_sheet(self) -> ComposeResult:
        """Arms to mark, then three lines to type in."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "New study"
            sheet.border_subtitle = "tab goes on · enter in a line makes it"
            known = known_arms(self.rad.db)
            lines = aligned([(Content.styled(arm, "bold"), Content(words)) for arm, words, _ in known])
            yield MarkList(*zip(lines, (wish for *_, wish in known), strict=True))
            yield PathInput(
                placeholder="files of texts, separated by commas (may be empty)", id="files", compact=True,
                between=",",
            )  # fmt: skip
            yield PathInput(
                "test",
                placeholder="cases: a split, or a file that names one a line",
                id="cases",
                compact=True,
            )
            yield TypedLine(placeholder="name, which readers see (may be empty)", id="name", compact=True)
            yield Static("", id="trouble", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        files = [f"file:{path.strip()}" for path in self._typed("files").split(",") if path.strip()]
        chosen = list(self.query_one(MarkList).selected)
        try:
            wishes = parse_arms([*chosen, *files])
        except UserError:
            self._say(f"Mark two arms at least, with {sign('mark')}, or name files of texts.")
            return
        self._say("Making the study ...")
        self._make(plain_names(wishes), self._typed("cases"), self._typed("name"))

    def _typed(self, line: str) -> str:
        return self.query_one(f"#{line}", Input).value.strip()

    def _say(self, sentence: str) -> None:
        self.query_one("#trouble", Static).update(sentence)

    @work(thread=True, exclusive=True, group="make")
    def _make(self, wishes: list[ArmWish], case_words: str, name: str) -> None:
        """In a thread: a file of thousands of texts takes a second."""
        try:
            ended = self.Ended(self.rad.write(lambda db: make_study(db, wishes, case_words, name=name)))
        except (UserError, sqlite3.Error) as error:
            ended = self.Ended(None, str(error))
        self.post_message(ended)

    @on(Ended)
    def _show_ended(self, event: Ended) -> None:
        if event.made is None:
            self._say(event.trouble)
            return
        study = event.made.study
        self.notify("\n".join([*event.made.notes, f"radtui study show {study.id} says what gives an arm away."]),
                    title=f"Study {study.id} is made")  # fmt: skip
        self.dismiss(study.id)


def known_arms(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Arms to choose from, of the newest jobs, then of none: name, whose it is, as `radtui study new` takes it."""
    ended = [job for job in jobs.all_jobs(db) if job.kind is JobKind.GENERATE and not job.state.live]
    newest = sorted(ended, key=lambda job: -job.id)[:MOST_JOBS]
    lines = [
        (arm.name, f"of #{job.id} {job.name}", f"{arm.name}#{job.id}")
        for job in newest
        for arm in arms.of_job(db, job.id)
    ]
    corrected = (CORRECTIONS, "texts as readers left them, corrected or accepted", CORRECTIONS)
    return [*lines, corrected, (REFERENCE, "the reference, as a blind arm", REFERENCE)]


def plain_names(wishes: list[ArmWish]) -> list[ArmWish]:
    """Arms without their job in their name, where no other has the same."""
    counts = Counter(wish.arm for wish in wishes)
    return [
        ArmWish(wish.source, wish.arm) if wish.job_id is not None and counts[wish.arm] == 1 else wish
        for wish in wishes
    ]
