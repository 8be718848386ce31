"""What an undo took back and what stays, as A and B stood: words that give nothing away."""

from __future__ import annotations

from radtui.measures.scheme import Scheme, parse_answer
from radtui.plural import many
from radtui.records import Rating
from radtui.study import edits
from radtui.study.undo import Undo


def undo_words(step: Undo, scheme: Scheme) -> str:
    """Say what was taken back, what stays of the pair, and that what was seen stays seen."""
    before = answered(step.restored, scheme) if step.restored is not None else {}
    undone = answered(step.undone, scheme)
    gone = [words for part, words in undone.items() if before.get(part) != words]
    gone += [f"that {words} was taken off" for part, words in before.items() if part not in undone]
    sentence = f"Taken back: {', '.join(gone) or 'nothing that was answered'}."
    if before:
        sentence += f" Stays: {', '.join(before.values())}."
    if not step.undone.blinded:
        sentence += " The pair stays un-blinded."
    return sentence


def answered(rating: Rating, scheme: Scheme) -> dict[str, str]:
    """What a rating says, by part; texts are called A and B."""
    parts: dict[str, str] = {}
    if words := edits.in_words(rating, scheme):
        parts["preference"] = words
    errors: dict[str, int] = {}
    for key, value in rating.answers.items():
        about = parse_answer(key)
        if about is None:
            parts[key] = f"the comparison of {key.removeprefix('dim.')}"
            if (level := edits.chosen_level(rating, scheme, key)) is not None:
                parts[key] += f" ({scheme.preference[level].label})"
            continue
        side = "A" if about.arm == rating.left_arm else "B"
        match about.kind:
            case "acceptability":
                parts[key] = f"acceptability {value} of {side}"
            case "checked":
                parts[key] = f"errors of {side} checked"
            case "accepted":
                parts[key] = f"{side} taken as it is"
            case _:
                errors[side] = errors.get(side, 0) + value
    parts |= {f"errors.{side}": f"{many(count, 'error')} in {side}" for side, count in sorted(errors.items())}
    for arm in rating.corrections:
        parts[f"correction.{arm}"] = f"the correction of {'A' if arm == rating.left_arm else 'B'}"
    if rating.note:
        parts["note"] = "the note"
    if rating.flagged:
        parts["flag"] = "the flag"
    return parts
