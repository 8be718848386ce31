"""Taking a copy of a data folder back, or of its database alone: killed at any moment, one or the other is there."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import tempfile
from contextlib import suppress
from pathlib import Path

from radtui.durable import sync_folder, sync_tree
from radtui.export.backup import OLDER, copy_file, files_of, is_unfinished
from radtui.paths import DataDir, is_locked
from radtui.records import UserError
from radtui.store import backup as store
from radtui.store.place import RESTORING, restoring


def restore_backup(data: DataDir, source: Path, *, force: bool = False) -> Path | None:
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
    with suppress(sqlite3.Error):  # what was written in the backup itself; nobody can where it is read-only
        store.move_whole_log(database)
    try:
        return (
            _restore_backup_folder(data, source, force)
            if source.is_dir()
            else _restore_backup_file(data, source)
        )
    except OSError as error:
        raise UserError(f"Cannot write {data.root}: {error.strerror}.") from error


def _restore_backup_folder(data: DataDir, source: Path, force: bool) -> Path | None:
    occupied = data.root.exists() and any(data.root.iterdir())
    if occupied and not force:
        raise UserError(
            f"{data.root} holds data already; --force moves it aside, and nothing of it is removed."
        )
    data.root.parent.mkdir(parents=True, exist_ok=True)
    _sweep(data)
    temporary = Path(tempfile.mkdtemp(prefix=f".{data.root.name}{RESTORING}", dir=data.root.parent))
    handle = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _locks(handle)
        new = temporary / "new"
        new.mkdir(mode=0o700)
        for file in files_of(source):
            relative = file.relative_to(source)
            if relative.match(OLDER) or relative.name.startswith("radtui.db-") or is_unfinished(relative):
                continue
            (new / relative.parent).mkdir(parents=True, exist_ok=True, mode=0o700)
            copy_file(file, new / relative)
        for name in ("jobs", "images"):
            (new / name).mkdir(exist_ok=True)
        sync_tree(new)
        aside = _aside(data.root) if occupied else None
        if aside is not None:
            data.root.rename(aside)
        elif data.root.exists():
            data.root.rmdir()
        new.rename(data.root)
        sync_folder(data.root.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(handle)
    return aside


def _sweep(data: DataDir) -> None:
    """Remove the copies that killed restores left; one at work holds a lock."""
    for left in restoring(data.root):
        handle = os.open(left, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if not _locks(handle):
                raise UserError(f"Another restore into {data.root} is at work; wait for its end.")
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(handle)


def _locks(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks here
        pass
    return True


def _restore_backup_file(data: DataDir, source: Path) -> Path | None:
    """Put a copy of the database alone in place; its log goes aside with the one it belongs to.

    Its rows are moved out of the log first: killed at any moment this leaves the one database or the other, whole.
    """
    data.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = data.root / ".radtui.db.restoring"
    copy_file(source, temporary)
    aside = None
    if data.database.exists():
        aside = _aside(data.database)
        with suppress(sqlite3.Error):  # a damaged one goes aside as it is, which is why a copy is taken back
            store.move_whole_log(data.database)
        for end in ("-wal", "-shm"):
            log = data.database.with_name(data.database.name + end)
            if log.exists():
                log.rename(aside.with_name(aside.name + end))
        try:
            os.link(data.database, aside)
        except OSError:  # no hard links here
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
