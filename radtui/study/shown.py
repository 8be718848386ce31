"""One pair as a reader sees it at a moment."""

from __future__ import annotations

from dataclasses import dataclass

from radtui.records import Case, Rating
from radtui.study.queue import Pair


@dataclass(frozen=True, slots=True)
class Shown:
    """One pair as the rater sees it. `texts` are A and B, format-normalised and harmless to a terminal."""

    pair: Pair
    place: int  # 1 based, in the rater's own order
    case: Case
    sides: tuple[str, str]  # the arms that stand left, as A, and right, as B
    texts: tuple[str, str]
    reference: str  # "" while it may not be seen, or where there is none
    reference_waits: bool  # there is one, shown after the preference
    reference_barred: bool  # there is one, which is a text of the case: not before the case is finished
    reference_marks: bool  # seeing it now un-blinds what is answered from then on
    rating: Rating | None  # the snapshot that counts, None when nothing was ever answered
    identity_known: bool

    @property
    def rated(self) -> bool:
        """Whether the pair counts as judged."""
        return self.rating is not None and not self.rating.empty

    def arm(self, side: int) -> str:
        """Whose text stands on a side: 0 is A, left; 1 is B, right."""
        return self.sides[side]

    @property
    def left(self) -> str:
        """Whose text stands left, as A."""
        return self.arm(0)
