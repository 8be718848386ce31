"""What a reader must not meet elsewhere: a reference that they have yet to judge, and whose text is whose."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from radtui.measures.scheme import Scheme
from radtui.records import ArmKind, Comparison, Description, Study
from radtui.store import ratings, studies
from radtui.study.drawing import pairs_per_case, read_alike
from radtui.study.queue import Pair
from radtui.study.seen import ARMS, REFERENCE
from radtui.study.session import ReviewSession, Sitting, read_sitting


def kept_back(db: sqlite3.Connection, rater: str, scheme: Scheme) -> frozenset[int]:
    """Cases of which a reader may see neither reference nor truth, nor whose text is whose, in whatever study.

    Those that they have finished are not among them, nor those of which they have asked for it: what they rate then
    is un-blinded. One look at all texts of every study with the reference among its arms: call it on a thread.
    """
    kept: set[int] = set()
    for study in studies.with_reference(db):
        sitting = read_sitting(db, study.id, rater, scheme)
        known = {
            case_id for what in (ARMS, REFERENCE) for case_id in ratings.revealed(db, study.id, rater, what)
        }
        kept.update(pair.case_id for pair in _unfinished(sitting) if pair.case_id not in known)
    return frozenset(kept)


def see_reference(db: sqlite3.Connection, case_id: int, rater: str, scheme: Scheme) -> None:
    """Let a reader see what is kept back of a case; whatever they rate of it from now on is un-blinded.

    Stored before it is seen, and counted at once: an unrated pair is un-blinded as it stands.
    """
    for study in studies.with_reference(db):
        sitting = read_sitting(db, study.id, rater, scheme)
        pair = next((pair for pair in _unfinished(sitting) if pair.case_id == case_id), None)
        if pair is not None:
            session = ReviewSession(db, sitting)
            session.show(pair)
            session.reveal(REFERENCE)


def pairs_left(db: sqlite3.Connection, study: Study, rater: str, scheme: Scheme) -> int:
    """How many pairs keep a reader from a study's figures, which would tell how they choose between reference and
    models; 0 where the reference is no arm.
    """
    if not has_reference(study):
        return 0
    return _left(read_sitting(db, study.id, rater, scheme))


def pairs_begun(db: sqlite3.Connection, study: Study, rater: str, scheme: Scheme) -> int:
    """How many pairs a reader who has begun with a study has left to rate; 0 for everybody else."""
    if rater not in ratings.raters(db, study.id):
        return 0
    return _left(read_sitting(db, study.id, rater, scheme))


def _left(sitting: Sitting) -> int:
    """How many pairs a reader has left, as the line above a pair counts them: a hidden repeat is none."""
    return min(len(_unfinished(sitting)), sitting.queue.progress().shown_left)


def has_reference(study: Study) -> bool:
    """Whether the reference is one of a study's arms."""
    return any(arm.kind is ArmKind.REFERENCE for arm in study.arms)


WHOSE = "A text, whose is told once you have rated it"


def without_names(db: sqlite3.Connection, written: Sequence[Description], rater: str) -> list[Description]:
    """A case's texts as a reader may see them beside Review: without arm and job while a pair of them is to be rated.

    Each text is then there once, in an order that says nothing. A reader who has asked whose they are, or has read one
    by itself, is told.

    Args:
        db: The database.
        written: All texts of one case.
        rater: Who looks.
    """
    if not any(_rates_blind(db, study, text.case_id, rater) for text in written[:1]
               for study in studies.of_case(db, text.case_id)):  # fmt: skip
        return list(written)
    by_text = {text.text: replace(text, arm=WHOSE, job_id=None, tokens=0) for text in written}
    return [by_text[words] for words in sorted(by_text)]


def _rates_blind(db: sqlite3.Connection, study: Study, case_id: int, rater: str) -> bool:
    """Whether a reader has a pair of a case left to rate, and does not know whose its texts are."""
    comparison = studies.comparison(db, study, case_id)
    if comparison is None or ratings.is_revealed(db, study.id, rater, case_id, ARMS):
        return False
    different = _different_pairs(study, comparison)
    asked = pairs_per_case(study) if study.job_id is None else 1
    return ratings.pairs_judged(db, study.id, rater, case_id) < min(asked, different)


def _different_pairs(study: Study, comparison: Comparison) -> int:
    there = [arm for arm in study.arm_names if arm in comparison.texts]
    return sum(not read_alike(comparison, pair) for pair in combinations(there, 2))


def _unfinished(sitting: Sitting) -> list[Pair]:
    """The pairs of cases of which something is left to judge, in shown order."""
    queue = sitting.queue
    left = {
        case_id
        for case_id in {pair.case_id for pair in sitting.pairs}
        if not queue.finished(case_id, repeats=True)
    }
    return [pair for pair in sitting.pairs if pair.case_id in left and not queue.rated(pair)]
