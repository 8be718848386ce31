"""One GPU, one job: a lock for each GPU, named by its UUID, that all users and data folders of a machine share.

The worker takes it before it imports torch, so that a job that waits holds no memory, and waits however long it takes;
no app need be open. Whoever waits holds a second file of that GPU, by which a holder that can end early, one that waits
for questions, sees that it should. Under Slurm, which shares GPUs out itself, nothing is locked.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import json
import logging
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from radtui.jobs import launch
from radtui.paths import DataDir
from radtui.records import Job, JobKind, StopRequest
from radtui.worker.process import environment
from radtui.worker.process.reporter import Reporter, Stopped

log = logging.getLogger("radtui.worker")
FOLDER = Path("/tmp/radtui-gpu-locks")
FOLDER_VARIABLE = "RADTUI_GPU_LOCKS"
UUIDS_VARIABLE = "RADTUI_GPU_UUIDS"  # in place of the library's: for machines without it, and tests
ON_GPUS = (JobKind.TRAIN, JobKind.GENERATE, JobKind.SCORE, JobKind.ASK)
LOOK_S = 1.0  # between looks at a lock that another holds
SHARED_FOLDER, SHARED_FILE = 0o1777, 0o666  # as /tmp itself: everybody's, and nobody removes another's
HOLDER_BYTES = 2048


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as this machine numbers it."""

    number: int
    uuid: str
    free_bytes: int = 0

    @property
    def name(self) -> str:
        """As messages name it."""
        return f"GPU {self.number}"


@dataclass(slots=True)
class Locks:
    """The GPUs a job holds; they are free again when this is closed, or the process ends in any way."""

    gpus: list[Gpu] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    @property
    def awaited(self) -> bool:
        """Whether another job waits for one of them."""
        return any(_is_awaited(gpu) for gpu in self.gpus)

    def close(self) -> None:
        """Give the GPUs back."""
        for file in self.files:
            with contextlib.suppress(OSError):
                os.ftruncate(file, 0)  # closing alone frees the lock; whoever is named there is gone, too
            os.close(file)
        self.gpus, self.files = [], []


@contextlib.contextmanager
def held(job: Job, data: DataDir, reporter: Reporter, count: int) -> Iterator[Locks]:
    """Hold as many GPUs as a job needs while it runs, and give them; waits until there are so many.

    Args:
        job: Any; one that needs no GPU holds none.
        data: The job's data folder, for those who wait for it.
        reporter: Says what is waited for.
        count: GPUs the job has.

    Raises:
        Stopped: The app wants the job to stop while it waits.
    """
    candidates = _candidates(count) if _locks(job) else []
    if len(candidates) < count:  # none at all, or fewer than asked for, which the job itself will say
        yield Locks()
        return
    locks = _taken(candidates, count, job, data, reporter)
    try:
        environment.take_gpus([gpu.number for gpu in locks.gpus])
        yield locks
    finally:
        locks.close()


def used(job: Job, locks: Locks, count: int) -> list[Gpu]:
    """The GPUs that a job has: those it holds, else those that CUDA_VISIBLE_DEVICES names, as Slurm does."""
    if locks.gpus or job.kind not in ON_GPUS or not environment.named_gpus():
        return locks.gpus
    return _candidates(count)


def _locks(job: Job) -> bool:
    return job.kind in ON_GPUS and not (
        "SLURM_JOB_ID" in os.environ or os.environ.get(launch.NOW_VARIABLE) == "1"
    )


def _candidates(count: int) -> list[Gpu]:
    """GPUs the job may take, the freest first; where the user's CUDA_VISIBLE_DEVICES names some, the first of those."""
    gpus = _gpus()
    named = environment.named_gpus()
    if named is None:
        return sorted(gpus, key=lambda gpu: -gpu.free_bytes)
    candidates = []
    # As `environment.prepare` takes them.
    names = [each.strip() for each in named.split(",") if each.strip()][:count]
    for place, name in enumerate(names):
        match = [gpu for gpu in gpus if str(gpu.number) == name or gpu.uuid.startswith(name)]
        if match or name.startswith("MIG-"):  # a part of a GPU has a UUID of its own, that is no GPU's
            candidates.append(match[0] if match else Gpu(place, name))
    return candidates


def _gpus() -> list[Gpu]:
    if (injected := os.environ.get(UUIDS_VARIABLE)) is not None:
        return [Gpu(number, uuid) for number, uuid in enumerate(filter(None, injected.split(",")))]
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(n) for n in range(pynvml.nvmlDeviceGetCount())]
        return [
            Gpu(
                number,
                str(pynvml.nvmlDeviceGetUUID(handle)),
                int(pynvml.nvmlDeviceGetMemoryInfo(handle).free),
            )
            for number, handle in enumerate(handles)
        ]
    except Exception as error:  # no library, no driver, no GPU: then there is nothing to lock
        log.info("No GPU is locked: %s", error)
        return []


