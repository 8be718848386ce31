"""Where things lie: the data folder, its database, jobs and images, and the assets that travel with radtui."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shlex
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from radtui.records import UserError

DATABASE_NAME = "radtui.db"
MOST_WRITTEN_BYTES = 4 << 20  # of a file that people write by hand
PRIVATE = 0o077  # what a new data folder lets nobody but its owner do

# What the user's own files are made with: read once, since reading it sets it, for all threads.
USER_UMASK = os.umask(PRIVATE)
os.umask(USER_UMASK)


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

    @property
    def launch_lock(self) -> Path:
        """The file whose `flock` whoever starts a job holds until the worker has its own."""
        return self.root / "launch.lock"

    def adapter(self, job_id: int, seed: int = 0) -> Path:
        """The LoRA adapter a finished training job leaves; of one that trains several times, the first for 0."""
        return self.job(job_id) / (f"adapter-seed-{seed + 1}" if seed else "adapter")

    def checkpoints(self, job_id: int, seed: int = 0) -> Path:
        """The Trainer's checkpoints of a training job, or of one of its trainings."""
        folder = self.job(job_id) / "checkpoints"
        return folder / f"seed-{seed + 1}" if seed else folder

    def rater_lock(self, rater: str) -> Path:
        """The file whose `flock` all sessions of one rater share."""
        from hashlib import sha256

        return self.root / "raters" / sha256(rater.encode()).hexdigest()[:16]  # of any name, also "a/../b"

    def blob(self, sha256: str) -> Path:
        """An image's unchanged bytes, where they are not linked (`store.blobs` knows)."""
        return self.root / "images" / sha256[:2] / sha256

    @property
    def incoming(self) -> Path:
        """Where the images of imports lie that are at work, a folder each, until they are on the disk."""
        return self.root / "images" / ".new"

    def asked_picture(self, job_id: int, sha256: str) -> Path:
        """What a model is shown of a file that a question is about; no such file where it is about a stored image."""
        return self.job(job_id) / "asked" / sha256

    def command(self, *words: str) -> str:
        """A command line that works on this folder when it is pasted into a shell."""
        where = ("--data-dir", str(self.root)) if self.named else ()
        return shlex.join(("radtui", *where, *words))

    @property
    def is_new(self) -> bool:
        """Whether the folder is one that was made for data and holds none yet."""
        return all((self.root / name).is_dir() for name in ("jobs", "images")) and not self.has_content

    @property
    def has_content(self) -> bool:
        """Whether images or jobs lie here."""
        return any(True for name in ("jobs", "images") for _ in (self.root / name).glob("*"))

    def create(self) -> DataDir:
        """Make the folder, for its owner alone, and its parents; returns itself."""
        self.keep_modes()
        (self.root / "jobs").mkdir(parents=True, exist_ok=True)
        (self.root / "images").mkdir(exist_ok=True)
        return self

    def keep_modes(self) -> None:
        """From now on let this process make files that those may read who may read the folder: at first its owner.

        Exports are no part of the folder; they are as readable as any file the user makes (`USER_UMASK`).
        """
        mask = PRIVATE
        with contextlib.suppress(OSError):
            mask = ~self.root.stat().st_mode & PRIVATE
        os.umask(mask)


def open_plain(path: Path | str) -> BinaryIO:
    """Open a regular file for reading. Raises OSError when it cannot be read, or is none."""
    # A file may have been replaced since the walk; without O_NONBLOCK a FIFO would wait for ever.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "It is no regular file", str(path))
    return os.fdopen(handle, "rb")


def read_written(path: Path | str) -> str:
    """The text of a file that people write by hand, such as a configuration.

    Raises:
        OSError: It cannot be read, is no regular file, or is larger than anybody writes.
        UnicodeDecodeError: It is not in UTF-8.
    """
    with open_plain(path) as file:
        content = file.read(MOST_WRITTEN_BYTES + 1)
    if len(content) > MOST_WRITTEN_BYTES:
        raise OSError(errno.EFBIG, f"It has more than {MOST_WRITTEN_BYTES >> 20} MiB", str(path))
    return content.decode("utf-8")


def parsed_toml(text: str) -> dict[str, Any]:
    """What a text in TOML says.

    Raises:
        ValueError: It is no TOML, is nested deeper than anybody writes, or holds a number of thousands of digits.
    """
    import tomllib  # which the app's start does not need

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def is_locked(lock: Path) -> bool:
    """Whether a process holds the `flock` of a file; False where there is no such file."""
    try:
        handle = os.open(lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two lookers never take each other for a holder.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def expanded(path: Path | str) -> Path:
    """A path with the home folder for `~`; of a user that nobody knows, as it is."""
    path = Path(path)
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def is_nobodys(path: Path | str) -> bool:
    """Whether a path, as it is written, is in the home of a user that this machine does not have."""
    return str(path).startswith("~") and expanded(path) == Path(path)


def find_data_dir(option: str | None = None) -> DataDir:
    """The data folder: the option, else `$RADTUI_DATA`, else `./db` when it exists, else the XDG data folder."""
    named = option or os.environ.get("RADTUI_DATA")
    if named:
        if is_nobodys(named):
            raise UserError(
                f"Cannot use the data folder {named}: this machine has no such user; ./{named} is a folder of that"
                " name."
            )
        try:
            return DataDir(expanded(named).resolve(), named=True)
        except RuntimeError as error:
            raise UserError(f"Cannot use the data folder {named}: its links lead in a circle.") from error
    if Path("db").is_dir():
        return DataDir(Path("db").resolve())
    from platformdirs import user_data_path

    own = user_data_path("radtui")
    if not own.is_absolute():
        raise UserError(
            "There is no home folder for this user: name a data folder with --data-dir, or set HOME."
        )
    return DataDir(own)


def state_folder() -> Path:
    """Where radtui keeps what belongs to no data folder: answers that one could not take, tracebacks.

    Raises:
        OSError: There is no home folder for this user.
    """
    from platformdirs import user_state_path

    folder = user_state_path("radtui")
    if not folder.is_absolute():
        raise OSError(errno.ENOENT, "There is no home folder for this user", str(folder))
    return folder


def kept_folder() -> Path:
    """Where answers are written down that wait for data folders; raises as `state_folder` does."""
    return state_folder() / "unsaved"


def config_file() -> Path:
    """The file in which users say what holds for every data folder: `$RADTUI_CONFIG`, else the XDG one."""
    if named := os.environ.get("RADTUI_CONFIG"):
        return expanded(named)
    from platformdirs import user_config_path

    return user_config_path("radtui") / "config.toml"


def asset(name: str) -> Path:
    """A file or folder of `assets/`: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "assets" / name
    return installed if installed.exists() else package.parent / "assets" / name
