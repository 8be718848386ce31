"""What learning corrected and accepted texts will do, in words; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radtui.measures.loss_words import loss_words
from radtui.measures.words import left_out_words
from radtui.plural import many
from radtui.settings import HELD_BACK, TrainSettings, steps_of
from radtui.tui.train.plan import FormPlan

if TYPE_CHECKING:
    from radtui.study.learn_corrections import CorrectionOffer


def correction_plan(settings: TrainSettings, offer: CorrectionOffer) -> FormPlan:
    """What learning from corrections will do.

    Args:
        settings: The run.
        offer: The texts as they were counted for the form.
    """
    if settings.from_job not in (0, offer.job.id):
        return FormPlan(
            (("learns from", f"texts of #{settings.from_job} as readers left them, counted when it starts"),)
        )
    texts = offer.texts
    rows = texts.accepted + settings.correction_weight * texts.corrected
    learnt = rows - rows // HELD_BACK if settings.eval_every else rows
    total = steps_of(settings, learnt)
    facts = [
        ("learns from", offer.words),
        ("weight", f"a corrected text {many(settings.correction_weight, 'time')}, an accepted one once"),
        ("begins with", f"the adapter of #{offer.job.id}, which wrote them"),
        *(("left out", left_out_words({why: n})) for why, n in texts.left_out.items() if n),
        ("steps", f"about {total:,} of {many(settings.effective_batch, 'text')}"),
        ("loss", loss_words(settings)),
    ]
    if settings.eval_every:
        facts.append(("holds back", f"one case of {HELD_BACK}, and keeps the adapter that does best on them"))
    return FormPlan(tuple(facts))
