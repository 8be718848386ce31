"""Jobs as a table of runs: what came of each, in what it differs, what it cost; sorted and filtered.

The screen and the command line show the same columns of the same values.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from radtui.ask_settings import AskSettings
from radtui.durations import clock_text
from radtui.records import Job, JobKind, JobState
from radtui.setting_fields import Settings
from radtui.settings import GenerateSettings, ImportSettings, TrainSettings
from radtui.store import metrics
from radtui.user_choices import UserChoices

LAST_SHARE = 0.05  # of a run's steps, over which its loss is the mean: single steps scatter
LEAST_COST = 0.005  # less is 0.00
NAMED = 6  # settings that differ, before the rest is counted: a first run differs from the defaults in many
LIVE_STEPS = 10  # of a run that goes on, between two looks at its losses
NONE = "–"  # what is not known, or not yet
OF_KIND: dict[JobKind, type[Settings]] = {
    JobKind.TRAIN: TrainSettings, JobKind.GENERATE: GenerateSettings, JobKind.IMPORT: ImportSettings,
    JobKind.ASK: AskSettings,
}  # fmt: skip
OF_OTHER_COLUMNS = frozenset(
    {"model", "dataset", "train_job", "from_job", "adapter", "then", "on", "profile"}
)
"""Settings that stand elsewhere, or change nothing of what a job does."""
OF_DESCRIBING = frozenset({"batch_size", "seed", "gpus", "split"})
"""Settings of descriptions that have a name of training's, and a value of their own."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a job, as far as is known.

    Attributes:
        loss: Mean of the training loss over the last 5 % of the steps.
        held_out: The last held-out loss.
        f1: F1 of findings, micro, of the newest texts by what it has learnt on images that it has not learnt from; of
            a generation job, of the newest arm that it wrote with.
    """

    loss: float | None = None
    held_out: float | None = None
    f1: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A job with its figures, and the settings in which it differs from the run before it."""

    job: Job
    figures: Figures = Figures()
    differs: str = ""

    @property
    def model(self) -> str:
        """The model's own name, without who publishes it or where it lies."""
        return str(self.job.settings.get("model", "")).rstrip("/").rsplit("/", 1)[-1]

    @property
    def gpu(self) -> str:
        """What it ran on, "" while that is not known."""
        return str(self.job.result.get("gpu", ""))

    def seconds(self, now_s: float) -> float | None:
        """How long it ran, None before it started."""
        job = self.job
        if job.started_at is None:
            return None
        return max(0.0, (job.ended_at or (now_s if job.state.live else job.started_at)) - job.started_at)


def figures_of(db: sqlite3.Connection, job: Job, described: Iterable[Job] = ()) -> Figures:
    """Read what came of a job; `described` are the generation jobs made from it."""
    if job.kind is JobKind.GENERATE:
        return Figures(f1=_newest(job.result.get("f1")))
    if job.kind is not JobKind.TRAIN:
        return Figures()
    count = max(1, round(job.step * LAST_SHARE))
    learnt = TrainSettings.from_dict(job.settings).train_split
    new_to_it = (
        each.result.get("f1")
        for each in described
        if GenerateSettings.from_dict(each.settings).split != learnt
    )
    f1 = next((_newest(by_arm) for by_arm in new_to_it if by_arm), None)
    return Figures(
        metrics.mean_of_last(db, job.id, "loss", count), metrics.mean_of_last(db, job.id, "eval_loss", 1), f1
    )


