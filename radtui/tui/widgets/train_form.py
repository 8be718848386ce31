"""The form of a training job: presets, fields, and what the run will do."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from radtui.paths import DataDir
from radtui.records import UserError
from radtui.settings import PRESETS, TrainSettings
from radtui.store import ratings
from radtui.store.database import connect
from radtui.store.images import DatasetSummary
from radtui.tui.plan import Plan, plan, preference_plan
from radtui.tui.widgets.memory_panel import MemoryPanel
from radtui.tui.widgets.settings_form import SettingsForm

if TYPE_CHECKING:
    from radtui.export.rated_pairs import Offer

SAID = {
    "default": "recommended: answer-only loss, held-out evaluation, larger batches",
    "seed": "the report's recipe to the letter: 30 steps, loss on everything",
    "demo": "the small bundled model on drawn phantoms; minutes on a CPU",
    "preferences": "DPO: which of two texts raters preferred, on top of the job that wrote them",
}
FROM_RATINGS = "preferences"
# What a job that learns references has no use for, and what one that learns preferences takes from the job before it.
HIDDEN = frozenset({"objective", "from_job", "beta"})
HIDDEN_FROM_RATINGS = frozenset({
    "model", "dataset", "train_split", "train_images", "instruction", "message_order", "describe_order", "loss_on",
    "max_side_px", "max_length_tokens", "objective", "lora_r", "lora_alpha", "lora_dropout", "lora_seed",
    "tune_vision", "tune_language", "tune_attention", "tune_mlp", "backend", "trust_remote_code",
})  # fmt: skip


class TrainForm(Vertical):
    """Fields of `TrainSettings` beside the plan they make."""

    DEFAULT_CSS = """
    TrainForm { height: 1fr; }
    TrainForm .presets { height: 2; padding: 0 3; }
    TrainForm .plan { width: 56; padding: 0 2; border-left: vkey $faint; display: none; }
    TrainForm.-wide .plan { display: block; }
    TrainForm .plan-short { height: auto; max-height: 2; padding: 0 3; color: $warning; }
    TrainForm.-wide .plan-short { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._preset = "default"
        self._parent_job_id: int | None = None
        self._datasets: Sequence[DatasetSummary] = ()
        self._offer: Offer | str | None = None
        self.form = SettingsForm(PRESETS["default"], HIDDEN)
        self.memory = MemoryPanel()

    @property
    def settings(self) -> TrainSettings:
        """What the form says now."""
        settings = self.form.settings
        assert isinstance(settings, TrainSettings)
        return settings

    @property
    def parent_job_id(self) -> int | None:
        """The job whose settings were taken, if any."""
        return self._parent_job_id

    @property
    def offers_ratings(self) -> bool:
        """Whether there are rated pairs, be they enough or not."""
        return self._offer is not None

    def compose(self) -> ComposeResult:
        """Presets above, fields left, plan right."""
        yield Static(classes="presets")
        with Horizontal():
            yield self.form
            with VerticalScroll(classes="plan", can_focus=False):
                yield Static(classes="plan-text")
        yield Static(classes="plan-short")
        yield self.memory

    def on_mount(self) -> None:
        """Draw what does not depend on data."""
        self._show()

    def on_resize(self) -> None:
        """Show the plan where there is room for it."""
        self.set_class(self.size.width >= 120, "-wide")

    def set_datasets(self, datasets: Sequence[DatasetSummary], models: Sequence[str]) -> None:
        """Offer data sets and models known here."""
        self._datasets = datasets
        self.form.list.set_options("dataset", tuple(one.name for one in datasets))
        self.form.list.set_options("model", tuple(models))
        self._show()

    @work(thread=True, exclusive=True, group="offer")
    def read_offer(self, data: DataDir) -> None:
        """Count the rated pairs in a thread: raters go on while the form is away."""
        with closing(connect(data)) as db:
            found = _offer(db, data)
        self.app.call_from_thread(self._take_offer, found)

    def _take_offer(self, found: Offer | str | None) -> None:
        self._offer = found
        self._show()
        self.screen.refresh_bindings()

    def next_preset(self) -> None:
        """Fill in the next preset; the data set stays."""
        names = self._names
        at = names.index(self._preset) + 1 if self._preset in names else 0
        self._take_preset(names[at % len(names)])

    def take_ratings(self) -> None:
        """Fill in what is proposed for learning from rated pairs, or say why nothing is."""
        if isinstance(self._offer, str):
            self.form.point_out(self._offer)
        elif self._offer is not None:
            self._take_preset(FROM_RATINGS)

    @property
    def _names(self) -> list[str]:
        """The presets that can be chosen now."""
        return [name for name in PRESETS if name != FROM_RATINGS or self._found is not None]

    @property
    def _found(self) -> Offer | None:
        """The proposal, where there is one."""
        return None if isinstance(self._offer, str) else self._offer

    def _take_preset(self, name: str) -> None:
        self._preset, self._parent_job_id = name, None
        if name == FROM_RATINGS and self._found is not None:
            self._fill(self._found.settings, "beta")
        else:
            self._fill(replace(PRESETS[name], dataset=self.settings.dataset))

    def take(self, settings: TrainSettings, job_id: int) -> None:
        """Fill in another job's settings."""
        self._preset, self._parent_job_id = f"job #{job_id}", job_id
        self._fill(settings)

    @on(SettingsForm.Changed)
    def _changed(self) -> None:
        self._show()

    def _fill(self, settings: TrainSettings, current: str = "") -> None:
        self.form.list.hide(HIDDEN_FROM_RATINGS if settings.learns_preferences else HIDDEN)
        self.form.show(settings, settings)
        if current:
            self.form.list.go_to(current)
        self._show()

    def _show(self) -> None:
        if not self.is_mounted:
            return
        self.query_one(".presets", Static).update(self._presets())
        found = self._plan()
        self.query_one(".plan-text", Static).update(_plan_text(found))
        self.query_one(".plan-short", Static).update(found.doubts[0] if found.doubts else "")
        self.memory.settings_are(self.settings)

    def _plan(self) -> Plan:
        settings = self.settings
        if not settings.learns_preferences:
            return plan(settings, self._datasets)
        if self._found is not None:
            return preference_plan(settings, self._found, self._datasets)
        return Plan((), (self._offer,) if isinstance(self._offer, str) else ())

    def _presets(self) -> Content:
        names = self._names if self._preset in self._names else [*self._names, self._preset]
        parts: list[Content | str] = [Content.styled("New training job", "bold"), "   "]
        for name in names:
            current = name == self._preset
            parts += [
                Content.styled(f" {name} ", "bold $background on $accent" if current else "$muted"),
                " ",
            ]
        said = SAID.get(self._preset, f"settings of {self._preset}")
        if self.settings != self.form.list.baseline:
            said = "changed fields are marked •"
        return Content.assemble(*parts, "\n", Content.styled(said, "$muted"))


def _offer(db: sqlite3.Connection, data: DataDir) -> Offer | str | None:
    """What can be learnt from raters: a proposal, why there is none yet, or None where nothing is rated."""
    if not ratings.rated_training_jobs(db):
        return None
    from radtui.export.rated_pairs import offer
    from radtui.export.study import scheme_for

    try:
        return offer(db, scheme_for(data), PRESETS[FROM_RATINGS])
    except UserError as error:
        return str(error)


def _plan_text(found: Plan) -> Content:
    lines = [Content.styled("This run", "bold $muted")]
    for label, text in found.facts:
        lines.append(Content.assemble(Content.styled(f"{label:<12}", "$muted"), text))
    for doubt in found.doubts:
        lines += [Content(""), Content.styled(f"! {doubt}", "$warning")]
    return Content("\n").join(lines)
