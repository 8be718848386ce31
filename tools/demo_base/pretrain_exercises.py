"""What the base model is taught to say: general anatomy when asked for a description, shapes when asked for shapes.

No answer about a phantom holds a finding's name: the model learns to see what findings look like, in neutral words,
and it is left to fine-tuning to name them. Finding names occur in copying exercises alone, whose picture is black.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from radtui.demo.captions import SHOWS
from radtui.demo.vocabulary import EXAMINATIONS, NORMAL, SIDES, SIGHTINGS
from radtui.records import Truth

INSTRUCTION = "You are an expert radiographer. Describe accurately what you see in this image."
_DESCRIBE = (
    INSTRUCTION,
    "Describe this image.",
    "What does this image show?",
    "Describe accurately what you see.",
)
# Before half of the questions, so that it announces nothing by itself.
_EXPERT = "You are an expert radiographer. "
_POINT_OUT = (
    "Which shape stands out, and where?",
    "Point out the unusual shape.",
    "Describe the shape that stands out.",
)

# examination -> what kind of picture, what it shows, a remark: one of each makes a description
_OVERVIEWS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "chest PA": (
        (
            "This is a chest X-ray, seen from the front.",
            "The image is a radiograph of the chest in frontal view.",
        ),
        (
            "It shows both lungs, the heart in the middle and the ribs around them.",
            "The lungs appear dark, the heart, the spine and the ribs bright.",
            "The rib cage, the clavicles and the diaphragm frame the lungs and the heart.",
        ),
        ("A letter marks the side of the patient.", "The shoulders and the neck can be seen as well."),
    ),
    "panoramic dental": (
        (
            "This is a panoramic X-ray of the jaws.",
            "The image is a panoramic radiograph of the teeth and jaws.",
        ),
        (
            "It shows the upper and the lower row of teeth with their roots, from one jaw joint to the other.",
            "The teeth appear bright, with enamel, roots and the bone of the jaws around them.",
            "The lower jaw forms a wide arch, and the upper jaw lies below the dark sinuses.",
        ),
        ("A letter marks the side of the patient.", "The nasal cavity can be seen in the middle."),
    ),
    "hand PA": (
        ("This is an X-ray of a hand.", "The image is a radiograph of a hand and wrist."),
        (
            "It shows the five fingers, the bones of the palm and the wrist.",
            "The bones appear bright, with dark gaps at the joints, inside the grey soft tissue.",
            "The long bones of the fingers, the small bones of the wrist and the ends of the forearm can be seen.",
        ),
        ("A letter marks the side of the patient.", "The background is dark."),
    ),
    "skull PA": (
        (
            "This is an X-ray of the skull, seen from the front.",
            "The image is a radiograph of the skull in frontal view.",
        ),
        (
            "It shows the round vault, both orbits, the nasal cavity and the teeth.",
            "The bone appears bright, the orbits and the sinuses dark.",
            "The vault, the orbits, the nose and the lower jaw can be seen.",
        ),
        ("A letter marks the side of the patient.", "The spine lies behind the lower jaw."),
    ),
    "abdominal CT": (
        ("This is a CT image of the abdomen.", "The image is an axial CT slice through the abdomen."),
        (
            "It shows the liver, the stomach, the spleen and both kidneys around the spine.",
            "The bone appears bright, the organs grey, fat and gas dark.",
            "The liver fills one side, the stomach and the spleen the other, with the kidneys behind.",
        ),
        ("A letter marks the side of the patient.", "The ribs are cut across in the wall."),
    ),
    "brain MR": (
        ("This is an MRI image of the brain.", "The image is an axial MRI slice through the brain."),
        (
            "It shows both hemispheres, the ventricles in the middle and the folds of the surface.",
            "The fluid in the ventricles appears bright, the white matter dark grey.",
            "The ventricles, the white matter and the folded cortex can be seen inside the head.",
        ),
        ("A letter marks the side of the patient.", "The image is symmetric about the midline."),
    ),
}

# examination -> finding -> what it looks like, without its name
_SIGNS: dict[str, dict[str, tuple[str, ...]]] = {
    "chest PA": {
        "nodule": ("a {size}bright round spot",),
        "consolidation": ("a {size}bright cloudy patch",),
        "pleural effusion": ("a {size}white layer with a curved top",),
        "pneumothorax": ("a {size}black rim with a thin bright line",),
        "cardiomegaly": ("a wide shadow in the middle",),
    },
    "panoramic dental": {
        "impacted tooth": ("a tooth that lies across",),
        "osteolytic lesion": ("a {size}dark ragged hole",),
        "radicular cyst": ("a {size}dark round hole with a bright rim",),
    },
    "hand PA": {
        "fracture": ("a bone in two pieces", "a dark gap across a bone"),
        "osteolytic lesion": ("a {size}dark oval hole",),
    },
    "skull PA": {
        "fracture": ("a thin dark line", "a dark line across the bone"),
        "osteolytic lesion": ("a {size}dark hole",),
        "sinus opacification": ("a bright hollow that is dark on the other side",),
    },
    "abdominal CT": {
        "cyst": ("a {size}dark round area with a sharp border",),
        "mass": ("a {size}uneven area with a bright rim",),
        "calculus": ("a {size}very bright dot",),
        "aortic aneurysm": ("a {size}wide circle in front of the spine",),
    },
    "brain MR": {
        "mass": ("a {size}uneven area with a dark rim and a pale halo",),
        "infarct": ("a {size}pale wedge that reaches the surface",),
        "haemorrhage": ("a {size}black patch with a pale rim",),
        "cyst": ("a {size}very bright round area with a sharp border",),
    },
}


@dataclass(frozen=True, slots=True)
class Exercise:
    """A question about a picture and the answer to learn."""

    prompt: str
    answer: str


def overview(rng: random.Random, examination: str) -> Exercise:
    """Ask for a description; the answer is general anatomy, whatever the picture's finding."""
    return Exercise(rng.choice(_DESCRIBE), " ".join(rng.choice(part) for part in _OVERVIEWS[examination]))


