"""Which two arms a reader compares on each case of a study made by hand: drawn once, balanced, the same for all."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from radtui.measures.scheme import Protocol
from radtui.measures.text import normalise
from radtui.records import Comparison, Study
from radtui.store import studies
from radtui.study.blinding import digest, has_repeat, later_left, order_key, repeat_delay
from radtui.study.queue import Pair

# In a study's protocol; without it pairs are drawn as a job's study draws them.
PAIRS_PER_CASE = "pairs_per_case"

Arms = tuple[str, str]  # two arms, the earlier in the study's order first


@dataclass(frozen=True, slots=True)
class DrawnPairs:
    """The pairs of a study: `pairs[case id]` in the order of their numbers.

    `identical` are those of (case id, pair number) whose two texts read the same as they would be shown: ties that
    no reader is asked about. `turn` numbers a pair among those of the same two arms: sides are balanced along it.
    """

    pairs: dict[int, tuple[Arms, ...]]
    identical: frozenset[tuple[int, int]]
    turn: dict[tuple[int, int], int]

    def asked(self) -> list[tuple[int, int]]:
        """(case id, pair number) of everything that a reader is shown, by case."""
        return [
            (case_id, number)
            for case_id, arms in self.pairs.items()
            for number in range(len(arms))
            if (case_id, number) not in self.identical
        ]

    def sides(self, study: Study, pair: Pair, rater: str) -> Arms:
        """Which arms stand left and right for a reader."""
        earlier, later = self.pairs[pair.case_id][pair.pair]
        turn = self.turn[pair.case_id, pair.pair]
        # Each two arms have a block of their own, so that neither stands left more often than the other.
        reader = f"{rater}\n{earlier}\n{later}"
        swapped = later_left(study.draw_id, turn, reader, pair.occasion, study.seed)
        return (later, earlier) if swapped else (earlier, later)


def read_drawn(db: sqlite3.Connection, study: Study) -> DrawnPairs | None:
    """The pairs of a study made by hand, drawn from its cases and texts; None where a job's way of drawing counts."""
    if PAIRS_PER_CASE not in study.protocol:
        return None
    return draw(study, studies.comparisons(db, study, studies.comparison_ids(db, study)))


def draw(study: Study, comparisons: Mapping[int, Comparison]) -> DrawnPairs:
    """Draw each case's pairs among the arms that have a text of it, every two arms as often as can be.

    Cases are gone through in a seeded order; each takes the pairs that were taken least often so far. Whether two
    texts are the same plays no part, else a share of ties would be a share of a selection.
    """
    wanted = pairs_per_case(study)
    used: Counter[Arms] = Counter()
    pairs: dict[int, tuple[Arms, ...]] = {}
    turn: dict[tuple[int, int], int] = {}
    for case_id in sorted(comparisons, key=lambda each: digest("case", study.draw_id, each, study.seed)):
        there = [arm for arm in study.arm_names if arm in comparisons[case_id].texts]
        choices = sorted(
            combinations(there, 2),
            key=lambda arms: (used[arms], digest("arms", study.draw_id, case_id, *arms, study.seed)),
        )
        pairs[case_id] = tuple(choices[:wanted])
        for number, arms in enumerate(pairs[case_id]):
            turn[case_id, number] = used[arms]
            used[arms] += 1
    same = frozenset(
        (case_id, number)
        for case_id, chosen in pairs.items()
        for number, arms in enumerate(chosen)
        if read_alike(comparisons[case_id], arms)
    )
    return DrawnPairs(dict(sorted(pairs.items())), same, turn)


def pairs_per_case(study: Study) -> int:
    """How many pairs of a case each reader sees."""
    wanted = study.protocol.get(PAIRS_PER_CASE, 1)
    return wanted if isinstance(wanted, int) and wanted > 0 else 1


def read_alike(comparison: Comparison, arms: Arms) -> bool:
    """Whether two arms' texts of a case are the same as a reader would see them."""
    first, second = (normalise(comparison.by(arm).text) for arm in arms)
    return first == second


def drawn_order(
    study: Study, drawn: DrawnPairs, rater: str, protocol: Protocol, calibration: Sequence[int] = ()
) -> list[Pair]:
    """The order in which a reader meets a study's pairs: calibration, then shuffled, with repeats a while after.

    While a study is not locked, the newest arm against the one before it comes first: it is what is asked of the
    newest model, and a locked study's order does not adapt.
    """
    first_asked = None if study.locked_at is not None else study.arm_names[-2:]
    asked = [Pair(study.id, case_id, 0, number) for case_id, number in drawn.asked()]
    calibrating = {case_id: at for at, case_id in enumerate(calibration)}
    first = [pair for pair in asked if pair.case_id in calibrating]
    first.sort(key=lambda pair: (calibrating[pair.case_id], pair.pair))

    def place(pair: Pair) -> tuple[bool, int]:
        newest = drawn.pairs[pair.case_id][pair.pair] == first_asked
        return not newest, order_key(study.draw_id, pair.case_id, f"{rater}\n{pair.pair}", 0, study.seed)

    placed: list[tuple[float, Pair]] = []
    shuffled = sorted((pair for pair in asked if pair.case_id not in calibrating), key=place)
    for position, pair in enumerate(shuffled):
        placed.append((position, pair))
        reader = f"{rater}\n{pair.pair}"
        if has_repeat(study.draw_id, pair.case_id, reader, study.seed, protocol.repeat_share):
            delay = repeat_delay(study.draw_id, pair.case_id, reader, study.seed, protocol.repeat_gap)
            placed.append((position + delay + 0.5, pair._replace(occasion=1)))
    return first + [pair for _, pair in sorted(placed)]
