"""What every fault uses: commands and rating processes to harm, and what is in the database afterwards."""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from radtui.paths import DataDir
from radtui.store import place
from tests.bench.pseudo_terminal import Terminal
from tests.conftest import drawn_png

REPOSITORY = Path(__file__).resolve().parents[2]
GUARD = REPOSITORY / "tests" / "worker" / "network_guard"
CLI = (sys.executable, "-m", "radtui.cli")
RATER = "ana"
LIMIT_S = 300.0
LOADED = (
    "radtui.cli.export", "radtui.cli.report", "radtui.cli.plots", "radtui.cli.backup", "radtui.cli.study_packs",
    "radtui.export.comparisons", "radtui.export.pack_home",
    "radtui.export.jsonl", "radtui.export.report", "radtui.export.restore_backup", "radtui.store.schema",
    "sqlite_utils", "sqlite_utils.db", "jinja2", "scipy.stats", "sacrebleu", "pyarrow.parquet",
)  # fmt: skip
FORKED_S = 120  # in which a command must have ended
MOST_LINES = {1: 1, 2: 4}  # of what cannot be done, and of wrong usage, which click explains

Facts = dict[str, object]
Fault = Callable[[Path, int], Facts]
"""Takes a scratch folder, and how many times or seconds; an AssertionError says what was lost."""


class NotHere(Exception):  # noqa: N818 - a reason to leave out, no failure
    """This machine cannot do that to a program."""


def radtui(
    data: DataDir, *words: object, rater: str = RATER, more: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Run a command; its exit code and everything that it printed."""
    done = subprocess.run(
        [*CLI, "--data-dir", str(data.root), "--rater", rater, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd=REPOSITORY, timeout=LIMIT_S,
        env={**os.environ, **(more or {})},
    )  # fmt: skip
    return done.returncode, done.stdout


def forked(
    data: DataDir, *words: object, rater: str = RATER, more: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """As `radtui`, by a child of this process, which has the command line loaded: a tenth of the time."""
    from radtui.cli import main

    arguments = ["radtui", "--data-dir", str(data.root), "--rater", rater, *map(str, words)]
    with tempfile.TemporaryFile() as printed:
        sys.stdout.flush()
        if (child := os.fork()) == 0:
            os.environ.update(more or {})
            _become(main, arguments, printed.fileno())
        status = os.waitpid(child, 0)[1]
        printed.seek(0)
        return os.waitstatus_to_exitcode(status), printed.read()


def forked_and_killed(data: DataDir, words: Sequence[object], after_s: float) -> bool:
    """As `forked`, killed some time later; whether it was still at work. Its start takes none of the moments."""
    from radtui.cli import main

    arguments = ["radtui", "--data-dir", str(data.root), "--rater", RATER, *map(str, words)]
    with tempfile.TemporaryFile() as printed:
        sys.stdout.flush()
        if (child := os.fork()) == 0:
            _become(main, arguments, printed.fileno())
        end, ended = time.monotonic() + after_s, 0
        while not ended and time.monotonic() < end:
            time.sleep(0.001)
            ended = os.waitpid(child, os.WNOHANG)[0]
        if not ended:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        return not ended


def forked_took_s(data: DataDir, words: Sequence[object]) -> float:
    """How long a forked command takes to its end; it must succeed."""
    began = time.monotonic()
    code, printed = forked(data, *words)
    assert code == 0, printed
    return time.monotonic() - began


def load_commands() -> None:
    """Load what commands load when they are called, once for all that are forked."""
    for name in LOADED:
        importlib.import_module(name)


def _become(main: Callable[[], None], arguments: list[str], out: int) -> NoReturn:
    """In a child: the command with these words, its streams in a file; ends the process."""
    code: object = 1
    try:
        place._homes.clear()  # it is another program than this one, which had these databases open
        place._strangers.clear()
        signal.alarm(FORKED_S)  # ends it with a signal, which nothing that is judged may do
        for stream in (1, 2):
            os.dup2(out, stream)
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(os.open(os.devnull, os.O_RDONLY)),
            os.fdopen(1, "w"),
            os.fdopen(2, "w"),
        )
        sys.argv = arguments
        main()
        code = 0
    except SystemExit as leaving:
        code = leaving.code
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def judged(code: int, printed: bytes, words: object = "") -> bool:
    """A command must have worked, or said in one sentence why not; whether it worked."""
    text = printed.decode(errors="replace")
    assert code in (0, 1, 2) and "Traceback" not in text, f"{words}: exit {code}: {text[-600:]}"
    assert not code or 1 <= len(text.strip().splitlines()) <= MOST_LINES[code], f"{words}: {text[-600:]}"
    return code == 0


def said_in_a_sentence(data: DataDir, *words: object, more: Mapping[str, str] | None = None) -> str:
    """Run a command that cannot do its work: it must say so in one line, without a traceback; the line."""
    code, printed = radtui(data, *words, more=more)
    text = printed.decode(errors="replace")
    assert code == 1, f"{words}: exit {code}: {text[-400:]}"
    assert "Traceback" not in text and len(text.strip().splitlines()) == 1, f"{words}: {text[-600:]}"
    return text.strip()


def app(data: DataDir, rater: str = RATER, more: Mapping[str, str] | None = None, rows: int = 40) -> Terminal:
    """The app in a pseudo-terminal of 120 columns."""
    return Terminal([*CLI, "--data-dir", str(data.root), "--rater", rater], 120, rows, more)


def rating(data: DataDir, environment: Mapping[str, str] | None = None, *more: str) -> subprocess.Popen[str]:
    """Start a process that rates as fast as it can."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.rate", str(data.root), RATER, *more],
        stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, env=environment,
    )  # fmt: skip


