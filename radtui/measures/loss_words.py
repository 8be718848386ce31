"""What a training job's loss is taken over, in words: losses of different things cannot be compared."""

from __future__ import annotations

from radtui.settings import TrainSettings


def loss_words(settings: TrainSettings) -> str:
    """The loss as charts, forms and reports name it: "answer-only loss"."""
    if settings.learns_preferences:
        return "DPO loss, 0.69 at the start"  # -log sigmoid(0)
    if settings.learns_corrections:
        return "answer-only loss of corrected and accepted texts"
    return "answer-only loss" if settings.loss_on == "answer" else "loss on prompt and answer"


def loss_note(settings: TrainSettings) -> str:
    """The same behind the title of a chart of losses: "answer-only"."""
    return loss_words(settings).removesuffix(" loss")
