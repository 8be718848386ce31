"""A write transaction that stays open over several writes: begun without waiting, committed in any thread.

So that a screen can do in one go what belongs together, while neither another program's writing nor a slow disk
holds it up.
"""

from __future__ import annotations

from radtui.store.database import sync_log_name, take_lock
from radtui.store.packs import holds_files, into_one_file
from radtui.store.place import Connection, FolderGoneError, check_in_place, check_schema


def hold(db: Connection) -> bool:
    """Begin a transaction that every `writing` on this connection is a part of until `commit` or `let_go`.

    Returns:
        False, at once and with nothing begun, while another connection writes.

    Raises:
        FolderGoneError: The folder was removed, renamed, replaced or unmounted, or a newer radtui has migrated it.
    """
    check_in_place(db)
    db.execute("PRAGMA synchronous=FULL")  # cannot be changed once it has begun
    if not take_lock(db, 1):
        return False
    try:
        check_schema(db)
    except FolderGoneError:
        db.execute("ROLLBACK")
        raise
    db.held, db.changes_before = True, db.total_changes
    return True


def has_written(db: Connection) -> bool:
    """Whether rows have changed since the transaction was begun: its commit is then a sync, and takes its time."""
    return db.total_changes != db.changes_before


def commit(db: Connection) -> None:
    """End the transaction; when this returns, what was written outlasts a power cut.

    A reader's pack then has it in its one file.

    Raises:
        sqlite3.Error: It could not be written; `let_go` takes all of it back.
        FolderGoneError: It was written, into a folder that has gone meanwhile.
    """
    written = has_written(db)
    db.execute("COMMIT")
    db.held = False
    if written:
        sync_log_name(db)
        if db.file is not None and db.file.is_symlink() and holds_files(db):
            into_one_file(db)
        check_in_place(db)


def let_go(db: Connection) -> None:
    """Take back what was not committed; nothing to do when all was."""
    db.held = False
    if db.in_transaction:
        db.execute("ROLLBACK")
