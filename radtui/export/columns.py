"""The columns of tables of rated comparisons: those of base and tuned, and those of any arms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from radtui.measures.scheme import (
    Scheme,
    acceptability_answer,
    accepted_answer,
    checked_answer,
    dimension_answer,
    error_answer,
)
from radtui.records import Study

SCHEMA = "radtui-comparisons-1"  # one job's base and tuned, each with columns of its own
ARMS_SCHEMA = "radtui-arms-1"  # any arms: the two that a row compares are named in it
RAW = "-raw"  # ends a form's name where no quote stands before formulas, so that none is taken off them on import
PAIRED = (("base", "tuned"), ("base", "tuned", "dpo"))
"""The arms of generation jobs that have a table of their own, read by scripts that are out there."""
SEVERITIES = (("sig", True), ("insig", False))


def is_paired(study: Study) -> bool:
    """Whether a study has the table in which base and tuned have columns of their own."""
    return study.job_id is not None and study.arm_names in PAIRED


def schema_of(study: Study, raw: bool = False) -> str:
    """Name and version of the form that a study's table has."""
    return (SCHEMA if is_paired(study) else ARMS_SCHEMA) + (RAW if raw else "")


def acceptability_columns(arms: Iterable[str]) -> dict[str, str]:
    """Column -> key of `Rating.answers`: `base_acceptability` -> `acceptability.base`."""
    return {f"{arm}_acceptability": acceptability_answer(arm) for arm in arms}


def dimension_columns(scheme: Scheme) -> dict[str, str]:
    """Column -> key of `Rating.answers`: `dim_correctness` -> `dim.correctness`."""
    return {f"dim_{dimension.id}": dimension_answer(dimension.id) for dimension in scheme.dimensions}


def error_columns(scheme: Scheme, arms: Iterable[str]) -> dict[str, str]:
    """Column -> key of `Rating.answers`: `base_sig_1_false_finding` -> `error.base.1.significant`."""
    return {
        f"{arm}_{short}_{category.id}_{category.slug}": error_answer(
            arm, category.id, significant=significant
        )
        for arm in arms
        for short, significant in SEVERITIES
        for category in scheme.errors
    }


def checked_columns(arms: Iterable[str]) -> dict[str, str]:
    """Column -> key of `Rating.answers`: `base_checked` -> `checked.base`, `base_accepted` -> `accepted.base`."""
    return {
        column: key
        for arm in arms
        for column, key in (
            (f"{arm}_checked", checked_answer(arm)),
            (f"{arm}_accepted", accepted_answer(arm)),
        )
    }


def corrected_columns(arms: Iterable[str]) -> dict[str, str]:
    """Column -> arm: `base_corrected_text` -> `base`."""
    return {f"{arm}_corrected_text": arm for arm in arms}


def answer_columns(scheme: Scheme, arms: Sequence[str]) -> dict[str, str]:
    """Every column that holds an answer -> key of `Rating.answers`."""
    return (
        acceptability_columns(arms)
        | dimension_columns(scheme)
        | error_columns(scheme, arms)
        | checked_columns(arms)
    )


PACE = "pace"  # "too fast", "long idle" or "": see `measures.pace`


def paired_columns(
    scheme: Scheme, arms: Sequence[str] = PAIRED[0], more: bool = False, pace: bool = False
) -> list[str]:
    """The header of a job's table of base and tuned.

    A third arm has its columns after all others; `preference` and dimensions are then towards the later of the two
    arms shown.

    Args:
        scheme: Its dimensions and error categories are columns of their own.
        arms: One of `PAIRED`.
        more: Whether there are corrections, texts taken as they are, or texts that were checked.
        pace: Whether some answer's time is out of the ordinary; `more` brings that column too.
    """
    two = PAIRED[0]
    third = [
        column
        for arm in arms[2:]
        for column in (
            "shown_right", f"{arm}_adapter", f"{arm}_text", f"{arm}_words", *acceptability_columns([arm]),
            *error_columns(scheme, [arm]),
        )
    ]  # fmt: skip
    return [
        "export_schema", "job_id", "image_id", "dataset", "split", "image_path", "image_sha256", "reference",
        "prompt", "base_model", "adapter", "decoding", "base_text", "tuned_text", "rater", "preference",
        "preference_label", "both_bad", "shown_left", "blinded", *acceptability_columns(two),
        *dimension_columns(scheme), *error_columns(scheme, two),
        "base_words", "tuned_words", "flagged", "skipped", "note", "active_seconds", "wall_seconds", "rated_at",
        "occasion", "scheme", "scheme_hash", "role", *third, *(_more_columns(arms) if more else [PACE] if pace else ()),
    ]  # fmt: skip


def arms_columns(scheme: Scheme, arms: Sequence[str]) -> list[str]:
    """The header of a table of any arms: each arm's answers stand under its name."""
    return [
        "export_schema", "study_id", "study", "case_id", "dataset", "split", "image_path", "image_sha256",
        "question", "reference", "earlier_arm", "later_arm", "left_arm", "right_arm", "earlier_text", "later_text",
        "earlier_words", "later_words", "earlier_prompt", "later_prompt", "earlier_decoding", "later_decoding",
        "rater", "preference", "preference_label", "both_bad", "blinded", *acceptability_columns(arms),
        *dimension_columns(scheme), *error_columns(scheme, arms), "flagged", "skipped", "note", "active_seconds",
        "wall_seconds", "rated_at", "occasion", "pair", "scheme", "scheme_hash", "role", *_more_columns(arms),
    ]  # fmt: skip


def _more_columns(arms: Sequence[str]) -> list[str]:
    return [*checked_columns(arms), *corrected_columns(arms), PACE]


def arms_in(header: Iterable[str], scheme: Scheme) -> tuple[str, ...]:
    """The arms whose answers a table of any arms holds, in the study's order."""
    asked = dimension_columns(scheme)
    ending = "_checked"
    return tuple(name.removesuffix(ending) for name in header if name.endswith(ending) and name not in asked)
