"""Copies of a data folder, which are data folders too: making one, and checking what is in one."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from radtui.durable import broken_seal, digest, sync_tree
from radtui.jobs.adapter_files import changed_adapters, unknown_adapters
from radtui.paths import DataDir, is_locked
from radtui.records import UserError
from radtui.store import backup as store
from radtui.store import links
from radtui.store.blobs import Stored, located
from radtui.store.gone import is_damage

OLDER = "radtui-*.db"  # databases of earlier backups, beside the newest
CHECKPOINT_MARKER = "radtui-checkpoint.json"
OF_A_JOB = (
    "log*.txt", "adapter", "adapter-seed-[0-9]", "adapter-seed-[0-9][0-9]", "best", "corrections.jsonl", "preferences",
    "comparisons.csv",
)  # fmt: skip
"""Patterns of what lies in a job's folder; of one that trained several times, every training's adapter."""
# Without the keys of packs, what readers send back cannot be taken home.
OF_THE_FOLDER = ("scheme.toml", "packs")
PART = ".part"  # ends the name of a file that is being written
BLOB_FOLDER = 2  # characters of the names of folders that images lie in
SALT = "salt"  # turns patients' numbers into keys: whoever has it can try numbers


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup has copied.

    Attributes:
        folder: The backup.
        images: In it.
        new_images: Copied by this one.
        linked: Linked images by the source that they stay in, and that are not in the backup.
        jobs: With files.
        mib: Of the new files and the database.
        problems: What could not be copied, one line each.
        left_out: What is not copied unless it is asked for, one line each.
    """

    folder: Path
    images: int
    new_images: int
    linked: dict[str, int]
    jobs: int
    mib: float
    problems: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def back_up(
    data: DataDir,
    db: sqlite3.Connection,
    folder: Path,
    *,
    checkpoints: bool = False,
    salt: bool = False,
    with_linked: bool = False,
    keep: int = 3,
) -> BackedUp:
    """Copy a data folder while it is in use, into another that can be opened as one.

    The database is copied at one moment; images that are there already are not copied again, and earlier databases
    are kept beside the newest.

    Args:
        data: The data folder.
        db: Its database.
        folder: Where to; made when it is not there.
        checkpoints: Copy checkpoints of training jobs too; an unfinished job cannot be resumed without.
        salt: Copy what keys of patients are made with.
        with_linked: Copy linked images too, so that the backup needs nothing outside it.
        keep: Earlier databases to keep.

    Raises:
        UserError: It cannot be written, or holds something else.
    """
    copy = DataDir(folder)
    if folder.resolve() == data.root.resolve():
        raise UserError(f"{folder} is the data folder itself; name another folder for the backup.")
    if folder.exists() and not copy.database.exists() and not _is_begun(folder):
        raise UserError(f"{folder} holds something else than a backup; name another folder.")
    try:
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
        os.umask(0o077)
        with _alone(folder):
            return _backed_up(
                data, db, copy, checkpoints=checkpoints, salt=salt, with_linked=with_linked, keep=keep
            )
    except OSError as error:
        raise UserError(
            f"Cannot write the backup {folder}: {error.strerror}; make room or name another folder."
        ) from error


def is_unfinished(path: Path) -> bool:
    """Whether a file is what a killed backup left of one that it was writing."""
    return path.name.startswith(".") and f"{PART}-" in f"{path.name}-"  # of a database, with its journal


def _is_begun(folder: Path) -> bool:
    """Whether all that a folder holds is of a backup that did not come to its end: images and jobs, or nothing."""
    known = {"images", "jobs", *OF_THE_FOLDER, SALT}
    return (
        all(path.name in known or is_unfinished(path) for path in folder.iterdir())
        and all(len(path.name) == BLOB_FOLDER for path in folder.glob("images/*"))
        and all(path.name.isdecimal() for path in folder.glob("jobs/*"))
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one backup at a time be written into a folder; the kernel takes the lock back however it ends.

    Raises:
        UserError: Another one is being written.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"Another backup is being written into {folder}; try again when it has ended."
            ) from None
        except OSError:  # a file system that cannot lock folders: there one must not start two
            pass
        yield
    finally:
        os.close(handle)


