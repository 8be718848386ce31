"""Which text stands left, in which order pairs come, and which come twice: seeded, stable, decided by no state.

Every answer is a function of ids and a seed alone, by SHA-256 (Python's `hash()` differs between processes), so a
killed session, another machine or pairs that stream in while somebody rates change nothing that was shown before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

from radtui.records import Variant

# Ids inside a block split evenly between left and right, so any long run of ids is balanced; four leaves six patterns,
# and since pairs come in random order, what stood left before says nothing about the next.
SIDE_BLOCK = 4
# Repeats are drawn per block, so that a short study gets its share too.
REPEAT_BLOCK = 20


def shown_left(job_id: int, image_id: int, rater: str, occasion: int, seed: int) -> Variant:
    """Which variant stands left, as A, for this rater.

    Args:
        job_id: The generation job.
        image_id: Consecutive ids are balanced in permuted blocks of `SIDE_BLOCK`.
        rater: Each rater gets sides of their own.
        occasion: 0, or 1 for the hidden repeat, whose side is drawn anew.
        seed: The review's seed.
    """
    rank = _rank_in_block(image_id, SIDE_BLOCK, "side", job_id, rater, occasion, seed)
    return Variant.TUNED if rank < SIDE_BLOCK // 2 else Variant.BASE


def draw_pair(variants: Sequence[str], job_id: int, image_id: int, rater: str, seed: int) -> tuple[str, str]:
    """Which two of several variants are compared on an image, as (left, right).

    Every ordered pair occurs once in each block of n(n-1) consecutive image ids.

    Raises:
        ValueError: There are fewer than two variants, or two of one name.
    """
    if len(variants) < 2 or len(set(variants)) != len(variants):
        raise ValueError(f"a pair needs two different variants, got {list(variants)}")
    pairs = [(left, right) for left in variants for right in variants if left != right]
    return pairs[_rank_in_block(image_id, len(pairs), "pair", job_id, rater, seed)]


def shown_sides(
    variants: Sequence[Variant], job_id: int, image_id: int, rater: str, occasion: int, seed: int
) -> tuple[Variant, Variant]:
    """Which variants stand left and right.

    Of more than two, the pair is drawn per image and is the same for every rater and for a hidden repeat, so that
    what they say of it can be compared; the side is each rater's own, as ever.

    Args:
        variants: Of the job, in the order they were made.
        job_id: The generation job.
        image_id: Consecutive ids are balanced, pairs and sides each in blocks of their own.
        rater: Who rates.
        occasion: 0, or 1 for the hidden repeat, whose side is drawn anew.
        seed: The review's seed.
    """
    names = list(variants)
    if len(names) > 2:
        drawn = draw_pair(names, job_id, image_id, "", seed)
        names = sorted((Variant(name) for name in drawn), key=names.index)
    earlier, later = names
    later_left = shown_left(job_id, image_id, rater, occasion, seed) is Variant.TUNED
    return (later, earlier) if later_left else (earlier, later)


def order_key(job_id: int, image_id: int, rater: str, occasion: int, seed: int) -> int:
    """Sort key of a pair in a rater's queue, 0..2**64-1.

    A pair that arrives later takes its place among the unrated without moving any other.
    """
    return _digest("order", job_id, image_id, rater, occasion, seed)


def has_repeat(job_id: int, image_id: int, rater: str, seed: int, share: float) -> bool:
    """Whether this rater meets the pair a second time.

    Each block of `REPEAT_BLOCK` ids gets `share` (0..1) of itself, rounded up or down at random so that the mean is
    exact.
    """
    wanted = share * REPEAT_BLOCK
    whole = int(wanted)
    chance = _digest("repeat-rounding", job_id, image_id // REPEAT_BLOCK, rater, seed) / 2**64
    return _rank_in_block(image_id, REPEAT_BLOCK, "repeat", job_id, rater, seed) < whole + (
        chance < wanted - whole
    )


def repeat_delay(job_id: int, image_id: int, rater: str, seed: int, gap: int) -> int:
    """After how many further ratings a pair comes back: `gap` to `2 * gap`, so that nobody can count along."""
    return gap + _digest("repeat-delay", job_id, image_id, rater, seed) % (gap + 1)


def calibration_set(job_id: int, image_ids: Iterable[int], size: int, seed: int) -> tuple[int, ...]:
    """The images every rater sees first, in the same order: `size` of them, or all when there are fewer.

    `image_ids` is the job's whole work list, known before its first description; a growing list would change the draw.
    """
    ranked = sorted(set(image_ids), key=lambda image_id: _digest("calibration", job_id, image_id, seed))
    return tuple(ranked[:size])


def _rank_in_block(image_id: int, size: int, *parts: object) -> int:
    """Rank of an id in the seeded permutation of its block, 0..size-1."""
    offset = image_id % size
    return _block_ranks(image_id - offset, size, parts)[offset]


@lru_cache(maxsize=4096)  # a queue asks for whole blocks: one hash per id instead of `size`
def _block_ranks(start: int, size: int, parts: tuple[object, ...]) -> tuple[int, ...]:
    ranked = sorted(range(size), key=lambda offset: _digest(*parts, start + offset))
    ranks = [0] * size
    for rank, offset in enumerate(ranked):
        ranks[offset] = rank
    return tuple(ranks)


def _digest(*parts: object) -> int:
    """64 bits of SHA-256; each part is written with its length, so that no two lists of parts read alike."""
    text = "".join(f"{len(str(part))}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
