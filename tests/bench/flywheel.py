"""Does learning from corrections make texts better? The demo stopped early, a simulated reader, a control.

    python -m tests.bench.flywheel assets/benchmarks/flywheel.json --work FOLDER --seeds 0 1 2 3 4

Takes some ten minutes a seed on two cores. It goes on where it was stopped: each step leaves its job in FOLDER. Several
may run beside each other with seeds and files of their own; called with all seeds afterwards, it does nothing anew and
pools them. With --finish it starts nothing: what is not done is left out, and named as missing.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, variance
from typing import Any

from radtui.jobs import submit_import, submit_train
from radtui.jobs.control import launch_new
from radtui.measures.change import MAIN, Change, changes_of
from radtui.measures.readers import mean_limits
from radtui.measures.scores import ScoredText
from radtui.paths import DataDir
from radtui.presets import preset
from radtui.records import Job, JobKind
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
from tests.bench.flywheel_steps import MissingStepError, Steps
from tests.bench.terminal import load, machine
from tests.unit.test_store import study_of

LEARNT, READ = 800, 200  # cases that the first adapter has learnt, and others that are read
STEPS = 100  # of the demo's training, which then knows some findings
DESCRIBE = GenerateSettings(batch_size=50, max_new_tokens=64)
TWO = replace(DESCRIBE, samples=2, temperature=1.0)
FIRST_READ, SECOND_READ = "read", "read-again"
RECIPE = (
    "correction_weight", "epochs", "learning_rate", "scheduler", "batch_size", "eval_every", "stop_after",
)  # fmt: skip
PAIRS = (
    ("before", "corrections"), ("before", "control"), ("control", "corrections"),
    ("before", "even control"), ("even control", "corrections"), ("corrections", "second round"),
    ("before", "second round"), ("before", "preferences"),
)  # fmt: skip
WHAT = (
    f"The demo's model after {STEPS} steps of {LEARNT} cases describes {READ} others; a simulated reader corrects"
    " findings, sides and zones with 10 % overlooked; what it left is learnt, and 300 held-out cases are described."
    " Control: the same steps on the model's own texts, of the same cases as often; even control: each text once."
    " Second round: the corrected adapter's texts of"
    f" {READ} further cases. Preferences: two texts of each of the first {READ} at temperature 1, the better one"
    " preferred (10 % answered by chance), learnt by DPO. Differences are paired over cases; `pooled` has intervals"
    " over all seeds' cases, `over_seeds` over seeds."
)


def main() -> None:
    """Run every seed and write after each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="JSON file to write")
    parser.add_argument("--work", type=Path, required=True, help="Folder of the data folders, kept")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--finish", action="store_true", help="Start nothing: pool the seeds that are done")
    options = parser.parse_args()
    results: dict[str, Any] = {
        "what": WHAT, "at": datetime.now(UTC).isoformat(timespec="minutes"), "machine": machine(),
        "load_average": load(), "missing": {},
    }  # fmt: skip
    done: list[Seed] = []
    for number in options.seeds:
        data = DataDir(options.work / f"seed-{number}").create()
        with closing(connect(data)) as db:
            seed = Seed(number, data, db, Steps(data, db, not options.finish))
            try:
                seed.learn_corrections()
                print(f"seed {number}: {json.dumps(seed.figures)}", flush=True)
                seed.learn_further()
            except MissingStepError as missing:
                results["missing"][f"seed {number}"] = str(missing)
        if seed.texts:
            done.append(seed)
            results[f"seed {number}"] = seed.figures
            results["pooled"] = compared([each.texts for each in done])
            results["over_seeds"] = over_seeds([each.figures for each in done])
        write(options.out, results)
    print(json.dumps({name: results[name] for name in ("over_seeds", "missing")}, indent=2))


