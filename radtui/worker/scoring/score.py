"""A score job: every text of a study scored by a package in its own environment, one score after the other."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radtui.jobs.scoring import ScoreSettings, weights_command
from radtui.measures.package_scores import BY_NAME, CHEXBERT, PackageMetric, label_f1
from radtui.measures.text import normalise
from radtui.paths import DataDir
from radtui.records import Job, UserError
from radtui.store import studies, text_scores
from radtui.store.text_scores import Scorer, TextScore, UnscoredText
from radtui.worker.process.reporter import Reporter

log = logging.getLogger("radtui.worker")
SIDE = Path(__file__).with_name("package_side.py")
COMMIT_S = 2.0  # as much work as a killed job may lose
MOST_AT_ONCE = 64  # texts
NOWHERE = "http://127.0.0.1:9"  # the port that discards
NO_WEIGHTS = {"LocalEntryNotFoundError", "OfflineModeIsEnabled", "EntryNotFoundError"}


class PackageError(Exception):
    """The package could not score; the message is one sentence."""


@dataclass(slots=True)
class _Scored:
    """How far the job is, over all its scores."""

    total: int
    done: int = 0
    failed: list[str] = field(default_factory=list)


def run(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> None:
    """Score the texts that have no value yet; a score whose weights are not here is left out, and said.

    Raises:
        Stopped: The app asked to stop; what is scored stays.
        UserError: No score could be computed.
    """
    settings = ScoreSettings.from_dict(job.settings).check()
    study = studies.get(db, settings.study)
    if study is None:
        raise UserError(f"Study {settings.study} is gone: score another.")
    texts = text_scores.of_study(db, study)
    scored = _Scored(len(texts) * len(settings.metrics))
    computed = {}
    for metric in (BY_NAME[name] for name in settings.metrics):
        reporter.advance(scored.done, scored.total, f"Loading {metric.name}")
        before = scored.done
        try:
            computed[metric.name] = _score(metric, settings, texts, db, reporter, scored)
        except PackageError as error:
            reporter.event(before, "warning", str(error))
            scored.failed.append(str(error))
            scored.done, scored.total = before, scored.total - len(texts)
    reporter.result(scorers=computed, not_computed=scored.failed)
    if not computed:
        raise UserError(scored.failed[0])
    words = f"{', '.join(computed)} of {len(texts):,} texts"
    if scored.failed:
        words += f"; not computed: {len(scored.failed)}, see its log"
    reporter.progress(scored.done, scored.total, words)


def _score(
    metric: PackageMetric, settings: ScoreSettings, texts: Sequence[UnscoredText], db: sqlite3.Connection,
    reporter: Reporter, scored: _Scored,
) -> dict[str, object]:  # fmt: skip
    """Score all texts by one metric; returns what computed it.

    Raises:
        PackageError: It cannot be loaded, or fails.
        Stopped: The app asked to stop.
    """
    with _package(settings.python, metric) as package:
        about = package.ask(None)
        rows = {
            key: text_scores.scorer_id(db, _scorer(key, metric, about)) for key in metric.outputs.values()
        }
        known = set.intersection(*(text_scores.scored_by(db, row) for row in rows.values()))
        todo = [text for text in texts if text.text_id not in known]
        scored.done += len(texts) - len(todo)
        size, at = 1, 0
        while at < len(todo):
            reporter.advance(scored.done, scored.total, f"{metric.name} {at:,} of {len(todo):,} texts")
            chunk, began = todo[at : at + size], time.monotonic()
            answer = package.ask(
                {
                    "texts": [normalise(each.text) for each in chunk],
                    "references": [normalise(each.reference) for each in chunk],
                }
            )
            text_scores.add(db, _values(metric, rows, chunk, answer))
            at, scored.done = at + len(chunk), scored.done + len(chunk)
            if time.monotonic() - began < COMMIT_S / 2:
                size = min(2 * size, MOST_AT_ONCE)
    return about


def _scorer(key: str, metric: PackageMetric, about: dict[str, Any]) -> Scorer:
    revisions, licences = about["revisions"], about["weights_licences"]
    licence = "; ".join(
        [about["licence"], *(f"{name}: {licences.get(name, 'see its page')}" for name in metric.weights)]
    )
    return Scorer(
        key, about["package"], about["version"],
        ", ".join(f"{name}@{revisions.get(name, 'unknown')}" for name in metric.weights),
        licence, metric.made_for,
    )  # fmt: skip


def _values(
    metric: PackageMetric, rows: dict[str, int], chunk: Sequence[UnscoredText], answer: dict[str, Any]
) -> dict[int, list[TextScore]]:
    """What an answer says of each text, by the scorer's row."""
    ids = [each.text_id for each in chunk]
    if CHEXBERT in rows:
        labels = zip(answer["labels"]["texts"], answer["labels"]["references"], strict=True)
        scores = [
            TextScore(text_id, label_f1(written, known), {"text": written, "reference": known})
            for text_id, (written, known) in zip(ids, labels, strict=True)
        ]
        return {rows[CHEXBERT]: scores}
    return {
        rows[key]: [
            TextScore(text_id, value) for text_id, value in zip(ids, answer["values"][output], strict=True)
        ]
        for output, key in metric.outputs.items()
    }


class _Package:
    """The package at work in its own process; one question, one answer.

    Args:
        process: Its process, with pipes for questions and answers.
        python: Its Python, for the sentence that says how to fetch weights.
        metric: What it is asked for.
    """

    def __init__(self, process: subprocess.Popen[str], python: str, metric: str) -> None:
        self._process, self._python, self._metric = process, python, metric

    def ask(self, question: dict[str, Any] | None) -> dict[str, Any]:
        """Its answer to a question; with None, what it says of itself once it has loaded.

        Raises:
            PackageError: It ended, or said that it cannot.
        """
        assert self._process.stdin is not None and self._process.stdout is not None  # opened with pipes
        try:
            if question is not None:
                self._process.stdin.write(json.dumps(question) + "\n")
                self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise PackageError(
                f"{self._metric} is not computed: its process ended without a word; read the job's log."
            )
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PackageError(self._sentence(answer["error"], set(answer["kind"])))
        return answer

    def _sentence(self, error: str, kinds: set[str]) -> str:
        if kinds & NO_WEIGHTS or "offline" in error.lower() or "cached files" in error.lower():
            return (
                f"{self._metric} is not computed: its weights are not in this machine's cache; fetch them with"
                f" {weights_command(self._python, self._metric)}, then resume the job."
            )
        if "ImportError" in kinds:
            return (
                f"{self._metric} is not computed: its package cannot be imported ({error.rstrip('.')}); install what is"
                " missing in its environment, then resume the job."
            )
        return f"{self._metric} is not computed: {error.rstrip('.')}; read the job's log."


@contextmanager
def _package(python: str, metric: PackageMetric) -> Iterator[_Package]:
    """The package's own process, without a network: weights come from the caches alone."""
    environment = {
        **os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip
    # Libraries of its ask for data beside the hub; a proxy that nobody listens on answers them all at once.
    environment |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    environment.pop("PYTHONPATH", None)  # radtui's packages are not the environment's
    process = subprocess.Popen(
        [python, "-P", str(SIDE), metric.name, *metric.weights],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment,
    )  # fmt: skip
    try:
        yield _Package(process, python, metric.name)
    finally:
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait()
