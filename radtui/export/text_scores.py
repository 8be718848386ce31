"""Every score of every text in a CSV file: one row a text and score, with what computed it."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from radtui import __version__
from radtui.export.csv_text import write_table
from radtui.measures.package_scores import CHEXBERT, CHEXBERT_LABELS
from radtui.measures.paired import summed
from radtui.measures.score_table import BY_KEY, Score
from radtui.measures.scores import all_parts
from radtui.records import Study
from radtui.store import cases, studies, text_scores
from radtui.store.text_scores import Scorer, TextScore
from radtui.study.study import every_scored_text

EXPORT_SCHEMA = "radtui-text-scores-1"
COLUMNS = (
    "export_schema", "study_id", "case_id", "source_key", "split", "arm", "text_id", "score", "label", "value",
    "better", "made_for", "package", "version", "revision", "licence", "text", "reference",
)  # fmt: skip


def write_text_scores(db: sqlite3.Connection, study: Study, out: Path, raw: bool = False) -> int:
    """Write the file, whole or not at all; returns its rows.

    Args:
        db: The database.
        study: Whose texts.
        out: The file.
        raw: Leave texts that a spreadsheet would run as they are.

    Raises:
        UserError: The file cannot be written.
    """
    return write_table(out, COLUMNS, _rows(db, study), raw)


def _rows(db: sqlite3.Connection, study: Study) -> Iterator[tuple[object, ...]]:
    texts = every_scored_text(db, study)
    parts = all_parts(texts)
    pairs = studies.comparisons(db, study, studies.comparison_ids(db, study))
    known = {case.id: case for case in cases.get_many(db, list(pairs))}
    ids = [pairs[scored.case_id].by(arm).text_id for arm, own in texts.items() for scored in own]
    stored, by = text_scores.of_texts(db, ids), text_scores.scorers(db, ids)
    for arm, own in texts.items():
        values = {
            key: summed(of_arm).each_case
            for key, of_arm in parts[arm].items()
            if key in BY_KEY and BY_KEY[key].of_one_text
        }
        for at, scored in enumerate(own):
            case, text_id = known[scored.case_id], pairs[scored.case_id].by(arm).text_id
            place = (EXPORT_SCHEMA, study.id, case.id, case.source_key, case.split, arm, text_id)
            wordings = (scored.text, scored.reference)
            for key, each in values.items():
                if not math.isnan(each[at]):
                    score = BY_KEY[key]
                    yield (
                        *place,
                        key,
                        score.label,
                        float(each[at]),
                        _better(score),
                        *_by(_scorer(key, by)),
                        *wordings,
                    )
            for name, value in _labels(stored.get(text_id)):
                yield (*place, name, name, value, "", *_by(by[CHEXBERT]), *wordings)


def _scorer(key: str, by: dict[str, Scorer]) -> Scorer | None:
    return by.get(CHEXBERT if key.startswith(CHEXBERT) else key)


def _better(score: Score) -> str:
    return "" if score.less_is_better is None else "less" if score.less_is_better else "more"


def _by(scorer: Scorer | None) -> tuple[str, ...]:
    """Made for, package, version, revision, licence; radtui's own scores are its version's, under its licence."""
    if scorer is None:
        return "", "radtui", __version__, "", "MIT"
    return scorer.made_for, scorer.package, scorer.version, scorer.revision, scorer.licence


def _labels(stored: dict[str, TextScore] | None) -> Iterator[tuple[str, int]]:
    """CheXbert's labels of a text and of its reference, 1 for present or uncertain."""
    detail = stored[CHEXBERT].detail if stored and CHEXBERT in stored else None
    for whose, labels in (detail or {}).items():
        if isinstance(labels, list):
            for name, label in zip(CHEXBERT_LABELS, labels, strict=True):
                yield f"CheXbert {whose}: {name}", label
