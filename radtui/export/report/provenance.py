"""What a study's rows say of how it was made, a sentence each, for the methods and the checklists; "" where unknown."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import PurePath

from radtui import __version__
from radtui.export.report.gather import Gathered
from radtui.measures.words import HASH_LETTERS, alpha_words, left_out_words, share
from radtui.plural import many
from radtui.records import Arm, ArmKind
from radtui.settings import TrainSettings, value_text


def models(gathered: Gathered) -> str:
    """Every model arm with its weights and adapter."""
    return "; ".join(
        _model_words(name, arm)
        for name, arm in zip(gathered.study.arm_names, gathered.arms, strict=True)
        if arm.kind is ArmKind.MODEL
    )


def _model_words(name: str, arm: Arm) -> str:
    words = f"{name}: {PurePath(arm.model).name or 'a model whose name is not stored'}"
    if arm.weights:
        words += f", weights {arm.weights}"
    return words + (f", adapter {PurePath(arm.adapter).name}" if arm.adapter else "")


def dates(gathered: Gathered) -> str:
    """On which days the texts were written."""
    days = sorted({_day(when) for when in gathered.text_times})
    return "" if not days else days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _day(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d")


def decoding(gathered: Gathered) -> str:
    """How each model arm's texts were drawn, and how many of a case."""
    ways = {arm.decoding for arm in gathered.arms if arm.kind is ArmKind.MODEL and arm.decoding}
    if not ways:
        return ""
    drawn = max((arm.sample for arm in gathered.arms), default=0) + 1
    texts = "one text of each case and arm" if drawn == 1 else f"up to {drawn} texts of a case, each an arm"
    return f"{' and '.join(sorted(ways))}; {texts}"


def prompts(gathered: Gathered) -> str:
    """What models were asked, word for word."""
    asked = {arm.instruction for arm in gathered.arms if arm.kind is ArmKind.MODEL and arm.instruction}
    words = "; ".join(f'"{each}"' for each in sorted(asked))
    own = sum(bool(case.question) for case in gathered.described)
    if own:
        words += f"{'; ' if words else ''}{own:,} of {len(gathered.described):,} cases have a question of their own"
    return words


def split_words(gathered: Gathered) -> str:
    """Which splits the compared cases are of."""
    counts = Counter(case.split for case in gathered.described)
    return ", ".join(f"{count:,} of split {name}" for name, count in sorted(counts.items()))


def disjoint(gathered: Gathered) -> str:
    """At which level cases that were learnt and those that are compared are apart."""
    if gathered.dataset is None:
        return ""
    level = "patient" if any(case.patient for case in gathered.described) else "image"
    leaked = gathered.dataset.leaked
    overlap = (
        f"{leaked:,} images of the data set are in more than one split"
        if leaked
        else "no image is in two splits"
    )
    return f"by {level}, as far as the source tells; {overlap}"


def learnt(gathered: Gathered) -> str:
    """How the tuned model was trained, and from how much."""
    if gathered.train is None:
        return ""
    settings = TrainSettings.from_dict(gathered.train.settings)
    images = f"{gathered.learnt:,} images" if gathered.learnt else "images of which the number is not stored"
    return (
        f"LoRA of rank {settings.lora_r}, alpha {settings.lora_alpha}, from {images}: {gathered.train.step:,} steps of"
        f" {settings.effective_batch}, learning rate {settings.learning_rate:g} ({settings.scheduler}),"
        f" {settings.optimizer}, seeds {settings.seed} and {settings.lora_seed}"
    )


def versions(gathered: Gathered) -> str:
    """Versions of radtui and of what it trained with."""
    stored = gathered.train.result.get("versions") if gathered.train is not None else None
    return f"radtui {__version__}" + (f"; {value_text(stored)}" if stored else "")


def compute(gathered: Gathered) -> str:
    """Time and memory of the training, and on what."""
    if gathered.train is None:
        return ""
    done, parts = gathered.train.result, []
    if isinstance(seconds := done.get("seconds"), (int, float)):
        parts.append(f"{seconds / 3600:.2f} h in the training loop")
    if isinstance(peak := done.get("peak_memory_gib"), (int, float)) and peak:
        parts.append(f"{peak:.1f} GiB at most")
    if gpu := done.get("gpu"):
        parts.append(value_text(gpu))
    return ", ".join(parts)


def readers(gathered: Gathered) -> str:
    """How many readers there were, and how much each read; who they are is not stored."""
    counts = Counter(rating.rater for rating in gathered.review.counting()[0])
    if not counts:
        return ""
    ratings = sum(counts.values())
    return (
        f"{many(len(counts), 'reader')} with {ratings:,} ratings that count"
        f" ({', '.join(f'{count:,}' for count in sorted(counts.values(), reverse=True))})"
    )


def scheme(gathered: Gathered) -> str:
    """Which questions were asked."""
    of = gathered.review.scheme
    return f"scheme {of.id} version {of.version}, SHA-256 {of.sha256[:HASH_LETTERS]}"


def agreement(gathered: Gathered) -> str:
    """Agreement of readers with each other and with themselves."""
    parts = []
    if gathered.summary.agreement:
        parts.append(
            f"Krippendorff's alpha of the preference {alpha_words(gathered.summary.agreement.alpha)}"
        )
    if gathered.summary.repeats:
        parts.append(f"the same answer to a hidden repeat in {share(gathered.summary.repeats.same)}")
    return "; ".join(parts)


def blinding(gathered: Gathered) -> str:
    """What readers did not see, and which ratings are left out for it."""
    left = gathered.review.counting()[1]
    words = left_out_words(left.by_reason)
    return "arms hidden, sides drawn at random by case and reader; left out: " + (words or "nothing")


def lock(gathered: Gathered) -> str:
    """When the protocol was locked, its hash, and what has changed since."""
    if gathered.study.locked_at is None:
        return ""
    digest = str(gathered.study.protocol.get("sha256", ""))[:HASH_LETTERS]
    changed = "; ".join(gathered.changes).rstrip(".") or "nothing"
    return f"locked on {_day(gathered.study.locked_at)}, SHA-256 {digest}; changed since: {changed}"


def patients(gathered: Gathered) -> str:
    """How many patients and exams the compared cases are of, where the source tells."""
    people = {case.patient for case in gathered.described if case.patient}
    exams = {case.exam for case in gathered.described if case.exam}
    parts = [f"{len(gathered.described):,} cases"]
    if people:
        parts.append(f"of {len(people):,} patients")
    if exams:
        parts.append(f"in {len(exams):,} exams")
    return " ".join(parts)


def unread(gathered: Gathered) -> str:
    """Images that could not be read, and texts that are missing."""
    parts = []
    if gathered.dataset is not None and gathered.dataset.unreadable:
        parts.append(f"{gathered.dataset.unreadable:,} unreadable images left out")
    cut = sum(gathered.truncated.values())
    if cut:
        parts.append(f"{cut:,} texts cut off at the longest length")
    return "; ".join(parts) or "no image was unreadable and no text cut off"
