"""What is reviewed, kept up to date: studies are opened, pairs come as a job writes them, a lost folder comes back."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from radtui.plural import many
from radtui.records import JobKind, UserError
from radtui.store import jobs, studies
from radtui.study.alike import alike_pairs
from radtui.study.kept_files import Followed, follow, kept_paths
from radtui.study.queue import Pair
from radtui.study.session import ReviewSession, Sitting, read_sitting
from radtui.tui.aside import aside
from radtui.tui.keys import sign
from radtui.tui.review import correcting
from radtui.tui.review.nothing import all_tied_text, nothing_text
from radtui.tui.review.reviewing import Reviewing
from radtui.tui.snapshot import Snapshot, job_in

NOTHING_FOLLOWED = Followed()

DELIVER_S = 3.0  # between tries to write to a disk that took nothing
GROW_S = 1.0  # between looks for new pairs while a job writes them


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a thread has read of a study.

    Attributes:
        sitting: None where there is no study with pairs.
        delivered: Answers that were kept while the data folder was gone, and are saved now.
        followed: The same of those that were kept for it under another name.
    """

    sitting: Sitting | None
    delivered: int = 0
    followed: Followed = NOTHING_FOLLOWED


@dataclass(frozen=True, slots=True)
class Grown:
    """The order of a study's pairs after more texts have come; `alike` are the cases whose texts read the same."""

    pairs: list[Pair]
    alike: frozenset[int]


