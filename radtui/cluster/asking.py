"""Asking Slurm about all jobs of a data folder: at once, or on a thread beside whoever draws meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from radtui.cluster import slurm
from radtui.cluster.slurm import Status

ASK_S = 3.0  # between questions: Slurm's controller answers everybody
SOON_S = 10.0  # what somebody waits for who has typed a command


@dataclass(frozen=True, slots=True)
class SlurmAnswer:
    """What Slurm said.

    Attributes:
        about: radtui's jobs that were there when it was asked.
        nobody_submitted: Whether no process was handing a job over at that moment.
        at_s: When it answered, Unix time, s.
        queue: The user's jobs that wait or run, by Slurm's number.
        ended: What became of jobs asked about that are not in the queue, by Slurm's number.
        trouble: Why there is no answer, as a sentence; "" where there is one.
    """

    about: frozenset[int]
    nobody_submitted: bool
    at_s: float
    queue: dict[int, Status] = field(default_factory=dict)
    ended: dict[int, Status] = field(default_factory=dict)
    trouble: str = ""


class SlurmQuestions:
    """One question at a time."""

    def __init__(self) -> None:
        self.answered_at_s = 0.0  # Unix time of the last answer that this process had
        self._asked_at_s = float("-inf")
        self._lock = threading.Lock()  # the poller and a command of the same process may come together
        self._thread: threading.Thread | None = None
        self._answer: SlurmAnswer | None = None

    def answer(
        self,
        about: Collection[int],
        numbers: Collection[int],
        nobody_submits: bool,
        at_once: bool,
        waits: bool,
    ) -> SlurmAnswer | None:
        """An answer that nobody has taken yet; asks anew where the last question is some seconds old.

        Args:
            about: radtui's jobs that are there.
            numbers: Slurm's numbers of them, as far as they are known.
            nobody_submits: Whether no process is handing a job over now.
            at_once: Ask although Slurm was asked a moment ago.
            waits: Whether to wait for the answer; else it comes with a later call.
        """
        with self._lock:
            answer, self._answer = self._answer, None
            if answer is None and self._thread is None and (at_once or self._is_time()):
                self._asked_at_s = time.monotonic()
                ask = self._question(frozenset(about), tuple(numbers), nobody_submits, waits)
                if waits:
                    answer = ask()
                else:
                    self._thread = threading.Thread(target=self._beside, args=(ask,), daemon=True)
                    self._thread.start()
            if answer is not None and not answer.trouble:
                self.answered_at_s = answer.at_s
            return answer

    def _is_time(self) -> bool:
        return time.monotonic() - self._asked_at_s >= ASK_S

    def _question(
        self, about: frozenset[int], numbers: tuple[int, ...], nobody_submits: bool, waits: bool
    ) -> Callable[[], SlurmAnswer]:
        wait_s = SOON_S if waits else slurm.ANSWER_S

        def ask() -> SlurmAnswer:
            try:
                queue = slurm.queue(wait_s)
                gone = [number for number in numbers if number not in queue]
                ended = {number: slurm.ended(number, wait_s) for number in gone}
            except slurm.SlurmError as error:
                return SlurmAnswer(about, nobody_submits, time.time(), trouble=str(error))
            return SlurmAnswer(about, nobody_submits, time.time(), queue, ended)

        return ask

    def _beside(self, ask: Callable[[], SlurmAnswer]) -> None:
        answer = ask()
        with self._lock:
            self._answer, self._thread = answer, None
            self._asked_at_s = time.monotonic()
