"""Welcome: what an empty data folder opens on, with three ways to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from radtui.records import Job, JobKind, JobState
from radtui.settings import SEED_DATASET, ImportSettings
from radtui.tui.doors import demo_training, nothing_to_show, what_failed
from radtui.tui.jobs.submitting import submit
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadScreen
from radtui.tui.snapshot import Snapshot
from radtui.tui.widgets.path_input import SourceInput

if TYPE_CHECKING:
    from radtui.tui.data.preview import PreviewScreen

CHOICES = (
    ("1", "The demo", "draws phantom radiographs, trains a small model on them here and now,",
     "and lets you rate what it writes; offline, about five minutes"),
    ("2", "A folder of yours", "tables, texts, JSON, reports per patient, archives; what comes in",
     "is shown before it is taken"),
    ("3", "Radiology_mini", f"{SEED_DATASET} from the Hugging Face hub:",
     "1,978 + 327 radiology images with captions, 560 MB, CC-BY-NC"),
)  # fmt: skip
LINES = 4  # of a choice, with the empty one below it


class WelcomeChoices(Widget, can_focus=True):
    """Three choices, one of them current."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("choices")

    class Taken(Message):
        """A choice was made."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__()
        self.current = 0

    def render(self) -> Content:
        """Each choice in three lines."""
        lines = []
        for index, (key, title, first, second) in enumerate(CHOICES):
            here = index == self.current
            lines += [
                Content.assemble(
                    Content.styled(" ▸ " if here else "   ", "$accent"),
                    Content.styled(key, "bold $accent"),
                    Content.styled(f"  {title}", "bold" if here else "$foreground"),
                ),
                Content.styled(f"      {first}", "$muted"),
                Content.styled(f"      {second}", "$muted"),
                Content(""),
            ]
        return Content("\n").join(lines)

    def on_click(self, event: events.Click) -> None:
        """A click marks a choice; one on the marked choice takes it, as in the tables."""
        place = event.get_content_offset(self)
        index = place.y // LINES if place is not None else len(CHOICES)
        if index == self.current:
            self.action_take()
        elif index < len(CHOICES):
            self.current = index
            self.refresh()

    def action_move(self, by: int) -> None:
        """Mark the next or previous choice."""
        self.current = (self.current + by) % len(CHOICES)
        self.refresh()

    def action_take(self) -> None:
        """Take the marked choice."""
        self.post_message(self.Taken(self.current))


class WelcomeScreen(RadScreen):
    """Three choices; a folder is named in a line below them."""

    CSS_PATH = "welcome.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("welcome")

    def __init__(self) -> None:
        super().__init__()
        self._preview: PreviewScreen | None = None  # what was looked at last, with what was changed there

    def compose_body(self) -> ComposeResult:
        """Title, choices, path, and a line that answers."""
        with Vertical(classes="body welcome"):
            yield Static("Fine-tune a vision-language model on radiographs,\nand review blind what it writes.",
                         classes="welcome-title")  # fmt: skip
            yield Static(classes="welcome-failed")
            yield WelcomeChoices()
            yield SourceInput(
                placeholder="a folder or file; tab completes, enter looks", classes="welcome-path"
            )
            yield Static(classes="welcome-answer")
            yield Static(f"Data folder: {self.rad.data.root}\nModel output is not for clinical use.", markup=False,
                         classes="welcome-foot")  # fmt: skip

    def on_mount(self) -> None:
        """Choices first."""
        self._failed(what_failed(self.rad.snapshot))
        self.query_one(Input).display = False
        self.query_one(WelcomeChoices).focus()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Leave when there is something to see, from wherever it was started; else say what failed."""
        coming = next((p.job for p in snapshot.live if p.job.kind is JobKind.IMPORT), None)
        if self.is_current and coming is not None:
            self.rad.show_job(coming)
        elif self.is_current and not nothing_to_show(self.app):
            self.app.switch_mode("data")
        self._failed(what_failed(snapshot))

    def _failed(self, sentence: str) -> None:
        line = self.query_one(".welcome-failed", Static)
        line.display = bool(sentence)
        line.update(Content.styled(sentence, "$error"))

    def action_choose(self, index: int) -> None:
        """Mark and take a choice."""
        choices = self.query_one(WelcomeChoices)
        choices.current = index
        choices.refresh()
        choices.action_take()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a path to leave while one is typed."""
        return action != "leave_path" or (self.is_mounted and self.query_one(Input).display)

    def action_leave_path(self) -> None:
        """Back to the choices."""
        self.query_one(Input).display = False
        self.query_one(WelcomeChoices).focus()
        self.refresh_bindings()

    @on(WelcomeChoices.Taken)
    def _taken(self, event: WelcomeChoices.Taken) -> None:
        if event.index == 0:
            self._say("Starting the demo ...")
            submit(self, demo_training, self._show_demo, self._refused, create=True)
        elif event.index == 1:
            self.query_one(Input).display = True
            self.query_one(Input).focus()
            self.refresh_bindings()
            self._say("")
        else:
            self._import(ImportSettings(source=SEED_DATASET))

    @on(Input.Submitted)
    def _path(self, event: Input.Submitted) -> None:
        from radtui.tui.data.preview import PreviewScreen

        source = event.value.strip()
        if not source:
            return
        same = self._preview is not None and self._preview.settings.source == source
        settings = (
            self._preview.settings if self._preview is not None and same else ImportSettings(source=source)
        )
        self._preview = PreviewScreen(settings)
        self.app.push_screen(self._preview, self._looked_at)

    def _looked_at(self, answer: ImportSettings | str | None) -> None:
        if isinstance(answer, ImportSettings):
            self._import(answer)
        elif answer:
            self._refused(answer)

    def _import(self, settings: ImportSettings) -> None:
        from radtui.jobs import submit_import

        self._say(f"Starting the import of {settings.source} ...")

        submit(
            self,
            lambda data, db: submit_import(data, db, settings),
            self._show_started,
            self._refused,
            create=True,
        )

    def _show_started(self, job: Job) -> None:
        self._say("")  # what comes of it is said above, should one come back
        self.rad.show_job(job)

    def _show_demo(self, job: Job) -> None:
        from radtui.jobs.demo import GUIDE
        from radtui.tui.screens.guide import GuideScreen

        assert job.kind is JobKind.TRAIN
        self._show_started(job)
        if job.state is JobState.QUEUED:  # a new one
            self.app.push_screen(GuideScreen(GUIDE))

    def _refused(self, sentence: str) -> None:
        self.query_one(".welcome-answer", Static).update(Content.styled(sentence, "$error"))

    def _say(self, text: str) -> None:
        self.query_one(".welcome-answer", Static).update(Content.styled(text, "$muted"))
