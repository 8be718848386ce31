"""SIGKILL while a reader rates in a pack: at each write and sync of it and of its log, its checkpoints among them."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

from radtui.paths import DataDir
from radtui.store import ratings
from radtui.store.database import connect
from tests.faults.failing import Failing
from tests.faults.folder import build
from tests.faults.harness import REPOSITORY, Facts, forked, judged, rows, times

READER, PACK, ANSWERS = "ana", "ana.radtui", 6


def kills_in_packs(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at writes and syncs of a pack that is rated: it goes on, and each answer called saved comes home."""
    shim, chance, killed, saved, alone = Failing(scratch), random.Random(32), 0, 0, 0
    home = build(scratch / "home")
    code, printed = forked(home, "study", "pack", "1", "--reader", READER, "--out", scratch / PACK)
    assert code == 0, printed
    for name in (PACK, f"{PACK}-wal"):
        place = _copied(scratch, "counted")
        _rate(place, shim.counting(place) | {"FAIL_NAME": name})
        points = shim.points(max(1, rounds // 2), chance)
        shutil.rmtree(place)
        for number, (kind, at) in enumerate(points):
            place = _copied(scratch, f"{name}-{number}")
            told, code = _rate(place, shim.killing(place, kind, at, name))
            killed += code != 0
            what = f"{kind} {at} of {name}, {len(told)} saved"
            (place / "alone").mkdir()
            shutil.copyfile(place / PACK, place / "alone" / PACK)  # what somebody sends who sees one file
            alone += _taken_home(home, place / "alone", told, what)
            shutil.copytree(place, scratch / "with-log", ignore=shutil.ignore_patterns("alone"))
            assert _taken_home(home, scratch / "with-log", told, what), f"{what}: it cannot be taken home"
            shutil.rmtree(scratch / "with-log")
            more, code = _rate(place, {})  # the reader goes on
            assert code == 0 and len(more) == ANSWERS, what
            assert _taken_home(home, place, told + more, what)
            saved += len(told) + len(more)
            shutil.rmtree(place)
    assert killed
    return {
        "kills": killed,
        "answers called saved": saved,
        "lost": 0,
        "doubled": 0,
        "taken home without log": alone,
    }


def _copied(scratch: Path, name: str) -> Path:
    place = scratch / name
    place.mkdir()
    shutil.copyfile(scratch / PACK, place / PACK)
    return place


def _rate(place: Path, more: dict[str, str]) -> tuple[list[float], int]:
    """Answers that were called saved, and how it ended."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.rate", str(place / PACK), READER, "--pack", "--most", str(ANSWERS)],
        stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, env={**os.environ, **more}, check=False,
    )  # fmt: skip
    return times(done.stdout.splitlines(), "saved"), done.returncode


def _taken_home(home: DataDir, place: Path, told: list[float], what: str) -> bool:
    """Merge a pack into a copy of its home, twice; False where that was refused, in a sentence."""
    data = DataDir(Path(shutil.copytree(home.root, place / "home")))
    try:
        code, printed = forked(data, "study", "merge", place / PACK)
        assert rows(data) is not None
        if not judged(code, printed, what):
            return False
        came = _answers(data)
        assert len(came) == len(set(came)) and set(told) <= set(came), f"{what}: {told}, and home came {came}"
        code, printed = forked(data, "study", "merge", place / PACK)
        assert code == 0 and _answers(data) == came, f"{what}: {printed!r}"
    finally:
        shutil.rmtree(data.root)
    return True


def _answers(data: DataDir) -> list[float]:
    with contextlib.closing(connect(data)) as db:
        return [row.rated_at for row in ratings.history(db, 1, READER)]
