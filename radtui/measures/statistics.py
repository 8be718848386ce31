"""What a review shows: one summary of all ratings, each number with its n, interval and test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from operator import attrgetter

from radtui.measures.agreement import Agreement, SelfAgreement, agreement_between, agreement_with_self
from radtui.measures.answers import AnswerTable
from radtui.measures.bias import LengthBias, SideBias, Words, length_bias, side_bias
from radtui.measures.bradley_terry import Difference, Strength
from radtui.measures.intervals import Proportion
from radtui.measures.plain import PlainFields
from radtui.measures.preference import (
    Comparative,
    both_bad_share,
    compare,
    preferred_or_equal,
    win_rate_of,
)
from radtui.measures.quality import Acceptability, Errors, acceptability_of, errors_of
from radtui.measures.scheme import Scheme, dimension_answer
from radtui.measures.significance import TOO_FEW, detectable_rate, holm, power_table
from radtui.records import Rating


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Ratings that are stored and do not count, by the first reason that applies."""

    unrated: int = 0
    other_scheme: int = 0
    other_version: int = 0  # of this scheme, with questions or steps that it does not have
    repeats: int = 0
    calibration: int = 0
    skipped: int = 0
    unblinded: int = 0

    @property
    def by_reason(self) -> dict[str, int]:
        """How many are left out, by each reason that applies to any."""
        return {reason: count for reason, count in asdict(self).items() if count}


@dataclass(frozen=True, slots=True)
class RaterShare(PlainFields):
    """One rater's share of the summary."""

    rater: str
    n: int
    wins: int
    ties: int
    losses: int
    both_bad: int
    win_rate: Proportion
    chosen_left: Proportion
    active_s: float


@dataclass(frozen=True, slots=True)
class Power(PlainFields):
    """What the number of non-tied pairs can show with the sign test at 80 % power, alpha 0.05."""

    non_ties: int  # cases whose answers point to one text: several raters of a case are one
    enough: bool  # at least 20
    detectable: float | None  # smallest true win rate that would show
    needed: dict[float, int]  # true win rate -> non-tied pairs

    @classmethod
    def of(cls, preference: Comparative) -> Power:
        """Of an answer to a question; what is tied in it shows nothing."""
        non_ties = preference.cases_won + preference.cases_lost
        return cls(non_ties, non_ties >= TOO_FEW, detectable_rate(non_ties), power_table())

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return PlainFields.to_dict(self) | {"needed": {f"{rate:.2f}": n for rate, n in self.needed.items()}}


@dataclass(frozen=True, slots=True)
class Summary(PlainFields):
    """All statistics of two arms. With several readers, intervals are for readers and cases like these."""

    earlier: str
    later: str
    n: int
    cases: int
    raters: tuple[RaterShare, ...]
    left_out: LeftOut
    preference: Comparative
    preferred_or_equal: Proportion  # of all judged pairs, both-bad among them
    both_bad: Proportion
    dimensions: dict[str, Comparative]
    acceptability: Acceptability | None
    errors: Errors | None
    side: SideBias
    length: LengthBias
    agreement: Agreement | None
    repeats: SelfAgreement | None
    power: Power
    versions: dict[str, int]  # hash of the scheme's version -> ratings that count
    arms: Arms | None = None  # all of them compared, where a study has more than two

    @property
    def verdict(self) -> str:
        """What may be concluded about the preference, in words."""
        return self.preference.verdict

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "earlier": self.earlier,
            "later": self.later,
            "n": self.n,
            "cases": self.cases,
            "verdict": self.verdict,
            "raters": [rater.to_dict() for rater in self.raters],
            "left_out": asdict(self.left_out),
            "preference": self.preference.to_dict(),
            "preferred_or_equal": self.preferred_or_equal.to_dict(),
            "both_bad": self.both_bad.to_dict(),
            "dimensions": {name: comparative.to_dict() for name, comparative in self.dimensions.items()},
            "acceptability": self.acceptability.to_dict() if self.acceptability else None,
            "errors": self.errors.to_dict() if self.errors else None,
            "bias": {"side": self.side.to_dict(), "length": self.length.to_dict()},
            "agreement": self.agreement.to_dict() if self.agreement else None,
            "repeats": self.repeats.to_dict() if self.repeats else None,
            "power": self.power.to_dict(),
            "scheme_versions": self.versions,
        } | ({"arms": self.arms.to_dict()} if self.arms else {})


@dataclass(frozen=True, slots=True)
class Contrast(PlainFields):
    """Two arms against each other, over the pairs that show just these."""

    earlier: str
    later: str
    summary: Summary

    @property
    def verdict(self) -> str:
        """What may be concluded, in words with the arms' names."""
        return self.summary.verdict

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "earlier": self.earlier,
            "later": self.later,
            "verdict": self.verdict,
            "summary": self.summary.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Arms(PlainFields):
    """All arms of a study compared."""

    n: int  # ratings that count, over all pairs
    cases: int
    strengths: tuple[Strength, ...]  # strongest first; none where no finite ones exist
    contrasts: tuple[Contrast, ...]
    # Every two arms on the scale, tested as a pair; none without one.
    differences: tuple[Difference, ...] = ()


