"""The form of a training job: presets, fields, and what the run will do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from radtui.paths import DataDir
from radtui.presets import PRESETS
from radtui.settings import TrainSettings
from radtui.tui import theme
from radtui.tui.aside import aside
from radtui.tui.key_uses import bindings
from radtui.tui.keys import sign
from radtui.tui.rad import rad_of
from radtui.tui.train.choices import (
    FROM_CORRECTIONS,
    FROM_RATINGS,
    Choices,
    read_corrections,
    read_names,
    read_offer,
)
from radtui.tui.train.memory_panel import MemoryPanel
from radtui.tui.train.model_facts import TrainFields
from radtui.tui.train.plan import FormPlan
from radtui.tui.widgets.settings_form import SettingsForm

PRESET_NOTES = {
    "default": "recommended: answer-only loss, held-out evaluation, larger batches",
    "seed": "the report's recipe to the letter: 30 steps, loss on everything",
    "medgemma": "MedGemma 4B: 256 tokens an image, short sequences",
    "qwen-vl": "Qwen2.5-VL 7B: at most 1,024 tokens an image",
    "laptop": "SmolVLM2 256M without a GPU: hours; the first steps say how many on these images",
    "demo": "the small bundled model on drawn phantoms; minutes on a CPU",
    "corrections": "texts that readers corrected or took as they are, by the adapter that wrote them",
    "preferences": "DPO: which of two texts raters preferred, on top of the job that wrote them",
}
# What a job that learns references has no use for, and what one that learns preferences takes from the job before it.
HIDDEN = frozenset({"objective", "from_job", "beta", "correction_weight"})
HIDDEN_FROM_RATINGS = frozenset({
    "model", "dataset", "train_split", "train_images", "instruction", "message_order", "describe_order", "loss_on",
    "max_side_px", "image_tokens", "thinking", "max_length_tokens", "objective", "lora_r", "lora_alpha",
    "lora_dropout", "lora_seed", "dora", "rslora", "tune_vision", "tune_language", "tune_attention", "tune_mlp",
    "backend", "trust_remote_code",
})  # fmt: skip


NOTHING_READ = (
    f"No text is corrected or accepted yet: press {sign('review')}, then {sign('alone')} to read some."
)


class TrainForm(Vertical):
    """Fields of `TrainSettings` beside the plan they make; posts `Submitted` when they are to be trained with."""

    DEFAULT_CSS = """
    TrainForm { height: 1fr; }
    TrainForm .presets { height: auto; max-height: 3; padding: 0 3; }
    TrainForm .plan { width: 56; padding: 0 2; border-left: vkey $faint; display: none; }
    TrainForm.-wide .plan { display: block; }
    TrainForm .plan-short { height: auto; max-height: 2; padding: 0 3; color: $warning; }
    TrainForm.-wide .plan-short { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("form")

    @dataclass
    class Submitted(Message):
        """These settings are to be trained with; `parent_job_id` is the job they were taken from, if any."""

        settings: TrainSettings
        parent_job_id: int | None

    def __init__(self, data: DataDir, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.form = TrainFields(data, PRESETS["default"], HIDDEN)
        self.parent_job_id: int | None = None
        self._data = data
        self._memory = MemoryPanel()
        self._preset = "default"
        self._drafts: dict[str, TrainSettings] = {}  # what was changed of presets and jobs that were left
        self._choices = Choices()
        self._proposes_corrections = False  # as soon as they are counted
        self._read_job = 0  # the training job whose texts were read, 0 for the newest

    @property
    def settings(self) -> TrainSettings:
        """What the form says now."""
        settings = self.form.settings
        assert isinstance(settings, TrainSettings)
        return settings

    def compose(self) -> ComposeResult:
        """Presets above, fields left, plan right."""
        yield Static(classes="presets")
        with Horizontal():
            yield self.form
            with VerticalScroll(classes="plan", can_focus=False):
                yield Static(classes="plan-text")
        yield Static(classes="plan-short")
        yield self._memory

    def on_resize(self) -> None:
        """Show the plan where there is room for it."""
        self.set_class(self.size.width >= 120, "-wide")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Ratings are offered where there are any, be they enough or not."""
        offers = {"ratings": self._choices.offer, "corrections": self._choices.corrections}
        return action not in offers or offers[action] is not None

    def read_names(self) -> None:
        """Offer the data sets and models that are known by now."""
        self._read(lambda db: dict(zip(("datasets", "models"), read_names(db), strict=True)), "names")

    def read_offer(self) -> None:
        """Count the rated pairs: raters go on while the form is away."""
        self._read(
            lambda db: {
                "offer": read_offer(db, self._data),
                "corrections": read_corrections(db, self._data, self._read_job),
            },
            "offer",
        )

    def _read(self, query: Callable[[sqlite3.Connection], dict[str, object]], group: str) -> None:
        """Bring parts of the choices up to date."""
        rad = rad_of(self)
        aside(self, lambda: rad.read(query), self._know, group=group)

    def _know(self, parts: dict[str, object]) -> None:
        self._choices = replace(self._choices, **parts)  # type: ignore[arg-type]
        self.form.list.set_options("dataset", tuple(dataset.name for dataset in self._choices.datasets))
        self.form.list.set_options("model", tuple(self._choices.models))
        self._show()
        self.refresh_bindings()
        if self._proposes_corrections and "corrections" in parts:
            self._proposes_corrections = False
            self.action_corrections()

    def propose_corrections(self, job_id: int) -> None:
        """Count corrected and accepted texts of a training job, 0 for the newest; then fill in what is proposed."""
        self._read_job, self._proposes_corrections = job_id, True
        self.read_offer()

    def action_start(self) -> None:
        """Hand in the settings, if they are valid."""
        if not self.form.refuse_invalid():
            self.post_message(self.Submitted(self.settings, self.parent_job_id))

    def action_preset(self) -> None:
        """Fill in the next preset; the data set stays, and what was changed is there again with its preset."""
        names = self._choices.presets
        at = names.index(self._preset) + 1 if self._preset in names else 0
        self._take_preset(names[at % len(names)])

    def action_memory(self) -> None:
        """Ask what these settings would take."""
        if not self.form.refuse_invalid():
            self._memory.ask(self._data, self.settings)

    def action_ratings(self) -> None:
        """Fill in what is proposed for learning from rated pairs, or say why nothing is."""
        if isinstance(self._choices.offer, str):
            self.form.point_out(self._choices.offer)
        else:
            self._take_preset(FROM_RATINGS)

    def action_corrections(self) -> None:
        """Fill in what is proposed for learning corrected texts, or say why nothing is."""
        if self._choices.corrections is None:
            self.form.point_out(NOTHING_READ)
        elif isinstance(self._choices.corrections, str):
            self.form.point_out(self._choices.corrections)
        else:
            self._take_preset(FROM_CORRECTIONS)

    def take(self, settings: TrainSettings, job_id: int) -> None:
        """Fill in another job's settings."""
        self._keep_draft()
        self._preset, self.parent_job_id = f"#{job_id}", job_id
        self._fill(settings)

    def _keep_draft(self) -> None:
        """Remember what is changed of the preset or job that is left: it is there again with it."""
        if self.settings != self.form.list.baseline:
            self._drafts[self._preset] = self.settings
        else:
            self._drafts.pop(self._preset, None)

    def _take_preset(self, name: str) -> None:
        self._keep_draft()
        self._preset, self.parent_job_id = name, None
        proposal, corrections = self._choices.proposal, self._choices.proposed_corrections
        if name == FROM_RATINGS and proposal is not None:
            self._fill(proposal.settings, "beta")
        elif name == FROM_CORRECTIONS and corrections is not None:
            self._fill(corrections.settings, "correction_weight")
        else:
            self._fill(replace(PRESETS[name], dataset=self.settings.dataset))

    def _fill(self, settings: TrainSettings, current: str = "") -> None:
        self.form.list.hide(_hidden(settings))
        draft = self._drafts.get(self._preset)
        self.form.show(
            replace(draft, dataset=draft.dataset or settings.dataset) if draft else settings, settings
        )
        if current:
            self.form.list.go_to(current)
        self._show()

    @on(events.Mount)
    @on(SettingsForm.Changed)
    def _show(self) -> None:
        if not self.is_mounted:
            return
        changed = self.settings != self.form.list.baseline
        presets = _presets_text(self._choices.presets, self._preset, changed)
        self.query_one(".presets", Static).update(presets)
        plan = self._choices.plan(self.settings)
        self.query_one(".plan-text", Static).update(_plan_text(plan))
        self.query_one(".plan-short", Static).update(Content(plan.doubts[0] if plan.doubts else ""))
        self._memory.settings_are(self.settings)


def _hidden(settings: TrainSettings) -> frozenset[str]:
    """Fields that a run with this objective has no use for, or takes from the job before it."""
    if settings.learns_corrections:
        return HIDDEN_FROM_RATINGS | {"beta", "eval_images"}
    return HIDDEN_FROM_RATINGS | {"correction_weight"} if settings.learns_preferences else HIDDEN


def _presets_text(names: list[str], current: str, changed: bool) -> Content:
    """The presets side by side, then a line about the current one, which may be another job's settings."""
    parts: list[Content | str] = [Content.styled("New training job", "bold"), "  "]
    for name in names if current in names else [*names, current]:
        style = theme.LIT if name == current else "$muted"
        parts += [Content.styled(f" {name} ", style)]
    note = "changed fields are marked •" if changed else PRESET_NOTES.get(current, f"settings of {current}")
    return Content.assemble(*parts, "\n", Content.styled(note, "$muted"))


def _plan_text(plan: FormPlan) -> Content:
    lines = [Content.styled("This run", "bold $muted")]
    for label, text in plan.facts:
        lines.append(Content.assemble(Content.styled(f"{label:<12}", "$muted"), text))
    for doubt in plan.doubts:
        lines += [Content(""), Content.styled(f"! {doubt}", "$warning")]
    return Content("\n").join(lines)