class RunBook:
    """What is known of jobs as runs: read once for each that has ended, and again for those that have moved on."""

    def __init__(self) -> None:
        self._figures: dict[int, tuple[object, Figures]] = {}  # with what they were read for
        self._differs: dict[int, str] = {}

    def runs(self, jobs: Sequence[Job]) -> list[Run]:
        """The jobs, newest first as they are given, with what is known by now."""
        if len(self._differs) > len(jobs):  # one is gone, with which another may have been compared
            self._differs.clear()
        for at, job in enumerate(jobs):
            if job.id not in self._differs:
                self._differs[job.id] = differences(job, jobs[at + 1 :])
        nothing = (None, Figures())
        return [Run(job, self._figures.get(job.id, nothing)[1], self._differs[job.id]) for job in jobs]

    def lacking(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs whose figures are to be read, anew or for the first time."""
        described = _described(jobs)
        wanted = (job for job in jobs if job.kind in (JobKind.TRAIN, JobKind.GENERATE))
        return [job for job in wanted if self._figures.get(job.id, (None,))[0] != _stamp(job, described)]

    def read(self, db: sqlite3.Connection, jobs: Sequence[Job]) -> list[tuple[Job, object, Figures]]:
        """Read what is lacking; changes nothing here, so that a thread may."""
        described = _described(jobs)
        return [
            (job, _stamp(job, described), figures_of(db, job, described.get(job.id, ())))
            for job in self.lacking(jobs)
        ]

    def take(self, listed: Iterable[tuple[Job, object, Figures]]) -> None:
        """Keep what was read."""
        self._figures |= {job.id: (stamp, figures) for job, stamp, figures in listed}


def _described(jobs: Iterable[Job]) -> dict[int, list[Job]]:
    """The generation jobs made from each training job, in the order of `jobs`."""
    listed: dict[int, list[Job]] = {}
    for job in jobs:
        if job.kind is JobKind.GENERATE and job.parent_job_id is not None:
            listed.setdefault(job.parent_job_id, []).append(job)
    return listed


def _stamp(job: Job, described: Mapping[int, Sequence[Job]]) -> object:
    """What figures depend on: as long as it is the same, they are."""
    step = job.step // LIVE_STEPS if job.state.live else job.step
    return job.state, step, [str(each.result.get("f1")) for each in (job, *described.get(job.id, ()))]


def differences(job: Job, older: Sequence[Job]) -> str:
    """The settings in which a job differs from the newest older one of its data set, else from the defaults.

    What descriptions take from the training job whose models write them is no difference.
    """
    if job.kind not in (JobKind.TRAIN, JobKind.GENERATE):
        return ""
    kind = OF_KIND[job.kind]
    own = _settings(kind, job)
    alike = [each for each in older if each.kind is job.kind and each.dataset == job.dataset]
    before = _settings(kind, alike[0]) if alike else kind().to_dict()
    taken = {} if alike else _of_parent(job, older)
    changed = [
        name
        for name in kind.about()
        if name not in OF_OTHER_COLUMNS and own[name] not in (before[name], taken.get(name, before[name]))
    ]
    parts = [f"{name.replace('_', ' ')} {kind.text_of(name, own[name])}" for name in changed[:NAMED]]
    more = len(changed) - NAMED
    return ", ".join(parts) + (f" and {more} more" if more > 0 else "")


def _of_parent(job: Job, older: Sequence[Job]) -> dict[str, object]:
    """What descriptions take from their training job, by the names of their own settings."""
    parent = next((each for each in older if each.id == job.parent_job_id), None)
    if job.kind is not JobKind.GENERATE or parent is None:
        return {}
    trained, own = TrainSettings.from_dict(parent.settings), GenerateSettings.about()
    taken = trained.to_dict() | {"message_order": trained.asking_order}
    return {name: value for name, value in taken.items() if name in own and name not in OF_DESCRIBING}


def _settings(kind: type[Settings], job: Job) -> dict[str, object]:
    return kind.from_dict(job.settings).to_dict()


def _newest(f1: object) -> float | None:
    """The F1 of the arm that a job wrote with last: what was learnt comes behind the base."""
    values = [value for value in f1.values() if isinstance(value, float)] if isinstance(f1, Mapping) else []
    return values[-1] if values else None


def hidden(job: Job, archived: bool) -> bool:
    """Whether a job is out of sight: archived ones are until they are asked for."""
    return job.archived and not archived


def holds(cells: Iterable[object], words: Sequence[str]) -> bool:
    """Whether cells of a row hold all words of a filter, whichever they stand in."""
    text = " ".join(map(str, cells)).casefold()
    return all(word.casefold() in text for word in words)


def ordered(listed: Sequence[Run], sort: str, now_s: float) -> list[Run]:
    """Runs in an order of `user_choices.SORTS`; those without the value come last, equal ones newest first."""
    if sort == "newest":
        return list(listed)
    keys: dict[str, Callable[[Run], object]] = {
        "name": lambda run: run.job.name.casefold(),
        "loss": lambda run: run.figures.loss,
        "held-out": lambda run: run.figures.held_out,
        "F1": lambda run: None if run.figures.f1 is None else -run.figures.f1,  # the best first
        "time": lambda run: None if (took := run.seconds(now_s)) is None else -took,  # the longest first
        "state": lambda run: list(JobState).index(run.job.state),
    }
    key = keys[sort]
    known = [run for run in listed if key(run) is not None]
    return sorted(known, key=key) + [run for run in listed if key(run) is None]  # type: ignore[arg-type]


def loss_text(value: float | None) -> str:
    """A loss with three digits, or a dash."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:.3g}"


def f1_text(value: float | None) -> str:
    """An F1 with two digits, or a dash."""
    return NONE if value is None else f"{value:.2f}"


def time_text(seconds: float | None) -> str:
    """A duration, "" before the start."""
    return "" if seconds is None else clock_text(seconds)


def spent_text(job: Job, seconds: float | None, prices: UserChoices) -> str:
    """The energy that a job's GPUs took, and its cost where an hour has a price; "" where neither is known."""
    parts = []
    energy_wh = job.result.get("energy_wh")
    if isinstance(energy_wh, (int, float)):
        parts.append(energy_text(float(energy_wh)))
    if prices.price_per_hour and seconds is not None:
        cost = seconds / 3600 * prices.price_per_hour
        parts += [f"{cost:,.2f} {prices.currency}".rstrip()] if cost >= LEAST_COST else []
    return " · ".join(parts)


def energy_text(energy_wh: float) -> str:
    """Watt-hours, or kilowatt-hours where there are many: "42 Wh", "1.3 kWh"."""
    if energy_wh >= 1000:
        return f"{energy_wh / 1000:,.1f} kWh"
    return f"{energy_wh:.0f} Wh" if energy_wh >= 10 else f"{energy_wh:.1f} Wh"
