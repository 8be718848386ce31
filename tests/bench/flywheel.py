"""Does learning from corrections make texts better? The demo stopped early, a simulated reader, a control.

    python -m tests.bench.flywheel assets/benchmarks/flywheel.json --work FOLDER --seeds 0 1 2 3 4

Takes some ten minutes a seed on two cores. It goes on where it was stopped: each step leaves its job in FOLDER.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from radtui.jobs import submit_generate, submit_import, submit_train
from radtui.jobs.control import launch_new, reconcile, resume
from radtui.measures.change import Change, changes_of
from radtui.measures.scores import ScoredText
from radtui.paths import DataDir
from radtui.presets import preset
from radtui.records import Job, JobKind, JobState, Study
from radtui.settings import GenerateSettings, ImportSettings, TrainSettings
from radtui.store import jobs, studies
from radtui.store.database import connect
from radtui.study import edits
from radtui.study.learn_corrections import offer_corrections, submit_corrections
from radtui.study.rated_pairs import offer, submit_preferences
from radtui.study.reading import Reading
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
from radtui.study.study import scored_texts
from radtui.worker.training import corrected as frozen_texts
from tests.bench.flywheel_reader import TIE, corrected, preferred_level
from tests.bench.terminal import load, machine

LEARNT, READ = 800, 200  # cases that the first adapter has learnt, and others that are read
STEPS = 100  # of the demo's training, which then knows some findings
DESCRIBE = GenerateSettings(batch_size=50, max_new_tokens=64)
TWO = replace(DESCRIBE, samples=2, temperature=1.0)
FIRST_READ, SECOND_READ = "read", "read-again"


def main() -> None:
    """Run every seed and write after each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="JSON file to write")
    parser.add_argument("--work", type=Path, required=True, help="Folder of the data folders, kept")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    options = parser.parse_args()
    results: dict[str, Any] = {
        "what": f"The demo's model after {STEPS} steps of {LEARNT} cases describes {READ} others; a simulated reader"
        " corrects findings, sides and zones with 10 % overlooked; what it left is learnt, and 300 held-out cases are"
        " described. Control: the same steps on the model's own texts. Second round: the corrected adapter's texts of"
        f" {READ} further cases. Preferences: two texts of each of the first {READ} at temperature 1, the better one"
        " preferred (10 % answered by chance), learnt by DPO. Differences are paired over cases.",
        "at": datetime.now(UTC).isoformat(timespec="minutes"), "machine": machine(), "load_average": load(),
    }  # fmt: skip
    texts: defaultdict[str, list[ScoredText]] = defaultdict(list)
    for seed in options.seeds:
        results[f"seed {seed}"], own = measured(DataDir(options.work / f"seed-{seed}").create(), seed)
        for name, scored in own.items():
            texts[name] += scored
        results["pooled"] = compared(texts)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        print(f"seed {seed}: {json.dumps(results[f'seed {seed}'])}", flush=True)


def measured(data: DataDir, seed: int) -> tuple[dict[str, Any], dict[str, list[ScoredText]]]:
    """One seed: its figures, and the held-out texts of each way."""
    with closing(connect(data)) as db:
        steps = Steps(data, db)
        name = f"phantoms-{seed}"
        steps.job(
            "draw", lambda: submit_import(data, db, ImportSettings(source=f"phantoms:{seed}", name=name))
        )
        _part(db)
        asked = replace(preset("demo"), dataset=name, seed=seed + 1, max_steps=STEPS, train_images=LEARNT)
        first = steps.job("train", lambda: submit_train(data, db, asked))
        read = steps.described("describe", replace(DESCRIBE, train_job=first.id, split=FIRST_READ))
        edited = _read(db, read, "tuned", seed)
        after = steps.job("learn", lambda: _learn(data, db, first))
        control = steps.job("control", lambda: _control(data, db, after, read))
        read_again = steps.described(
            "describe again", replace(DESCRIBE, train_job=after.id, split=SECOND_READ)
        )
        edited_again = _read(db, read_again, "corrected", seed + 100)
        second = steps.job("learn again", lambda: _learn(data, db, after))
        drawn = steps.described("draw two", replace(TWO, train_job=first.id, split=FIRST_READ))
        preferred = _prefer(db, drawn, seed)
        dpo = steps.job("learn preferences", lambda: _learn_preferences(data, db, first))
        texts: dict[str, list[ScoredText]] = {}
        ways = {"corrections": after, "control": control, "second round": second, "preferences": dpo}
        for way, job in ways.items():
            done = steps.described(f"test {way}", replace(DESCRIBE, train_job=job.id, split="test"))
            arms = scored_texts(db, _study(db, done))
            texts[way] = arms["dpo" if way == "preferences" else "corrected"]
            if way == "corrections":
                texts["before"] = arms["tuned"]
        figures = compared(texts) | {
            "read": READ, "edited": edited, "edited again": edited_again, "preferred of two": preferred,
            "seconds": {key: round(s, 1) for key, s in steps.seconds.items()},
            "kept_step": {way: job.result.get("adapter_step") for way, job in ways.items()},
            "steps": {way: job.step for way, job in ways.items()},
        }  # fmt: skip
    return figures, texts


