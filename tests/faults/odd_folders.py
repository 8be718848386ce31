"""Data folders that nobody should have: links, pipes, files where folders belong, strange names, other schemas."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

from radtui.paths import DataDir
from tests.faults.folder import build
from tests.faults.harness import Facts, app, forked, judged, rating, rows, some_of, told_until, two_images

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("jobs", "list"), ("stats",), ("show", "1"), ("export", "--out", "{out}/c.csv", "--force"), ("check",),
    ("backup", "{out}/copy"), ("data", "private"), ("jobs", "stop", "1"), ("jobs", "resume", "1"), ("doctor",),
    ("import", "{source}"),
)  # fmt: skip
# Folders; an import starts a worker, and the app takes as long as ten commands.
IMPORT_EVERY, DRAW_EVERY = 8, 4
WHERE_IMPORTS_WRITE = ("images", "jobs", "blob", "salt", "lock", "255 bytes")
# List what they find; import and jobs resume name what a worker said.
MANY_LINES = ("check", "doctor", "jobs", "backup", "import")
SHORT_BYTES, LONG_BYTES = 255, 300  # a file's name may have 255


def odd_folders(scratch: Path, shapes: int) -> Facts:
    """A data folder with links, pipes, files for folders, strange names or another schema: a sentence, nothing lost."""
    pattern = build(scratch / "pattern")
    told_until(rating(pattern), 0.2)
    answers, works, commands, troubles = rows(pattern), 0, 0, list[str]()
    names, source = some_of(list(SHAPES), shapes), two_images(scratch / "source")
    for number, name in enumerate(names):
        place = scratch / str(number)
        shutil.copytree(pattern.root, place / "data")
        out = place / "out"
        out.mkdir()
        try:
            data = SHAPES[name](DataDir(place / "data"))
            importing = number % IMPORT_EVERY == 0 or any(word in name for word in WHERE_IMPORTS_WRITE)
            for words in COMMANDS if importing else COMMANDS[:-1]:
                works += _judged(data, [word.format(out=out, source=source) for word in words])
                commands += 1
            if number % DRAW_EVERY == 0 or "database" not in name:
                _drawn(data)
            found = _answers(place)
            assert found >= set(answers), f"{len(set(answers) - found)} answers are gone"
        except AssertionError as trouble:
            troubles.append(f"{name}: {trouble}")
        shutil.rmtree(place, ignore_errors=True)
    assert not troubles, "\n".join(troubles)
    return {"folders": len(names), "commands": commands, "of them work": works, "lost": 0}


def _judged(data: DataDir, words: list[str]) -> bool:
    code, printed = forked(data, *words)
    if code == 1 and words[0] in MANY_LINES:
        assert b"Traceback" not in printed and printed.strip(), f"{words}: {printed[-600:]!r}"
        return False
    return judged(code, printed, words)


def _drawn(data: DataDir) -> None:
    """The app opens, or says in a sentence why not; keys that look do not end it in a traceback."""
    with app(data) as terminal:
        seen = terminal.settle(quiet_s=0.3, first_s=20)
        if b"\x1b[?1049h" in seen and b"\x1b[?1049l" not in seen:
            for key in "dr1J":
                seen += terminal.press(key, patience_s=1.0, quiet_s=0.15).text
            assert os.waitpid(terminal.pid, os.WNOHANG) == (0, 0), f"the app is gone: {seen[-600:]!r}"
        assert b"Traceback" not in seen and b"\xe2\x95\xad\xe2\x94\x80 Traceback" not in seen, seen[-1500:]


def _answers(place: Path) -> set[float]:
    """Every answer that is in any database below a folder, wherever it was put."""
    found: set[float] = set()
    for file in place.rglob("*"):
        if file.is_file() and ".db" in file.name and not file.name.endswith(("-wal", "-shm", "-journal")):
            with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(file)) as db:
                found |= {row[0] for row in db.execute("SELECT rated_at FROM ratings")}
    return found


# ---- Shapes: each takes a data folder, makes something else of it, and returns what is to be opened ----


def _linked(data: DataDir) -> DataDir:
    link = data.root.with_name("link")
    link.symlink_to(data.root)
    return DataDir(link)


def _database_linked(data: DataDir) -> DataDir:
    target = data.root.parent / "elsewhere.db"
    data.database.rename(target)
    data.database.symlink_to(target)
    return data


def _set_aside_and(make: Callable[[Path], object]) -> Callable[[DataDir], DataDir]:
    def change(data: DataDir) -> DataDir:
        data.database.rename(data.root.parent / "kept.db")
        make(data.database)
        return data

    return change


def _in_place_of(name: str, make: Callable[[Path], object]) -> Callable[[DataDir], DataDir]:
    """Something else under the name of a file or folder in the data folder; the first blob's is `blob`."""

    def change(data: DataDir) -> DataDir:
        path = _first_blob(data) if name == "blob" else data.root / name
        if name == "blob folder":
            path = _first_blob(data).parent
        if path.is_dir() and not path.is_symlink():
            path.rename(data.root.parent / "was there")
        else:
            path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        make(path)
        return data

    return change


def _first_blob(data: DataDir) -> Path:
    return min(path for path in (data.root / "images").rglob("*") if path.is_file())


def _hard_linked(data: DataDir) -> DataDir:
    for number, path in enumerate(sorted((data.root / "images").rglob("*"))):
        if path.is_file():
            os.link(path, data.root.parent / f"mine-{number}.png")
    return data


