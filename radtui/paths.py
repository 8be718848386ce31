"""Where things lie: the data folder, its database, jobs and images, and the assets that travel with radtui."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from radtui.records import UserError

DATABASE_NAME = "radtui.db"


@dataclass(frozen=True, slots=True)
class DataDir:
    """One data folder: `radtui.db`, `jobs/NNNN/`, `images/ab/`."""

    root: Path
    # By an option or a variable, which another shell may lack.
    named: bool = field(default=False, compare=False)

    @property
    def database(self) -> Path:
        """The SQLite file that app and workers share."""
        return self.root / DATABASE_NAME

    def job(self, job_id: int) -> Path:
        """The folder of one job: log, lock, checkpoints, adapter."""
        return self.root / "jobs" / f"{job_id:04d}"

    def log(self, job_id: int) -> Path:
        """Everything a job's worker printed, tracebacks included."""
        return self.job(job_id) / "log.txt"

    def lock(self, job_id: int) -> Path:
        """The file whose `flock` a live worker holds."""
        return self.job(job_id) / "lock"

    def adapter(self, job_id: int) -> Path:
        """The LoRA adapter a finished training job leaves."""
        return self.job(job_id) / "adapter"

    def checkpoints(self, job_id: int) -> Path:
        """The Trainer's checkpoints of a training job."""
        return self.job(job_id) / "checkpoints"

    def rater_lock(self, rater: str) -> Path:
        """The file whose `flock` all sessions of one rater share."""
        from hashlib import sha256

        return self.root / "raters" / sha256(rater.encode()).hexdigest()[:16]  # of any name, also "a/../b"

    def blob(self, sha256: str) -> Path:
        """An image's unchanged bytes."""
        return self.root / "images" / sha256[:2] / sha256

    def image_bytes(self, sha256: str) -> bytes:
        """Read an image's unchanged bytes. Raises UserError when they are gone."""
        try:
            return self.blob(sha256).read_bytes()
        except FileNotFoundError:
            raise UserError("The stored bytes of this image are gone; import its source again.") from None

    def command(self, *words: str) -> str:
        """A command line that works on this folder when it is pasted into a shell."""
        where = ("--data-dir", str(self.root)) if self.named else ()
        return shlex.join(("radtui", *where, *words))

    def create(self) -> DataDir:
        """Make the folder and its parents; returns itself."""
        (self.root / "jobs").mkdir(parents=True, exist_ok=True)
        (self.root / "images").mkdir(exist_ok=True)
        return self


def find_data_dir(option: str | None = None) -> DataDir:
    """The data folder: the option, else `$RADTUI_DATA`, else `./db` when it exists, else the XDG data folder."""
    named = option or os.environ.get("RADTUI_DATA")
    if named:
        return DataDir(Path(named).expanduser().resolve(), named=True)
    if Path("db").is_dir():
        return DataDir(Path("db").resolve())
    from platformdirs import user_data_path

    return DataDir(user_data_path("radtui"))


def asset(name: str) -> Path:
    """A file or folder of `assets/`: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "assets" / name
    return installed if installed.exists() else package.parent / "assets" / name