class Following:
    """Opens sittings in threads and takes in what comes.

    Args:
        reviewing: What is kept up to date.
        say_nothing: Says in the comparison's place why there is none.
    """

    def __init__(self, reviewing: Reviewing, say_nothing: Callable[[str], None]) -> None:
        self._reviewing, self._say_nothing = reviewing, say_nothing
        self._loading = False
        self.grown_at_s = 0.0
        self._grown_step = -1
        # Cases that came while the study was open, whose texts read the same.
        self._alike: frozenset[int] = frozenset()
        self._again_at_s = 0.0
        self._newer_job_id = 0  # the newest job that was named
        self._has_followed = False  # whether answers were looked for that were kept under another name
        self._delivered = 0  # answers that a disk has taken at last, until that was said
        self._undelivered = 0  # answers that wait for another folder than this one

    def load(self, study_id: int | None) -> None:
        """Open a study's pairs; None takes the newest study that has any."""
        rad, scheme = self._reviewing.screen.rad, self._reviewing.scheme
        if scheme is None or self._loading:
            return
        self._loading = True

        def read(db: sqlite3.Connection) -> Sitting | None:
            counts = studies.with_comparisons(db)
            chosen = study_id if study_id is not None else next(iter(counts), None)
            return read_sitting(db, chosen, rad.rater, scheme) if chosen in counts else None

        def work() -> Loaded:
            try:
                delivered = rad.write(rad.unsaved.deliver) if rad.unsaved.waits else 0
            except UserError:
                if not rad.unsaved.trouble:
                    raise
                return Loaded(rad.read(read))  # they wait on, for `deliver_again`
            followed = NOTHING_FOLLOWED
            if not self._has_followed and kept_paths():
                followed = rad.write(lambda db: follow(db, rad.data, rad.rater, rad.unsaved.path))
            self._has_followed = True
            return Loaded(rad.read(read), delivered + self._delivered, followed)

        aside(self._reviewing.screen, work, self._show, self._refused, group="load", exclusive=False)

    def deliver_again(self) -> None:
        """Try whether a disk that took nothing takes what was kept; the study is read anew when it has."""
        rad = self._reviewing.screen.rad
        if self._loading or self._reviewing.session is None or not rad.unsaved.trouble:
            return
        self._loading = True

        def over(delivered: int = 0) -> None:
            self._loading = False
            session = self._reviewing.session
            if not rad.unsaved.trouble and session is not None:
                self._delivered = delivered
                self.load(session.study.id)

        aside(
            self._reviewing.screen, lambda: rad.write(rad.unsaved.deliver), over, lambda _: over(),
            group="load", exclusive=False,
        )  # fmt: skip

    def _show(self, loaded: Loaded) -> None:
        reviewing = self._reviewing
        rad = reviewing.screen.rad
        self._undelivered, self._delivered = rad.unsaved.count, 0
        for sentence in loaded.followed.sentences:
            self._reviewing.screen.notify(sentence, severity="warning")
        if loaded.sitting is None:
            self._refused("")
            return
        try:
            session = ReviewSession(reviewing.answers.database, loaded.sitting, unsaved=rad.unsaved)
        except UserError as error:
            self._refused(str(error))
            return
        self._alike = frozenset()
        job = job_in(rad.snapshot, loaded.sitting.study.job_id)
        self._grown_step = job.step if job is not None else -1
        reviewing.answers.add(
            lambda: self._begin(session, loaded),
            then=lambda: self._begun(session),
            failed=lambda: self._refused(""),
        )

    def _begin(self, session: ReviewSession, loaded: Loaded) -> None:
        reviewing = self._reviewing
        reviewing.begin(session)
        for count, what in (
            (loaded.delivered, "can be written again"),
            (loaded.followed.delivered, "has another name now"),
        ):
            if count:
                kept = many(count, "kept answer is", "kept answers are")
                reviewing.message = f"The data folder {what}, and {kept} saved in it."
        if reviewing.screen.app.screen is not reviewing.screen:
            session.time.pause()

    def _begun(self, session: ReviewSession) -> None:
        self._loading = False
        correcting.open_wanted(self._reviewing, session)

    def _refused(self, sentence: str) -> None:
        self._loading = False
        self.say_nothing(sentence)

    def say_nothing(self, trouble: str = "") -> None:
        """Why there is nothing to review, and the next key; `trouble` is why it could not be read."""
        if self._reviewing.session is None and not self._loading:
            self._say_nothing(trouble or nothing_text(self._reviewing.screen.rad.db))
        elif trouble:
            self._reviewing.say(trouble)

    def say_all_tied(self, session: ReviewSession) -> None:
        """Why a study that is open shows no pair."""
        job_id = session.study.job_id
        job = jobs.get(self._reviewing.screen.rad.db, job_id) if job_id is not None else None
        more = job.id if job is not None and job.state.live else None
        self._say_nothing(all_tied_text(session, len(self._alike), more))

    def take(self, snapshot: Snapshot) -> None:
        """Take in pairs that a running job has written, and a folder that has come back."""
        reviewing, now_s = self._reviewing, time.monotonic()
        if reviewing.scheme is None:
            return
        known = None if self._loading or snapshot.trouble else reviewing.session
        if known is not None and self._is_back(known):
            self.load(known.study.id)
            return
        if self._loading or now_s - self.grown_at_s < GROW_S:
            if now_s >= self._again_at_s:  # an ended job changes nothing more: this snapshot may be the last
                self._again_at_s = now_s + GROW_S
                screen = reviewing.screen
                screen.set_timer(GROW_S, lambda: self.take(screen.rad.snapshot))
            return
        session = reviewing.session
        if session is None:
            if any(job.kind is JobKind.GENERATE for job in snapshot.jobs):
                self.grown_at_s = now_s
                self.load(None)
            self.say_nothing()
            return
        self._name_newer(session, snapshot)
        if session.pair is None:
            reviewing.draw()  # the job that was to write more may have ended
        job = job_in(snapshot, session.study.job_id)
        if job is not None and job.step != self._grown_step:
            self.grown_at_s, self._grown_step = now_s, job.step
            self._grow(session)

    def _grow(self, session: ReviewSession) -> None:
        sitting, rad, tied = session.sitting, self._reviewing.screen.rad, self._alike
        known = {pair.case_id for pair in session.queue.pairs}.union(tied, sitting.left_out)

        def read(db: sqlite3.Connection) -> Grown:
            ids = studies.comparison_ids(db, sitting.study)
            alike = tied.union(alike_pairs(db, sitting.study, set(ids) - known))
            return Grown(sitting.order([case_id for case_id in ids if case_id not in alike]), alike)

        aside(
            self._reviewing.screen,
            lambda: rad.read(read),
            lambda grown: self._take_in(session, grown),
            group="grow",
        )

    def _take_in(self, session: ReviewSession, grown: Grown) -> None:
        reviewing = self._reviewing
        if reviewing.session is session:
            self._alike |= grown.alike
            reviewing.answers.add(lambda: self._grow_by(session, grown.pairs))

    def _grow_by(self, session: ReviewSession, pairs: list[Pair]) -> None:
        reviewing = self._reviewing
        if not session.grow(pairs):
            return
        if session.pair is None:  # all before these read the same
            reviewing.message = ""
            session.start()
            return
        if reviewing.message and session.queue.rated(session.pair or pairs[0]):
            reviewing.message = ""  # was waiting for these
            session.next_unrated()

    def _is_back(self, session: ReviewSession) -> bool:
        """Whether the data folder was gone: what is known is of the old one, and answers wait to be put in."""
        rad = self._reviewing.screen.rad
        waits = rad.unsaved.count != self._undelivered and not rad.unsaved.trouble
        return waits or not self._reviewing.answers.writes_by(session.db)

    def _name_newer(self, session: ReviewSession, snapshot: Snapshot) -> None:
        """A job that began to write after the one on show: opened when nothing is left to do here, else named."""
        reviewing = self._reviewing
        newest = next((job for job in snapshot.jobs if job.kind is JobKind.GENERATE and job.step), None)
        if newest is None or newest.created_at <= session.study.created_at or newest.id <= self._newer_job_id:
            return
        study = studies.of_job(reviewing.screen.rad.db, newest.id)
        if study is None or study.id == session.study.id:
            return
        self._newer_job_id = newest.id
        if reviewing.screen.app.screen is not reviewing.screen and session.queue.next_unrated() is None:
            self.load(study.id)
        else:
            reviewing.say(f"#{newest.id} has pairs to rate, too. Press {sign('other')} to open them.")
