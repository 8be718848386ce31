"""What is done to radtui, and what must be so afterwards; each takes a scratch folder and how many times or seconds."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from radtui.paths import DataDir
from radtui.store.database import connect
from radtui.study.unsaved import Unsaved
from tests.bench.pseudo_terminal import Terminal
from tests.faults.folder import PLANTED, RAW, build, plant
from tests.faults.power import PowerCut

REPOSITORY = Path(__file__).resolve().parents[2]
GUARD = REPOSITORY / "tests" / "worker" / "network_guard"
CLI = (sys.executable, "-m", "radtui.cli")
RATER = "ana"
Facts = dict[str, object]


class NotHere(Exception):  # noqa: N818 - a reason to leave out, no failure
    """This machine cannot do that to a program."""


def radtui(data: DataDir, *words: object, rater: str = RATER) -> tuple[int, bytes]:
    """Run a command; its exit code and everything that it printed."""
    done = subprocess.run(
        [*CLI, "--data-dir", str(data.root), "--rater", rater, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd=REPOSITORY, timeout=300,
    )  # fmt: skip
    return done.returncode, done.stdout


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
        return [row[0] for row in db.execute("SELECT rated_at FROM ratings ORDER BY id")]


def times(lines: list[str], what: str) -> list[float]:
    """The times of the answers that were said to be saved, or kept."""
    return [float(line.split()[1]) for line in lines if line.startswith(what)]


def kills_while_rating(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at random moments of rating: every answer that was called saved is there, once."""
    data, chance, saved = build(scratch / "data"), random.Random(1), []
    for _ in range(rounds):
        saved += times(told_until(rating(data), chance.uniform(0, 0.2)), "saved")
        stored = rows(data)
        assert len(stored) == len(set(stored)) and set(saved) <= set(stored)
    return {"kills": rounds, "answers": len(saved), "lost": 0}


def power_cuts_while_rating(scratch: Path, rounds: int) -> Facts:
    """The power goes at random moments of rating: what was called saved was synced."""
    chance, answers = random.Random(2), 0
    for number in range(rounds):
        data = build(scratch / str(number) / "data", pairs=4)
        cut = PowerCut(data.root, scratch / str(number))
        saved = times(told_until(rating(data, cut.environment), chance.uniform(0, 0.2)), "saved")
        cut.happens()
        missing = set(saved) - set(rows(data))
        assert not missing, f"{len(missing)} of {len(saved)} answers"
        answers += len(saved)
        shutil.rmtree(scratch / str(number))
    return {"cuts": rounds, "answers": answers, "lost": 0}


