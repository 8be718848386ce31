"""Rating schemes: what a rater is asked, on which scale, with which words. Data, not code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property

from radtui.records import Rating, Variant


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a scale.

    On the preference scale `value` points to B, the text on the right (-2 = A much better, +2 = B much better).
    """

    value: int
    label: str


@dataclass(frozen=True, slots=True)
class ErrorCategory:
    """One kind of error that a rater counts, significant and insignificant apart."""

    id: str  # as in an answer's key, `error.base.1.significant`
    slug: str  # as in a column's name, `base_sig_1_false_finding`
    label: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """One quality on which the two texts are compared, on the preference's scale."""

    id: str
    label: str
    question: str = ""


@dataclass(frozen=True, slots=True)
class Protocol:
    """How the comparisons are put before a rater."""

    reference: str = "after"  # "before" the preference, "after" it, or "never"
    calibration_items: int = 0
    repeat_share: float = 0.10  # 0..0.5
    repeat_gap: int = 20  # other comparisons at least between the two occasions
    idle_cutoff_s: float = 60.0


@dataclass(frozen=True)
class Scheme:
    """A validated rating scheme; `keys` maps every action to Textual's name of its key."""

    id: str
    version: int
    title: str
    preference: tuple[Level, ...]
    acceptability: tuple[Level, ...]
    errors: tuple[ErrorCategory, ...]
    dimensions: tuple[Dimension, ...]
    protocol: Protocol
    keys: dict[str, str] = field(hash=False)

    @cached_property
    def sha256(self) -> str:
        """Hex digest of everything that shapes an answer, stored with each rating.

        Keys and title are left out: two raters of one study may have different keyboards.
        """
        content = asdict(self)
        del content["keys"], content["title"]
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @cached_property
    def answer_keys(self) -> frozenset[str]:
        """Keys of `Rating.answers` that it asks for."""
        dimensions = {dimension_answer(one.id) for one in self.dimensions}
        errors = {
            error_answer(variant, category.id, significant=significant)
            for variant in Variant
            for category in self.errors
            for significant in (True, False)
        }
        return frozenset(dimensions | errors)

    @cached_property
    def steps(self) -> tuple[frozenset[int | None], frozenset[int | None]]:
        """What a preference and an acceptability may be; None is no answer."""
        scales = (self.preference, self.acceptability)
        preferences, levels = (frozenset([None, *(level.value for level in scale)]) for scale in scales)
        return preferences, levels

    def holds(self, rating: Rating) -> bool:
        """Whether a rating answers this scheme's questions alone, on its scales, with whatever version of it."""
        preferences, levels = self.steps
        return (
            rating.scheme == self.id
            and rating.answers.keys() <= self.answer_keys
            and rating.preference in preferences
            and levels.issuperset(rating.acceptabilities)
        )

    def key_of(self, action: str) -> str:
        """Name of the key that does `action`, or "" when the scheme does not ask that question."""
        return self.keys.get(action, "")


MODES = ("main", "acceptability", "errors", "dimensions")
PANELS = frozenset(MODES[1:])

_MAIN_ACTIONS = {"both_bad", "skip", "open_acceptability", "open_errors", "open_dimensions"}
_ERROR_ACTIONS = {"error_significance", "error_take_back"}
_NUMBERED = {
    "preference": frozenset({"main"}),
    "acceptability": frozenset({"acceptability"}),
    "error": frozenset({"errors"}),
    "dimension": frozenset({"dimensions"}),
}


def modes_of(action: str) -> frozenset[str]:
    """Modes of the review screen in which an action's key is live: one, every panel, or all."""
    if action in _MAIN_ACTIONS:
        return frozenset({"main"})
    if action == "close_panel":
        return PANELS
    if action == "other_text":  # qualities are of both texts at once
        return frozenset({"acceptability", "errors"})
    if action in _ERROR_ACTIONS:
        return frozenset({"errors"})
    return _NUMBERED.get(action.partition(".")[0], frozenset(MODES))


def toward_later(value_toward_b: int, shown_left: Variant, shown_right: Variant) -> int:
    """Turn a scale value that points to B (the right text) into one that points to the variant made later.

    Of base and tuned that is tuned. Turning twice gives the value towards B back.

    Args:
        value_toward_b: The level's `value`, -2..+2.
        shown_left: The variant that stood left, as A.
        shown_right: The variant that stood right, as B.

    Returns:
        The value as a rating stores it, -2..+2.
    """
    order = list(Variant)
    return -value_toward_b if order.index(shown_left) > order.index(shown_right) else value_toward_b


def dimension_answer(dimension_id: str) -> str:
    """Key under which `Rating.answers` holds a dimension, towards the later variant: `dim.correctness`."""
    return f"dim.{dimension_id}"


def error_answer(variant: Variant, category_id: str, *, significant: bool) -> str:
    """Key under which `Rating.answers` holds an error count: `error.base.1.significant`."""
    return f"error.{variant.value}.{category_id}.{'significant' if significant else 'insignificant'}"


def parse_error_answer(key: str) -> tuple[Variant, str, bool] | None:
    """Variant, category id and significance of an answer's key, or None when it is no error count."""
    parts = key.split(".")
    if len(parts) != 4 or parts[0] != "error" or parts[3] not in ("significant", "insignificant"):
        return None
    return Variant(parts[1]), parts[2], parts[3] == "significant"
