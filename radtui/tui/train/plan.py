"""What a training job will do, in words, from its settings and the data set's counts; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from radtui.measures.loss_words import loss_words
from radtui.measures.words import left_out_words
from radtui.plural import many
from radtui.settings import TrainSettings, steps_of
from radtui.store.cases import DatasetSummary
from radtui.tui.keys import sign

if TYPE_CHECKING:
    from radtui.study.rated_pairs import Offer


@dataclass(frozen=True, slots=True)
class FormPlan:
    """Sentences for the form: `facts` as label and text, `doubts` that deserve a look before starting."""

    facts: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...] = ()


def plan(settings: TrainSettings, datasets: Sequence[DatasetSummary]) -> FormPlan:
    """What will happen, and what looks wrong; an empty data set name means the newest."""
    chosen = _chosen(settings, datasets)
    if chosen is None:
        named = f"There is no data set {settings.dataset!r}." if settings.dataset else "No data set yet."
        return FormPlan((), (f"{named} Import images first: press {sign('data')}.",))
    train = chosen.splits.get(settings.train_split, 0)
    used = min(train, settings.train_images) if settings.train_images else train
    held_out = chosen.splits.get(settings.eval_split, 0) if settings.eval_split else 0
    facts = [("learns from", f"{many(used, 'image')} of {chosen.name}/{settings.train_split}")]
    if used:
        total = steps_of(settings, used)
        batch = min(settings.effective_batch, used)
        passes = _passes(settings, total, used)
        times = f", {settings.seeds} times with other seeds" if settings.seeds > 1 else ""
        facts.append(("steps", f"{total:,} of {many(batch, 'image')}{times}"))
        facts.append(
            ("passes", f"{passes:,.1f} over the data" if passes < 10 else f"{passes:,.0f} over the data")
        )
    facts.append(("loss", loss_words(settings)))
    facts += _watch_facts(settings, held_out)
    return FormPlan(tuple(facts), tuple(_doubts(settings, chosen, train, held_out)))


def preference_plan(settings: TrainSettings, offer: Offer, datasets: Sequence[DatasetSummary]) -> FormPlan:
    """What learning from rated pairs will do.

    Args:
        settings: The run.
        offer: The pairs as they were counted for the form.
        datasets: For the held-out images that are watched.
    """
    if settings.from_job not in (0, offer.job.id):
        return FormPlan(
            (("learns from", f"the rated pairs of #{settings.from_job}, counted when it starts"),)
        )
    count = len(offer.choice.pairs)
    held_back = min(settings.eval_images, count // 2) if settings.eval_every else 0
    facts = [
        ("learns from", f"{many(count - held_back, 'rated pair')} of #{offer.job.id}"),
        ("begins with", f"the adapter of #{offer.job.id}, a copy bounds it"),
    ]
    facts += [("left out", left_out_words({why: n})) for why, n in offer.choice.left_out.items() if n]
    total = steps_of(settings, count - held_back)
    passes = _passes(settings, total, count - held_back)
    facts.append(("steps", f"{total:,} of {many(settings.effective_batch, 'pair')}"))
    facts.append(("passes", f"{passes:,.1f} over the pairs"))
    facts.append(("loss", loss_words(settings)))
    facts.append(("holds back", f"{many(held_back, 'pair')} to evaluate on" if held_back else "no pairs"))
    chosen = _chosen(settings, datasets)
    watched = min(chosen.splits.get(settings.eval_split, 0), settings.watch_images) if chosen else 0
    if watched:
        when = "each time" if held_back else "before and after"
        facts.append(("describes", f"{many(watched, 'held-out image')} {when}, for you to watch"))
    saves = _every(settings.checkpoint_every) if settings.checkpoint_every else "at the end only"
    return FormPlan((*facts, ("saves", f"a checkpoint {saves}")))


def _passes(settings: TrainSettings, steps: int, images: int) -> float:
    """How often each image is learnt; the last step of a pass takes only what is left of it."""
    return steps / steps_of(replace(settings, max_steps=0, epochs=1.0), images)


def _chosen(settings: TrainSettings, datasets: Sequence[DatasetSummary]) -> DatasetSummary | None:
    if not settings.dataset:
        return datasets[0] if datasets else None
    return next((dataset for dataset in datasets if dataset.name == settings.dataset), None)


def _watch_facts(settings: TrainSettings, held_out: int) -> list[tuple[str, str]]:
    facts = []
    if settings.eval_split and settings.eval_every and settings.eval_images:
        count = min(held_out, settings.eval_images)
        facts.append(("evaluates", f"{many(count, 'held-out image')} {_every(settings.eval_every)}"))
        if settings.watch_images:
            facts.append(
                ("describes", f"{min(held_out, settings.watch_images)} of them each time, for you to watch")
            )
    else:
        facts.append(("evaluates", "nothing: no eval split, images or interval"))
    saves = _every(settings.checkpoint_every) if settings.checkpoint_every else "at the end only"
    facts.append(("saves", f"a checkpoint {saves}"))
    return facts


def _doubts(settings: TrainSettings, chosen: DatasetSummary, train: int, held_out: int) -> list[str]:
    doubts = []
    there = ", ".join(chosen.splits) or "none"
    if not train:
        doubts.append(f"{chosen.name} has no split {settings.train_split!r}; it has {there}.")
    if settings.eval_split and not held_out:
        doubts.append(
            f"{chosen.name} has no split {settings.eval_split!r} to evaluate on; it has {there}."
            " Empty eval_split, or import it under another name with some held out."
        )
    if settings.eval_split and settings.eval_split == settings.train_split:
        doubts.append("The evaluation uses the images it learns from: its loss says nothing about new ones.")
    if chosen.leaked:
        leaked = many(chosen.leaked, "image is", "images are")
        doubts.append(f"{leaked} in more than one split: held-out results are too good.")
    if chosen.unreadable:
        which = many(chosen.unreadable, "image cannot be read and is", "images cannot be read and are")
        doubts.append(f"{which} left out.")
    if settings.describe_order not in ("as_trained", settings.message_order):
        doubts.append("It learns in one message order and describes in the other.")
    return doubts


def _every(steps: int) -> str:
    return "after every step" if steps == 1 else f"every {steps:,} steps"
