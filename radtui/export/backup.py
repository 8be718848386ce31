"""Copies of a data folder, which are data folders too: making one, taking one back, and checking what is in one."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from radtui.durable import broken_seal, digest, sync_folder
from radtui.paths import DataDir, is_locked
from radtui.records import UserError
from radtui.store import backup as store
from radtui.store import links
from radtui.store.blobs import Stored, located

OLDER = "radtui-*.db"  # databases of earlier backups, beside the newest
CHECKPOINT_MARKER = "radtui-checkpoint.json"
OF_A_JOB = (
    "log*.txt", "adapter", "adapter-seed-[0-9]", "adapter-seed-[0-9][0-9]", "best", "corrections.jsonl", "preferences",
    "comparisons.csv",
)  # fmt: skip
"""Patterns of what lies in a job's folder; of one that trained several times, every training's adapter."""
OF_THE_FOLDER = (
    "scheme.toml",
    "packs",
)  # without the keys of packs, what readers send back cannot be taken home
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
    if folder.exists() and any(folder.iterdir()) and not copy.database.exists():
        raise UserError(f"{folder} holds something else than a backup; name another folder.")
    try:
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
        os.umask(0o077)
        _set_aside(copy, keep)
        store.copy_database(db, copy.database)
        with store.opened_copy(copy.database) as copied:
            wanted = [located(data, copied, store.blobs(copied))]
            linked = {} if with_linked else links.sources(copied)
            wanted += [located(data, copied, links.all_linked(copied))] if with_linked else []
        copy.create()
        images = [stored for some in wanted for stored in some]
        new, mib, problems = _copy_images(copy, images)
        jobs, jobs_mib = _copy_jobs(data, copy, checkpoints)
        for name in (*OF_THE_FOLDER, *([SALT] if salt else [])):
            for file in _files(data.root / name):
                target = copy.root / file.relative_to(data.root)
                target.parent.mkdir(exist_ok=True)
                _copy_file(file, target)
    except OSError as error:
        raise UserError(
            f"Cannot write the backup {folder}: {error.strerror}; make room or name another folder."
        ) from error
    database_mib = copy.database.stat().st_size / 2**20
    mib += jobs_mib + database_mib
    return BackedUp(folder, len(images), new, linked, jobs, mib, tuple(problems), _left_out(data, copy))


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
        aside = copy.root / f"radtui-{made}.db"
        if keep and not aside.exists():
            os.link(copy.database, aside)  # until the new one takes its name there are two
    older = sorted(copy.root.glob(OLDER))
    for file in older[: len(older) - keep]:
        file.unlink()


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
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy_file(source, target)
        new, mib = new + 1, mib + source.stat().st_size / 2**20
    return new, mib, problems


def _copy_jobs(data: DataDir, copy: DataDir, checkpoints: bool) -> tuple[int, float]:
    count, mib = 0, 0.0
    for folder in sorted((data.root / "jobs").glob("[0-9]*")):
        wanted = [*OF_A_JOB, *(["checkpoints"] if checkpoints else [])]
        files = [file for name in wanted for each in sorted(folder.glob(name)) for file in _files(each)]
        for file in files:
            target = copy.root / "jobs" / folder.name / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not _is_same(file, target):
                with suppress(FileNotFoundError):  # a job at work removes its older checkpoints
                    _copy_file(file, target)
                    mib += target.stat().st_size / 2**20
        count += bool(files)
    return count, mib


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from (file for file in sorted(path.rglob("*")) if file.is_file())


def _is_same(file: Path, target: Path) -> bool:
    if not target.exists() or not file.exists():
        return False
    own, other = file.stat(), target.stat()
    return (own.st_size, own.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _copy_file(source: Path, target: Path) -> None:
    """Copy a file whole or not at all, on the disk when it has its name."""
    handle, name = tempfile.mkstemp(prefix=".", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, source.open("rb") as original:
            shutil.copyfileobj(original, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        shutil.copystat(source, temporary)
        temporary.chmod(0o600)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def take_back(data: DataDir, source: Path, *, force: bool = False) -> Path | None:
    """Put a backup, or a copy of the database alone, in a data folder's place.

    Args:
        data: The data folder as it is to be.
        source: A folder that `back_up` made, or a database file such as `radtui.db.before-5`.
        force: Move what is there aside; without it nothing that is there is touched.

    Returns:
        Where what was there is now; None when nothing was.

    Raises:
        UserError: The copy is damaged, something is in the way, a job is at work, or it cannot be written.
    """
    database = source / "radtui.db" if source.is_dir() else source
    if not database.is_file():
        raise UserError(f"{source} is no backup: there is no {database.name} in it.")
    with store.opened_copy(database) as db:
        if problems := store.problems(db):
            raise UserError(f"{database} is damaged ({problems[0]}); take back another copy.")
    for lock in data.root.glob("jobs/*/lock"):
        if is_locked(lock):
            raise UserError(f"Job {int(lock.parent.name)} is at work in {data.root}; stop it first.")
    try:
        return _take_back_folder(data, source, force) if source.is_dir() else _take_back_file(data, source)
    except OSError as error:
        raise UserError(f"Cannot write {data.root}: {error.strerror}.") from error


def _take_back_folder(data: DataDir, source: Path, force: bool) -> Path | None:
    occupied = data.root.exists() and any(data.root.iterdir())
    if occupied and not force:
        raise UserError(
            f"{data.root} holds data already; --force moves it aside, and nothing of it is removed."
        )
    data.root.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{data.root.name}.restoring.", dir=data.root.parent))
    try:
        new = temporary / "new"
        new.mkdir(mode=0o700)
        for file in _files(source):
            relative = file.relative_to(source)
            if relative.match(OLDER) or relative.name.startswith("radtui.db-"):
                continue
            (new / relative.parent).mkdir(parents=True, exist_ok=True, mode=0o700)
            _copy_file(file, new / relative)
        for name in ("jobs", "images"):
            (new / name).mkdir(exist_ok=True)
        aside = _aside(data.root) if occupied else None
        if aside is not None:
            data.root.rename(aside)
        elif data.root.exists():
            data.root.rmdir()
        new.rename(data.root)
        sync_folder(data.root.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return aside


def _take_back_file(data: DataDir, source: Path) -> Path | None:
    """Put a copy of the database alone in place; its log goes aside with the one it belongs to."""
    data.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = data.root / ".radtui.db.restoring"
    _copy_file(source, temporary)
    aside = None
    if data.database.exists():
        aside = _aside(data.database)
        for end in ("-wal", "-shm"):
            log = data.database.with_name(data.database.name + end)
            if log.exists():
                log.rename(aside.with_name(aside.name + end))
        data.database.rename(aside)
    temporary.replace(data.database)
    sync_folder(data.root)
    return aside


def _aside(path: Path) -> Path:
    number, free = 1, path.with_name(f"{path.name}.before-restore")
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.before-restore.{number}")
    return free


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check has looked at, and what is wrong with it, one line each."""

    images: int
    linked: int
    checkpoints: int
    problems: tuple[str, ...]


def check(data: DataDir, db: sqlite3.Connection) -> Checked:
    """Look at everything: the database's pages and references, every image's bytes, linked or not, checkpoints."""
    problems = [f"database: {line}" for line in store.problems(db)]
    wanted, linked = ([], []) if problems else (store.blobs(db), located(data, db, links.all_linked(db)))
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
    return Checked(len(wanted), len(linked), len(folders), tuple(problems))
