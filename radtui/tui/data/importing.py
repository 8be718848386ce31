"""The sheet that starts an import: where from and under which name, with what is wrong said at the field."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from radtui.records import Job, UserError
from radtui.settings import SEED_DATASET, ImportSettings
from radtui.tui.doors import demo_jobs
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.path_input import SourceInput

DEMO = "demo"
EXAMPLES = (
    ("~/images", "a folder: tables, texts, DICOM, reports"),
    ("~/set.zip", "a zip or tar, a table, JSON, parquet"),
    (SEED_DATASET, "a data set of the hub"),
    (DEMO, "drawn, trained on and described here"),
    ("phantoms:7", "drawn radiographs, as in the demo"),
)
HELP = Content("\n").join(
    Content.assemble((f"{name:<24}", "$accent"), (text, "$muted")) for name, text in EXAMPLES
)


class LookLine(Input):
    """A line beside the source's, which is done as that one is."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("source")


class ImportSheet(RadModal[Job | None]):
    """Ask for a source and start importing it; dismissed with the job, or None."""

    DEFAULT_CSS = """
    ImportSheet .sheet { width: 76; padding: 1 2; }
    ImportSheet .label { color: $muted; }
    ImportSheet Input { margin: 0 0 0 0; }
    ImportSheet .wrong { color: $error; height: auto; min-height: 1; }
    ImportSheet .hint { margin: 1 0 0 0; color: $muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("import")

    @dataclass
    class Refused(Message):
        """The import could not be started."""

        reason: str

    @dataclass
    class Started(Message):
        """The import is a job now."""

        job: Job

    def __init__(self, draft: ImportSettings) -> None:
        """See the class; `draft` is what was typed before."""
        super().__init__()
        self._draft = draft
        self._busy = False

    @property
    def typed(self) -> ImportSettings:
        """What is typed now, with what was changed when the same source was looked at before."""
        source, name = (self.query_one(f"#{field}", Input).value.strip() for field in ("source", "name"))
        before = self._draft if source == self._draft.source else ImportSettings()
        settings = replace(before, source=source, name=name)
        with suppress(UserError):  # half a number is not kept
            settings = settings.with_text("hold_out", self.query_one("#hold_out", Input).value or "0")
        return settings

    def compose_sheet(self) -> ComposeResult:
        """Three fields, the lines for what is wrong, and what can be named."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "Import images"
            yield Static("Source", classes="label")
            yield SourceInput(
                self._draft.source, placeholder="folder, file, hub id, demo, or phantoms:SEED", id="source"
            )
            yield Static("", classes="wrong", id="source-wrong", markup=False)
            yield Static("Name", classes="label")
            yield LookLine(self._draft.name, placeholder="as the source is called", id="name")
            yield Static("", classes="wrong", id="name-wrong", markup=False)
            yield Static("Held out as test, %, where the source has no splits", classes="label")
            yield LookLine(str(self._draft.hold_out), type="integer", id="hold_out")
            yield Static("", classes="wrong", id="hold_out-wrong", markup=False)
            yield Static(HELP, classes="hint")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self.query_one(f"#{event.input.id}-wrong", Static).update("")

    @on(Input.Submitted)
    def action_start(self) -> None:
        """Start the import."""
        if self._busy:
            return
        if not self.query_one("#source", Input).value.strip():
            self._refuse("Type a folder, a file, a hub id, demo or phantoms:7.")
            return
        try:
            settings = self.typed.with_text("hold_out", self.query_one("#hold_out", Input).value or "0")
            settings.check()
        except UserError as error:
            self._refuse(str(error), "hold_out")
            return
        self._busy = True
        if settings.source == DEMO:
            self._submit(settings)
            return
        # Not sooner: it brings readers and layouts, which the first frame does without.
        from radtui.tui.data.preview import PreviewScreen

        preview = PreviewScreen(settings)

        def closed(answer: ImportSettings | str | None) -> None:
            self._draft = preview.settings
            self._looked_at(answer)

        self.app.push_screen(preview, closed)

    def _looked_at(self, answer: ImportSettings | str | None) -> None:
        """Import what was looked at, or go on with the sheet as it was."""
        if isinstance(answer, ImportSettings):
            self._submit(answer)
        else:
            self._busy = False
            if answer:
                self._refuse(answer)

    @work(thread=True)
    def _submit(self, settings: ImportSettings) -> None:
        """Outside the loop: a source may lie on a slow disk, and a process is started."""
        from radtui.jobs import submit_import

        try:
            if settings.source == DEMO:
                job = self.rad.write(lambda db: demo_jobs(self.rad.data, db).drawing, create=True)
            else:
                job = self.rad.write(lambda db: submit_import(self.rad.data, db, settings), create=True)
        except (UserError, sqlite3.Error, OSError) as error:
            self.post_message(self.Refused(str(error)))
        else:
            self.post_message(self.Started(job))

    @on(Refused)
    def _refused(self, event: Refused) -> None:
        self._busy = False
        self._refuse(event.reason)

    def _refuse(self, reason: str, field: str = "source") -> None:
        self.query_one(f"#{field}-wrong", Static).update(reason)
        self.query_one(f"#{field}", Input).focus()

    @on(Started)
    def _started(self, event: Started) -> None:
        self.dismiss(event.job)
