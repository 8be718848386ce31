"""Which text stands left, in which order pairs come, and which come twice: seeded, stable, decided by no state.

Every answer is a function of ids and a seed alone, by SHA-256 (Python's `hash()` differs between processes), so a
killed session, another machine or pairs that stream in while somebody rates change nothing that was shown before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

# Ids inside a block split evenly between left and right, so any long run of ids is balanced; four leaves six patterns,
# and since pairs come in random order, what stood left before says nothing about the next.
SIDE_BLOCK = 4
# Repeats are drawn per block, so that a short study gets its share too.
REPEAT_BLOCK = 20


def later_left(draw_id: int, case_id: int, rater: str, occasion: int, seed: int) -> bool:
    """Whether the later of two arms stands left, as A, for this rater.

    Args:
        draw_id: What the study draws by, its job's number where a job opened it.
        case_id: Consecutive ids are balanced in permuted blocks of `SIDE_BLOCK`.
        rater: Each rater gets sides of their own.
        occasion: 0, or 1 for the hidden repeat, whose side is drawn anew.
        seed: The study's seed.
    """
    return _rank_in_block(case_id, SIDE_BLOCK, "side", draw_id, rater, occasion, seed) < SIDE_BLOCK // 2


def draw_pair(arms: Sequence[str], draw_id: int, case_id: int, rater: str, seed: int) -> tuple[str, str]:
    """Which two of several arms are compared on a case, as (left, right).

    Every ordered pair occurs once in each block of n(n-1) consecutive case ids.

    Raises:
        ValueError: There are fewer than two arms, or two of one name.
    """
    if len(arms) < 2 or len(set(arms)) != len(arms):
        raise ValueError(f"a pair needs two different arms, got {list(arms)}")
    pairs = [(left, right) for left in arms for right in arms if left != right]
    return pairs[_rank_in_block(case_id, len(pairs), "pair", draw_id, rater, seed)]


def shown_sides(
    arms: Sequence[str], draw_id: int, case_id: int, rater: str, occasion: int, seed: int
) -> tuple[str, str]:
    """Which arms stand left and right.

    Of more than two, the pair is drawn per case and is the same for every rater and for a hidden repeat, so that
    what they say of it can be compared; the side is each rater's own, as ever.

    Args:
        arms: Names of those that have a text of the case, in the study's order.
        draw_id: What the study draws by, its job's number where a job opened it.
        case_id: Consecutive ids are balanced, pairs and sides each in blocks of their own.
        rater: Who rates.
        occasion: 0, or 1 for the hidden repeat, whose side is drawn anew.
        seed: The study's seed.
    """
    names = list(arms)
    if len(names) > 2:
        names = sorted(draw_pair(names, draw_id, case_id, "", seed), key=names.index)
    earlier, later = names
    return (later, earlier) if later_left(draw_id, case_id, rater, occasion, seed) else (earlier, later)


def order_key(draw_id: int, case_id: int, rater: str, occasion: int, seed: int) -> int:
    """Sort key of a pair in a rater's queue, 0..2**64-1.

    A pair that arrives later takes its place among the unrated without moving any other.
    """
    return digest("order", draw_id, case_id, rater, occasion, seed)


def has_repeat(draw_id: int, case_id: int, rater: str, seed: int, share: float) -> bool:
    """Whether this rater meets the pair a second time.

    Each block of `REPEAT_BLOCK` ids gets `share` (0..1) of itself, rounded up or down at random so that the mean is
    exact.
    """
    wanted = share * REPEAT_BLOCK
    whole = int(wanted)
    chance = digest("repeat-rounding", draw_id, case_id // REPEAT_BLOCK, rater, seed) / 2**64
    return _rank_in_block(case_id, REPEAT_BLOCK, "repeat", draw_id, rater, seed) < whole + (
        chance < wanted - whole
    )


def repeat_delay(draw_id: int, case_id: int, rater: str, seed: int, gap: int) -> int:
    """After how many further ratings a pair comes back: `gap` to `2 * gap`, so that nobody can count along."""
    return gap + digest("repeat-delay", draw_id, case_id, rater, seed) % (gap + 1)


def calibration_set(draw_id: int, case_ids: Iterable[int], size: int, seed: int) -> tuple[int, ...]:
    """The cases every rater sees first, in the same order: `size` of them, or all when there are fewer.

    `case_ids` is the study's whole work list, known before its first text; a growing list would change the draw.
    """
    ranked = sorted(set(case_ids), key=lambda case_id: digest("calibration", draw_id, case_id, seed))
    return tuple(ranked[:size])


def _rank_in_block(case_id: int, size: int, *parts: object) -> int:
    """Rank of an id in the seeded permutation of its block, 0..size-1."""
    offset = case_id % size
    return _block_ranks(case_id - offset, size, parts)[offset]


@lru_cache(maxsize=4096)  # a queue asks for whole blocks: one hash per id instead of `size`
def _block_ranks(start: int, size: int, parts: tuple[object, ...]) -> tuple[int, ...]:
    ranked = sorted(range(size), key=lambda offset: digest(*parts, start + offset))
    ranks = [0] * size
    for rank, offset in enumerate(ranked):
        ranks[offset] = rank
    return tuple(ranks)


def digest(*parts: object) -> int:
    """64 bits of SHA-256; each part is written with its length, so that no two lists of parts read alike."""
    text = "".join(f"{len(str(part))}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
