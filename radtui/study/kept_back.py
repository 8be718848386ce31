"""References that a reader must not meet elsewhere: one of the texts that they have yet to judge is the reference."""

from __future__ import annotations

import sqlite3

from radtui.measures.scheme import Scheme
from radtui.records import ArmKind, Study
from radtui.store import ratings, studies
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
    return len(_unfinished(read_sitting(db, study.id, rater, scheme)))


def has_reference(study: Study) -> bool:
    """Whether the reference is one of a study's arms."""
    return any(arm.kind is ArmKind.REFERENCE for arm in study.arms)


def _unfinished(sitting: Sitting) -> list[Pair]:
    """The pairs of cases of which something is left to judge, in shown order."""
    queue = sitting.queue
    left = {
        case_id
        for case_id in {pair.case_id for pair in sitting.pairs}
        if not queue.finished(case_id, repeats=True)
    }
    return [pair for pair in sitting.pairs if pair.case_id in left and not queue.rated(pair)]