def _backed_up(
    data: DataDir, db: sqlite3.Connection, copy: DataDir, *, checkpoints: bool, salt: bool, with_linked: bool,
    keep: int,
) -> BackedUp:  # fmt: skip
    """Write the backup into its folder, which is this process's alone.

    The database comes last: it refers to no image that is not there, at whatever moment this ends.
    """
    with store.copying_database(db, copy.database) as newest:
        with store.opened_copy(newest) as copied:
            wanted = [located(data, copied, store.blobs(copied))]
            linked = {} if with_linked else links.sources(copied)
            wanted += [located(data, copied, links.all_linked(copied))] if with_linked else []
        copy.create()
        images = [stored for some in wanted for stored in some]
        new, mib, problems = _copy_images(copy, images)
        jobs, jobs_mib = _copy_jobs(data, copy, checkpoints)
        for name in (*OF_THE_FOLDER, *([SALT] if salt else [])):
            for file in files_of(data.root / name):
                target = copy.root / file.relative_to(data.root)
                target.parent.mkdir(exist_ok=True)
                copy_file(file, target)
        sync_tree(copy.root)  # what is said to be backed up is there after a power cut, with all its images
        _set_aside(copy, keep)
    database_mib = copy.database.stat().st_size / 2**20
    mib += jobs_mib + database_mib
    return BackedUp(copy.root, len(images), new, linked, jobs, mib, tuple(problems), _left_out(data, copy))


def _left_out(data: DataDir, copy: DataDir) -> tuple[str, ...]:
    """What lies in a data folder and not in its copy, that somebody may miss: each with the way to have it too."""
    left = []
    if any(data.root.glob("jobs/*/checkpoints/*")) and not any(copy.root.glob("jobs/*/checkpoints/*")):
        left.append("checkpoints, without which an unfinished training job begins anew (--checkpoints)")
    if (data.root / SALT).exists() and not (copy.root / SALT).exists():
        left.append("the salt, without which later imports give patients other keys (--with-salt)")
    return tuple(left)


def _set_aside(copy: DataDir, keep: int) -> None:
    """Keep the database of the backup before under the time it was made, and only the newest of these."""
    if copy.database.exists():
        made = time.strftime("%Y%m%d-%H%M%S", time.localtime(copy.database.stat().st_mtime))
        _close_log(copy.database)
        aside = copy.root / f"radtui-{made}.db"
        if keep and not aside.exists():
            try:
                os.link(copy.database, aside)  # until the new one takes its name there are two
            except OSError:  # a file system without hard links, as on most USB sticks
                copy_file(copy.database, aside)
    older = sorted(copy.root.glob(OLDER))
    for file in older[: max(0, len(older) - keep)]:
        file.unlink()


