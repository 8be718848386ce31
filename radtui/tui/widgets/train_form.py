"""The form of a training job: presets, fields, and what the run will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from radtui.settings import PRESETS, TrainSettings
from radtui.store.images import DatasetSummary
from radtui.tui.plan import Plan, plan
from radtui.tui.widgets.settings_form import SettingsForm

SAID = {
    "default": "recommended: answer-only loss, held-out evaluation, larger batches",
    "seed": "the report's recipe to the letter: 30 steps, loss on everything",
    "demo": "the small bundled model on drawn phantoms; minutes on a CPU",
}


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
        self.form = SettingsForm(PRESETS["default"])

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

    def compose(self) -> ComposeResult:
        """Presets above, fields left, plan right."""
        yield Static(classes="presets")
        with Horizontal():
            yield self.form
            with VerticalScroll(classes="plan", can_focus=False):
                yield Static(classes="plan-text")
        yield Static(classes="plan-short")

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

    def next_preset(self) -> None:
        """Fill in the next preset; the data set stays."""
        names = list(PRESETS)
        at = names.index(self._preset) + 1 if self._preset in names else 0
        self._preset, self._parent_job_id = names[at % len(names)], None
        self._fill(PRESETS[self._preset])

    def take(self, settings: TrainSettings, job_id: int) -> None:
        """Fill in another job's settings."""
        self._preset, self._parent_job_id = f"job #{job_id}", job_id
        self.form.show(settings, settings)
        self._show()

    @on(SettingsForm.Changed)
    def _changed(self) -> None:
        self._show()

    def _fill(self, settings: TrainSettings) -> None:
        settings = replace(settings, dataset=self.settings.dataset)
        self.form.show(settings, settings)
        self._show()

    def _show(self) -> None:
        if not self.is_mounted:
            return
        self.query_one(".presets", Static).update(self._presets())
        found = plan(self.settings, self._datasets)
        self.query_one(".plan-text", Static).update(_plan_text(found))
        self.query_one(".plan-short", Static).update(found.doubts[0] if found.doubts else "")

    def _presets(self) -> Content:
        names = [*PRESETS] if self._preset in PRESETS else [*PRESETS, self._preset]
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


def _plan_text(found: Plan) -> Content:
    lines = [Content.styled("This run", "bold $muted")]
    for label, text in found.facts:
        lines.append(Content.assemble(Content.styled(f"{label:<12}", "$muted"), text))
    for doubt in found.doubts:
        lines += [Content(""), Content.styled(f"! {doubt}", "$warning")]
    return Content("\n").join(lines)
