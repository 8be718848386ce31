"""Figures in words, the same on the command line and in a report: value, interval, n, p."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from radtui.measures.bradley_terry import Strength
from radtui.measures.intervals import Estimate, Proportion
from radtui.percent import percent_text
from radtui.plural import many
from radtui.records import Rating

NOTHING = "-"
HASH_LETTERS = 10  # of a scheme's SHA-256, where people read it
NOT_ENGLISH = (
    "Findings are read in English only: these texts are in another language, so no finding of them is scored."
)
LEFT_OUT = {
    "unrated": "without an answer", "other_scheme": "by another scheme",
    "other_version": "by a version of the scheme with other questions", "repeats": "hidden repeats",
    "calibration": "calibration pairs", "unblinded": "un-blinded", "held_out_split": "in a held-out split",
    "same_text": "with the same text twice",
    "chosen_with_significant_error": "chosen with a significant error",
    "accepted_with_significant_error": "accepted with a significant error", "of_another_arm": "of another arm",
    "held_out_patient": "of a patient of a held-out split", "superseded": "superseded by another reading",
    "empty_text": "corrected to nothing",
}  # fmt: skip


def left_out_words(reasons: Mapping[str, int]) -> str:
    """What is left out and why, without the reasons that meet nothing: "2 hidden repeats, 1 un-blinded"."""
    return ", ".join(f"{n:,} {LEFT_OUT.get(why, why.replace('_', ' '))}" for why, n in reasons.items() if n)


def row_counts(rows: Iterable[Rating]) -> dict[str, int]:
    """What the rows of an export are: `ratings` with an answer, `skipped`, and `unrated`, only flagged or noted."""
    counts = {"ratings": 0, "skipped": 0, "unrated": 0}
    for rating in rows:
        counts["unrated" if rating.empty else "skipped" if rating.skipped else "ratings"] += 1
    return counts


def rows_words(rows: int, counts: Mapping[str, int]) -> str:
    """How many rows there are, and of what: "28 rows: 26 ratings, 1 skipped, 1 without an answer"."""
    ratings = many(counts["ratings"], "rating")
    others = {name: n for name, n in counts.items() if name != "ratings"}
    return f"{many(rows, 'row')}: {', '.join(filter(None, (ratings, left_out_words(others))))}"


def version_counts(versions: Mapping[str, int]) -> str:
    """How many ratings were made with each version of a scheme: "12 of 0f3a9c11de, 3 of 7b20aa41c9"."""
    return ", ".join(f"{n:,} of {sha256[:HASH_LETTERS]}" for sha256, n in versions.items())


def versions_words(versions: Mapping[str, int]) -> str:
    """That ratings of several versions of a scheme are counted together; "" where there is one."""
    if len(versions) < 2:
        return ""
    return f"{len(versions)} versions of the rating scheme are counted together: {version_counts(versions)}"


def share(of: Proportion, n: bool = True) -> str:
    """A proportion: "71.4 % (52.9 % to 84.7 %, n=28)"."""
    if of.value is None:
        return NOTHING
    return percent_text(of.value, 1) + _behind(of, lambda value: percent_text(value, 1), n)


def estimate(of: Estimate, signed: bool = False, digits: int = 2, n: bool = True) -> str:
    """A mean or score: "0.86 (0.50 to 1.18, n=28)", with a plus sign where it is a difference."""
    if of.value is None:
        return NOTHING
    form = f"{'+' if signed else ''}.{digits}f"
    return f"{of.value:{form}}" + _behind(of, lambda value: f"{value:{form}}", n)


def brief(of: Proportion | Estimate, digits: int = 2) -> str:
    """A figure with its interval alone, where there is little room: "71 % (53 to 85 %)", "0.86 (0.50 to 1.18)"."""
    if of.value is None:
        return NOTHING
    share = isinstance(of, Proportion)
    scale, digits, unit = (100, 0, " %") if share else (1, digits, "")
    ends = limits(of, lambda value: f"{scale * value:.{digits}f}")
    return f"{scale * of.value:.{digits}f}{unit}" + (f" ({ends}{unit})" if ends else "")


def limits(of: Proportion | Estimate, text: Callable[[float], str]) -> str:
    """An interval: "0.50 to 1.18"; "" where there is none."""
    return "" if of.low is None or of.high is None else f"{text(of.low)} to {text(of.high)}"


def log_odds(value: float) -> str:
    """A strength on the log-odds scale, or an end of its interval: "+0.86"."""
    return f"{value:+.2f}"


def strength_limits(of: Strength) -> str:
    """A strength's interval: "+0.50 to +1.18"; "the baseline" for the arm that the others are measured against."""
    return f"{log_odds(of.low)} to {log_odds(of.high)}" if of.standard_error else "the baseline"


def these_readers(of: Proportion | Estimate, text: Callable[[float], str]) -> str:
    """The interval for these readers only: "for these readers only 0.55 to 0.98"; "" where it is the only one."""
    return (
        f"for these readers only {text(of.these_readers[0])} to {text(of.these_readers[1])}"
        if of.these_readers
        else ""
    )


def _behind(of: Proportion | Estimate, text: Callable[[float], str], n: bool) -> str:
    parts = [part for part in (limits(of, text), these_readers(of, text)) if part]
    if n:
        parts.append(f"n={of.n}" + (f" ratings of {many(of.cases, 'case')}" if 0 < of.cases < of.n else ""))
    return f" ({', '.join(parts)})" if parts else ""


def readers_words(readers: int, deciding: int | None = None) -> str:
    """What the intervals of a study hold for, in a sentence or two; "" where nobody has rated.

    Args:
        readers: How many have rated.
        deciding: How many of them preferred a text at all, 0 for nobody; None where that is not asked.
    """
    if deciding is not None and 0 < deciding < readers:
        whose = "that reader" if deciding == 1 else f"readers like those {deciding}"
        only = f"Only {deciding} of {readers} readers preferred a text: the win rate and its interval are of {whose}."
        return f"{readers_words(readers)} {only}"
    if readers < 1:
        return ""
    if readers == 1:
        return "Intervals are for this reader: they say nothing of how another would judge."
    if readers == 2:
        return (
            "Intervals are for readers and cases like these, and wide, since two readers tell little of how others"
            " differ; beside them stand those for these readers only."
        )
    return (
        f"Intervals are for readers and cases like these {readers} readers and their cases; beside them stand those"
        " for these readers only."
    )


def readers_named(readers: int) -> str:
    """These readers, in a sentence: "this reader", "these 3 readers"."""
    return "this reader" if readers == 1 else f"these {readers} readers"


def alpha_words(alpha: Estimate, signed: bool = False) -> str:
    """Krippendorff's alpha with its interval, or why there is none."""
    if alpha.value is not None:
        return estimate(alpha, signed=signed)
    return (
        "not known: all answers are the same" if alpha.n else "not known: no pair has answers of two readers"
    )


def p_value(p: float | None) -> str:
    """A p-value: "p=0.021", "p<0.001", or "no test" where there is nothing to test."""
    if p is None:
        return "no test"
    return "p<0.001" if p < 0.001 else f"p={p:.3f}"
