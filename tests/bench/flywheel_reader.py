"""A simulated reader, for the benchmark of learning from corrections: edits findings, sides and zones, nothing else."""

from __future__ import annotations

import random
import re

from radtui.demo.vocabulary import NORMAL
from radtui.measures.extraction import Mention, extract
from radtui.records import Truth

NOISE = 0.1  # of the texts are taken as they are, whatever they say; of two, chance decides
TIE = 2  # the level in the middle of five
OTHER = {"left": "right", "right": "left"}
_VERB = re.compile(r"\b(?:showing|demonstrating|shows|reveals|with|without)\b|:", re.I)


def corrected(text: str, truth: tuple[Truth, ...], rng: random.Random) -> str:
    """The text as the reader leaves it; the reference is never looked at.

    Args:
        text: As the model wrote it.
        truth: What is in the image.
        rng: Decides what is overlooked.
    """
    if rng.random() < NOISE:
        return text
    known = next((one for one in truth if one.finding != NORMAL), None)
    mentions = [mention for mention in extract(text).mentions if mention.asserted and not mention.generic]
    if known is None:
        return text if not mentions else f"{_beginning(text)} shows no abnormality."
    right = next((mention for mention in mentions if mention.finding == known.finding), None)
    if right is None:
        return f"{_beginning(text)} shows {_in_words(known)}."
    return _moved(text, right, known)


def preferred_level(left: str, right: str, truth: tuple[Truth, ...], rng: random.Random) -> int:
    """Which of two texts the reader prefers, as a level of five from clearly left to clearly right.

    Args:
        left: The text on the left.
        right: The text on the right.
        truth: What is in the image.
        rng: Decides where chance answers instead.
    """
    if rng.random() < NOISE:
        return rng.choice((1, TIE, 3))
    better = _worth(right, truth) - _worth(left, truth)
    return TIE if better == 0 else 3 if better > 0 else 1


def _worth(text: str, truth: tuple[Truth, ...]) -> float:
    """What a reader counts in a text's favour: the finding, its side and zone; against it, each that is not there."""
    mentions = [mention for mention in extract(text).mentions if mention.asserted and not mention.generic]
    known = next((one for one in truth if one.finding != NORMAL), None)
    right = next((mention for mention in mentions if known and mention.finding == known.finding), None)
    invented = sum(known is None or mention.finding != known.finding for mention in mentions)
    if right is None or known is None:
        return -invented
    return 2 + 0.5 * (right.side == known.side) + 0.5 * (right.zone == known.zone) - invented


def _moved(text: str, mention: Mention, known: Truth) -> str:
    """The same text with side and zone put right, word for word where they stand in it."""
    side = known.side
    if side in OTHER and mention.side == OTHER[side]:
        text = re.sub(rf"\b{mention.side}\b", side, text, flags=re.I)
    elif side and mention.side != side:
        return f"{_beginning(text)} shows {_in_words(known)}."
    if known.zone and mention.zone and mention.zone != known.zone:
        moved = re.sub(rf"\b{re.escape(mention.zone)}\b", known.zone, text, flags=re.I)
        return moved if moved != text else f"{_beginning(text)} shows {_in_words(known)}."
    return text


def _beginning(text: str) -> str:
    """What the text says of the examination: all before what it shows."""
    found = _VERB.search(text)
    return text[: found.start()].strip(" ,") if found and found.start() else text.rstrip(" .")


def _in_words(known: Truth) -> str:
    place = " ".join(filter(None, (known.side, known.zone)))
    article = "an" if known.finding[0] in "aeiou" else "a"
    return f"{article} {known.finding}" + (f" in the {place}" if place else "")