def kills_of_commands(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at random moments of exports and backups: files are whole or as before, and nothing is left over."""
    data, chance = build(scratch / "data"), random.Random(3)
    told_until(rating(data), 0.5)
    out = scratch / "out"
    out.mkdir()
    commands: list[tuple[str, ...]] = [
        ("export", "--out", str(out / "c.csv")), ("export", "--format", "jsonl", "--out", str(out / "r.jsonl")),
        ("report", "1", "--out", str(out / "r.html")), ("backup", str(out / "backup")),
    ]  # fmt: skip
    for command in commands:
        assert radtui(data, *command)[0] == 0
    whole = {path: path.stat().st_size for path in out.iterdir() if path.is_file()}
    for number in range(rounds):
        process = subprocess.Popen(
            [*CLI, "--data-dir", str(data.root), *commands[number % len(commands)]],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=REPOSITORY,
        )  # fmt: skip
        time.sleep(chance.uniform(0.2, 1.2))
        process.kill()
        process.wait()
        assert all(path.stat().st_size == size for path, size in whole.items() if path.suffix == ".csv")
        rows(data)
        rows(DataDir(out / "backup"))
    for command in commands:
        assert radtui(data, *command)[0] == 0
    left = [path.name for path in out.iterdir() if path.name.startswith(".")]
    assert not left, left
    return {"kills": rounds, "damaged": 0, "left over": 0}


def vanishing_folder(scratch: Path, rounds: int) -> Facts:
    """The folder is moved away while somebody rates, and comes back moved or copied: every answer is in it."""
    kept = saved = 0
    os.environ["XDG_STATE_HOME"] = str(scratch / "state")
    for number in range(rounds):
        data, elsewhere = build(scratch / str(number) / "data"), scratch / str(number) / "elsewhere"
        process = rating(data)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(20)]
        data.root.rename(elsewhere)
        while not lines[-1].startswith("kept"):
            lines.append(process.stdout.readline())
        lines += told_until(process, 0.05)
        assert not data.root.exists()
        if number % 2:
            shutil.copytree(elsewhere, data.root)
        else:
            elsewhere.rename(data.root)
        with contextlib.closing(connect(data)) as db:
            delivered = Unsaved(data, RATER).deliver(db)
        told = [times(lines, what) for what in ("saved", "kept")]
        assert delivered >= len(told[1])
        assert {time for each in told for time in each} <= set(rows(data))
        saved, kept = saved + len(told[0]), kept + len(told[1])
    return {"times": rounds, "saved": saved, "kept and put in": kept, "lost": 0}


def full_disk(scratch: Path, rounds: int) -> Facts:
    """A disk of 2 MiB runs full while somebody rates: nothing saved is lost, commands say it in a sentence."""
    place = scratch / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        raise NotHere("no file system can be mounted")
    try:
        data = build(place / "data")
        process = rating(data)
        assert process.stdout is not None
        saved = times(process.stdout.read().splitlines(), "saved")  # to its end: it cannot write
        assert process.wait() != 0 and set(saved) <= set(rows(data))
        with contextlib.suppress(OSError), (place / "filler").open("wb") as filler:
            while True:
                filler.write(b"x" * 4096)
                filler.flush()
        code, told = radtui(data, "export", "--out", place / "c.csv")
        assert code == 1 and b"Traceback" not in told and told.count(b"\n") == 1, told
        return {"answers until it was full": len(saved), "lost": 0, "times": rounds}
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def lock_held(scratch: Path, rounds: int) -> Facts:
    """Another program holds the database: reading goes on, writing waits its time and then is a sentence."""
    data = build(scratch / "data")
    told_until(rating(data), 0.2)
    with contextlib.closing(sqlite3.connect(data.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert radtui(data, "stats")[0] == 0 and radtui(data, "jobs", "list")[0] == 0
        if rounds > 1:  # waits half a minute
            code, told = radtui(data, "import", "phantoms:1")
            assert code == 1 and b"Another program is writing" in told and b"Traceback" not in told, told
    return {"commands": 3 if rounds > 1 else 2}


def damaged_database(scratch: Path, rounds: int) -> Facts:
    """Bytes of the database are flipped: each command works or says one sentence, never a traceback."""
    data, chance, refused = build(scratch / "data"), random.Random(4), 0
    told_until(rating(data), 0.2)
    rows(data)
    good = data.database.read_bytes()
    for number in range(rounds):
        content = bytearray(good)
        for _ in range(40):
            content[chance.randrange(len(content))] ^= 0xFF
        for log in data.root.glob("radtui.db-*"):
            log.unlink()
        data.database.write_bytes(content)
        for command in (["stats"], ["jobs", "list"], ["check"])[: 3 if number % 2 else 2]:
            code, told = radtui(data, *command)
            assert code in (0, 1) and b"Traceback" not in told, told
            refused += code
    return {"databases": rounds, "sentences": refused, "tracebacks": 0}


def planted_strings(scratch: Path, rounds: int) -> Facts:
    """Every text of the database would steer the terminal: nothing of it reaches it, from app, commands or files."""
    data = build(scratch / "data")
    told_until(rating(data), 0.3)
    columns = plant(data)
    data.job(1).mkdir(parents=True, exist_ok=True)
    data.log(1).write_text(f"{PLANTED}\n{'x' * 1_000_000}{PLANTED}\n")
    seen = b""
    with Terminal(
        [*CLI, "--data-dir", str(data.root), "--rater", f"ana{PLANTED}".replace("\0", "")], 120, 40
    ) as app:
        seen += app.settle(first_s=20)
        for key in "djlqtrsaq"[: 9 if rounds else 0]:
            seen += app.press(key, quiet_s=0.4).text
    for command in (
        ["jobs", "list"], ["jobs", "list", "--json"], ["jobs", "show", "1"], ["jobs", "show", "1", "--json"],
        ["jobs", "log", "1"], ["stats"], ["stats", "--json"], ["show", "1", "--width", "20"], ["score"],
        ["import", f"nothing{PLANTED}/x"], ["generate", "--dataset", PLANTED], ["doctor"],
    ):  # fmt: skip
        code, told = radtui(data, *command)
        assert code in (0, 1) and b"Traceback" not in told, told
        seen += told
    assert (found := RAW.search(seen)) is None, seen[max(0, found.start() - 80) : found.end() + 40]
    for name in ("report.html", "report.md"):
        code, told = radtui(data, "report", "1", "--out", scratch / name)
        assert code == 0, told
        text = (scratch / name).read_bytes()
        assert RAW.search(text) is None and b"<script>planted" not in text
    return {"columns": columns, "bytes drawn and printed": len(seen), "raw": 0}


def no_sockets(scratch: Path, rounds: int) -> Facts:
    """App, worker, export and report open no connection; a hub token in the environment is written nowhere."""
    data, notes, token = build(scratch / "data"), scratch / "notes", "hf_planted_token_1234567890"
    told_until(rating(data), 0.2)
    environment = {"PYTHONPATH": f"{GUARD}:{REPOSITORY}", "NETWORK_NOTES": str(notes), "HF_TOKEN": token}
    with Terminal([*CLI, "--data-dir", str(data.root), "--rater", RATER], 120, 40, environment) as app:
        app.settle(first_s=20)
        for key in "djtrs":
            app.press(key)
    commands = [
        ["import", "phantoms:3", "--limit", "3"], ["export", "--out", scratch / "c.csv"],
        ["report", "1", "--out", scratch / "r.html"], ["backup", scratch / "copy"],
    ]  # fmt: skip
    for command in commands[: None if rounds else 1]:
        done = subprocess.run(
            [*CLI, "--data-dir", str(data.root), *map(str, command)],
            env={**os.environ, **environment}, capture_output=True, check=False, cwd=REPOSITORY,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert not notes.exists(), notes.read_text()
    for path in scratch.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes(), path
    return {"commands": len(commands) + 1, "connections": 0, "token written": 0}


def many_writers(scratch: Path, rounds: int) -> Facts:
    """Three raters and a worker write side by side for some seconds: nothing is lost or doubled."""
    data = build(scratch / "data")
    raters = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.faults.rate", str(data.root), name, "--per-s", "10"],
            stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
        )
        for name in ("ana", "ben", "cem")
    ]  # fmt: skip
    end, steps = time.monotonic() + rounds, 0
    with contextlib.closing(connect(data)) as db:
        from radtui.store import metrics

        while time.monotonic() < end:
            steps += 1
            metrics.log_step(db, 1, steps, 1_000_000, 1.0, float(steps), {"loss": 1.0})
            time.sleep(0.02)
    lines = [line for process in raters for line in told_until(process, 0)]
    saved = times(lines, "saved")
    stored = rows(data)
    assert len(stored) == len(set(stored)) and set(saved) <= set(stored)
    took = sorted(float(line.split()[2]) for line in lines)
    return {
        "seconds": rounds, "answers": len(saved), "steps": steps, "lost": 0, "doubled": 0,
        "p50_ms": took[len(took) // 2], "p99_ms": took[int(len(took) * 0.99)],
    }  # fmt: skip


SCENARIOS: dict[Callable[[Path, int], Facts], tuple[int, int]] = {
    kills_while_rating: (3, 200),
    power_cuts_while_rating: (2, 200),
    kills_of_commands: (4, 100),
    vanishing_folder: (2, 20),
    full_disk: (1, 1),
    lock_held: (1, 2),
    damaged_database: (2, 40),
    planted_strings: (1, 1),
    no_sockets: (1, 1),
    many_writers: (2, 120),
}
"""How many times, or seconds: in the tests, and in the whole."""