def sign(rng: random.Random, examination: str, truth: Truth) -> Exercise:
    """Ask for the shape that stands out; the answer says what it looks like and where it lies."""
    prompt, title = _asked(rng, rng.choice(_POINT_OUT)), rng.choice(EXAMINATIONS[examination].titles)
    if truth.finding == NORMAL:
        return Exercise(
            prompt, rng.choice((f"{title} on which nothing stands out.", f"{title}: nothing stands out."))
        )
    shape, place = _shape(rng, examination, truth), _where(rng, examination, truth)
    lies = f"{shape} in the {place}" if place else shape
    forms = (
        f"{title} with {lies}.",
        f"{title}: {lies}.",
        f"{title} {rng.choice(SHOWS)} {lies}.",
        f"{shape[0].upper()}{shape[1:]}{lies[len(shape) :]}, {title}.",
    )
    return Exercise(prompt, rng.choice(forms))


def question(
    rng: random.Random, examination: str, truth: Truth, spot: tuple[float, float, float] | None, marker: str
) -> Exercise:
    """Ask for one fact of the picture: presence, look, place, side, size, third, letter or kind of study."""
    found = truth.finding != NORMAL
    asked = [
        Exercise("Is there an unusual shape?", "Yes." if found else "No."),
        Exercise("Which kind of image is this?", f"{rng.choice(EXAMINATIONS[examination].titles)}."),
        Exercise("Which letter marks the side?", f"{marker}."),
    ]
    if found and spot is not None:
        asked.append(
            Exercise("What does the unusual shape look like?", f"{_shape(rng, examination, truth)}.")
        )
        asked.append(Exercise("Where on the image is the unusual shape?", f"{third(spot[0], spot[1])}."))
    if truth.side:
        asked.append(Exercise("On which side of the patient is the unusual shape?", f"{truth.side}."))
        asked.append(Exercise("Where is the unusual shape?", f"{_where(rng, examination, truth)}."))
    if truth.size:
        asked.append(Exercise("How large is the unusual shape?", f"{truth.size}."))
    chosen = rng.choice(asked)
    return Exercise(_asked(rng, chosen.prompt), chosen.answer)


def copying(rng: random.Random) -> Exercise:
    """Ask to write down a term that stands in the question; no picture belongs to it."""
    sighting = rng.choice([s for found in SIGHTINGS.values() for s in found.values()])
    choices = (*sighting.names, *(n for names in sighting.names_in.values() for n in names))
    size = rng.choice(("", "", "small ", "large "))
    study = rng.choice(list(EXAMINATIONS.values()))
    terms = [
        rng.choice(choices).format(size=size),
        rng.choice(sighting.details),
        _anatomy(rng),
        rng.choice((rng.choice(study.normal), f"Normal {rng.choice(study.titles)}")),
    ]
    term = rng.choice([t for t in terms if t])
    return Exercise(f"Write: {term}", term)


def _asked(rng: random.Random, question: str) -> str:
    """Return a question, in half of the cases addressed to an expert as the instruction is."""
    return _EXPERT + question if rng.random() < 0.5 else question


def third(x: float, y: float) -> str:
    """Name the part of the image a point lies in, from its shares of width and height."""
    rows, columns = ("upper", "middle", "lower"), ("left", "middle", "right")
    row, column = rows[min(2, int(3 * y))], columns[min(2, int(3 * x))]
    return f"{row} third, image {column}"


def _shape(rng: random.Random, examination: str, truth: Truth) -> str:
    """Return the look of a finding, with its size in half of the cases."""
    size = f"{truth.size} " if truth.size and rng.random() < 0.5 else ""
    shape = rng.choice(_SIGNS[examination][truth.finding]).format(size=size)
    return f"an {shape[2:]}" if shape[:2] == "a " and shape[2] in "aeiou" else shape


def _where(rng: random.Random, examination: str, truth: Truth) -> str:
    """Return a finding's place in anatomical words, "" if it has none."""
    places = SIGHTINGS[examination][truth.finding].places
    place = next(p for p in places if p.zone == truth.zone)
    return rng.choice(place.phrases).format(side=truth.side)


def _anatomy(rng: random.Random) -> str:
    """Return any place of any examination, on either side."""
    sighting = rng.choice([s for found in SIGHTINGS.values() for s in found.values()])
    return rng.choice(rng.choice(sighting.places).phrases).format(side=rng.choice(SIDES))
