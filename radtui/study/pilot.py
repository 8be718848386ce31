"""What a pilot says of two arms: how their preferences vary between readers and between cases."""

from __future__ import annotations

from dataclasses import dataclass

from radtui.measures.plain import PlainFields
from radtui.measures.planning import Components, components_of
from radtui.plural import many
from radtui.records import UserError
from radtui.study.study import Review


@dataclass(frozen=True, slots=True)
class Pilot(PlainFields):
    """Two arms of a pilot, with the parts of the variance of their preferences (-1, 0 or 1)."""

    arms: tuple[str, str]
    parts: Components
    ratings: int
    readers: int
    cases: int

    def sentence(self) -> str:
        """For people."""
        earlier, later = self.arms
        parts = self.parts
        return (
            f"Pilot, {later} against {earlier}: {many(self.ratings, 'rating')} of {many(self.readers, 'reader')} on"
            f" {many(self.cases, 'case')}, difference {parts.mean:+.2f}; variance of readers {parts.reader:.3f}, cases"
            f" {parts.case:.3f}, rest {parts.rest:.3f}."
        )


def read_pilot(review: Review, arms: tuple[str, ...] = ()) -> Pilot:
    """Take a pilot's variances; ratings count as in the statistics.

    Raises:
        UserError: The study has no such arms, or too few ratings of them to tell readers from cases.
    """
    names = review.study.arm_names
    chosen = arms or names[-2:]
    if len(chosen) != 2 or any(arm not in names for arm in chosen):
        raise UserError(f"Name two arms of the study, as in --arms {','.join(names[-2:])}.")
    earlier, later = sorted(chosen, key=names.index)
    rows = [row for row in review.counting()[0] if row.shown == (earlier, later)]
    rows = [row for row in rows if row.preference is not None or row.both_bad]
    import numpy as np

    readers = sorted({row.rater for row in rows})
    cases = sorted({row.case_id for row in rows})
    values = np.array([float(np.sign(row.preference or 0)) for row in rows])
    of_reader = np.array([readers.index(row.rater) for row in rows], dtype=int)
    of_case = np.searchsorted(np.array(cases, dtype=int), [row.case_id for row in rows])
    try:
        parts = components_of(values, of_reader, of_case)
    except ValueError as error:
        raise UserError(f"{later} against {earlier} cannot be planned from this pilot: {error}.") from error
    return Pilot((earlier, later), parts, len(rows), len(readers), len(cases))
