"""A study that came in a pack: its pairs, sides and order are those of the pack, and nobody here knows whose texts."""

from __future__ import annotations

from collections.abc import Sequence

from radtui.records import Study
from radtui.store.ratings import Assignment
from radtui.study.queue import Pair

PACK = "pack"  # in the protocol of a packed study: the pack's number


def is_packed(study: Study) -> bool:
    """Whether a study is one reader's pack of a study that is elsewhere."""
    return PACK in study.protocol


def packed_order(assigned: Sequence[Assignment]) -> list[Pair]:
    """The pairs of a pack in its order, which was drawn where the study is."""
    return [Pair(each.study_id, each.case_id, each.occasion, each.pair) for each in assigned]
