"""The folder of a job on a file system that the cluster's machines share: a data folder without a database.

snapshot.db     what the job needs of the database, never written again
run.json        which job of which submission this is, and the digests of what must not change
images/         the bytes of its images, as links or copies
jobs/NNNN/      the job's own folder: log, journal, checkpoints, adapter, and the file that asks it to stop
jobs/MMMM/      the adapter of a job that it goes on from or describes with
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from radtui.cluster import journal
from radtui.paths import DataDir
from radtui.records import StopRequest, UserError

SNAPSHOT, FACTS = "snapshot.db", "run.json"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One job's folder on the cluster."""

    root: Path
    job_id: int

    @classmethod
    def of(cls, data: DataDir, job_id: int) -> Self | None:
        """The run folder that a data folder is; None where it is one with a database."""
        return cls(data.root, job_id) if (data.root / SNAPSHOT).exists() else None

    @classmethod
    def around(cls, folder: Path) -> Self:
        """The run folder of this name, or the one that a job's own folder lies in.

        Raises:
            UserError: It is none.
        """
        for root in (folder, *folder.resolve().parents[:2]):
            if (root / FACTS).exists():
                return cls(root, int(_read(root / FACTS)["job_id"]))
        raise UserError(
            f"{folder} is no folder of a job on a cluster: there is no {FACTS} in it; name the folder that holds"
            f" {SNAPSHOT}."
        )

    @property
    def data(self) -> DataDir:
        """The folder as a worker knows it."""
        return DataDir(self.root)

    @property
    def snapshot(self) -> Path:
        """What the job needs of the database."""
        return self.root / SNAPSHOT

    @property
    def journal(self) -> Path:
        """The folder of the event files."""
        return self.data.job(self.job_id) / journal.FOLDER

    @property
    def facts(self) -> dict[str, Any]:
        """What the submission wrote down. Raises UserError where it cannot be read."""
        return _read(self.root / FACTS)

    def ask_to_stop(self, request: StopRequest) -> None:
        """Ask the job to stop, wherever it runs; NONE takes that back."""
        file = self._stop_file
        if request is StopRequest.NONE:
            file.unlink(missing_ok=True)
            return
        partial = file.with_name(".stop.part")
        partial.write_text(request.value, encoding="utf-8")
        partial.replace(file)

    def asked_to_stop(self, attempt: str = "") -> StopRequest:
        """What has been asked: by the user, or of one attempt for want of time."""
        try:
            return StopRequest(self._stop_file.read_text(encoding="utf-8").strip())
        except (FileNotFoundError, ValueError):
            is_over = bool(attempt) and self._time_file(attempt).exists()
            return StopRequest.CHECKPOINT if is_over else StopRequest.NONE

    def say_time_is_up(self, attempt: str) -> None:
        """Tell all processes of an attempt that the time limit is near."""
        self._time_file(attempt).touch()

    @property
    def _stop_file(self) -> Path:
        return self.data.job(self.job_id) / "stop"

    def _time_file(self, attempt: str) -> Path:
        return self.data.job(self.job_id) / f"time-is-up.{attempt}"


def _read(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read: {error}; submit the job anew.") from error
    return dict(values)
