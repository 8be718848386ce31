"""A protocol fixed before the first rating: hashed, stored, and held against what the study is later."""

from __future__ import annotations

import json
import sqlite3
from hashlib import sha256

from radtui import __version__
from radtui.measures.scheme import Scheme
from radtui.measures.text import NORMALISATION
from radtui.plural import many
from radtui.records import Comparison, Study, UserError
from radtui.store import ratings, studies
from radtui.study.drawing import draw, pairs_per_case

ANALYSIS = (
    "Preference by pair of arms, ties counted as such; un-blinded ratings, calibration pairs, hidden repeats and skips"
    " left out; errors counted in texts that somebody checked; readers and cases both random from three readers on;"
    " two arms compared in pairs, with Holm's correction."
)
OWN = ("sha256", "facts")  # what a lock adds to a protocol


def lock_study(db: sqlite3.Connection, study: Study, scheme: Scheme, analysis: str = "") -> Study:
    """Fix a study's protocol: scheme, arms with their texts, cases, pairs, seed, order and analysis.

    Raises:
        UserError: It is locked already, it is a job's own, or somebody has rated.
    """
    if study.job_id is not None:
        raise UserError("A job's own study grows with its job; make one of its arms with radtui study new.")
    if study.locked_at is not None:
        raise UserError(
            f"Study {study.id} is locked already; radtui study show {study.id} says what changed."
        )
    readers = ratings.raters(db, study.id)
    if readers:
        raise UserError(
            f"{', '.join(readers)} rated already, so a lock would not come before the first rating; make a new study."
        )
    facts = protocol_facts(db, study) | {"scheme": scheme.sha256, "analysis": analysis or ANALYSIS}
    facts |= {"scheme_id": scheme.id, "radtui": __version__}
    return studies.lock(db, study.id, study.protocol | {"facts": facts, "sha256": hash_of(facts)})


def protocol_facts(db: sqlite3.Connection, study: Study) -> dict[str, object]:
    """What of a study a protocol fixes, as it is now; long lists by their hash."""
    comparisons = studies.comparisons(db, study, studies.comparison_ids(db, study))
    drawn = draw(study, comparisons)
    return {
        "arms": [[arm.name, arm.kind.value, arm.job_id] for arm in study.arms],
        "cases": hash_of(sorted(comparisons)), "texts": hash_of(_texts(comparisons)),
        "pairs": hash_of(sorted(drawn.pairs.items())), "pairs_per_case": pairs_per_case(study),
        "seed": study.seed, "order": "seeded, each reader their own", "shown as": NORMALISATION,
    }  # fmt: skip


def changes_since(db: sqlite3.Connection, study: Study) -> list[str]:
    """What is no longer as it was when the study was locked, a sentence each; none for one that is not."""
    fixed = study.protocol.get("facts")
    if study.locked_at is None or not isinstance(fixed, dict):
        return []
    sentences = []
    if hash_of(fixed) != study.protocol.get("sha256"):
        sentences.append("the stored protocol does not have its hash.")
    now = json.loads(json.dumps(protocol_facts(db, study)))
    sentences += [
        f"{name} differ from those that were locked."
        if isinstance(value, list) or name in ("cases", "texts", "pairs")
        else f"{name} was {fixed.get(name)!r} and is {value!r}."
        for name, value in now.items()
        if fixed.get(name) != value
    ]
    rows = [row for reader in ratings.raters(db, study.id) for row in ratings.history(db, study.id, reader)]
    other = sum(row.scheme_hash != fixed.get("scheme") for row in rows)
    if other:
        answers = many(other, "answer was", "answers were")
        sentences.append(f"{answers} given by another rating scheme than the locked one.")
    return sentences


def hash_of(value: object) -> str:
    """SHA-256 of a value as canonical JSON."""
    line = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return sha256(line.encode()).hexdigest()


def _texts(comparisons: dict[int, Comparison]) -> list[list[object]]:
    return [
        [case_id, arm, text.text]
        for case_id, each in sorted(comparisons.items())
        for arm, text in sorted(each.texts.items())
    ]