def _renamed(name: bytes) -> Callable[[DataDir], DataDir]:
    def change(data: DataDir) -> DataDir:
        place = data.root.with_name(os.fsdecode(name))
        with contextlib.suppress(OSError):  # a name that no file can have stays a name
            data.root.rename(place)
        return DataDir(place)

    return change


def _deep(data: DataDir) -> DataDir:
    return DataDir(data.root.parent / "/".join(["d" * 200] * 21))


def _version(number: int) -> Callable[[DataDir], DataDir]:
    def change(data: DataDir) -> DataDir:
        with contextlib.closing(sqlite3.connect(data.database)) as db:
            db.execute(f"PRAGMA user_version={number}")
        return data

    return change


def _other_program(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE songs (title TEXT)")
        db.commit()


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def _without_lock(data: DataDir) -> DataDir:
    for lock in data.root.rglob("*lock"):
        lock.unlink()
    return data


def _loop(data: DataDir) -> DataDir:
    link = data.root.with_name("loop")
    link.symlink_to(link)
    return DataDir(link)


def _as_it_is(path: str) -> Callable[[DataDir], DataDir]:
    return lambda data: DataDir(Path(path))


def _big(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(64 << 20)  # a hole, which costs nothing on the disk


SHAPES: dict[str, Callable[[DataDir], DataDir]] = {
    "a link": _linked,
    "a link to itself": _loop,
    "the database is a link": _database_linked,
    "the database is a link to nothing": _set_aside_and(lambda path: path.symlink_to("/nonexistent/radtui.db")),
    "the database is a pipe": _set_aside_and(os.mkfifo),
    "the database is a folder": _set_aside_and(os.mkdir),
    "the database is a socket": _set_aside_and(_socket),
    "the database is /dev/null": _set_aside_and(lambda path: path.symlink_to("/dev/null")),
    "the database is /dev/zero": _set_aside_and(lambda path: path.symlink_to("/dev/zero")),
    "the database is empty": _set_aside_and(lambda path: path.write_bytes(b"")),
    "the database is a letter": _set_aside_and(lambda path: path.write_bytes(b"Dear Sir or Madam, " * 400)),
    "the database is another program's": _set_aside_and(_other_program),
    "schema 7": _version(7), "schema -1": _version(-1), "the highest schema": _version(2**31 - 1),
    "schema 0 over tables": _version(0),
    "images is a file": _in_place_of("images", lambda path: path.write_bytes(b"")),
    "images is a pipe": _in_place_of("images", os.mkfifo),
    "jobs is a file": _in_place_of("jobs", lambda path: path.write_bytes(b"")),
    "a job's folder is a file": _in_place_of("jobs/0001", lambda path: path.write_bytes(b"")),
    "a job's log is a pipe": _in_place_of("jobs/0001/log.txt", os.mkfifo),
    "a job's log is a folder": _in_place_of("jobs/0001/log.txt", os.mkdir),
    "a job's log is endless": _in_place_of("jobs/0001/log.txt", _big),
    "a job's lock is a pipe": _in_place_of("jobs/0001/lock", os.mkfifo),
    "a job's lock is a folder": _in_place_of("jobs/0001/lock", os.mkdir),
    "the launch lock is a folder": _in_place_of("launch.lock", os.mkdir),
    "the launch lock is a pipe": _in_place_of("launch.lock", os.mkfifo),
    "raters is a file": _in_place_of("raters", lambda path: path.write_bytes(b"")),
    "the salt is a folder": _in_place_of("salt", os.mkdir),
    "the salt is a pipe": _in_place_of("salt", os.mkfifo),
    "the salt is empty": _in_place_of("salt", lambda path: path.write_bytes(b"")),
    "the scheme is a pipe": _in_place_of("scheme.toml", os.mkfifo),
    "the scheme is a folder": _in_place_of("scheme.toml", os.mkdir),
    "the scheme is no text": _in_place_of("scheme.toml", lambda path: path.write_bytes(os.urandom(4096))),
    "the scheme is endless": _in_place_of("scheme.toml", lambda path: path.symlink_to("/dev/zero")),
    "a blob has 0 bytes": _in_place_of("blob", lambda path: path.write_bytes(b"")),
    "a blob is a pipe": _in_place_of("blob", os.mkfifo),
    "a blob is a folder": _in_place_of("blob", os.mkdir),
    "a blob is a link to /dev/zero": _in_place_of("blob", lambda path: path.symlink_to("/dev/zero")),
    "a blob is enormous": _in_place_of("blob", _big),
    "a blob's folder is a file": _in_place_of("blob folder", lambda path: path.write_bytes(b"")),
    "hard links to every blob": _hard_linked,
    "no lock files": _without_lock,
    "a name of 255 bytes": _renamed(b"n" * SHORT_BYTES),
    "a name of 300 bytes": _renamed(b"n" * LONG_BYTES),
    "a path of more than 4,096 bytes": _deep,
    "a name of 250 bytes": _renamed(b"n" * 250),
    "a name with a line break": _renamed(b"two\nlines"),
    "a name of pictures": _renamed("\U0001fa7b\u2620\ufe0f".encode() * 25),
    "a name that is no UTF-8": _renamed(b"radiolog\xfa\xff"),
    "a name that steers terminals": _renamed(b"a\x1b]52;c;UExBTlRFRA==\x07\n[bold]%41?mode=ro#'\""),
    "a name like an option": _renamed(b"--help"),
    "a folder that is a device": _as_it_is("/dev/null"),
    "a folder under a file": _as_it_is("/etc/passwd/data"),
    "a folder under /proc": _as_it_is("/proc/self/data"),
}  # fmt: skip
