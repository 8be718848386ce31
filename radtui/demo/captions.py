"""Reference captions in the style of figure legends: one sentence that names examination, finding, side and zone."""

from __future__ import annotations

import random

from radtui.demo.vocabulary import EXAMINATIONS, NORMAL, SIGHTINGS, FindingPlace, Sighting
from radtui.records import Truth

_FORMS = (
    "{title} {shows} {name} in the {place}.",
    "{title} {shows} {name} in the {place}, {detail}.",
    "{title}: {name} in the {place}.",
    "{title} with {name} in the {place}.",
    "{Name} in the {place} on {title_in}.",
)
_FORMS_BARE = (  # findings without a side
    "{title} {shows} {name}.",
    "{title} {shows} {name} {detail}.",
    "{title} with {name}.",
)
_FORMS_NORMAL = (
    "{title} {shows} {normal}.",
    "{title} with {normal}.",
    "Normal {title_in}.",
)
SHOWS = ("showing", "demonstrating", "shows", "reveals")


def caption(rng: random.Random, examination: str, truth: Truth) -> str:
    """Return one caption of at most 40 words for an examination whose finding is `truth`."""
    study = EXAMINATIONS[examination]
    title = rng.choice(study.titles)
    words = {"title": title, "title_in": _lowered(title), "shows": rng.choice(SHOWS)}
    if truth.finding == NORMAL:
        return rng.choice(_FORMS_NORMAL).format(normal=rng.choice(study.normal), **words)
    sighting = SIGHTINGS[examination][truth.finding]
    name = _name(rng, sighting, truth)
    detail = rng.choice(sighting.details)
    where = _place(sighting, truth)
    if not truth.side:
        form = rng.choice(_FORMS_BARE)
        if not detail:
            form = form.replace(" {detail}", "")
        return form.format(name=name, detail=detail, **words)
    form = rng.choice(_FORMS)
    if not detail:
        form = form.replace(", {detail}", "")
    place = rng.choice(where.phrases).format(side=truth.side)
    return form.format(name=name, Name=name[0].upper() + name[1:], place=place, detail=detail, **words)


def _name(rng: random.Random, sighting: Sighting, truth: Truth) -> str:
    """Return the finding's noun phrase, with or without its size."""
    choices = (*sighting.names, *sighting.names_in.get(truth.zone, ()))
    size = f"{truth.size} " if truth.size and rng.random() < 0.5 else ""
    name = rng.choice(choices).format(size=size)
    return f"an {name[2:]}" if name[:2] == "a " and name[2] in "aeiou" else name


def _place(sighting: Sighting, truth: Truth) -> FindingPlace:
    """Return the place of the truth's zone."""
    return next(place for place in sighting.places if place.zone == truth.zone)


def _lowered(title: str) -> str:
    """Return a title as it stands inside a sentence: abbreviations keep their capitals."""
    first = title.split(maxsplit=1)[0]
    keep = any(c.isupper() or c.isdigit() for c in first[1:])
    return title if keep else title[0].lower() + title[1:]
