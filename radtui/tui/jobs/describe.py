"""The form of a generation job: which images both models describe, and how."""

from __future__ import annotations

import sqlite3
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from radtui.records import Job
from radtui.settings import GenerateSettings
from radtui.store import cases
from radtui.tui.aside import aside
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.settings_form import SettingsForm

# The training job says these; another model or adapter is for the command line, where both are named together.
TAKEN_FROM_JOB = frozenset(
    {"train_job", "model", "adapter", "more_adapters", "backend", "load_in_4bit", "trust_remote_code"}
)


class DescribeScreen(RadModal[GenerateSettings | None]):
    """Fields of `GenerateSettings` for one training job; dismissed with valid settings, or None."""

    DEFAULT_CSS = """
    DescribeScreen .sheet { width: 84; height: 18; padding: 1 1 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("describe")

    def __init__(self, job: Job, draft: GenerateSettings | None = None) -> None:
        """See the class; `draft` is what was typed before."""
        super().__init__()
        self._job = job
        plain = GenerateSettings(train_job=job.id)
        self._dataset = str(job.settings.get("dataset", ""))
        self._states: dict[tuple[str, str], str] = {}  # by data set and split; "" while it is being read
        self._form = SettingsForm(plain, TAKEN_FROM_JOB, self._about_value)
        if draft is not None:
            self._form.list.show(draft, plain)

    @property
    def typed(self) -> GenerateSettings:
        """What the form says now, valid or not."""
        settings = self._form.settings
        assert isinstance(settings, GenerateSettings)
        return settings

    def compose_sheet(self) -> ComposeResult:
        """The form in a box."""
        with Vertical(classes="sheet") as sheet:
            third = {"dpo": "dpo", "corrections": "corrected"}.get(str(self._job.settings.get("objective")))
            arms = f", base, tuned and {third}" if third else ", base and tuned"
            sheet.border_title = f"Describe images with the model of #{self._job.id}{arms}"
            yield self._form

    def on_mount(self) -> None:
        """Begin with the first field; splits are chosen among those that there are."""
        self._form.list.set_options("split", tuple(cases.distinct(self.rad.db, self._dataset, "split")))
        self._form.list.focus()

    def _about_value(self, name: str, value: str) -> str:
        """Of the split, and beside what a limit takes: how many images there are, and how many of them are new."""
        if name not in ("split", "take"):
            return ""
        split = value if name == "split" else self.typed.split
        dataset = self.typed.dataset or self._dataset
        asked = dataset, split
        if asked not in self._states:
            self._states[asked] = ""

            def read(db: sqlite3.Connection) -> str:
                from radtui.store.choosing import split_state

                return split_state(db, dataset, split).words

            def show(words: str) -> None:
                self._states[asked] = f"{split}: {words}."
                self._form.refresh_help()

            rad = self.rad
            aside(self, lambda: rad.read(read), show, group=f"split {split}", exclusive=False)
        return self._states[asked]

    def action_start(self) -> None:
        """Hand back the settings when they are valid."""
        if not self._form.refuse_invalid():
            self.dismiss(self.typed)

    def action_cancel(self) -> None:
        """Hand back nothing."""
        self.dismiss(None)
