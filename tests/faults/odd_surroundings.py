"""Environments, settings, streams and locales that nobody should have: a command works, or says why not."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from radtui.paths import DataDir
from tests.faults.folder import build
from tests.faults.harness import (
    CLI,
    REPOSITORY,
    Facts,
    app,
    judged,
    rating,
    rows,
    some_of,
    told_until,
    two_images,
)

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("stats",), ("jobs", "list"), ("export", "--out", "{out}/c.csv", "--force"), ("import", "{out}/source"),
    ("profile", "list"),
)  # fmt: skip
IMPORT = COMMANDS[3]
IMPORT_EVERY = 6  # surroundings: it starts a worker
WHERE_WORKERS_DIFFER = (
    "HOME",
    "user",
    "TMPDIR",
    "HOST",
    "handles",
    "umask",
    "streams",
    "locale",
    "closed",
    "full",
    "gone",
)
LIMIT_S = 120
NOBODY = "54321"  # a user that no table of users has


@dataclass(frozen=True)
class Surroundings:
    """What is strange.

    Attributes:
        environment: Variables; one whose value is None is taken away.
        config: What the user's config file is made with; None for no file.
        shell: A line of bash that ends in the command, "$@"; the app is not opened in it.
        drawn: Whether the app is opened too.
    """

    environment: dict[str, str | None] = field(default_factory=dict)
    config: Callable[[Path], object] | None = None
    shell: str = ""
    drawn: bool = False


def odd_surroundings(scratch: Path, shapes: int) -> Facts:
    """Strange variables, settings, streams, masks and locales: each command works or says why not, nothing is lost."""
    data = build(scratch / "data")
    told_until(rating(data), 0.2)
    answers, works, troubles = rows(data), 0, []
    names = some_of(list(SHAPES), shapes)
    commands = 0
    for number, name in enumerate(names):
        out = scratch / "out"
        out.mkdir()
        two_images(out / "source")
        importing = number % IMPORT_EVERY == 0 or any(word in name for word in WHERE_WORKERS_DIFFER)
        chosen = [words for words in COMMANDS if importing or words is not IMPORT]
        try:
            works += sum(_worked(data, SHAPES[name], words, out) for words in chosen)
            commands += len(chosen)
            if SHAPES[name].drawn:
                _drawn(data, SHAPES[name], out)
            assert rows(data)[: len(answers)] == answers
        except AssertionError as trouble:
            troubles.append(f"{name}: {trouble}")
        except subprocess.TimeoutExpired as waited:
            troubles.append(f"{name}: {waited.cmd[-3:]} waits for ever")
        finally:
            _made_readable(out)
            shutil.rmtree(out)
    assert not troubles, "\n".join(troubles)
    return {
        "surroundings": len(names),
        "commands": commands,
        "of them work": works,
        "lost": 0,
    }


def _worked(data: DataDir, shape: Surroundings, words: Sequence[str], out: Path) -> bool:
    command = [*CLI, "--data-dir", str(data.root), *(word.format(out=out) for word in words)]
    if shape.shell:
        command = ["bash", "-c", shape.shell, "bash", *command]
    done = subprocess.run(
        command, env=_environment(shape, out), capture_output=True, check=False, cwd=REPOSITORY, timeout=LIMIT_S,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    assert b"Exception ignored" not in printed, f"{words}: {printed[-400:]!r}"
    return (
        judged(done.returncode, printed if done.returncode else b"", words)
        if not shape.shell
        else _shell(done, words)
    )


def _shell(done: subprocess.CompletedProcess[bytes], words: Sequence[str]) -> bool:
    """Where a stream is closed there may be nothing to say it on."""
    printed = done.stdout + done.stderr
    assert done.returncode in (0, 1, 2) and b"Traceback" not in printed, (
        f"{words}: {done.returncode} {printed!r}"
    )
    most = 3 if words is IMPORT else 1  # it says on that stream, too, how its job goes
    assert len(done.stderr.splitlines()) <= most, f"{words}: {done.stderr[-400:]!r}"
    return done.returncode == 0


def _drawn(data: DataDir, shape: Surroundings, out: Path) -> None:
    environment = _environment(shape, out)
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    more = {name: value for name, value in shape.environment.items() if value is not None}
    try:
        with app(data, "zoe", more) as terminal:
            seen = terminal.settle(quiet_s=0.3, first_s=20)
            for key in "dtJr1":
                seen += terminal.press(key, patience_s=1.0, quiet_s=0.15).text
            ended = os.waitpid(terminal.pid, os.WNOHANG)[0]
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert b"Traceback" not in seen, seen[-1500:]
    assert not ended or b"radtui: " in seen, f"the app is gone without a word: {seen[-300:]!r}"


def _environment(shape: Surroundings, out: Path) -> dict[str, str]:
    environment = {
        **os.environ,
        "XDG_STATE_HOME": str(out / "state"),
        "RADTUI_CONFIG": str(out / "config.toml"),
    }
    if shape.config is not None and not os.path.lexists(out / "config.toml"):
        shape.config(out / "config.toml")
    for name, value in shape.environment.items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value.replace("{out}", str(out))
    return environment


def _made_readable(out: Path) -> None:
    subprocess.run(["chmod", "-R", "u+rwX", str(out)], check=False, capture_output=True)


def _written(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _section(text: str) -> Surroundings:
    return Surroundings(config=_written(text.encode()), drawn=True)


def _unreadable(path: Path) -> None:
    path.write_bytes(b"[app]\n")
    path.chmod(0)


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"[app]\n")
        file.truncate(6 << 30)


def _as_user(line: str) -> str:
    return f'exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups {line} "$@"'


SHAPES: dict[str, Surroundings] = {
    "HOME unset": Surroundings({"HOME": None, "XDG_STATE_HOME": None, "RADTUI_CONFIG": None}),
    "HOME empty": Surroundings({"HOME": "", "XDG_STATE_HOME": None, "RADTUI_CONFIG": None}, drawn=True),
    "HOME nowhere": Surroundings({"HOME": "/proc/none", "XDG_STATE_HOME": None, "RADTUI_CONFIG": None}, drawn=True),
    "HOME a file": Surroundings({"HOME": "/etc/passwd", "XDG_STATE_HOME": None, "RADTUI_CONFIG": None}, drawn=True),
    "HOME a device": Surroundings({"HOME": "/dev/null", "XDG_STATE_HOME": None, "RADTUI_CONFIG": None}),
    "a user without a name": Surroundings({"HOME": None}, shell=_as_user("")),
    "TERM unset": Surroundings({"TERM": None}), "TERM dumb": Surroundings({"TERM": "dumb"}, drawn=True),
    "TERM unknown": Surroundings({"TERM": "x" * 5000}, drawn=True),
    "COLUMNS and LINES garbage": Surroundings({"COLUMNS": "-1", "LINES": "many"}, drawn=True),
    "COLUMNS huge": Surroundings({"COLUMNS": "99999999999999999999"}),
    "LANG C": Surroundings({"LC_ALL": "C", "LANG": "C"}, drawn=True),
    "ASCII alone": Surroundings({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, drawn=True),
    "Latin 1 streams": Surroundings({"PYTHONIOENCODING": "latin-1"}, drawn=True),
    "an unknown locale": Surroundings({"LC_ALL": "tlh_QO.KOI-9", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}),
    "a time zone from nowhere": Surroundings({"TZ": ":/dev/null\x1b"}, drawn=True),
    "TMPDIR nowhere": Surroundings({"TMPDIR": "/proc/none"}),
    "a hash seed": Surroundings({"PYTHONHASHSEED": "0", "PYTHONWARNINGS": "error"}),
    "RADTUI_RATER steers": Surroundings({"RADTUI_RATER": "\x1b]52;c;eA==\x07\u202e[bold]\n"}, drawn=True),
    "RADTUI_RATER no UTF-8": Surroundings({"RADTUI_RATER": "an\udcffa"}, drawn=True),
    "RADTUI_RATER long": Surroundings({"RADTUI_RATER": "x" * 100_000}, drawn=True),
    "RADTUI_RATER blank": Surroundings({"RADTUI_RATER": "  \t"}, drawn=True),
    "RADTUI_PIXELS garbage": Surroundings({"RADTUI_PIXELS": "\x1b[2J"}, drawn=True),
    "RADTUI_HOST garbage": Surroundings({"RADTUI_HOST": "\x1b]0;x\x07\n", "RADTUI_ONE_HOST": "always"}, drawn=True),
    "RADTUI_HOST no UTF-8": Surroundings({"RADTUI_HOST": "h\udcff", "RADTUI_ONE_HOST": "always"}, drawn=True),
    "RADTUI_ONE_HOST garbage": Surroundings({"RADTUI_ONE_HOST": "perhaps"}),
    "RADTUI_GPU_NOW garbage": Surroundings({"RADTUI_GPU_NOW": "x", "RADTUI_GPU_LOCKS": "/dev/null/x"}),
    "RADTUI_DATA a home that is nobody's": Surroundings({"RADTUI_DATA": "~nobody-has-this-name/x"}),
    "RADTUI_CONFIG nowhere": Surroundings({"RADTUI_CONFIG": "/proc/none/a/b.toml"}, drawn=True),
    "RADTUI_CONFIG a folder": Surroundings({"RADTUI_CONFIG": "/tmp"}, drawn=True),
    "RADTUI_CONFIG a device": Surroundings({"RADTUI_CONFIG": "/dev/zero"}, drawn=True),
    "RADTUI_CONFIG somebody's home": Surroundings({"RADTUI_CONFIG": "~nobody-has-this-name/x"}, drawn=True),
    "RADTUI_CONFIG long": Surroundings({"RADTUI_CONFIG": "/" + "c" * 5000}, drawn=True),
    "config a pipe": Surroundings(config=os.mkfifo, drawn=True),
    "config unreadable": Surroundings(config=_unreadable, drawn=True),
    "config huge": Surroundings(config=_huge, drawn=True),
    "config binary": Surroundings(config=_written(bytes(range(256)) * 64), drawn=True),
    "config in UTF-16": Surroundings(config=_written('[app]\ntheme = "dark"\n'.encode("utf-16")), drawn=True),
    "config deep": _section("[app]\ntheme = " + "[" * 50_000),
    "config a number of 5,000 digits": _section(f"[app]\nbell_after_s = {'9' * 5000}\n"),
    "config a list": _section("app = [1, 2]\nslurm = 3\n"),
    "config wrong types": _section("[app]\ntheme = 1\ntile_size = 'big'\nbell_after_s = -1\nprice_per_hour = nan\n"),
    "config infinite": _section("[app]\nprice_per_hour = inf\nbell_after_s = 9223372036854775808\n"),
    "config steers": _section('[app]\ncurrency = "\\u001b]52;c;eA==\\u0007"\njobs_columns = "\\u202e,\\u0000"\n'),
    "config long": _section(f'[app]\ncurrency = "{"x" * 1_000_000}"\nlast_screen = "nowhere"\n'),
    "clusters wrong": Surroundings(config=_written(b"[slurm.x]\ngpus_per_node = 'x'\n[slurm]\ny = 1\n")),
    "stdin closed": Surroundings(shell='"$@" <&-'),
    "stdout closed": Surroundings(shell='"$@" >&-'),
    "stderr closed": Surroundings(shell='"$@" 2>&-'),
    "all streams closed": Surroundings(shell='"$@" <&- >&- 2>&-'),
    "stdout full": Surroundings(shell='"$@" >/dev/full'),
    "stderr full": Surroundings(shell='"$@" 2>/dev/full'),
    "a reader that goes": Surroundings(shell='"$@" | head -c 1; exit "${PIPESTATUS[0]}"'),
    "a reader that is gone": Surroundings(shell='"$@" | true; exit "${PIPESTATUS[0]}"'),
    "umask 000": Surroundings(shell='umask 000; "$@"'), "umask 777": Surroundings(shell='umask 777; "$@"'),
    "12 handles": Surroundings(shell='ulimit -n 12; "$@"'),
    "SIGPIPE ignored": Surroundings(shell="trap '' PIPE; \"$@\" | true; exit \"${PIPESTATUS[0]}\""),
    "a folder that is gone": Surroundings(
        {"PYTHONPATH": str(REPOSITORY)}, shell='mkdir /tmp/gone.$$; cd /tmp/gone.$$; rmdir /tmp/gone.$$; "$@"'
    ),
}  # fmt: skip
"""By name; those with the config file have one of their own, the others none."""
assert tempfile.gettempdir()  # used before TMPDIR is taken away