def _close_log(database: Path) -> None:
    """Put into a database what somebody wrote in the backup itself: its log would be taken for the next database's.

    Raises:
        UserError: A program is at work in the backup, or its disk takes nothing.
    """
    try:
        if not store.move_whole_log(database):
            raise UserError(f"A program has {database} open; close it, and back up again.")
    except sqlite3.Error as error:
        if not is_damage(error):  # a damaged one is set aside all the same
            raise UserError(
                f"{database} does not take what its log holds ({error}); make room, and back up again."
            ) from error
    for ending in ("-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)


def _copy_images(copy: DataDir, wanted: list[Stored]) -> tuple[int, float, list[str]]:
    new, mib, problems = 0, 0.0, []
    for stored in wanted:
        sha256, source, target = stored.sha256, stored.path, copy.blob(stored.sha256)
        if target.exists() and source.exists() and target.stat().st_size == source.stat().st_size:
            continue
        try:
            if digest(source) != sha256:
                problems.append(f"image {sha256[:12]} is damaged and was not copied")
                continue
        except FileNotFoundError:
            problems.append(f"image {sha256[:12]} is missing")
            continue
        except OSError as error:
            problems.append(f"image {sha256[:12]} cannot be read: {error.strerror}")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_file(source, target)
        new, mib = new + 1, mib + source.stat().st_size / 2**20
    return new, mib, problems


def _copy_jobs(data: DataDir, copy: DataDir, checkpoints: bool) -> tuple[int, float]:
    count, mib = 0, 0.0
    for folder in sorted((data.root / "jobs").glob("[0-9]*")):
        wanted = [*OF_A_JOB, *(["checkpoints"] if checkpoints else [])]
        files = [file for name in wanted for each in sorted(folder.glob(name)) for file in files_of(each)]
        for file in files:
            target = copy.root / "jobs" / folder.name / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not _is_same(file, target):
                with suppress(FileNotFoundError):  # a job at work removes its older checkpoints
                    copy_file(file, target)
                    mib += target.stat().st_size / 2**20
        count += bool(files)
    return count, mib


def files_of(path: Path) -> Iterator[Path]:
    """A file, or all files of a folder in order."""
    if path.is_file():
        yield path
    else:
        yield from (file for file in sorted(path.rglob("*")) if file.is_file())


def _is_same(file: Path, target: Path) -> bool:
    if not target.exists() or not file.exists():
        return False
    own, other = file.stat(), target.stat()
    return (own.st_size, own.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file whole or not at all, on the disk when it has its name."""
    # Of one name: the next copy replaces what a killed one left.
    temporary = target.with_name(f".{target.name}{PART}")
    temporary.unlink(missing_ok=True)
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file, source.open("rb") as original:
            shutil.copyfileobj(original, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        status = source.stat()
        os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check has looked at, and what is wrong with it, one line each.

    `unknown` are training jobs whose adapters could not be compared with what was written.
    """

    images: int
    linked: int
    checkpoints: int
    adapters: int
    unknown: tuple[int, ...]
    problems: tuple[str, ...]


def check(data: DataDir, db: sqlite3.Connection) -> Checked:
    """Look at everything: the database's pages and references, every image's bytes, checkpoints, adapters."""
    problems = [f"database: {line}" for line in store.problems(db)]
    is_damaged = bool(problems)
    wanted, linked = ([], []) if is_damaged else (store.blobs(db), located(data, db, links.all_linked(db)))
    for sha256 in wanted:
        try:
            if digest(data.blob(sha256)) != sha256:
                problems.append(f"image {sha256[:12]}: its bytes are not those that were imported")
        except FileNotFoundError:
            problems.append(f"image {sha256[:12]}: its bytes are missing; import its source again")
        except OSError as error:
            problems.append(f"image {sha256[:12]}: cannot be read: {error.strerror}")
    for stored in linked:
        try:
            stored.read_bytes()
        except UserError as error:
            problems.append(f"image {stored.sha256[:12]}: {error}")
    folders = sorted(data.root.glob("jobs/*/checkpoints/checkpoint-*"))
    for folder in folders:
        name = f"job {int(folder.parts[-3])}, {folder.name}"
        try:
            if damaged := broken_seal(folder, CHECKPOINT_MARKER):
                problems.append(f"{name}: {damaged} is not as it was written")
        except FileNotFoundError:
            if not is_locked(folder.parents[1] / "lock"):
                problems.append(f"{name}: was not written to its end, or by an older radtui")
        except (OSError, ValueError) as error:
            problems.append(f"{name}: its marker cannot be read: {error}")
    adapters, changed = (0, []) if is_damaged else changed_adapters(data, db)
    problems += changed
    unknown = () if is_damaged else tuple(unknown_adapters(data, db))
    return Checked(len(wanted), len(linked), len(folders), adapters, unknown, tuple(problems))
