"""What the poller read from the database at one moment; frozen, so that any thread may hold it."""

from __future__ import annotations

from dataclasses import dataclass, field

from radtui.jobs.progress import JobProgress
from radtui.records import Description, Event, Job, JobKind, JobState, Metric


@dataclass(frozen=True, slots=True)
class News:
    """What is new of a followed job since the last snapshot.

    `first` marks the first chunk after `follow`: what was shown before belongs to another job or attempt.
    `more` is true while rows written earlier are still being read, chunk by chunk. `log` is None when the
    log has not changed.
    """

    job: Job
    first: bool
    metrics: dict[str, list[Metric]] = field(default_factory=dict)  # by series name, oldest first
    events: tuple[Event, ...] = ()
    descriptions: tuple[Description, ...] = ()
    log: tuple[str, ...] | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at the database.

    `jobs` are all jobs, newest first; `news` is keyed by who follows ("train", "review", ...).
    """

    at_s: float
    live: tuple[JobProgress, ...] = ()
    jobs: tuple[Job, ...] = ()
    news: dict[str, News] = field(default_factory=dict)
    trouble: str = ""  # why the database could not be read, else ""

    @property
    def main(self) -> JobProgress | None:
        """The job the header shows: the running one, else the first that is about to."""
        order = (JobState.RUNNING, JobState.STARTING, JobState.QUEUED)
        return min(  # a model that waits for questions is of less interest than any work
            self.live,
            key=lambda p: (order.index(p.job.state), p.job.kind is JobKind.ASK, p.job.id),
            default=None,
        )

    def progress(self, job_id: int) -> JobProgress | None:
        """Progress of a live job, or None."""
        return next((p for p in self.live if p.job.id == job_id), None)


def job_in(snapshot: Snapshot, job_id: int | None) -> Job | None:
    """A job as it was last seen; None for none."""
    return next((job for job in snapshot.jobs if job.id == job_id), None)
