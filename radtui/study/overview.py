"""A study in plain words: arms, pairs, what gives an arm away, and how far its readers are."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from radtui.measures.pace import LONG_IDLE, TOO_FAST, pace_mark
from radtui.plural import many
from radtui.records import Comparison, Study
from radtui.store import arms, ratings, studies
from radtui.study.alike import alike_pairs
from radtui.study.blinding import shown_sides
from radtui.study.drawing import DrawnPairs, pairs_per_case, read_drawn
from radtui.study.giveaways import formats, giveaways
from radtui.study.locking import changes_since
from radtui.study.study import label_of


@dataclass(frozen=True, slots=True)
class ReaderLine:
    """How far one reader is; `too_fast` and `long_idle` count answers that are marked, those to `repeats` too."""

    reader: str
    rated: int
    repeats: int
    unblinded: int
    too_fast: int
    long_idle: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What `radtui study show` says."""

    study: Study
    texts: dict[str, int]  # arm -> cases that it has a text of
    cases: int
    pairs: dict[str, int]  # "base against tuned" -> how many a reader is asked for
    identical: dict[str, int]  # the same, of those whose texts are the same: ties without a reader
    gives_away: tuple[str, ...]
    hidden_formats: tuple[str, ...]
    readers: tuple[ReaderLine, ...]
    changes: tuple[str, ...]  # since the study was locked

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        study = self.study
        return {
            "study": study.id, "job": study.job_id, "name": study.name, "dataset": study.dataset, "seed": study.seed,
            "arms": {arm.name: {"kind": arm.kind.value, "job": arm.job_id, "texts": self.texts[arm.name]}
                     for arm in study.arms},
            "cases": self.cases, "pairs": self.pairs, "identical": self.identical,
            "gives_away": list(self.gives_away), "hidden_formats": list(self.hidden_formats),
            "readers": [asdict(reader) for reader in self.readers], "locked_at": study.locked_at,
            "protocol_sha256": study.protocol.get("sha256", ""), "changes": list(self.changes),
        }  # fmt: skip

    def lines(self) -> list[str]:
        """For people."""
        study, sentences = self.study, []
        for arm in study.arms:
            where = f"job {arm.job_id}" if arm.job_id is not None else arm.kind.value
            sentences.append(
                f"  {arm.name}  ({where}, texts of {self.texts[arm.name]:,} of {many(self.cases, 'case')})"
            )
        asked = sum(self.pairs.values())
        sentences.append(f"Each reader is asked for {many(asked, 'pair')}, {pairs_per_case(study)} a case:")
        sentences += [f"  {names}: {count:,}" for names, count in self.pairs.items()]
        sentences += identical_lines(self.identical)
        sentences += [*self.gives_away, *self.hidden_formats]
        if not self.gives_away:
            sentences.append("Neither names nor marks, openings or lengths of the texts give an arm away.")
        if study.locked_at is not None:
            sentences.append(f"Locked, protocol {str(study.protocol.get('sha256', ''))[:16]}.")
            sentences += [f"Changed since: {change}" for change in self.changes] or ["Nothing changed since."]
        for each in self.readers:
            special = f", {many(each.repeats, 'hidden repeat')}" if each.repeats else ""
            marks = {"un-blinded": each.unblinded, TOO_FAST: each.too_fast, LONG_IDLE: each.long_idle}
            special += "".join(f", {count:,} {word}" for word, count in marks.items() if count)
            sentences.append(f"{each.reader} has rated {many(each.rated, 'pair')}{special}.")
        return [label_of(study), *sentences]


def identical_lines(identical: Mapping[str, int]) -> list[str]:
    """What is said of pairs whose texts read the same."""
    return [
        f"{many(count, f'pair of {names} reads', f'pairs of {names} read')} the same:"
        f" {'a tie' if count == 1 else 'ties'}, which no reader is asked about."
        for names, count in identical.items()
    ]


def overview(db: sqlite3.Connection, study: Study) -> Overview:
    """Look at a study and at its texts; takes a second for thousands of cases."""
    comparisons = studies.comparisons(db, study, studies.comparison_ids(db, study))
    drawn = read_drawn(db, study)
    by_arm = written(study, comparisons)
    return Overview(
        study, {arm: len(by_case) for arm, by_case in by_arm.items()}, len(comparisons),
        *(_pairs(drawn) if drawn is not None else _pairs_of_job(db, study, comparisons)),
        tuple(giveaways(by_arm, hints(db, study))), tuple(formats(by_arm)), _readers(db, study),
        tuple(changes_since(db, study)),
    )  # fmt: skip


def written(study: Study, comparisons: Mapping[int, Comparison]) -> dict[str, dict[int, str]]:
    """Arm -> case id -> text."""
    return {
        arm: {case_id: each.by(arm).text for case_id, each in comparisons.items() if arm in each.texts}
        for arm in study.arm_names
    }


def hints(db: sqlite3.Connection, study: Study) -> dict[str, list[str]]:
    """Further names of each arm: that of its model, its file."""
    stored = {arm.name: arms.get(db, arm.arm_id) for arm in study.arms}
    return {name: [arm.name, arm.model] for name, arm in stored.items()}


def identical_pairs(db: sqlite3.Connection, study: Study) -> dict[str, int]:
    """How many pairs of each two arms read the same: ties without a reader, by "tuned against base"."""
    drawn = read_drawn(db, study)
    if drawn is None:
        alike = Counter(f"{later} against {earlier}" for earlier, later in alike_pairs(db, study).values())
        return dict(sorted(alike.items()))
    return _pairs(drawn)[1]


def _pairs_of_job(
    db: sqlite3.Connection, study: Study, comparisons: Mapping[int, Comparison]
) -> tuple[dict[str, int], dict[str, int]]:
    """The same of a job's own study, whose readers see one pair of each case."""
    if len(study.arms) < 2:  # of a job that described by one model alone
        return {}, {}
    same = alike_pairs(db, study)
    asked: Counter[str] = Counter()
    for case_id in comparisons.keys() - same.keys():
        there = [arm for arm in study.arm_names if arm in comparisons[case_id].texts]
        sides = shown_sides(there, study.draw_id, case_id, "", 0, study.seed)
        earlier, later = sorted(sides, key=study.arm_names.index)
        asked[f"{later} against {earlier}"] += 1
    alike = Counter(f"{later} against {earlier}" for earlier, later in same.values())
    return dict(sorted(asked.items())), dict(sorted(alike.items()))


def _pairs(drawn: DrawnPairs) -> tuple[dict[str, int], dict[str, int]]:
    """How often each two arms are asked for, and how often their texts are the same."""
    asked: Counter[str] = Counter()
    same: Counter[str] = Counter()
    for case_id, chosen in drawn.pairs.items():
        for number, (earlier, later) in enumerate(chosen):
            counts = same if (case_id, number) in drawn.identical else asked
            counts[f"{later} against {earlier}"] += 1
    return dict(sorted(asked.items())), dict(sorted(same.items()))


def _readers(db: sqlite3.Connection, study: Study) -> tuple[ReaderLine, ...]:
    lines = []
    for reader in ratings.raters(db, study.id):
        rows = [row for row in ratings.current(db, study.id, reader) if not row.empty]
        marks = Counter(pace_mark(row) for row in rows)
        unblinded, repeats = sum(not row.blinded for row in rows), sum(row.occasion > 0 for row in rows)
        lines.append(
            ReaderLine(reader, len(rows) - repeats, repeats, unblinded, marks[TOO_FAST], marks[LONG_IDLE])
        )
    return tuple(lines)
