"""Figures of a generation job for its result: counts, speeds, and how often findings are right."""

from __future__ import annotations

import sqlite3

from radtui.store import cases, texts


def speeds(db: sqlite3.Connection, job_id: int, names: list[str], gpus: int) -> dict[str, object]:
    """Counts and speeds over all of the job's descriptions, those of earlier processes included.

    Each description has its own time, of one GPU, so what all of them do in a second is that many times more.
    """
    counted: dict[str, object] = {}
    written = texts.finished(db, job_id)
    for name in names:
        own = [each for each in written if each.arm == name]
        tokens, seconds = sum(each.tokens for each in own), sum(each.seconds for each in own)
        counted[f"{name}_descriptions"] = len(own)
        counted[f"{name}_truncated"] = sum(each.truncated for each in own)
        counted[f"{name}_tokens_per_s"] = round(gpus * tokens / max(seconds, 1e-9), 1)
    return counted


def f1(db: sqlite3.Connection, job_id: int, names: list[str]) -> dict[str, float]:
    """F1 of findings, micro, as `radtui score` has it: of arms whose texts are English, where the truth is known."""
    from radtui.measures.language import is_english
    from radtui.measures.truth_scores import TruthCase, score_truth

    written = texts.finished(db, job_id)
    known = {case.id: case for case in cases.get_many(db, sorted({each.case_id for each in written}))}
    findings = {truth.finding for case in known.values() for truth in case.truth}
    reached: dict[str, float] = {}
    for name in names if findings else []:
        own = [(known[each.case_id], each.text) for each in written if each.arm == name]
        if is_english(text for _, text in own):
            judged = [TruthCase(case.truth, text, case.examination) for case, text in own]
            value = score_truth(judged, vocabulary=findings).f1.value
            reached |= {name: round(value, 4)} if value is not None else {}
    return reached
