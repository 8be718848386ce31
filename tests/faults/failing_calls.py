"""One system call fails, whichever: a write, a sync, a rename; what was there stays, and it is said in a sentence."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from radtui.paths import DataDir
from tests.faults.failing import Failing
from tests.faults.folder import build
from tests.faults.harness import RATER, REPOSITORY, Facts, judged, radtui, rating, rows, times, told_until

MOST_ANSWERS = 400  # of a round: SQLite moves its log into the file after some 250
CALL_S = 120


@dataclass(frozen=True, slots=True)
class _Command:
    """A command that writes, and how often it calls what may fail."""

    words: tuple[str, ...]
    counted: dict[str, int]


def failing_calls(scratch: Path, rounds: int) -> Facts:
    """One write, sync, rename or truncation of a command fails: a sentence, the file before or a whole one is there."""
    shim, chance = Failing(scratch), random.Random(21)
    data = build(scratch / "all" / "data")
    told_until(rating(data), 0.3)
    answers, sentences, worked, failed = rows(data), 0, 0, 0
    place = scratch / "all"
    for words in _COMMANDS:  # so that there is a file before of each
        assert radtui(data, *_in(place, words))[0] == 0, words
    commands = [_counted(shim, data, place, words) for words in _COMMANDS]
    for number in range(rounds):
        command = commands[number % len(commands)]
        kinds = [kind for kind, count in command.counted.items() if count]
        kind = kinds[number // len(commands) % len(kinds)]
        at = chance.randint(1, command.counted[kind])
        more = shim.environment(place, kind, at, once=bool(number % 2))
        code, printed = radtui(data, *_in(place, command.words), more=more)
        what = f"{command.words[0]}, {kind} {at}"
        works = judged(code, printed, what)
        worked, sentences = worked + works, sentences + (code == 1)
        failed += 1
        assert rows(data) == answers, what
        _whole(place, answers, what)
        hidden = [str(path) for path in place.rglob(".*")]
        assert not hidden, f"{what}: {hidden}"
    for command in commands:
        code, printed = radtui(data, *_in(place, command.words))
        assert code == 0, printed
    assert sentences
    return {"times": rounds, "commands": len(commands), "calls that failed": failed, "sentences": sentences,
            "done all the same": worked, "half files": 0}  # fmt: skip


_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("export", "--out", "{}/c.csv"), ("export", "--format", "jsonl", "--out", "{}/r.jsonl"),
    ("report", "1", "--out", "{}/r.html"), ("backup", "{}/copy"),
    ("--data-dir", "{}/taken", "restore", "--force", "{}/copy"),
)  # fmt: skip


def _in(place: Path, words: tuple[str, ...]) -> list[str]:
    return [word.format(place) for word in words]


def _counted(shim: Failing, data: DataDir, place: Path, words: tuple[str, ...]) -> _Command:
    code, printed = radtui(data, *_in(place, words), more=shim.counting(place))
    assert code == 0, printed
    return _Command(words, shim.counted())


def _whole(place: Path, answers: list[float], what: str) -> None:
    """Each file is one of before or a new one, to its end."""
    assert (place / "c.csv").read_text(encoding="utf-8").count("\n") > 1, what
    for line in (place / "r.jsonl").read_text(encoding="utf-8").splitlines():
        json.loads(line)
    assert (place / "r.html").read_text(encoding="utf-8").rstrip().endswith("</html>"), what
    assert rows(DataDir(place / "copy")) == answers, what
    for aside in place.glob("taken.before-restore*"):
        shutil.rmtree(aside)
    if (place / "taken").exists():
        assert rows(DataDir(place / "taken")) == answers, what


def full_at_the_checkpoint(scratch: Path, rounds: int) -> Facts:
    """The disk is full, or broken, exactly when the log is moved or synced: each answer called saved is there."""
    shim, chance, saved, hurt = Failing(scratch), random.Random(22), 0, 0
    for number in range(rounds):
        data = build(scratch / str(number) / "data", pairs=40)
        kind, name = (("write", "radtui.db"), ("sync", "radtui.db"), ("write", "radtui.db-wal"),
                      ("sync", "radtui.db-wal"), ("truncate", "radtui.db"))[number % 5]  # fmt: skip
        at = chance.randint(1, 40 if name.endswith("db") else 400)
        if kind != "write" and name.endswith("db"):
            at = 1  # there are few
        more = shim.environment(data.root, kind, at, once=bool(number // 5 % 2), name=name)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.rate", str(data.root), RATER, "--most", str(MOST_ANSWERS)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=REPOSITORY, env={**os.environ, **more},
        )  # fmt: skip
        told = times(process.communicate(timeout=CALL_S)[0].splitlines(), "saved")
        hurt += process.returncode != 0
        stored = rows(data)
        missing = set(told) - set(stored)
        assert not missing, (
            f"{kind} of {name}, {at}: {len(missing)} of {len(told)} answers that were called saved"
        )
        assert len(stored) == len(set(stored))
        code, printed = radtui(
            data, "stats", more=shim.environment(data.root, kind, 1, once=False, name=name)
        )
        judged(code, printed, f"stats, {kind} of {name}")
        assert radtui(data, "stats")[0] == 0
        saved += len(told)
        shutil.rmtree(scratch / str(number))
    return {"times": rounds, "answers called saved": saved, "could not go on": hurt, "lost": 0}
