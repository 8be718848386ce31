"""A process that rates, and says of each answer what the screen would: `saved`, or `kept` while the folder is gone."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from radtui.paths import DataDir
from radtui.store import studies
from radtui.store.database import connect
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
    options = parser.parse_args()
    data = DataDir(options.folder)
    db = connect(data)
    study, *_ = studies.all_studies(db)
    sitting = read_sitting(db, study.id, options.rater, scheme_for(data))
    session = ReviewSession(db, sitting, unsaved=Unsaved(data, options.rater))
    session.start()
    for number in range(options.most):
        began = time.perf_counter()
        level = number % 5
        row = session.answer(lambda rating, level=level: edits.preferred(rating, session.scheme, level))
        took_ms = (time.perf_counter() - began) * 1e3
        assert row is not None
        what = "kept" if row.id >= FIRST_ID else "saved"
        sys.stdout.write(f"{what} {row.rated_at!r} {took_ms:.3f}\n")
        sys.stdout.flush()
        if session.next_unrated() is None:
            session.jump(1 + number % len(session.queue.pairs))
        if options.per_s:
            time.sleep(max(0.0, 1 / options.per_s - took_ms / 1e3))


if __name__ == "__main__":
    main()