def told_until(process: subprocess.Popen[str], after_s: float) -> list[str]:
    """Kill a rating process some time after its first answer; its whole lines."""
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(after_s)
    process.kill()
    rest = process.stdout.read()
    process.wait()
    return [line for line in (first + rest).split("\n")[:-1] if line]


def rows(data: DataDir) -> list[float]:
    """When each stored answer was given; the database is whole."""
    with contextlib.closing(sqlite3.connect(data.database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        return [row[0] for row in db.execute("SELECT rated_at FROM ratings ORDER BY id")]


def times(lines: list[str], what: str) -> list[float]:
    """The times of the answers that were said to be saved, or kept."""
    return [float(line.split()[1]) for line in lines if line.startswith(what)]


def killed_after(command: Sequence[object], after_s: float, more: Mapping[str, str] | None = None) -> bool:
    """Start a program and kill it some time later; whether it was still at work."""
    process = subprocess.Popen(
        [*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=REPOSITORY,
        env={**os.environ, **(more or {})},
    )  # fmt: skip
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    was_alive = process.poll() is None
    process.kill()
    process.wait()
    return was_alive


def took_s(command: Sequence[object], more: Mapping[str, str] | None = None) -> float:
    """How long a command takes to its end, so that moments within it can be drawn; it must succeed."""
    began = time.monotonic()
    subprocess.run(
        [*map(str, command)], check=True, capture_output=True, cwd=REPOSITORY, env={**os.environ, **(more or {})}
    )  # fmt: skip
    return time.monotonic() - began


@contextlib.contextmanager
def small_disk(place: Path, size: str):
    """A file system of its own, of some size such as `2m`, mounted at a new folder."""
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        raise NotHere("no file system can be mounted")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def some_of(names: Sequence[str], count: int) -> list[str]:
    """So many of the names, from all over the list; all of them where there are no more."""
    step = max(1, len(names) // max(1, count))
    return list(names)[::step][:count]


def two_images(folder: Path) -> Path:
    """A source that is imported in no time: drawing the demo's phantoms takes half a minute."""
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.png").write_bytes(drawn_png(number))
    return folder


def moment(chance: random.Random, whole_s: float) -> float:
    """A random moment of something that takes so long, its start and end included."""
    return chance.uniform(0.0, 1.05 * whole_s)
