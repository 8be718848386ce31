"""Corrected and accepted texts as the trainer asks for them: frozen in the job's folder, a tenth held back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from radtui.paths import DataDir
from radtui.records import Job, UserError
from radtui.settings import HELD_BACK, TrainSettings
from radtui.store import cases, jobs
from radtui.study import learn_corrections
from radtui.study.corrections import read_texts
from radtui.study.study import scheme_for
from radtui.worker.model import examples as items
from radtui.worker.process.reporter import Reporter

FILE = "corrections.jsonl"


@dataclass(frozen=True, slots=True)
class Learnt:
    """One text as it is learnt; its case is in the store, where nothing of it changes."""

    case_id: int
    asked: str
    text: str
    corrected: bool


def frozen(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> list[Learnt]:
    """The texts a job learns: chosen and written to its folder when it starts, the same when it goes on.

    Raises:
        UserError: There are too few, or the job whose texts they are is gone.
    """
    file = data.job(job.id) / FILE
    if not file.exists():
        before = jobs.get(db, TrainSettings.from_dict(job.settings).from_job)
        if before is None:
            raise UserError(
                "Corrections are learnt by the adapter that wrote the texts: name its job as from_job."
            )
        chosen = read_texts(db, before, scheme_for(data))
        learn_corrections.check_enough(before, chosen)
        _write(
            file,
            [
                Learnt(read_text.case.id, read_text.asked, read_text.text, read_text.corrected)
                for read_text in chosen.texts
            ],
        )
        reporter.result(corrected=chosen.corrected, accepted=chosen.accepted, texts_left_out=chosen.left_out)
    with file.open(encoding="utf-8") as lines:
        return [Learnt(**json.loads(line)) for line in lines]


def _write(file: Path, texts: Sequence[Learnt]) -> None:
    """A whole file or none: a job that was killed here chooses again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text("".join(json.dumps(asdict(text)) + "\n" for text in texts), encoding="utf-8")
    partial.rename(file)


def split(texts: Sequence[Learnt]) -> tuple[list[Learnt], list[Learnt]]:
    """Texts to learn and texts to evaluate on; no case is in both.

    A tenth of the cases is held back, one at least, spread evenly over those with a correction and over the others,
    so that both are evaluated in their shares.
    """
    with_correction = {text.case_id for text in texts if text.corrected}
    ordered = list(dict.fromkeys(text.case_id for text in texts))
    ordered.sort(key=lambda case_id: case_id not in with_correction)
    kept_back = set(ordered[HELD_BACK // 2 :: HELD_BACK]) or set(ordered[-1:])
    learnt = [text for text in texts if text.case_id not in kept_back]
    return learnt, [text for text in texts if text.case_id in kept_back]


def examples(
    texts: Sequence[Learnt], data: DataDir, db: sqlite3.Connection, weight: int = 1
) -> list[items.Example]:
    """The items of texts, a corrected one as often as `weight` says.

    Raises:
        UserError: An image's bytes are gone from the data folder.
    """
    known = cases.get_many(db, list(dict.fromkeys(text.case_id for text in texts)))
    by_case = {item.case_id: item for item in items.examples(known, data)}
    return [
        replace(by_case[text.case_id], reference=text.text, question=text.asked)
        for text in texts
        for _ in range(weight if text.corrected else 1)
    ]
