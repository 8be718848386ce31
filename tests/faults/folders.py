"""The data folder vanishes, is replaced or restored, can only be read, or is somebody else's."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from pathlib import Path

from radtui.store.database import connect
from radtui.study.unsaved import Unsaved
from tests.faults.folder import build
from tests.faults.harness import (
    CLI,
    RATER,
    REPOSITORY,
    Facts,
    NotHere,
    app,
    forked,
    judged,
    radtui,
    rating,
    rows,
    small_disk,
    times,
    told_until,
)

NOBODY = 65534


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
            assert lines[-1], f"{number}: rating ended"
            lines.append(process.stdout.readline())
        lines += told_until(process, 0.05)
        assert not data.root.exists(), f"{number}: the folder is there again: {list(data.root.iterdir())}"
        if number % 2:
            shutil.copytree(elsewhere, data.root)
        else:
            elsewhere.rename(data.root)
        with contextlib.closing(connect(data)) as db:
            delivered = Unsaved(data, RATER).deliver(db)
        told = [times(lines, what) for what in ("saved", "kept")]
        # The one written in the very moment may be in the folder already, and is kept too: it is put in once.
        stored = rows(data)
        assert delivered >= len(told[1]) - 1, f"{number}: {len(told[1])} were kept, {delivered} delivered"
        assert len(stored) == len(set(stored)), f"{number}: {len(stored) - len(set(stored))} are there twice"
        missing = {time for each in told for time in each} - set(stored)
        assert not missing, (
            f"{number}: {len(missing)} of {[len(each) for each in told]} (saved, kept) are missing"
        )
        saved, kept = saved + len(told[0]), kept + len(told[1])
    return {"times": rounds, "saved": saved, "kept and put in": kept, "lost": 0}


def restored_folder(scratch: Path, rounds: int) -> Facts:
    """A backup is taken back under an open app: answers given since are in the restored folder in the end."""
    os.environ["XDG_STATE_HOME"] = str(scratch / "state")
    for number in range(rounds):
        data, copy = build(scratch / str(number) / "data"), scratch / str(number) / "copy"
        assert radtui(data, "backup", copy)[0] == 0
        with app(data) as terminal:
            terminal.settle(first_s=20)
            terminal.press("r", quiet_s=0.5)
            terminal.press("1", quiet_s=0.3)
            assert radtui(data, "restore", "--force", copy)[0] == 0
            terminal.press("2", quiet_s=0.3)
            terminal.settle(quiet_s=2.5)  # the poller looks, and puts in what was kept
            terminal.press("4", quiet_s=0.5)
            terminal.settle(quiet_s=1.5)
        assert len(rows(data)) == 2, rows(data)  # the first went aside with the folder that was replaced
        aside = next(data.root.parent.glob("data.before-restore*"))
        assert aside.is_dir()
    return {"times": rounds, "lost": 0}


def read_only_folder(scratch: Path, rounds: int) -> Facts:
    """The disk can only be read: looking works, everything else is one sentence."""
    chance, works, sentences, answers = random.Random(24), 0, 0, 0
    with small_disk(scratch / "disk", "16m") as place:
        data = build(place / "data")
        for _ in range(rounds):
            # Killed, its log is left.
            saved = times(told_until(rating(data), chance.uniform(0, 0.3)), "saved")
            before = rows(data)
            assert set(saved) <= set(before)
            subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
            for words in (
                ["stats"],
                ["jobs", "list"],
                ["export", "--out", scratch / "c.csv", "--force"],
                ["show", "1"],
            ):
                code, printed = forked(data, *words)
                assert code == 0, printed
                works += 1
            for words in (
                ["import", "phantoms:1"], ["train", "--dataset", "many"], ["jobs", "stop", "1"],
                ["backup", place / "b"], ["export", "--out", place / "c.csv"], ["import-ratings", scratch / "c.csv"],
            ):  # fmt: skip
                code, printed = forked(data, *words)
                assert not judged(code, printed, words), f"{words} was done where nothing can be written"
                sentences += 1
            subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)
            assert rows(data) == before
            answers += len(saved)
    return {
        "times": rounds,
        "answers": answers,
        "commands that work": works,
        "sentences": sentences,
        "lost": 0,
    }


def lost_permission(scratch: Path, rounds: int) -> Facts:
    """The folder is another user's and closed to this one: each command says so in one sentence."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        raise NotHere("only root can give a folder away, and setpriv take root's own rights")
    data = build(scratch / "data")
    for path in (*data.root.rglob("*"), data.root):
        os.chown(path, NOBODY, NOBODY)
    data.root.chmod(0o700)
    said = []
    for words in (["stats"], ["jobs", "list"], ["import", "phantoms:1"], ["export", "--out", scratch / "c.csv"],
                  ["check"], ["backup", scratch / "copy"]):  # fmt: skip
        done = subprocess.run(
            ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *CLI, "--data-dir", str(data.root),
             *map(str, words)],
            capture_output=True, check=False, cwd=REPOSITORY,
        )  # fmt: skip
        text = (done.stdout + done.stderr).decode()
        assert done.returncode == 1 and "Traceback" not in text, text
        assert len(text.strip().splitlines()) == 1, text
        said.append(text.strip()[:160])
    return {"times": rounds, "sentences": len(said), "such as": said[0]}
