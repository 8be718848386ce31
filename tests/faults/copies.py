"""Backups and restores that are killed, that meet each other, a migration or a full disk."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

from radtui.paths import DataDir
from tests.faults.folder import build
from tests.faults.harness import (
    CLI,
    REPOSITORY,
    Facts,
    forked,
    forked_and_killed,
    forked_took_s,
    judged,
    load_commands,
    moment,
    radtui,
    rating,
    rows,
    small_disk,
    told_until,
    took_s,
)
from tests.unit.old_databases import SCHEMAS, old_database

IMAGES = 150  # that a restore has to copy, so that it takes a while


def kills_of_restores(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at random moments of a restore: what was there or the copy is there, whole, and the other beside it."""
    chance, at_work, came = random.Random(14), 0, 0
    good = build(scratch / "good", pairs=IMAGES)
    told_until(rating(good), 0.2)
    assert radtui(good, "backup", scratch / "copy")[0] == 0
    kept = rows(good)
    load_commands()
    whole_s = forked_took_s(DataDir(scratch / "whole"), ["restore", scratch / "copy"])
    for number in range(rounds):
        place, is_file = scratch / str(number), number % 3 == 2
        data = build(place / "data", pairs=4)
        told_until(rating(data), 0.1)
        own = rows(data)
        source = scratch / "copy" / "radtui.db" if is_file else scratch / "copy"
        at_work += forked_and_killed(data, ["restore", source, "--force"], moment(chance, whole_s))
        there = rows(data) if data.database.exists() else None
        assert there in (own, kept, None), f"{len(there or [])} answers, of {len(own)} and {len(kept)}"
        came += there == kept
        if there is None:
            code, printed = forked(data, "stats")
            assert code == 1 and not judged(code, printed, "stats")
        code, printed = forked(data, "restore", source, "--force")
        assert code == 0, printed
        assert rows(data) == kept
        code, printed = forked(data, "check")
        assert is_file or code == 0, printed
        assert own in [rows(DataDir(aside)) for aside in _asides(place)] + [
            rows_of(f) for f in _files_aside(data)
        ]
        left = [path.name for path in [*place.glob(".*"), *data.root.glob(".*")]]
        assert not left, left
        shutil.rmtree(place)
    return {
        "kills": rounds,
        "still at work": at_work,
        "the copy was in place": came,
        "lost": 0,
        "left over": 0,
    }


def _asides(place: Path) -> list[Path]:
    return [path for path in place.glob("data.before-restore*") if (path / "radtui.db").exists()]


def _files_aside(data: DataDir) -> list[Path]:
    return [
        path
        for path in data.root.glob("radtui.db.before-restore*")
        if not path.name.endswith(("-wal", "-shm"))
    ]


