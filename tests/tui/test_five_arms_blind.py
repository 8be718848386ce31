"""Five arms rated by keys on a pseudo-terminal: nothing that is ever written to the screen tells an arm."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from radtui.paths import DataDir
from radtui.records import JobKind, JobState
from radtui.settings import GenerateSettings
from radtui.store import cases, jobs, ratings, texts
from radtui.study.making import make_study, parse_arms
from radtui.study.session import read_sitting
from radtui.study.study import scheme_for
from tests.bench.pseudo_terminal import FRAME_END, Terminal
from tests.conftest import give_arms, new_text

PAIRS = 20
ARMS = ("early", "late", "oracle", "gptalpha", "otherbeta")
CONTROL = re.compile(rb"\x1b\[[0-9;:?<>=$ ]*[A-Za-z@`]|\x1b[\]_P].*?(?:\x07|\x1b\\)|\x1b.", re.DOTALL)
PLACE = re.compile(rb"Pair (\d+)")


def test_twenty_pairs_by_keyboard_with_nothing_that_tells_an_arm(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]], tmp_path: Path
) -> None:
    ids = add_images(30, split="train")
    keys = {case.id: case.source_key for case in cases.get_many(db, ids)}
    job = jobs.create(
        db, JobKind.GENERATE, "one", "drawn", GenerateSettings(dataset="drawn").to_dict(), case_ids=ids
    )
    made = give_arms(db, job, "base", "tuned")
    for case_id in ids:
        texts.add(db, job.id, [new_text(case_id, made["base"], f"Clear chest. {case_id}"),
                               new_text(case_id, made["tuned"], f"One opacity is seen. {case_id}")])  # fmt: skip
    jobs.end(db, job.id, JobState.DONE)
    for name, few in (("gptalpha", False), ("otherbeta", True)):
        rows = [
            f"{keys[i]},Chest film {at} with {len(name)} words"
            for at, i in enumerate(ids)
            if not few or at % 3
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(["file_name,report", *rows]) + "\n")
    files = ",".join(f"{name}=file:{tmp_path / name}.csv" for name in ARMS[3:])
    arms = f"early=base,late=tuned,oracle=reference,{files}"
    study = make_study(db, parse_arms([arms]), "train", name="a study").study
    assert study.arm_names == ARMS

    progress = read_sitting(db, study.id, "ana", scheme_for(data)).queue.progress()
    numbers = [progress.shown_place(place) for place in range(1, PAIRS + 2)]
    assert progress.repeats and numbers[-1] > numbers[-2]  # a number that two pairs have is not the last one

    command = [sys.executable, "-m", "radtui.cli", "--data-dir", str(data.root), "--rater", "ana"]
    written = b""
    with Terminal(command, 120, 40) as terminal:

        def wait_for(shown: int) -> None:
            nonlocal written
            frame = b""

            def drawn(part: bytes) -> bool:
                nonlocal frame
                frame += part + FRAME_END
                return any(int(number) == shown for number in PLACE.findall(CONTROL.sub(b"", part)))

            terminal.until(drawn)
            written += frame

        terminal.until(lambda frame: b"radtui" in frame)
        terminal.write("r")
        for place, number in enumerate(numbers[:-1], 1):
            wait_for(number)
            terminal.write("12345"[place % 5])
        wait_for(numbers[-1])

    rows = ratings.history(db, study.id, "ana")
    assert len(rows) == PAIRS and all(row.blinded for row in rows)
    assert len(Counter(row.shown for row in rows)) >= 8  # of the ten pairs of arms
    said = CONTROL.sub(b"", written).decode("utf-8", "replace").lower()
    assert "blind" in said and "chest film" in said and "one opacity is seen" in said
    told = [name for name in (*ARMS, "base", "tuned", "gpt", ".csv", "file:") if name in said]
    assert told == []
