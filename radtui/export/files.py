"""Writing a file or a folder whole or not at all, and several together."""

from __future__ import annotations

import fcntl
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import IO, Any

from radtui.durable import digest, sync_folder, sync_tree
from radtui.paths import USER_UMASK
from radtui.records import UserError

SNIFFED_BYTES = 4096
PART = ".radtui-part"  # ends the name of what is being written: nobody else's file is taken for it and cleared away
OWN_SIGNS = (b"radtui", b"export_schema")  # one stands near an end of each file that radtui writes


def check_replaceable(path: Path, force: bool = False) -> bool:
    """Whether a file of an earlier export stands where one is to be written, and may be replaced.

    An export that nobody has changed since may be: scripts write the same file again and again.

    Args:
        path: The file to write. A folder is for `whole_folder` to judge.
        force: Replace it whatever it is.

    Raises:
        UserError: Something else stands there, or an export that was changed since.
    """
    if not path.is_file():
        return False
    if force:
        return True
    why = "is no export of radtui"
    try:
        manifest = path.with_name(path.name + ".manifest.json")
        if manifest.is_file():
            own = digest(path)
            if own in _digests(manifest) or _is_ahead(own, manifest):
                return True
            why = "was changed since it was exported"
        else:
            with path.open("rb") as file:
                ends = file.read(SNIFFED_BYTES)
                file.seek(max(0, path.stat().st_size - SNIFFED_BYTES))
                ends += file.read()
            if any(sign in ends for sign in OWN_SIGNS):
                return True
    except (OSError, ValueError, KeyError, TypeError):
        why = "cannot be told from a file of yours"
    raise UserError(f"{path} is there already and {why}; --force replaces it, --out names another file.")


def _digests(manifest: Path) -> list[str]:
    return [file["sha256"] for file in json.loads(manifest.read_text(encoding="utf-8"))["files"]]


def _is_ahead(own: str, manifest: Path) -> bool:
    """Whether a file of this digest came with an export that was killed before its manifest had its name, too."""
    for left in unfinished(manifest):
        with suppress(OSError, ValueError, KeyError, TypeError):
            if own in _digests(left):
                return True
    return False


def unfinished(path: Path) -> Iterator[Path]:
    """What is being written, or was by killed processes, to take a file's or folder's place."""
    return path.parent.glob(f".{glob.escape(path.name)}.????????{PART}")


def _lock(handle: int) -> bool:
    """Hold an unfinished file as long as this process lives.

    Returns:
        False while another one holds it, or where the file system has no locks: nobody can tell there.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def passing_folder(prefix: str) -> Iterator[Path]:
    """A folder for files of the moment, which holds nothing once it is left; what killed processes left goes first.

    Args:
        prefix: How the names of such folders begin.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}????????{PART}"):
        with suppress(OSError), _left_by_killed(left) as handle:
            if handle is not None and os.fstat(handle).st_uid == os.getuid():
                shutil.rmtree(left, ignore_errors=True)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=PART))
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        _lock(handle)
        if folder.exists():
            break
        os.close(handle)  # somebody who cleared away was first
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