def rows_of(file: Path) -> list[float]:
    """When each answer of a database file was given."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        return [row[0] for row in db.execute("SELECT rated_at FROM ratings ORDER BY id")]


def backups_at_once(scratch: Path, rounds: int) -> Facts:
    """Several backups into one folder at once, some killed: the folder is a whole backup after each, none is left."""
    chance, sentences = random.Random(15), 0
    data = build(scratch / "data", pairs=60)
    told_until(rating(data), 0.3)
    expected, copy = rows(data), DataDir(scratch / "copy")
    command = [*map(str, CLI), "--data-dir", str(data.root), "backup", str(copy.root)]
    whole_s = took_s(command)
    for number in range(rounds):
        for path in [*copy.root.glob("images/*/*")][:20]:  # that must come again
            path.unlink()
        _changed(data, number)
        running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=REPOSITORY)
            for _ in range(3)
        ]
        time.sleep(moment(chance, whole_s))
        running[0].kill()
        for process in running:
            printed = process.communicate(timeout=120)[0]
            if process.returncode == 1:
                assert b"Traceback" not in printed and len(printed.strip().splitlines()) == 1, printed
                sentences += 1
            assert process.returncode in (0, 1, -signal.SIGKILL), printed
        assert rows(copy) == expected
        code, printed = forked(data, "backup", copy.root)
        assert code == 0, printed
        assert forked(copy, "check")[0] == 0
        left = [str(path) for path in copy.root.rglob(".*")]
        assert not left, left
    return {"times": rounds, "backups": 3 * rounds, "sentences": sentences, "damaged": 0, "left over": 0}


def _changed(data: DataDir, number: int) -> None:
    with contextlib.closing(sqlite3.connect(data.database)) as db:
        db.execute("UPDATE jobs SET note = ?", (str(number),))
        db.commit()


def backups_on_a_full_disk(scratch: Path, rounds: int) -> Facts:
    """The disk of repeated backups runs full: it is said, the backup before stays, and goes on once there is room."""
    made = 0
    for number in range(rounds):
        with small_disk(scratch / str(number), "4m") as place:
            data = build(scratch / f"data{number}")
            told_until(rating(data), 0.2)
            copy = DataDir(place / "copy")
            process = subprocess.Popen(
                [*CLI, "--data-dir", str(data.root), "backup", str(copy.root), "--every", "1m"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY, text=True,
                env={**os.environ, "PYTHONPATH": f"{REPOSITORY / 'tests' / 'faults' / 'hurry_hook'}:{REPOSITORY}"},
            )  # fmt: skip
            try:
                _until(lambda copy=copy: copy.database.exists())
                before = rows(copy)
                fill(place / "filler")
                told_until(rating(data), 0.1)
                assert process.stderr is not None
                said = process.stderr.readline()
                assert "full" in said or "No space" in said or "make room" in said, said
                assert process.poll() is None, (
                    "repeated backups ended with the first that could not be written"
                )
                assert rows(copy)[: len(before)] == before
                (place / "filler").unlink()
                wanted = rows(data)
                _until(lambda copy=copy, wanted=wanted: rows(copy) == wanted)
                made += 1
            finally:
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=30)
            assert process.returncode == 1 and not list(copy.root.rglob(".*"))
    return {"times": rounds, "went on": made, "lost": 0}


def full_disk_everywhere(scratch: Path, rounds: int) -> Facts:
    """The disk is full at random sizes while a command writes: a sentence, no half file, the file before stays."""
    chance, sentences, commands = random.Random(16), 0, 0
    data = build(scratch / "data", pairs=30)
    told_until(rating(data), 0.3)
    assert radtui(data, "backup", scratch / "copy")[0] == 0
    load_commands()
    for number in range(rounds):
        with small_disk(scratch / str(number), f"{chance.choice((16, 40, 100, 260, 600))}k") as place:
            target = DataDir(place / "restored")
            for words, where in (
                (["export", "--out", place / "c.csv"], data), (["report", "1", "--out", place / "r.html"], data),
                (["export", "--format", "jsonl", "--out", place / "r.jsonl"], data),
                (["backup", place / "copy"], data), (["restore", scratch / "copy"], target),
                (["study", "pack", "1", "--reader", "ben", "--out", place / "ben.radpack"], data),
            ):  # fmt: skip
                code, printed = forked(where, *words)
                commands += 1
                assert code in (0, 1, 2) and b"Traceback" not in printed, printed[-800:]
                if code == 1:
                    assert len(printed.strip().splitlines()) == 1, printed
                    sentences += 1
                    file = words[-1] if words[0] != "restore" else target.root
                    assert words[0] in ("backup",) or not Path(file).exists(), f"{file} is there"
                hidden = [str(path) for path in place.rglob(".*")]
                assert not hidden, hidden
    assert sentences
    return {"disks": rounds, "commands": commands, "sentences": sentences, "half files": 0}


def fill(filler: Path) -> None:
    """Leave no room on a disk."""
    with contextlib.suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(b"x" * 4096)
            file.flush()


def backups_during_migrations(scratch: Path, rounds: int) -> Facts:
    """Backups, commands and apps open an older database at once: one migrates it, all have every row."""
    for number in range(rounds):
        data = old_database(SCHEMAS[number % len(SCHEMAS)], scratch / str(number) / "data")
        before = rows_of(data.database)
        copies = [scratch / str(number) / f"copy{n}" for n in range(2)]
        commands = [["backup", str(copy)] for copy in copies] + [["stats"], ["jobs", "list"], ["check"]]
        running = [
            subprocess.Popen([*CLI, "--data-dir", str(data.root), *words], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, cwd=REPOSITORY)
            for words in commands
        ]  # fmt: skip
        for process, words in zip(running, commands, strict=True):
            printed = process.communicate(timeout=300)[0]
            # These databases came without their images, which backup and check say.
            assert process.returncode == 0 or words[0] in ("check", "backup"), (words, printed)
            assert b"Traceback" not in printed, printed
        for place in (data, *map(DataDir, copies)):
            assert rows(place) == before
        assert len(list(data.root.glob("radtui.db.before-*"))) == 1
        shutil.rmtree(scratch / str(number))
    return {"times": rounds, "programs at once": 5 * rounds, "rows lost": 0}


def _until(holds) -> None:
    end = time.monotonic() + 60
    while True:
        with contextlib.suppress(AssertionError, sqlite3.Error):
            if holds():
                return
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.1)