def _taken(candidates: list[Gpu], count: int, job: Job, data: DataDir, reporter: Reporter) -> Locks:
    """All the GPUs a job needs or none of them, so that two jobs never wait for each other."""
    try:
        folder = _folder()
    except OSError as error:
        reporter.event(job.step, "warning", f"No GPU is locked for this job: {_reason(error)}")
        return Locks()
    message_before = ""
    with contextlib.ExitStack() as waiting:
        seen: set[str] = set()
        while True:
            locks, busy = _tried(folder, candidates, count, job, reporter)
            if len(locks.gpus) == count:
                _sign(locks, job, data)
                return locks
            locks.close()
            for gpu in (each for each in busy if each.uuid not in seen):
                if (mark := _mark_waiting(folder, gpu)) is not None:
                    seen.add(gpu.uuid)
                    waiting.callback(os.close, mark)
            message = f"Waits for {'; '.join(f'{gpu.name}, held by {_holder(folder, gpu)}' for gpu in busy)}"
            new = message if message != message_before else None
            if reporter.progress(job.step, job.total_steps, new) is not StopRequest.NONE:
                raise Stopped
            message_before = message
            time.sleep(LOOK_S)


def _tried(
    folder: Path, candidates: list[Gpu], count: int, job: Job, reporter: Reporter
) -> tuple[Locks, list[Gpu]]:
    """As many of the GPUs as are free, at most `count`, and those that are not."""
    locks, busy = Locks(), []
    for gpu in candidates:
        file = _try(folder, gpu, job, reporter)
        if file is None:
            busy.append(gpu)
        else:
            locks.gpus.append(gpu)
            locks.files.append(file)
        if len(locks.gpus) == count:
            break
    return locks, busy


def _mark_waiting(folder: Path, gpu: Gpu) -> int | None:
    """An open file by which the GPU's holder sees that another job waits; None where that cannot be told now."""
    try:
        mark = _open(_waiting_path(folder, gpu))
    except OSError:
        return None
    try:
        fcntl.flock(mark, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: several may wait
    except BlockingIOError:  # the holder is looking at this moment
        os.close(mark)
        return None
    return mark


def _is_awaited(gpu: Gpu) -> bool:
    try:
        mark = _open(_waiting_path(_folder(), gpu))
    except OSError:
        return False
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(mark)
    return False


def _waiting_path(folder: Path, gpu: Gpu) -> Path:
    return folder / f"{gpu.uuid.replace('/', '_')}.waiting"


def _folder() -> Path:
    """The folder of the locks; raises OSError where it is none that can be trusted."""
    folder = Path(os.environ.get(FOLDER_VARIABLE) or FOLDER)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(parents=True)
        folder.chmod(SHARED_FOLDER)  # mkdir's own mode is cut by the umask
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode):
        raise NotADirectoryError(f"{folder} is no folder")
    if facts.st_mode & stat.S_IWOTH and not facts.st_mode & stat.S_ISVTX:
        raise PermissionError(f"anybody may remove others' locks from {folder}")
    return folder


def _try(folder: Path, gpu: Gpu, job: Job, reporter: Reporter) -> int | None:
    """The open, locked file of a GPU; None while another process holds it."""
    try:
        file = _open(folder / f"{gpu.uuid.replace('/', '_')}.lock")
    except OSError as error:
        reporter.event(job.step, "warning", f"{gpu.name} is not locked for this job: {_reason(error)}")
        return os.open(os.devnull, os.O_RDWR)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _open(path: Path) -> int:
    """Open a lock that may be another user's, or make it; never through a link. Raises OSError."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        file = os.open(path, flags)
    except FileNotFoundError:
        try:
            # Linux refuses O_CREAT on others' files in such a folder, so it must be a new one.
            file = os.open(path, flags | os.O_CREAT | os.O_EXCL, SHARED_FILE)
            os.fchmod(file, SHARED_FILE)
        except FileExistsError:  # made by another in between
            file = os.open(path, flags)
    facts = os.fstat(file)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
        os.close(file)
        raise PermissionError(f"{path} is no plain file")
    return file


def _sign(locks: Locks, job: Job, data: DataDir) -> None:
    """Write into the locks who holds them."""
    holder = json.dumps({"job": job.id, "data": str(data.root), "user": _user(), "pid": os.getpid()})
    for file in locks.files:
        with contextlib.suppress(OSError):  # a full disk; the lock holds all the same
            os.ftruncate(file, 0)
            os.pwrite(file, holder.encode()[:HOLDER_BYTES], 0)


def _holder(folder: Path, gpu: Gpu) -> str:
    """Who holds a GPU, in words; any user may have written it."""
    try:
        file = os.open(folder / f"{gpu.uuid}.lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            facts = json.loads(os.read(file, HOLDER_BYTES))
        finally:
            os.close(file)
        words = f"job {int(facts['job'])} of {facts['data']}, user {facts['user']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another job"
    return "".join(letter for letter in words if letter.isprintable())[:200]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a number without a name, as in containers
        return str(os.getuid())


def _reason(error: OSError) -> str:
    return f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")
