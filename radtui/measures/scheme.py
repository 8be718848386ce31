"""Rating schemes: what a rater is asked, on which scale, with which words. Data, not code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from radtui.records import Rating


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

    id: str  # the third part of an answer's key, `error.ARM.1.significant`; no dot in it
    slug: str  # as in a column's name, `ARM_sig_1_false_finding`
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
    def steps(self) -> tuple[frozenset[int | None], frozenset[int | None]]:
        """What a preference and an acceptability may be; None is no answer."""
        scales = (self.preference, self.acceptability)
        preferences, levels = (frozenset([None, *(level.value for level in scale)]) for scale in scales)
        return preferences, levels

    @cached_property
    def _known(self) -> tuple[frozenset[str], frozenset[str]]:
        """Keys of the dimensions, and ids of the error categories."""
        dimensions = frozenset(dimension_answer(dimension.id) for dimension in self.dimensions)
        return dimensions, frozenset(category.id for category in self.errors)

    def asks(self, key: str, value: int) -> bool:
        """Whether an answer of this key and value is one to a question of this scheme, about whatever arm."""
        dimensions, categories = self._known
        about = parse_answer(key)
        if about is None:
            return key in dimensions
        if about.kind == "acceptability":
            return value in self.steps[1]
        if about.kind == "error":
            return about.category in categories
        return about.kind == "accepted" or bool(categories)  # `checked` is said where errors are counted

    def holds(self, rating: Rating) -> bool:
        """Whether a rating answers this scheme's questions alone, on its scales, with whatever version of it."""
        return (
            rating.scheme == self.id
            and rating.preference in self.steps[0]
            and (rating.answers.items() <= self._asked or self._asks_all(rating.answers))
        )

    @cached_property
    def _asked(self) -> set[tuple[str, int]]:
        """Answers that were seen to be ones to its questions: a study has few, each many thousand times."""
        return set()

    def _asks_all(self, answers: Mapping[str, int]) -> bool:
        asked = {answer for answer in answers.items() if self.asks(*answer)}
        self._asked.update(asked)
        return len(asked) == len(answers)

    def key_of(self, action: str) -> str:
        """Name of the key that does `action`, or "" when the scheme does not ask that question."""
        return self.keys.get(action, "")


MODES = ("main", "acceptability", "errors", "dimensions")
PANELS = frozenset(MODES[1:])

_MAIN_ACTIONS = {"both_bad", "skip", "open_acceptability", "open_errors", "open_dimensions"}
_ERROR_ACTIONS = {"error_significance", "error_take_back", "checked_none"}
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


def toward_later(value_toward_b: int, *, later_left: bool) -> int:
    """Turn a scale value that points to B (the right text) into one that points to the later arm.

    Turning twice gives the value towards B back.

    Args:
        value_toward_b: The level's `value`, -2..+2.
        later_left: Whether the later arm stood left, as A.

    Returns:
        The value as a rating stores it, -2..+2.
    """
    return -value_toward_b if later_left else value_toward_b


class ArmAnswer(NamedTuple):
    """What an answer's key says when it is about one arm's text."""

    kind: str  # "acceptability", "error", "checked" or "accepted"
    arm: str
    category: str = ""  # of an error
    significant: bool = False


DIMENSION = "dim."  # how such a key begins


def dimension_answer(dimension_id: str) -> str:
    """Key under which `Rating.answers` holds a dimension, towards the later arm: `dim.correctness`."""
    return f"{DIMENSION}{dimension_id}"


def acceptability_answer(arm: str) -> str:
    """Key under which `Rating.answers` holds how usable an arm's text is: `acceptability.base`."""
    return f"acceptability.{arm}"


def checked_answer(arm: str) -> str:
    """Key under which `Rating.answers` holds 1 where the reader looked for errors in an arm's text: `checked.base`.

    With it, what is not counted is not there; without it and without a count, nobody has said anything.
    """
    return f"checked.{arm}"


def accepted_answer(arm: str) -> str:
    """Key under which `Rating.answers` holds 1 where an arm's text was taken as it is: `accepted.base`."""
    return f"accepted.{arm}"


def error_answer(arm: str, category_id: str, *, significant: bool) -> str:
    """Key under which `Rating.answers` holds an error count: `error.base.1.significant`."""
    return f"error.{arm}.{category_id}.{'significant' if significant else 'insignificant'}"


@lru_cache(maxsize=4096)  # the ratings of a study use a few dozen keys
def parse_answer(key: str) -> ArmAnswer | None:
    """What an answer's key says about one arm, or None when it is about both, such as `dim.correctness`.

    Keys are read from both ends, since an arm's name may hold dots: `error.gpt.csv.1.significant`.
    """
    kind, _, rest = key.partition(".")
    if kind in ("acceptability", "checked", "accepted") and rest:
        return ArmAnswer(kind, rest)
    if kind != "error":
        return None
    front, _, severity = rest.rpartition(".")
    arm, _, category = front.rpartition(".")
    if not arm or not category or severity not in ("significant", "insignificant"):
        return None
    return ArmAnswer(kind, arm, category, severity == "significant")


def parse_error_answer(key: str) -> tuple[str, str, bool] | None:
    """Arm, category id and significance of an answer's key, or None when it is no error count."""
    about = parse_answer(key)
    if about is None or about.kind != "error":
        return None
    return about.arm, about.category, about.significant
