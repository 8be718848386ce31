"""Does learning from corrections make texts better? The demo stopped early, a simulated reader, a control.

    python -m tests.bench.flywheel assets/benchmarks/flywheel.json --work FOLDER --seeds 0 1 2 3 4

Takes some six minutes a seed on two cores. It goes on where it was stopped: each step leaves its job in FOLDER.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import time
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
from radtui.records import Job, JobKind, JobState
from radtui.settings import GenerateSettings, ImportSettings, TrainSettings
from radtui.store import jobs, studies
from radtui.store.database import connect
from radtui.study.learn_corrections import submit_corrections
from radtui.study.reading import Reading
from radtui.study.scheme_file import default_scheme
from radtui.study.study import scored_texts
from radtui.worker.training import corrected as frozen_texts
from tests.bench.flywheel_reader import corrected
from tests.bench.terminal import load, machine

LEARNT, READ = 800, 200  # cases that the first adapter has learnt, and others that are read
STEPS = 100  # of the demo's training, which then knows some findings
DESCRIBE = GenerateSettings(batch_size=50, max_new_tokens=64)
SPLIT = "read"


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
        " described. Control: the same steps on the model's own texts. Differences are paired over cases.",
        "at": datetime.now(UTC).isoformat(timespec="minutes"), "machine": machine(), "load_average": load(),
    }  # fmt: skip
    texts: dict[str, list[ScoredText]] = {"before": [], "corrections": [], "control": []}
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
        read = steps.job("describe", lambda: submit_generate(
            data, db, replace(DESCRIBE, train_job=first.id, split=SPLIT)
        ))  # fmt: skip
        edited = _read(db, read, seed)
        learnt = TrainSettings(**(preset("corrections").to_dict() | {"from_job": first.id}))
        after = steps.job("learn", lambda: _learn(data, db, learnt))
        control = steps.job("control", lambda: _control(data, db, after))
        texts: dict[str, list[ScoredText]] = {}
        for way, job in (("corrections", after), ("control", control)):
            test = replace(DESCRIBE, train_job=job.id, split="test")
            done = steps.job(f"test {way}", lambda test=test: submit_generate(data, db, test))  # type: ignore[misc]
            study = studies.of_job(db, done.id)
            assert study is not None
            arms = scored_texts(db, study)
            texts["before"], texts[way] = arms["tuned"], arms["corrected"]
        figures = compared(texts) | {
            "edited": edited, "read": READ, "seconds": {key: round(s, 1) for key, s in steps.seconds.items()},
            "kept_step": after.result["adapter_step"], "steps": after.step,
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


def _part(db: sqlite3.Connection) -> None:
    """Put the cases that are read into a split of their own; the rest of the training split stays out."""
    with db:
        db.execute(
            "UPDATE cases SET split = CASE WHEN position < ? THEN ? ELSE 'spare' END"
            " WHERE split = 'train' AND position >= ?",
            (LEARNT + READ, SPLIT, LEARNT),
        )


def _read(db: sqlite3.Connection, described: Job, seed: int) -> int:
    """Have the simulated reader read every text of the tuned arm; returns how many it changed."""
    study = studies.of_job(db, described.id)
    assert study is not None
    reading, rng = Reading(db, study, "tuned", "simulated", default_scheme()), random.Random(seed)
    edited = 0
    for pair in sorted(reading.queue.pairs):
        opened = reading.show(pair)
        assert opened is not None
        text = corrected(opened.written, opened.case.truth, rng)
        edited += text != opened.written
        if not opened.read:
            reading.leave(text)
    return edited


def _learn(data: DataDir, db: sqlite3.Connection, settings: TrainSettings) -> Job:
    from radtui.study.learn_corrections import offer_corrections

    proposed = offer_corrections(db, default_scheme(), settings).settings
    return submit_corrections(data, db, default_scheme(), replace(proposed, watch_images=0))


def _control(data: DataDir, db: sqlite3.Connection, after: Job) -> Job:
    """The same run on the model's own texts: as many steps of the same cases as often, nothing of them corrected."""
    settings = TrainSettings.from_dict(after.settings)
    job = jobs.create(
        db, JobKind.TRAIN, "control", after.dataset, settings.to_dict(), parent_job_id=after.parent_job_id
    )
    rows = [json.loads(line) for line in (data.job(after.id) / frozen_texts.FILE).read_text().splitlines()]
    own = _own_texts(db, settings.from_job)
    file = data.job(job.id) / frozen_texts.FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row | {"text": own[row["case_id"]]}) + "\n" for row in rows))
    return launch_new(data, db, job)


def _own_texts(db: sqlite3.Connection, train_job: int) -> dict[int, str]:
    described = jobs.children(db, train_job, JobKind.GENERATE)[0]
    study = studies.of_job(db, described.id)
    assert study is not None
    pairs = studies.comparisons(db, study, studies.comparison_ids(db, study))
    return {case_id: pair.by("tuned").text.strip() for case_id, pair in pairs.items()}


def compared(texts: dict[str, list[ScoredText]]) -> dict[str, Any]:
    """What became of F1 of findings and the other scores, paired over cases."""
    pairs = (("before", "corrections"), ("before", "control"), ("control", "corrections"))
    return {
        f"{later} against {earlier}": _told(changes_of(texts[earlier], texts[later], (earlier, later)))
        for earlier, later in pairs
    }


def _told(changes: Sequence[Change]) -> dict[str, object]:
    return {
        change.score.key: {
            "change": change.found.difference.value, "low": change.found.difference.low,
            "high": change.found.difference.high, "n": change.found.difference.n, "p": change.p,
            "verdict": change.verdict,
        }
        for change in changes
    }  # fmt: skip


if __name__ == "__main__":
    main()
