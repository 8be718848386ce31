"""A process that rates, and says of each answer what the screen would: `saved`, or `kept` while the folder is gone."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from radtui.export.pack_home import opened_pack
from radtui.paths import DataDir
from radtui.records import Rating
from radtui.store import studies
from radtui.store.database import connect
from radtui.store.holding import commit, hold
from radtui.store.place import Connection
from radtui.study import edits
from radtui.study.delivery import FIRST_ID
from radtui.study.session import ReviewSession, read_sitting
from radtui.study.study import scheme_for
from radtui.study.unsaved import Unsaved


def main() -> None:
    """Rate round and round, a line for each answer: what became of it, its time, and how long it took, ms."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("rater")
    parser.add_argument(
        "--per-s", type=float, default=0.0, help="answers a second; as fast as it goes when 0"
    )
    parser.add_argument("--most", type=int, default=1_000_000, help="answers, then it ends")
    parser.add_argument("--pack", action="store_true", help="the folder is a pack, saved as the app saves it")
    options = parser.parse_args()
    if options.pack:
        with opened_pack(options.folder) as (data, _):
            rate(data, options, _committed)
    else:
        rate(DataDir(options.folder), options, _answered)


def rate(data: DataDir, options: argparse.Namespace, answer: Callable[[ReviewSession, int], Rating]) -> None:
    """Answer pair after pair."""
    db = connect(data)
    study, *_ = studies.all_studies(db)
    sitting = read_sitting(db, study.id, options.rater, scheme_for(data))
    session = ReviewSession(db, sitting, unsaved=Unsaved(data, options.rater))
    session.start()
    for number in range(options.most):
        began = time.perf_counter()
        row = answer(session, number % 5)
        took_ms = (time.perf_counter() - began) * 1e3
        what = "kept" if row.id >= FIRST_ID else "saved"
        sys.stdout.write(f"{what} {row.rated_at!r} {took_ms:.3f}\n")
        sys.stdout.flush()
        if session.next_unrated() is None:
            session.jump(1 + number % len(session.queue.pairs))
        if options.per_s:
            time.sleep(max(0.0, 1 / options.per_s - took_ms / 1e3))


def _answered(session: ReviewSession, level: int) -> Rating:
    row = session.answer(lambda rating: edits.preferred(rating, session.scheme, level))
    assert row is not None
    return row


def _committed(session: ReviewSession, level: int) -> Rating:
    """As `_answered`, by a transaction that is held open: a pack then has it in its one file."""
    assert isinstance(session.db, Connection) and hold(session.db)
    row = _answered(session, level)
    commit(session.db)
    session.saved()
    return row


if __name__ == "__main__":
    main()
