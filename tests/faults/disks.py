"""The disk is full, or a limit on the size of files is reached."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from radtui.records import JobKind, JobState
from radtui.settings import ImportSettings
from radtui.store import jobs
from radtui.store.database import connect
from radtui.study.unsaved import Unsaved
from tests.conftest import drawn_png
from tests.faults.folder import build
from tests.faults.harness import (
    CLI,
    RATER,
    REPOSITORY,
    Facts,
    NotHere,
    radtui,
    rating,
    rows,
    said_in_a_sentence,
    small_disk,
    times,
    told_until,
)

MOST_BYTES = 1 << 20
FEW_BYTES = 1 << 16
# Answers that the disk does not take have no other place.
NOWHERE_ELSE = {**os.environ, "XDG_STATE_HOME": os.devnull}


def full_disk(scratch: Path, rounds: int) -> Facts:
    """A disk runs full while somebody rates: nothing saved is lost, commands and a job say it in a sentence."""
    answers = sentences = 0
    for number in range(rounds):
        with small_disk(scratch / str(number), "2m") as place:
            data = build(place / "data")
            process = rating(data, NOWHERE_ELSE)
            assert process.stdout is not None
            saved = times(process.stdout.read().splitlines(), "saved")  # to its end: it cannot write
            assert process.wait() != 0 and set(saved) <= set(rows(data))
            with contextlib.suppress(OSError), (place / "filler").open("wb") as filler:
                while True:
                    filler.write(b"x" * 4096)
                    filler.flush()
            for words in (
                ["export", "--out", place / "c.csv"], ["report", "1", "--out", place / "r.html"],
                ["backup", place / "copy"], ["export", "--format", "jsonl", "--out", place / "r.jsonl"],
            ):  # fmt: skip
                said_in_a_sentence(data, *words)
                sentences += 1
            assert not (place / "c.csv").exists() and not (place / "r.jsonl").exists()
            subprocess.run(["mount", "-o", "remount,size=8m", str(place)], check=True)
            code, printed = radtui(data, "export", "--out", place / "c.csv")
            assert code == 0, printed
            answers += len(saved)
    return {"times": rounds, "answers until it was full": answers, "sentences": sentences, "lost": 0}


def refusing_disk(scratch: Path, rounds: int) -> Facts:
    """A disk becomes read-only by an error, or full, while somebody rates: what it does not take is put in later."""
    kept = saved = 0
    os.environ["XDG_STATE_HOME"] = str(scratch / "state")
    for number in range(rounds):
        image, place = scratch / f"{number}.img", scratch / f"{number}-disk"
        place.mkdir()
        with image.open("wb") as file:
            file.truncate(24 << 20)
        made = subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], capture_output=True, check=False)
        if made.returncode or not _mounted(image, place):
            raise NotHere("no file system can be made and mounted")
        try:
            data = build(place / "data")
            process = rating(data)
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(20)]
            if number % 2:
                with contextlib.suppress(OSError), (place / "filler").open("wb", buffering=0) as filler:
                    while filler.write(b"x" * 4096):
                        pass
            else:
                subprocess.run(["mount", "-o", "remount,abort", str(place)], check=True)
            while not lines[-1].startswith("kept"):
                assert lines[-1], f"{number}: rating ended"
                lines.append(process.stdout.readline())
            lines += told_until(process, 0.1)
            subprocess.run(["umount", str(place)], check=True)
            assert _mounted(image, place)
            (place / "filler").unlink(missing_ok=True)
            with contextlib.closing(connect(data)) as db:
                Unsaved(data, RATER).deliver(db)
                assert Unsaved(data, RATER).deliver(db) == 0
            told, stored = [times(lines, what) for what in ("saved", "kept")], rows(data)
            assert len(stored) == len(set(stored)), f"{number}: some are there twice"
            missing = {time for each in told for time in each} - set(stored)
            assert not missing, f"{number}: {len(missing)} are lost"
            saved, kept = saved + len(told[0]), kept + len(told[1])
        finally:
            subprocess.run(["umount", "-l", str(place)], check=False)
            image.unlink()
    return {"times": rounds, "saved": saved, "kept and put in": kept, "lost": 0, "twice": 0}


def _mounted(image: Path, place: Path) -> bool:
    done = subprocess.run(["mount", "-o", "loop", str(image), str(place)], capture_output=True, check=False)
    return done.returncode == 0


def full_disk_of_a_job(scratch: Path, rounds: int) -> Facts:
    """A disk runs full while images are imported: the job ends, and goes on with what is missing when there is room."""
    source = scratch / "source"
    source.mkdir()
    for number in range(500):
        (source / f"{number}.png").write_bytes(drawn_png(number, 96))
    with small_disk(scratch / "disk", "2m") as place:
        data = build(place / "data", pairs=2)
        settings = ImportSettings(source=str(source), name="many images")
        with contextlib.closing(connect(data)) as db:
            job = jobs.create(db, JobKind.IMPORT, "import", "many images", settings.to_dict())
            data.job(job.id).mkdir(parents=True)
            failed = _worked(data.root, job.id)
            assert failed != 0
            row = jobs.must_get(db, job.id)
            assert row.state in (JobState.FAILED, JobState.STARTING, JobState.RUNNING), row
            assert "Traceback" not in row.error and "\n" not in row.error.strip()
            subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
            assert _worked(data.root, job.id) == 0
            assert jobs.must_get(db, job.id).state is JobState.DONE
            assert db.execute("SELECT count(*) FROM cases WHERE dataset = 'many images'").fetchone()[0] == 500
    return {"times": rounds, "images in the end": 500}


def _worked(root: Path, job_id: int) -> int:
    return subprocess.run(
        [sys.executable, "-m", "radtui.worker", "--data-dir", str(root), str(job_id)],
        capture_output=True, check=False, cwd=REPOSITORY,
    ).returncode  # fmt: skip


def quota(scratch: Path, rounds: int) -> Facts:
    """No file may grow beyond a size: rating stops without a loss, commands say it in a sentence."""
    data, answers = build(scratch / "data", pairs=40), 0
    for _ in range(rounds):
        process = subprocess.Popen(
            limited(MOST_BYTES, [sys.executable, "-m", "tests.faults.rate", str(data.root), RATER]),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=REPOSITORY, env=NOWHERE_ELSE,
        )  # fmt: skip
        assert process.stdout is not None
        saved = times(process.stdout.read().splitlines(), "saved")
        assert process.wait() != 0 and set(saved) <= set(rows(data))
        answers += len(saved)
    done = subprocess.run(
        limited(FEW_BYTES, [*CLI, "--data-dir", str(data.root), "backup", str(scratch / "copy")]),
        capture_output=True, check=False, cwd=REPOSITORY,
    )  # fmt: skip
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == 1 and "Traceback" not in text and len(text.strip().splitlines()) == 1, text
    return {"times": rounds, "answers until the limit": answers, "said": text.strip()[:200], "lost": 0}


def limited(most_bytes: int, command: Sequence[str]) -> list[str]:
    """A command none of whose files may grow beyond a size."""
    return ["bash", "-c", f'ulimit -f {most_bytes // 1024}; exec "$0" "$@"', *command]