@contextmanager
def _left_by_killed(left: Path) -> Iterator[int | None]:
    """Hold what is not finished, so that nobody else clears it away; None where whoever writes it still does."""
    handle = os.open(left, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        yield handle if _lock(handle) else None
    finally:
        os.close(handle)


def sweep(folder: Path, names: str) -> None:
    """Remove what killed exports left in a folder, whose files were to have names of this pattern."""
    for left in folder.glob(f".{names}.????????{PART}"):
        with suppress(OSError), _left_by_killed(left) as handle:
            if handle is not None:
                left.unlink()


def _sweep(path: Path) -> None:
    """Remove what killed exports of the same name left."""
    for left in unfinished(path):
        # What another user left, or another process clears away at this moment, is in nobody's way.
        with suppress(OSError), _left_by_killed(left) as handle:
            if handle is None:
                continue
            if not left.is_dir():
                left.unlink()
            elif not (left / "old").exists():  # a crash between two renames left the earlier export there
                shutil.rmtree(left, ignore_errors=True)
            elif not path.exists():
                (left / "old").rename(path)
                shutil.rmtree(left, ignore_errors=True)


class _Batch:
    """What was written and waits for the rest before it takes its place."""

    def __init__(self) -> None:
        self.places: list[tuple[Path, Path, Callable[[], None]]] = []  # of each, where it lies, how it moves
        self.lies_at: dict[Path, Path] = {}
        self.cleaning = ExitStack()

    def take_places(self) -> None:
        """Give all that was written its name. Raises UserError where one cannot have it, or may lose it again."""
        failed: UserError | None = None
        for _, written, place in self.places:
            try:
                place()
            except UserError as error:
                failed = failed or error
                if written.exists():
                    break
        waiting = [path for path, written, _ in self.places if written.exists()]
        for path in waiting if len(waiting) < len(self.places) else ():
            with suppress(OSError):  # a folder, or a disk that takes nothing at all
                path.unlink()  # such as the manifest of the file that was there before
        if failed is not None:
            raise failed


_batch: ContextVar[_Batch | None] = ContextVar("_batch", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Files and folders written in the block take their places at its end: all of them, or none where one fails.

    Only names change then, which needs no room on a full disk.
    """
    batch = _Batch()
    with batch.cleaning:
        token = _batch.set(batch)
        try:
            yield
        finally:
            _batch.reset(token)
        batch.take_places()


def lies_at(path: Path) -> Path:
    """Where what was written for a path lies: beside it, until all that is written together takes its place."""
    batch = _batch.get()
    return path if batch is None else batch.lies_at.get(path, path)


def _take_place(path: Path, written: Path, place: Callable[[], None], cleaning: ExitStack) -> None:
    """Put what was written into its place, now or with the rest."""
    batch = _batch.get()
    if batch is None:
        place()
        return
    batch.lies_at[path] = written
    batch.places.append((path, written, place))
    batch.cleaning.enter_context(cleaning.pop_all())


@contextmanager
def _one_sentence(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"Cannot write {path}: {error.strerror}; choose another {kind} with --out."
        ) from error


@contextmanager
def whole_file(path: Path, binary: bool = False) -> Iterator[IO[Any]]:  # text or bytes, as asked
    """Open a temporary file beside `path` that takes its place when the block ends well.

    Raises:
        UserError: the folder is missing or cannot be written, or the disk is full; `path` is as it was.
    """
    with _one_sentence(path, "file"), ExitStack() as cleaning:
        _sweep(path)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent)
        temporary = Path(name)
        cleaning.callback(temporary.unlink, missing_ok=True)
        _lock(handle)
        cleaning.callback(os.close, os.dup(handle))  # keeps the lock until it has its place
        mode, text = ("wb", {}) if binary else ("w", {"encoding": "utf-8", "newline": ""})
        with os.fdopen(handle, mode, **text) as file:  # type: ignore[call-overload]
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; an export is as readable as any file the user makes.
        temporary.chmod(0o666 & ~USER_UMASK)
        _take_place(path, temporary, partial(_place_file, temporary, path), cleaning)


def _place_file(temporary: Path, path: Path) -> None:
    with _one_sentence(path, "file"):
        temporary.replace(path)
        sync_folder(path.parent)


@contextmanager
def whole_folder(path: Path, replaceable: Callable[[Path], bool]) -> Iterator[Path]:
    """A temporary folder beside `path` that takes its place when the block ends well.

    Args:
        path: The folder to write; its parent must exist.
        replaceable: Whether a folder that is there may go: one that the user made must not.

    Raises:
        UserError: there is something else at `path`, or it cannot be written; `path` is as it was.
    """
    if path.exists() and not (path.is_dir() and (not any(path.iterdir()) or replaceable(path))):
        raise UserError(
            f"{path} holds something else than an earlier export; choose another folder with --out."
        )
    with _one_sentence(path, "folder"), ExitStack() as cleaning:
        _sweep(path)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent))
        cleaning.callback(_clear_away, temporary, path)
        handle = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
        cleaning.callback(os.close, handle)
        _lock(handle)
        new = temporary / "new"
        new.mkdir()
        yield new
        _make_the_users(new)
        sync_tree(new, files=True)
        _take_place(path, new, partial(_place_folder, temporary, path), cleaning)


def _place_folder(temporary: Path, path: Path) -> None:
    with _one_sentence(path, "folder"):
        if path.exists():
            path.rename(temporary / "old")  # a folder cannot take another's place in one step
        (temporary / "new").rename(path)
        sync_folder(path.parent)  # before the earlier one is removed


def _clear_away(temporary: Path, path: Path) -> None:
    # A crash between the two renames leaves the old export here; it goes only when a new one is in place.
    if (temporary / "old").exists() and not path.exists():
        (temporary / "old").rename(path)
    shutil.rmtree(temporary, ignore_errors=True)


def _make_the_users(folder: Path) -> None:
    """Make a folder as readable as any that the user makes; what lies in radtui's own is private."""
    for path in (folder, *folder.rglob("*")):
        path.chmod((0o777 if path.is_dir() else 0o666) & ~USER_UMASK)
