"""What a study's rows say of how it was made, a sentence each, for the methods and the checklists; "" where unknown."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import PurePath

from radtui import __version__
from radtui.export.report.gather import Gathered
from radtui.measures.words import HASH_LETTERS, estimate, left_out_words, share
from radtui.records import Arm, ArmKind
from radtui.settings import TrainSettings, value_text


def models(told: Gathered) -> str:
    """Every model arm with its weights and adapter."""
    return "; ".join(
        _model_words(name, arm)
        for name, arm in zip(told.study.arm_names, told.arms, strict=True)
        if arm.kind is ArmKind.MODEL
    )


def _model_words(name: str, arm: Arm) -> str:
    words = f"{name}: {PurePath(arm.model).name or 'a model whose name is not stored'}"
    if arm.weights:
        words += f", weights {arm.weights}"
    return words + (f", adapter {PurePath(arm.adapter).name}" if arm.adapter else "")


def dates(told: Gathered) -> str:
    """On which days the texts were written."""
    days = sorted({_day(when) for when in told.text_times})
    return "" if not days else days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _day(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d")


def decoding(told: Gathered) -> str:
    """How each model arm's texts were drawn, and how many of a case."""
    ways = {arm.decoding for arm in told.arms if arm.kind is ArmKind.MODEL and arm.decoding}
    if not ways:
        return ""
    drawn = max((arm.sample for arm in told.arms), default=0) + 1
    many = "one text of each case and arm" if drawn == 1 else f"up to {drawn} texts of a case, each an arm"
    return f"{' and '.join(sorted(ways))}; {many}"


def prompts(told: Gathered) -> str:
    """What models were asked, word for word."""
    asked = {arm.instruction for arm in told.arms if arm.kind is ArmKind.MODEL and arm.instruction}
    words = "; ".join(f'"{each}"' for each in sorted(asked))
    own = sum(bool(case.question) for case in told.described)
    if own:
        words += (
            f"{'; ' if words else ''}{own:,} of {len(told.described):,} cases have a question of their own"
        )
    return words


def split_words(told: Gathered) -> str:
    """Which splits the compared cases are of."""
    counts = Counter(case.split for case in told.described)
    return ", ".join(f"{count:,} of split {name}" for name, count in sorted(counts.items()))


def disjoint(told: Gathered) -> str:
    """At which level cases that were learnt and those that are compared are apart."""
    if told.dataset is None:
        return ""
    level = "patient" if any(case.patient for case in told.described) else "image"
    leaked = told.dataset.leaked
    found = (
        f"{leaked:,} images of the data set are in more than one split"
        if leaked
        else "no image is in two splits"
    )
    return f"by {level}, as far as the source tells; {found}"


def learnt(told: Gathered) -> str:
    """How the tuned model was trained, and from how much."""
    if told.train is None:
        return ""
    how = TrainSettings.from_dict(told.train.settings)
    images = f"{told.learnt:,} images" if told.learnt else "images of which the number is not stored"
    return (
        f"LoRA of rank {how.lora_r}, alpha {how.lora_alpha}, from {images}: {told.train.step:,} steps of"
        f" {how.effective_batch}, learning rate {how.learning_rate:g} ({how.scheduler}), {how.optimizer}, seeds"
        f" {how.seed} and {how.lora_seed}"
    )


def versions(told: Gathered) -> str:
    """Versions of radtui and of what it trained with."""
    stored = told.train.result.get("versions") if told.train is not None else None
    return f"radtui {__version__}" + (f"; {value_text(stored)}" if stored else "")


def compute(told: Gathered) -> str:
    """Time and memory of the training, and on what."""
    if told.train is None:
        return ""
    done, parts = told.train.result, []
    if isinstance(seconds := done.get("seconds"), (int, float)):
        parts.append(f"{seconds / 3600:.2f} h in the training loop")
    if isinstance(peak := done.get("peak_memory_gib"), (int, float)) and peak:
        parts.append(f"{peak:.1f} GiB at most")
    if gpu := done.get("gpu"):
        parts.append(value_text(gpu))
    return ", ".join(parts)


def readers(told: Gathered) -> str:
    """How many readers there were, and how much each read; who they are is not stored."""
    counts = Counter(rating.rater for rating in told.review.counting()[0])
    if not counts:
        return ""
    ratings = sum(counts.values())
    return (
        f"{len(counts)} reader{'' if len(counts) == 1 else 's'} with {ratings:,} ratings that count"
        f" ({', '.join(f'{count:,}' for count in sorted(counts.values(), reverse=True))})"
    )


def scheme(told: Gathered) -> str:
    """Which questions were asked."""
    of = told.review.scheme
    return f"scheme {of.id} version {of.version}, SHA-256 {of.sha256[:HASH_LETTERS]}"


def agreement(told: Gathered) -> str:
    """Agreement of readers with each other and with themselves."""
    parts = []
    if told.summary.agreement:
        parts.append(f"Krippendorff's alpha of the preference {estimate(told.summary.agreement.alpha)}")
    if told.summary.repeats:
        parts.append(f"the same answer to a hidden repeat in {share(told.summary.repeats.same)}")
    return "; ".join(parts)


def blinding(told: Gathered) -> str:
    """What readers did not see, and which ratings are left out for it."""
    left = told.review.counting()[1]
    words = left_out_words({name: getattr(left, name) for name in left.__slots__})
    return "arms hidden, sides drawn at random by case and reader; left out: " + (words or "nothing")


def lock(told: Gathered) -> str:
    """When the protocol was locked, its hash, and what has changed since."""
    if told.study.locked_at is None:
        return ""
    digest = str(told.study.protocol.get("sha256", ""))[:HASH_LETTERS]
    changed = "; ".join(told.changes).rstrip(".") or "nothing"
    return f"locked on {_day(told.study.locked_at)}, SHA-256 {digest}; changed since: {changed}"


def patients(told: Gathered) -> str:
    """How many patients and exams the compared cases are of, where the source tells."""
    people = {case.patient for case in told.described if case.patient}
    exams = {case.exam for case in told.described if case.exam}
    parts = [f"{len(told.described):,} cases"]
    if people:
        parts.append(f"of {len(people):,} patients")
    if exams:
        parts.append(f"in {len(exams):,} exams")
    return " ".join(parts)


def unread(told: Gathered) -> str:
    """Images that could not be read, and texts that are missing."""
    parts = []
    if told.dataset is not None and told.dataset.unreadable:
        parts.append(f"{told.dataset.unreadable:,} unreadable images left out")
    cut = sum(told.truncated.values())
    if cut:
        parts.append(f"{cut:,} texts cut off at the longest length")
    return "; ".join(parts) or "no image was unreadable and no text cut off"