class Steps:
    """Jobs of one data folder by the names of their steps: what is done is not done again."""

    def __init__(self, data: DataDir, db: sqlite3.Connection) -> None:
        self.data, self.db = data, db
        self.file = data.root / "flywheel.json"
        self.ids: dict[str, int] = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.seconds: dict[str, float] = {}

    def job(self, step: str, submit: Callable[[], Job]) -> Job:
        """The job of a step once it is done: submitted now, gone on with, or done before."""
        if step not in self.ids:
            self.ids[step] = submit().id
            self.file.write_text(json.dumps(self.ids))
        while (job := jobs.must_get(self.db, self.ids[step])).state is not JobState.DONE:
            reconcile(self.data, self.db)
            if job.state in (JobState.LOST, JobState.STOPPED):
                resume(self.data, self.db, job.id)
            elif job.state is JobState.FAILED:
                raise RuntimeError(f"{step}: {job.error}")
            time.sleep(0.5)
        self.seconds[step] = (job.ended_at or 0.0) - (job.started_at or 0.0)
        return job

    def described(self, step: str, settings: GenerateSettings) -> Job:
        """The generation job of a step, done."""
        return self.job(step, lambda: submit_generate(self.data, self.db, settings))


def _part(db: sqlite3.Connection) -> None:
    """Put the cases that are read into splits of their own; the rest of the training split stays out."""
    with db:
        db.execute(
            "UPDATE cases SET split = CASE WHEN position < ? THEN ? WHEN position < ? THEN ? ELSE 'spare' END"
            " WHERE split = 'train' AND position >= ?",
            (LEARNT + READ, FIRST_READ, LEARNT + 2 * READ, SECOND_READ, LEARNT),
        )


def _study(db: sqlite3.Connection, described: Job) -> Study:
    study = studies.of_job(db, described.id)
    assert study is not None
    return study


def _read(db: sqlite3.Connection, described: Job, arm: str, seed: int) -> int:
    """Have the simulated reader read every text of an arm; returns how many it changed."""
    reading = Reading(db, _study(db, described), arm, "simulated", default_scheme())
    rng, edited = random.Random(seed), 0
    for pair in sorted(reading.queue.pairs):
        opened = reading.show(pair)
        assert opened is not None
        text = corrected(opened.written, opened.case.truth, rng)
        edited += text != opened.written
        if not opened.read:
            reading.leave(text)
    return edited


def _prefer(db: sqlite3.Connection, described: Job, seed: int) -> int:
    """Have the simulated reader compare the two samples of every case; returns how many it had a preference in."""
    scheme = default_scheme()
    study = _study(db, described)
    session = ReviewSession(db, read_sitting(db, study.id, "simulated", scheme))
    rng, preferred = random.Random(seed), 0
    for pair in sorted(session.queue.pairs):
        session.show(pair)
        shown = session.shown()
        assert shown is not None
        if not set(shown.sides) <= {"tuned", "tuned 2"}:
            continue
        level = preferred_level(*shown.texts, shown.case.truth, rng)
        preferred += level != TIE
        if shown.rating is None or shown.rating.empty:
            session.answer(lambda row, level=level: edits.preferred(row, scheme, level))
    return preferred


def _learn(data: DataDir, db: sqlite3.Connection, before: Job) -> Job:
    asked = TrainSettings(**(preset("corrections").to_dict() | {"from_job": before.id}))
    proposed = offer_corrections(db, default_scheme(), asked).settings
    return submit_corrections(data, db, default_scheme(), replace(proposed, watch_images=0))


def _learn_preferences(data: DataDir, db: sqlite3.Connection, before: Job) -> Job:
    asked = TrainSettings(**(preset("preferences").to_dict() | {"from_job": before.id}))
    proposed = offer(db, default_scheme(), asked).settings
    return submit_preferences(data, db, default_scheme(), replace(proposed, watch_images=0))


def _control(data: DataDir, db: sqlite3.Connection, after: Job, read: Job) -> Job:
    """The same run on the model's own texts: as many steps of the same cases as often, nothing of them corrected."""
    settings = TrainSettings.from_dict(after.settings)
    job = jobs.create(
        db, JobKind.TRAIN, "control", after.dataset, settings.to_dict(), parent_job_id=after.parent_job_id
    )
    rows = [json.loads(line) for line in (data.job(after.id) / frozen_texts.FILE).read_text().splitlines()]
    own = _own_texts(db, read)
    file = data.job(job.id) / frozen_texts.FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row | {"text": own[row["case_id"]]}) + "\n" for row in rows))
    return launch_new(data, db, job)


def _own_texts(db: sqlite3.Connection, described: Job) -> dict[int, str]:
    study = _study(db, described)
    pairs = studies.comparisons(db, study, studies.comparison_ids(db, study))
    return {case_id: pair.by("tuned").text.strip() for case_id, pair in pairs.items()}


def compared(texts: dict[str, list[ScoredText]]) -> dict[str, Any]:
    """What became of F1 of findings and the other scores, paired over cases."""
    pairs = (
        ("before", "corrections"), ("before", "control"), ("control", "corrections"),
        ("corrections", "second round"), ("before", "second round"), ("before", "preferences"),
    )  # fmt: skip
    return {
        f"{later} against {earlier}": _told(changes_of(texts[earlier], texts[later], (earlier, later)))
        for earlier, later in pairs
    }


def _told(changes: Sequence[Change]) -> dict[str, object]:
    return {
        change.score.key: {
            "change": change.paired.difference.value, "low": change.paired.difference.low,
            "high": change.paired.difference.high, "n": change.paired.difference.n, "p": change.p,
            "verdict": change.verdict,
        }
        for change in changes
    }  # fmt: skip


if __name__ == "__main__":
    main()
