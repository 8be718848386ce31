"""What a picked model is and needs: checked in a process of its own, and said under its field."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import on
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import get_current_worker

from radtui.jobs.known_models import needs_text
from radtui.paths import DataDir
from radtui.settings import TrainSettings
from radtui.tui.aside import aside
from radtui.tui.widgets.field_list import FieldList
from radtui.tui.widgets.settings_form import SettingsForm

if TYPE_CHECKING:
    from radtui.jobs.model_check import ModelCheck

REST_S = 0.6  # who goes through the models with a key waits for none of those on the way
CHECKING = "Checking what it is and needs, some seconds…"
Asked = tuple[str, str, bool]  # model, data set, whether its code may run


class ModelFacts:
    """Checks the models that are picked, each once for a data set.

    Args:
        form: Whose they are.
        data: The data folder.
        changed: Called when there is more to say of a model.
    """

    def __init__(self, form: Widget, data: DataDir, changed: Callable[[], object]) -> None:
        self._form, self._data, self._changed = form, data, changed
        self._known: dict[Asked, str] = {}
        self._of: Asked | None = None
        self._refused = ""  # why nothing is known of it
        self._check: ModelCheck | None = None
        self._resting: Timer | None = None

    def picked(self, settings: TrainSettings) -> None:
        """Check the model of these settings, once nothing is picked any more for a moment."""
        asked = settings.model, settings.dataset, settings.trust_remote_code
        if asked == self._of:
            return
        self.end()
        self._of = asked
        if settings.model and asked not in self._known:
            self._resting = self._form.set_timer(REST_S, self._begin)

    def text(self, name: str) -> str:
        """What is known of a model: from the list that comes along, and once it is checked, from itself."""
        if self._of is None or self._of[0] != name:
            return needs_text(name)
        if self._of in self._known:
            return self._known[self._of]
        return "\n".join(filter(None, [needs_text(name), self._refused or CHECKING]))

    def end(self) -> None:
        """Nobody waits for the answer any more."""
        if self._resting is not None:
            self._resting.stop()
        if self._check is not None:
            self._check.cancel()
        self._of = self._check = self._resting = None
        self._refused = ""

    def _begin(self) -> None:
        asked = self._of
        if asked is None:
            return

        def work() -> str:
            from radtui.jobs.model_check import ModelCheck, check_lines
            from radtui.jobs.submit import resolved_model

            name, dataset, trusted = asked
            self._check = check = ModelCheck(self._data, resolved_model(name), dataset, trusted)
            if get_current_worker().is_cancelled:  # while the process was being started
                check.cancel()
            return "\n".join(check_lines(check.result()))

        def take(text: str) -> None:
            self._known[asked] = text
            self._changed()

        def refused(sentence: str) -> None:
            if asked == self._of:  # else it was cancelled
                self._refused = sentence
                self._changed()

        aside(self._form, work, take, refused, group="model")


class TrainFields(SettingsForm):
    """A training job's fields, which say what a picked model is and needs; presets name theirs without being asked."""

    def __init__(self, data: DataDir, settings: TrainSettings, hidden: frozenset[str]) -> None:
        super().__init__(settings, hidden, self._about_model)
        self._models = ModelFacts(self, data, self.refresh_help)

    def on_unmount(self) -> None:
        """Nobody waits for what is being checked any more."""
        self._models.end()

    @on(FieldList.Changed)
    def _picked(self, event: FieldList.Changed) -> None:
        if self.list.name_at_cursor == "model" and isinstance(event.settings, TrainSettings):
            self._models.picked(event.settings)
            self.refresh_help()

    def _about_model(self, name: str, value: str) -> str:
        return self._models.text(value) if name == "model" else ""