def write(out: Path, results: dict[str, Any]) -> None:
    """Write the figures as they stand."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


class Seed:
    """One seed: a training of its own, its reader, and the held-out texts of each way of going on.

    Attributes:
        texts: Way -> its texts of the held-out cases; "before" is the adapter that all ways begin with.
    """

    def __init__(self, number: int, data: DataDir, db: sqlite3.Connection, steps: Steps) -> None:
        self.number, self.data, self.db, self.steps = number, data, db, steps
        self.texts: dict[str, list[ScoredText]] = {}
        self._facts: dict[str, Any] = {"read": READ}
        self._ways: dict[str, Job] = {}

    @property
    def figures(self) -> dict[str, Any]:
        """All that is known of the seed."""
        learnt = self._ways["corrections"].settings if "corrections" in self._ways else {}
        return compared([self.texts]) | self._facts | {
            "recipe": {name: learnt[name] for name in RECIPE if name in learnt},
            "seconds": {key: round(s, 1) for key, s in self.steps.seconds.items()},
            "cpu_seconds": self.steps.cpu_seconds,
            "kept_step": {way: job.result.get("adapter_step") for way, job in self._ways.items()},
            "steps": {way: job.step for way, job in self._ways.items()},
        }  # fmt: skip

    def learn_corrections(self) -> None:
        """The first adapter, what the reader makes of its texts, and those that go on from it: corrected and controls.

        Raises:
            MissingStepError: A step is not done, and none is to be started.
        """
        data, db, steps = self.data, self.db, self.steps
        name = f"phantoms-{self.number}"
        source = ImportSettings(source=f"phantoms:{self.number}", name=name)
        steps.job("draw", lambda: submit_import(data, db, source))
        _part(db)
        asked = replace(
            preset("demo"), dataset=name, seed=self.number + 1, max_steps=STEPS, train_images=LEARNT, watch_images=0
        )  # fmt: skip
        self.first = steps.job("train", lambda: submit_train(data, db, asked))
        read = steps.described("describe", replace(DESCRIBE, train_job=self.first.id, split=FIRST_READ))
        self._facts["edited"] = _read(db, read, "tuned", self.number)
        after = steps.job("learn", lambda: _learn(data, db, self.first))
        control = steps.job("control", lambda: _control(data, db, after, read))
        self._describe_held_out("test", {"corrections": after, "control": control})
        even = steps.job("even control", lambda: _control(data, db, after, read, even=True))
        self._describe_held_out("test even", {"even control": even})

    def learn_further(self) -> None:
        """A second round of corrections, and preferences.

        Raises:
            MissingStepError: A step is not done, and none is to be started.
        """
        data, db, steps, after = self.data, self.db, self.steps, self._ways["corrections"]
        again = steps.described("describe again", replace(DESCRIBE, train_job=after.id, split=SECOND_READ))
        self._facts["edited again"] = _read(db, again, "corrected", self.number + 100)
        second = steps.job("learn again", lambda: _learn(data, db, after))
        drawn = steps.described("draw two", replace(TWO, train_job=self.first.id, split=FIRST_READ))
        self._facts["preferred of two"] = _prefer(db, drawn, self.number)
        dpo = steps.job("learn preferences", lambda: _learn_preferences(data, db, self.first))
        self._describe_held_out("test further", {"second round": second, "preferences": dpo})

    def _describe_held_out(self, step: str, ways: dict[str, Job]) -> None:
        """In one job: each way's adapter is an arm beside the one that all of them began with."""
        adapters = ";".join(f"{way}={self.data.adapter(job.id)}" for way, job in ways.items())
        asked = replace(DESCRIBE, train_job=self.first.id, split="test", more_adapters=adapters)
        arms = scored_texts(self.db, study_of(self.db, self.steps.described(step, asked)))
        self.texts |= {"before": arms["tuned"]} | {way: arms[way] for way in ways}
        self._ways |= ways


def over_seeds(of_seeds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The mean change of F1 over seeds, each with a training, a reader and held-out cases of its own.

    Its interval (Student's t) holds what differs from training to training, which the pooled one over cases does not.
    """
    means = {}
    for name in (f"{later} against {earlier}" for earlier, later in PAIRS):
        known = [own[name][MAIN] for own in of_seeds if name in own]
        changes = [each["change"] for each in known]
        if not changes:
            continue
        spread = variance(changes) / len(changes) if len(changes) > 1 else 0.0
        low, high = mean_limits(mean(changes), spread, len(changes) - 1) or (None, None)
        means[name] = {
            "change": mean(changes), "low": low, "high": high, "seeds": len(changes), "each": changes,
            "significantly_worse": sum(each["verdict"] == "worse" for each in known),
        }  # fmt: skip
    return means


def _part(db: sqlite3.Connection) -> None:
    """Put the cases that are read into splits of their own; the rest of the training split stays out."""
    with db:
        db.execute(
            "UPDATE cases SET split = CASE WHEN position < ? THEN ? WHEN position < ? THEN ? ELSE 'spare' END"
            " WHERE split = 'train' AND position >= ?",
            (LEARNT + READ, FIRST_READ, LEARNT + 2 * READ, SECOND_READ, LEARNT),
        )


def _read(db: sqlite3.Connection, described: Job, arm: str, seed: int) -> int:
    """Have the simulated reader read every text of an arm; returns how many it changed."""
    reading = Reading(db, study_of(db, described), arm, "simulated", default_scheme())
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
    study = study_of(db, described)
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


def _control(data: DataDir, db: sqlite3.Connection, after: Job, read: Job, even: bool = False) -> Job:
    """The same run on the model's own texts: as many steps, nothing of them corrected.

    The same cases as often, so that texts which the reader would have corrected are repeated as they were; `even`
    takes each text once, which says what the steps alone do.
    """
    settings = TrainSettings.from_dict(after.settings)
    more = {"corrected": False} if even else {}
    settings = replace(settings, max_steps=after.step) if even else settings
    job = jobs.create(
        db, JobKind.TRAIN, "control", after.dataset, settings.to_dict(), parent_job_id=after.parent_job_id
    )
    rows = [json.loads(line) for line in (data.job(after.id) / frozen_texts.FILE).read_text().splitlines()]
    own = _own_texts(db, read)
    file = data.job(job.id) / frozen_texts.FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row | {"text": own[row["case_id"]]} | more) + "\n" for row in rows))
    return launch_new(data, db, job)


def _own_texts(db: sqlite3.Connection, described: Job) -> dict[int, str]:
    study = study_of(db, described)
    pairs = studies.comparisons(db, study, studies.comparison_ids(db, study))
    return {case_id: pair.by("tuned").text.strip() for case_id, pair in pairs.items()}


def compared(of_seeds: Sequence[dict[str, list[ScoredText]]]) -> dict[str, Any]:
    """What became of F1 of findings and the other scores, paired over the cases of all seeds that have both ways."""
    found = {}
    for earlier, later in PAIRS:
        both = [texts for texts in of_seeds if earlier in texts and later in texts]
        before, after = ([text for texts in both for text in texts[way]] for way in (earlier, later))
        if both:
            found[f"{later} against {earlier}"] = _told(changes_of(before, after, (earlier, later)))
    return found


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
