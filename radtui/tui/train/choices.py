"""What the form of a training job can offer: data sets, models, presets, and what raters have to teach."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from radtui.jobs.known_models import known_models
from radtui.paths import DataDir
from radtui.presets import PRESETS
from radtui.records import JobKind, UserError
from radtui.settings import TrainSettings
from radtui.store import cases, jobs, ratings
from radtui.store.cases import DatasetSummary
from radtui.tui.train.correction_plan import correction_plan
from radtui.tui.train.plan import FormPlan, plan, preference_plan

if TYPE_CHECKING:
    from radtui.study.learn_corrections import CorrectionOffer
    from radtui.study.rated_pairs import Offer

FROM_RATINGS = "preferences"  # the preset of jobs that learn from rated pairs
FROM_CORRECTIONS = "corrections"  # and of those that learn corrected and accepted texts


@dataclass(frozen=True, slots=True)
class Choices:
    """What is known so far; each part is read on its own.

    Attributes:
        datasets: Newest first.
        models: Names used before, then those of the presets.
        offer: What can be learnt from raters: a proposal, why there is none yet, or None where nothing is rated.
        corrections: The same of corrected and accepted texts.
    """

    datasets: Sequence[DatasetSummary] = ()
    models: Sequence[str] = ()
    offer: Offer | str | None = None
    corrections: CorrectionOffer | str | None = None

    @property
    def proposal(self) -> Offer | None:
        """The offer, where there is enough to learn from."""
        return None if isinstance(self.offer, str) else self.offer

    @property
    def proposed_corrections(self) -> CorrectionOffer | None:
        """The offer of corrected texts, where there are enough to learn."""
        return None if isinstance(self.corrections, str) else self.corrections

    @property
    def presets(self) -> list[str]:
        """The presets that can be chosen now."""
        waiting = {FROM_RATINGS} if self.proposal is None else set()
        waiting |= {FROM_CORRECTIONS} if self.proposed_corrections is None else set()
        return [name for name in PRESETS if name not in waiting]

    def plan(self, settings: TrainSettings) -> FormPlan:
        """What a run with these settings will do."""
        if settings.learns_corrections:
            if self.proposed_corrections is not None:
                return correction_plan(settings, self.proposed_corrections)
            return FormPlan((), (self.corrections,) if isinstance(self.corrections, str) else ())
        if not settings.learns_preferences:
            return plan(settings, self.datasets)
        if self.proposal is not None:
            return preference_plan(settings, self.proposal, self.datasets)
        return FormPlan((), (self.offer,) if isinstance(self.offer, str) else ())


def read_names(db: sqlite3.Connection) -> tuple[list[DatasetSummary], list[str]]:
    """The data sets, and the names of models known here."""
    used = [str(job.settings.get("model", "")) for job in jobs.all_jobs(db) if job.kind is JobKind.TRAIN]
    known = [*used, *(preset.model for preset in PRESETS.values()), *(each.name for each in known_models())]
    return cases.datasets(db), list(dict.fromkeys(model for model in known if model))


def read_offer(db: sqlite3.Connection, data: DataDir) -> Offer | str | None:
    """What can be learnt from raters, as in `Choices`; takes seconds for many thousands of ratings."""
    if not ratings.rated_training_jobs(db):
        return None
    from radtui.study.rated_pairs import offer
    from radtui.study.study import scheme_for

    try:
        return offer(db, scheme_for(data), PRESETS[FROM_RATINGS])
    except UserError as error:
        return str(error)


def read_corrections(db: sqlite3.Connection, data: DataDir, job_id: int) -> CorrectionOffer | str | None:
    """What can be learnt of corrected and accepted texts, as in `Choices`; takes seconds for many ratings.

    Args:
        db: The database.
        data: The data folder.
        job_id: The training job whose texts are meant, 0 for the newest with enough of them.
    """
    if not ratings.read_training_jobs(db):
        return None
    from radtui.study.learn_corrections import offer_corrections
    from radtui.study.study import scheme_for

    try:
        asked = replace(PRESETS[FROM_CORRECTIONS], from_job=job_id)
        return offer_corrections(db, scheme_for(data), asked)
    except UserError as error:
        return str(error)
