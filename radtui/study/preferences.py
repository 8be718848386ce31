"""Which rated pairs can be learnt from: the texts that raters prefer together, and why the others are left out."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass

from radtui.measures.scheme import parse_error_answer
from radtui.records import Case, Comparison, Rating
from radtui.settings import TrainSettings
from radtui.store import jobs, studies
from radtui.study.study import Review, rated

TEST_SPLIT = "test"


@dataclass(frozen=True, slots=True)
class Preferred:
    """One comparison of which raters preferred one text: what it is about, what was asked, and whose text."""

    case: Case
    pair: Comparison
    chosen: str  # the arm whose text was preferred
    rejected: str
    asked: str = ""  # what the model was asked, before any chat template

    @property
    def texts(self) -> tuple[str, str]:
        """The chosen and the rejected text, exactly as they were written."""
        return self.pair.by(self.chosen).text, self.pair.by(self.rejected).text


@dataclass(frozen=True, slots=True)
class LearnablePairs:
    """The pairs fit to learn from, and how many are not, by reason."""

    pairs: tuple[Preferred, ...]
    left_out: dict[str, int]


def choose(db: sqlite3.Connection, review: Review, keep_significant_errors: bool = False) -> LearnablePairs:
    """Pick the pairs to learn from: one per case and two arms, by the sum of the raters' preferences.

    Left out are, by rating: repeats, calibration pairs, skips, un-blinded ratings and those by another scheme; by
    pair: ties, both bad, cases of the test split or with the same bytes as one of another split, pairs of one text,
    and (unless asked) a chosen text in which a rater counted a significant error.
    """
    kept, uncounted = review.counting()
    counts = {id(rating) for rating in kept}
    reasons = Counter(uncounted.by_reason)
    instruction = studies.instructions(db, review.study)
    held_out = {TEST_SPLIT, _eval_split(db, review)} - {""}
    by_pair: dict[tuple[int, tuple[str, str]], tuple[Case, Comparison, list[Rating]]] = {}
    for rating, case, pair in rated(db, review):
        if id(rating) in counts and rating.earlier_arm:
            by_pair.setdefault((case.id, rating.shown), (case, pair, []))[2].append(rating)
    pairs = []
    for (_, shown), (case, pair, ratings) in by_pair.items():
        chosen = _chosen(ratings)
        reason = _reason_against(case, pair, ratings, chosen, held_out, keep_significant_errors)
        if reason:
            reasons[reason] += 1
        elif chosen is not None:
            rejected = next(arm for arm in shown if arm != chosen)
            asked = case.asked(instruction.get(chosen) or instruction.get(rejected, ""))
            pairs.append(Preferred(case, pair, chosen, rejected, asked))
    return LearnablePairs(tuple(pairs), dict(reasons))


def _chosen(ratings: list[Rating]) -> str | None:
    """Whose text the raters prefer together, or None when they are even."""
    total = sum(rating.preference or 0 for rating in ratings)
    earlier, later = ratings[0].shown
    return None if total == 0 else later if total > 0 else earlier


def _reason_against(
    case: Case,
    pair: Comparison,
    ratings: list[Rating],
    chosen: str | None,
    held_out: set[str],
    keep_significant_errors: bool,
) -> str:
    """Why a pair is not learnt from, or "" when it is."""
    both_bad = sum(rating.both_bad for rating in ratings)
    reasons = {
        "held_out_split": case.split.casefold() in held_out,
        "same_image_in_another_split": case.leaked,
        "both_bad": both_bad > 0 and both_bad >= len(ratings) - both_bad,
        "ties": chosen is None,
        "same_text": len({pair.by(arm).text.strip() for arm in ratings[0].shown}) == 1,
        "chosen_with_significant_error": not keep_significant_errors
        and any(_has_significant_error(rating, chosen) for rating in ratings),
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def _has_significant_error(rating: Rating, arm: str | None) -> bool:
    for key, count in rating.answers.items():
        parsed = parse_error_answer(key)
        if parsed is not None and parsed[0] == arm and parsed[2] and count:
            return True
    return False


def _eval_split(db: sqlite3.Connection, review: Review) -> str:
    """The split that the training job evaluated on, "" when it is not known."""
    parent = review.job.parent_job_id if review.job is not None else None
    job = jobs.get(db, parent) if parent is not None else None
    return TrainSettings.from_dict(job.settings).eval_split.casefold() if job else ""
