"""The sheet that starts an import: where from and under which name, with what is wrong said at the field."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
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
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal

EXAMPLES = (
    ("~/images", "a folder: tables, texts, DICOM, reports per patient"),
    ("~/set.zip", "a zip or tar, a table, JSON, parquet"),
    (SEED_DATASET, "a data set of the hub"),
    ("phantoms:7", "drawn radiographs, as in the demo"),
)
HELP = Content("\n").join(
    Content.assemble((f"{name:<24}", "$accent"), (text, "$muted")) for name, text in EXAMPLES
)


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

    def __init__(self, source: str = "") -> None:
        super().__init__()
        self._source = source
        self._busy = False

    def compose(self) -> ComposeResult:
        """Three fields, the lines for what is wrong, and what can be named."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "Import images"
            sheet.border_subtitle = "enter looks first · tab next field · esc closes"
            yield Static("Source", classes="label")
            yield Input(
                self._source, placeholder="folder, parquet file, hub id, or phantoms:SEED", id="source"
            )
            yield Static("", classes="wrong", id="source-wrong", markup=False)
            yield Static("Name", classes="label")
            yield Input(placeholder="as the source is called", id="name")
            yield Static("", classes="wrong", id="name-wrong", markup=False)
            yield Static("Held out as test, %, where the source has no splits", classes="label")
            yield Input(str(ImportSettings().hold_out), type="integer", id="hold_out")
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
        source = self.query_one("#source", Input).value.strip()
        name = self.query_one("#name", Input).value.strip()
        if not source:
            self._refuse("Type a folder, a parquet file, a hub id or phantoms:7.")
            return
        try:
            settings = ImportSettings(source=source, name=name).with_text(
                "hold_out", self.query_one("#hold_out", Input).value or "0"
            )
            settings.check()
        except UserError as error:
            self._refuse(str(error), "hold_out")
            return
        self._busy = True
        # Not sooner: it brings readers and layouts, which the first frame does without.
        from radtui.tui.data.preview import PreviewScreen

        self.app.push_screen(PreviewScreen(settings), self._looked_at)

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