def summarise(
    ratings: Iterable[Rating],
    scheme: Scheme,
    earlier: str,
    later: str,
    words: Words | None = None,
    calibration: Collection[tuple[int, int]] = (),
    include_unblinded: bool = False,
    seed: int = 0,
) -> Summary:
    """Everything that the ratings of two arms show which are `counted`; those of other arms play no part.

    Args:
        ratings: Current state of each comparison, one row per rater and showing.
        scheme: Whose questions are summarised.
        earlier: Name of the one arm, the earlier in the study's order.
        later: Name of the other: to it wins, preferences and differences point.
        words: Word counts of the texts, for the length check.
        calibration: (study id, case id) of calibration pairs.
        include_unblinded: Count ratings made by someone who knew which text is whose.
        seed: Of all bootstraps, so that the same ratings give the same numbers.
    """
    rows = in_order(
        rating for rating in ratings if rating.earlier_arm == earlier and rating.later_arm == later
    )
    kept, left_out = counted(rows, scheme, frozenset(calibration), include_unblinded)
    twice = any(row.occasion for row in rows)
    table = AnswerTable(kept)
    preference = compare(table.preferences, (earlier, later), seed)
    return Summary(
        earlier=earlier,
        later=later,
        n=len(kept),
        cases=len({rating.case_id for rating in kept}),
        raters=_by_rater(table),
        left_out=left_out,
        preference=preference,
        preferred_or_equal=preferred_or_equal(table),
        both_bad=both_bad_share(table),
        dimensions=_dimensions(table, scheme, (earlier, later), seed),
        acceptability=acceptability_of(table, earlier, later, seed),
        errors=errors_of(table, earlier, later, [error.id for error in scheme.errors], seed),
        side=side_bias(table),
        length=length_bias(table, words or {}),
        agreement=agreement_between(table, seed),
        repeats=agreement_with_self(_with_repeats(rows, scheme, include_unblinded)) if twice else None,
        power=Power.of(preference),
        versions=versions_of(kept),
    )


def in_order(ratings: Iterable[Rating]) -> list[Rating]:
    """Ratings in an order of their own, so that what is resampled does not depend on how they were read."""
    return sorted(ratings, key=attrgetter("study_id", "case_id", "pair", "rater", "occasion"))


def counted(
    rows: Sequence[Rating], scheme: Scheme, calibration: Collection[tuple[int, int]], include_unblinded: bool
) -> tuple[list[Rating], LeftOut]:
    """The ratings that count, and how many do not, by reason; what is exported counts the same way.

    Ratings by other schemes are left out, since their answers mean something else, and so are all those by a version
    of this one that asked what it does not; those of other versions count, and `Summary.versions` says how many.

    Args:
        rows: Current state of each comparison.
        scheme: Whose ratings count.
        calibration: (study id, case id) of calibration pairs.
        include_unblinded: Count ratings made by someone who knew which text is whose.
    """
    kept = []
    apart = _versions_apart(rows, scheme)
    reasons = dict.fromkeys(LeftOut.__slots__, 0)
    for row in rows:
        if row.preference is None and row.empty:
            reason = "unrated" if row.blinded else "unblinded"
        elif row.scheme != scheme.id:
            reason = "other_scheme"
        elif row.scheme_hash in apart:
            reason = "other_version"
        elif row.occasion:
            reason = "repeats"
        elif calibration and (row.study_id, row.case_id) in calibration:
            reason = "calibration"
        elif row.skipped:
            reason = "skipped"
        elif not row.blinded and not include_unblinded:
            reason = "unblinded"
        else:
            kept.append(row)
            continue
        reasons[reason] += 1
    return kept, LeftOut(**reasons)


def versions_of(ratings: Iterable[Rating]) -> dict[str, int]:
    """Hash of a scheme's version -> how many of the ratings were made with it, the most first."""
    return dict(Counter(rating.scheme_hash for rating in ratings).most_common())


def _versions_apart(rows: Iterable[Rating], scheme: Scheme) -> frozenset[str]:
    """Hashes of versions of the scheme that asked something else, as some answer shows.

    Without the ratings that have such an answer, such as an error of a kind that is no more, the version's others
    would be a selection.
    """
    return frozenset(row.scheme_hash for row in rows if row.scheme == scheme.id and not scheme.holds(row))


def _with_repeats(rows: Sequence[Rating], scheme: Scheme, include_unblinded: bool) -> list[Rating]:
    """The judgements among which those of hidden repeats are, to be compared with the first ones."""
    apart = _versions_apart(rows, scheme)
    return [
        row
        for row in rows
        if row.scheme == scheme.id and row.scheme_hash not in apart
        if (row.blinded or include_unblinded) and not row.skipped
    ]


def _by_rater(table: AnswerTable) -> tuple[RaterShare, ...]:
    return tuple(_line(name, own) for name, own in table.by_reader().items())


def _line(rater: str, own: AnswerTable) -> RaterShare:
    values = own.preferences.values
    return RaterShare(
        rater=rater,
        n=len(own),
        wins=int((values > 0).sum()),
        ties=int((values == 0).sum()),
        losses=int((values < 0).sum()),
        both_bad=int(own.flags("both_bad").sum()),
        win_rate=win_rate_of(own.preferences),
        chosen_left=side_bias(own).chosen_left,
        active_s=sum(rating.active_s for rating in own.ratings),
    )


def _dimensions(
    table: AnswerTable, scheme: Scheme, arms: tuple[str, str], seed: int
) -> dict[str, Comparative]:
    """Each dimension that was answered, with Holm's adjustment over them."""
    import numpy as np

    compared: dict[str, Comparative] = {}
    for dimension in scheme.dimensions:
        values = table.answer(dimension_answer(dimension.id))
        asked = ~np.isnan(values)
        if asked.any():
            compared[dimension.id] = compare(table.everyone.with_values(values).where(asked), arms, seed)
    adjusted: Mapping[str, float | None] = holm(
        {name: comparative.wilcoxon_p for name, comparative in compared.items()}
    )
    return {name: replace(comparative, holm_p=adjusted[name]) for name, comparative in compared.items()}
