"""A training job, live or over: its state, loss chart, small charts, watched texts and log."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from radtui.charts.palette import EVAL, TRAIN
from radtui.charts.seeds import own_steps, series_of, steps_each
from radtui.jobs.run_table import Run, spent_text
from radtui.measures.loss_words import loss_note
from radtui.paths import DataDir
from radtui.percent import percent_text
from radtui.records import Event, Job, JobState
from radtui.settings import TrainSettings
from radtui.tui import words
from radtui.tui.jobs.job_words import describing, saying
from radtui.tui.jobs.log_tail import LogTail
from radtui.tui.key_uses import bindings
from radtui.tui.remembering import choices_of
from radtui.tui.snapshot import News, Snapshot
from radtui.tui.train.watch_timeline import WatchTimeline
from radtui.tui.widgets.chart import LossChart
from radtui.tui.widgets.small_chart import SmallChart

LOSSES = {"loss": ("train", TRAIN), "eval_loss": ("held-out", EVAL)}
SMALL = {
    "reward_margin": ("Margin", ""),
    "reward_accuracy": ("Pairs right", ""),
    "learning_rate": ("Learning rate", ""),
    "grad_norm": ("Gradient norm", ""),
    "tokens_per_s": ("Tokens", "/s"),
    "memory_gib": ("Memory", "GiB"),
}
SHOWN_WITH_POINTS = ("reward_margin", "reward_accuracy", "memory_gib")
SMALL_CELLS = 20  # a title, a value and a unit
EVENTS = 6
READING = "Reading what there is of it."
TALL_ROWS = 36  # from which a line may stay empty
WIDE_CELLS = 110  # from which the texts have room beside the chart


class JobPane(Vertical):
    """Everything about one training job."""

    DEFAULT_CSS = """
    JobPane .job-status { height: auto; max-height: 5; padding: 0 2; }
    JobPane.-tall .job-status { padding: 1 2; max-height: 7; }
    JobPane .job-body { height: 1fr; }
    JobPane .job-charts { width: 1fr; padding: 0 1; }
    JobPane .job-small { height: 3; margin-top: 1; }
    JobPane SmallChart { margin: 0 1 0 0; }
    JobPane .job-side { width: 38%; border-left: vkey $faint; padding: 0 1 0 2; }
    JobPane .job-events { height: auto; max-height: 9; margin-top: 1; color: $muted; }
    JobPane LogTail { height: 35%; border-top: hkey $faint; display: none; }
    JobPane.-log LogTail { display: block; }
    JobPane.-narrow .job-side { display: none; }
    JobPane.-narrow.-texts .job-side { display: block; width: 1fr; border-left: none; }
    JobPane.-narrow.-texts .job-charts { display: none; }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("job pane")

    def __init__(self, data: DataDir) -> None:
        super().__init__()
        self.job: Job | None = None
        self.chart = LossChart()
        self.texts = WatchTimeline(data)
        self.log_tail = LogTail()
        self._small = {name: SmallChart(title, unit=unit) for name, (title, unit) in SMALL.items()}
        self._events: list[Event] = []
        self._mfu: float | None = None  # share of one GPU's arithmetic at the newest logged step
        self._read = False  # whether rows of the job on show have come: none before that says nothing of it

    def compose(self) -> ComposeResult:
        """State above, charts left, texts right, log below."""
        yield Static(classes="job-status")
        with Horizontal(classes="job-body"):
            with Vertical(classes="job-charts"):
                yield self.chart
                with Horizontal(classes="job-small"):
                    yield from self._small.values()
            with Vertical(classes="job-side"):
                yield self.texts
                yield Static(classes="job-events")
        yield self.log_tail

    def on_resize(self) -> None:
        """Texts beside the chart where there is room, in its place elsewhere."""
        self.set_class(self.size.width < WIDE_CELLS, "-narrow")
        self.set_class(self.size.height >= TALL_ROWS, "-tall")
        self.call_after_refresh(self._fit_small)
        self.screen.refresh_bindings()

    def on_show(self) -> None:
        """Back from the form, with texts in the place of the chart that would have the focus."""
        if self.can_focus:
            self.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer keys for texts that are in sight, and others of them; a narrow screen needs a key to see any."""
        if action in ("text_step", "text_image"):
            in_sight = not self.has_class("-narrow") or self.has_class("-texts")
            by = parameters[0]
            assert isinstance(by, int)
            return in_sight and (self.texts.leads(by) if action == "text_step" else self.texts.counts[1] > 1)
        if action == "film":
            return self.texts.filled
        return action != "texts" or self.has_class("-narrow")

    def action_texts(self) -> None:
        """Texts in place of the chart, and back; the focus cannot stay on a hidden chart, nor leave with its keys."""
        self.toggle_class("-texts")
        self.can_focus = self.has_class("-texts")
        (self if self.can_focus else self.chart).focus()
        self.screen.refresh_bindings()

    def action_text_step(self, by: int) -> None:
        """Watched texts at another step."""
        self.texts.go(by)
        self.screen.refresh_bindings()

    def action_text_image(self, by: int) -> None:
        """Watched texts of the next image, or of the one before."""
        self.texts.next_image(by)

    def action_film(self) -> None:
        """The watched image over the whole screen."""
        film = self.texts.film
        if film is not None:
            self.app.push_screen(film)

    def action_tail(self) -> None:
        """Show the end of the log, or hide it."""
        self.toggle_class("-log")
        self.log_tail.call_after_refresh(self.log_tail.scroll_end, animate=False)

    def attach(self, job: Job) -> None:
        """Show another job; its rows come with the next snapshots."""
        self.job, self._read = job, False
        settings = TrainSettings.from_dict(job.settings)
        self._clear(settings)
        self.chart.say(note=loss_note(settings))
        self.texts.clear(READING)
        self.log_tail.show(())

    def take(self, snapshot: Snapshot, news: News | None) -> None:
        """Take in a snapshot."""
        if self.job is None:
            return
        job = next((job for job in snapshot.jobs if job.id == self.job.id), self.job)
        self.job = job
        if news is not None and news.job.id == job.id:
            if news.first:
                self._clear(TrainSettings.from_dict(job.settings))
                self.texts.clear(_when_described(job))
                self._read = True
            self._take_points(news)
            counts = self.texts.counts
            self.texts.take(news)
            if self.texts.counts != counts:
                self.screen.refresh_bindings()
            if news.log is not None:
                self.log_tail.show(news.log)
        self._show_state(snapshot)

    def _clear(self, settings: TrainSettings) -> None:
        self.chart.clear()
        self._events, self._mfu = [], None
        self._show_events()
        for key, (label, colour) in LOSSES.items():
            if key == "loss" or settings.eval_split:
                self.chart.add_series(key, label, colour, points=key == "eval_loss")
        for name, chart in self._small.items():
            chart.clear()
            chart.display = name not in SHOWN_WITH_POINTS

    def _take_points(self, news: News) -> None:
        for event in news.events:
            if event.kind == "resume":  # what lay beyond is written again
                self._events = [known for known in self._events if known.step <= event.step]
            self._events.append(event)
        if news.events:
            self.chart.set_events(self._events)
            self._show_events()
        for name, points in news.metrics.items():
            own, training = series_of(name)
            if own in LOSSES:
                label, colour = LOSSES[own]
                if own == "eval_loss" or training > 1:
                    number = f" {training}" if training > 1 else ""
                    self.chart.add_series(name, f"{label}{number}", colour, points=own == "eval_loss")
                each = steps_each(news.job.total_steps, news.job.settings.get("seeds"))
                self.chart.extend(name, own_steps(points, training, each))
            elif name == "mfu":
                self._mfu = points[-1].value if points else self._mfu
            elif name in self._small:
                first = self._small[name].value is None
                self._small[name].extend(points)
                if first:
                    self._small[name].display = True
                    self._fit_small()

    def _fit_small(self) -> None:
        """With a job's rewards there are more small charts than fit beside each other: the last ones go."""
        if not self._small["reward_margin"].display:
            return
        measured = [chart for chart in self._small.values() if chart.value is not None]
        room = max(2, self.query_one(".job-charts").size.width // SMALL_CELLS)
        for place, chart in enumerate(measured):
            chart.display = place < room

    def _show_events(self) -> None:
        """The newest events that fit, oldest of them first; all are marked on the chart."""
        lines = [Content("events")] if self._events else []
        for event in self._events[-EVENTS:]:
            step = Content.styled(f"{event.step:>6}  ", "$muted")
            style = "$warning" if event.kind == "warning" else "$foreground"
            lines.append(Content.assemble(step, Content.styled(event.text or event.kind, style)))
        self.query_one(".job-events", Static).update(Content("\n").join(lines))

    def _show_state(self, snapshot: Snapshot) -> None:
        job = self.job
        assert job is not None
        status = saying(job, snapshot.progress(job.id), snapshot.at_s, describing(job, snapshot.jobs))
        run = Run(job)
        spent = spent_text(job, run.seconds(snapshot.at_s), choices_of(self))
        facts = (memory(job, self._events), run.gpu, arithmetic_words(self._mfu), spent)
        title = Content.assemble(
            Content.styled(f"#{job.id} ", "$muted"),
            Content.styled(job.name, "bold"),
            "   ",
            Content.styled(f"{words.MARKS[job.state]} {status.state}", f"bold {status.style}"),
            Content.styled(f"   {' · '.join(filter(None, facts))}", "$muted"),
        )
        text = Content.styled(status.text, status.style if job.state is JobState.FAILED else "$foreground")
        lines = [title, text] if status.text else [title]
        lines.append(Content.styled(status.next, "$muted"))
        self.query_one(".job-status", Static).update(Content("\n").join(lines))
        ended = f"{status.state.capitalize()} before the first step." if self._read else READING
        waiting = status.text if job.state.live else ended
        if waiting != self.chart.model.look.empty_text:
            self.chart.say(empty_text=waiting)


def _when_described(job: Job) -> str:
    """When the texts of held-out images come, while there is none."""
    settings = TrainSettings.from_dict(job.settings)
    if settings.eval_split and settings.watch_images:
        if settings.eval_every:
            return "What the model writes about a few held-out images comes with each evaluation."
        if settings.goes_on:
            return "What the model writes about a few held-out images comes before the first step and after the last."
    return "This job describes no images while it trains: watch_images or eval_every is 0."


def arithmetic_words(mfu: float | None) -> str:
    """How much of a GPU's arithmetic learning takes, and how far its limit is; "" where that cannot be told.

    Args:
        mfu: Model FLOP utilisation, 0..1; None for a chip that is not known, and on a CPU.
    """
    if mfu is None or not mfu > 0:
        return ""
    return f"MFU {percent_text(mfu)}: {1 / mfu:.1f}x to the chip's limit"


def memory(job: Job, events: list[Event]) -> str:
    """A job's peak memory, "" while it is not known."""
    peak = job.result.get("peak_memory_gib")
    if isinstance(peak, (int, float)):
        return f"peak {peak:.1f} GiB"
    return next((event.text for event in reversed(events) if event.kind == "memory"), "")
