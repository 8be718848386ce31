"""The demo's words: its examinations, findings, sides and zones, and how captions say each of them.

Whatever must agree on a name reads it here: phantoms, captions, scores, the recipe of the base model.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NORMAL = "normal"  # the finding of a study without one
SIDES = ("right", "left")  # the patient's; the right side is on the image's left


@dataclass(frozen=True, slots=True)
class Examination:
    """A kind of study.

    Attributes:
        name: canonical name, as in `Image.examination`.
        titles: how a caption begins.
        keywords: lower-case words; a text that holds one of them names this examination.
        normal: what a caption of a normal study says after its title.
    """

    name: str
    titles: tuple[str, ...]
    keywords: tuple[str, ...]
    normal: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingPlace:
    """Where a finding can lie in an examination: the zone, its allowed sides and its phrases.

    A phrase holds `{side}` once. A place without a zone has `zone=""`; one without a side, `sides=("",)`.
    """

    zone: str
    phrases: tuple[str, ...]
    sides: tuple[str, ...] = SIDES


@dataclass(frozen=True, slots=True)
class Sighting:
    """How one finding appears in one examination.

    Attributes:
        places: where it can lie.
        names: noun phrases of a caption; `{size}` is replaced by the size and a blank, or by nothing.
        details: what else a caption may say of it, always true of the phantom; "" for nothing.
        sizes: the sizes it is drawn in, or ("",).
        names_in: noun phrases for one zone alone, used beside `names`.
    """

    places: tuple[FindingPlace, ...]
    names: tuple[str, ...]
    details: tuple[str, ...] = ("",)
    sizes: tuple[str, ...] = ("small", "large")
    names_in: dict[str, tuple[str, ...]] = field(default_factory=dict)


EXAMINATIONS: dict[str, Examination] = {
    e.name: e
    for e in (
        Examination(
            "chest PA",
            (
                "Chest X-ray",
                "Posteroanterior chest radiograph",
                "Chest radiograph (PA view)",
                "Frontal chest radiograph",
            ),
            ("chest",),
            (
                "clear lungs and a heart of normal size",
                "no abnormality of heart and lungs",
                "normal findings",
            ),
        ),
        Examination(
            "panoramic dental",
            (
                "Panoramic radiograph",
                "Panoramic dental radiograph",
                "Orthopantomogram",
                "Panoramic radiography of the jaws",
            ),
            ("panoramic", "orthopantomogram"),
            ("no abnormality of teeth and jaws", "normal teeth and jaws", "normal findings"),
        ),
        Examination(
            "hand PA",
            (
                "Hand X-ray",
                "Posteroanterior radiograph of the hand",
                "Hand radiograph (PA view)",
                "Plain radiograph of the hand",
            ),
            ("hand",),
            ("no abnormality of bones and joints", "normal bones and joints", "normal findings"),
        ),
        Examination(
            "skull PA",
            (
                "Skull X-ray",
                "Posteroanterior skull radiograph",
                "Skull radiograph (PA view)",
                "Plain radiograph of the skull",
            ),
            ("skull",),
            ("no abnormality of the skull", "normal calvaria and sinuses", "normal findings"),
        ),
        Examination(
            "abdominal CT",
            (
                "Axial CT of the abdomen",
                "Abdominal CT",
                "Contrast-enhanced abdominal CT",
                "Axial abdominal CT image",
            ),
            ("abdom",),
            ("no abnormality of the abdominal organs", "normal liver, spleen and kidneys", "normal findings"),
        ),
        Examination(
            "brain MR",
            (
                "Axial T2-weighted MRI of the brain",
                "Brain MRI",
                "Axial brain MRI",
                "T2-weighted brain MR image",
            ),
            ("brain",),
            ("no abnormality of the brain", "normal signal of the brain", "normal findings"),
        ),
    )
}

_LUNG = (
    FindingPlace("upper", ("{side} upper lung zone", "upper zone of the {side} lung")),
    FindingPlace("middle", ("{side} middle lung zone", "middle zone of the {side} lung")),
    FindingPlace("lower", ("{side} lower lung zone", "lower zone of the {side} lung")),
)
_CAVITY = (FindingPlace("", ("{side} pleural cavity", "{side} hemithorax")),)
_JAW = (
    FindingPlace("posterior maxilla", ("{side} posterior maxilla", "posterior maxilla on the {side}")),
    FindingPlace("anterior maxilla", ("{side} anterior maxilla", "anterior maxilla on the {side}")),
    FindingPlace("posterior mandible", ("{side} posterior mandible", "posterior mandible on the {side}")),
    FindingPlace("anterior mandible", ("{side} anterior mandible", "anterior mandible on the {side}")),
)
_WRIST = (FindingPlace("distal radius", ("{side} distal radius", "distal radius on the {side}")),)
_SKULL = (
    FindingPlace("parietal", ("{side} parietal bone", "parietal bone on the {side}")),
    FindingPlace("frontal", ("{side} frontal bone", "frontal bone on the {side}")),
    FindingPlace("mandible", ("{side} mandible", "mandible on the {side}")),
)
_ORGANS = (
    FindingPlace("liver", ("{side} lobe of the liver", "liver, in its {side} lobe"), ("right",)),
    FindingPlace("spleen", ("spleen on the {side}", "spleen, on the {side} side"), ("left",)),
    FindingPlace("kidney", ("{side} kidney", "kidney on the {side}")),
)
_LOBES = (
    FindingPlace("frontal", ("{side} frontal lobe", "frontal lobe on the {side}")),
    FindingPlace("parietal", ("{side} parietal lobe", "parietal lobe on the {side}")),
    FindingPlace("occipital", ("{side} occipital lobe", "occipital lobe on the {side}")),
)
_NOWHERE = (FindingPlace("", ("",), ("",)),)

# examination -> finding -> how it appears there
SIGHTINGS: dict[str, dict[str, Sighting]] = {
    "chest PA": {
        "nodule": Sighting(
            _LUNG,
            ("a {size}nodule", "a {size}solitary nodule", "a {size}pulmonary nodule"),
            ("", "with well-defined margins"),
        ),
        "consolidation": Sighting(
            _LUNG,
            ("a {size}consolidation", "a {size}area of consolidation"),
            ("", "with ill-defined margins"),
        ),
        "pleural effusion": Sighting(
            _CAVITY,
            ("a {size}pleural effusion", "{size}pleural effusion"),
            ("", "with a meniscus along the chest wall"),
        ),
        "pneumothorax": Sighting(
            _CAVITY, ("a {size}pneumothorax", "{size}pneumothorax"), ("", "with a visible pleural line")
        ),
        "cardiomegaly": Sighting(
            _NOWHERE,
            ("cardiomegaly", "marked cardiomegaly"),
            ("", "with an increased cardiothoracic ratio"),
            ("",),
        ),
    },
    "panoramic dental": {
        "impacted tooth": Sighting(
            _JAW[:3],
            ("an impacted tooth",),
            ("", "lying horizontally"),
            ("",),
            {
                "posterior maxilla": ("an impacted third molar",),
                "posterior mandible": ("an impacted third molar",),
                "anterior maxilla": ("an impacted canine",),
            },
        ),
        "osteolytic lesion": Sighting(
            _JAW, ("an osteolytic lesion", "a {size}osteolytic lesion"), ("", "with ill-defined margins")
        ),
        "radicular cyst": Sighting(
            _JAW, ("a radicular cyst", "a {size}radicular cyst"), ("", "with a corticated border")
        ),
    },
    "hand PA": {
        "fracture": Sighting(_WRIST, ("a fracture", "a displaced fracture"), ("", "with angulation"), ("",)),
        "osteolytic lesion": Sighting(
            _WRIST, ("an osteolytic lesion", "a {size}osteolytic lesion"), ("", "with thinning of the cortex")
        ),
    },
    "skull PA": {
        "fracture": Sighting(_SKULL, ("a fracture", "a fracture line"), ("", "running obliquely"), ("",)),
        "osteolytic lesion": Sighting(
            _SKULL, ("an osteolytic lesion", "a {size}osteolytic lesion"), ("", "with sharp margins")
        ),
        "sinus opacification": Sighting(
            (FindingPlace("", ("{side} maxillary sinus", "maxillary sinus on the {side}")),),
            ("opacification", "complete opacification", "sinus opacification"),
            ("",),
            ("",),
        ),
    },
    "abdominal CT": {
        "cyst": Sighting(_ORGANS, ("a {size}cyst", "a {size}simple cyst"), ("", "with a thin wall")),
        "mass": Sighting(
            _ORGANS, ("a {size}mass", "a {size}heterogeneous mass"), ("", "with rim enhancement")
        ),
        "calculus": Sighting(
            _ORGANS[2:], ("a {size}calculus", "a {size}renal calculus"), ("", "in the renal pelvis")
        ),
        "aortic aneurysm": Sighting(
            _NOWHERE,
            ("a {size}aortic aneurysm", "a {size}aneurysm of the aorta"),
            ("", "with an eccentric lumen"),
        ),
    },
    "brain MR": {
        "mass": Sighting(_LOBES, ("a {size}mass", "a {size}heterogeneous mass"), ("", "with a dark rim")),
        "infarct": Sighting(
            _LOBES, ("a {size}infarct", "a {size}wedge-shaped infarct"), ("", "reaching the cortex")
        ),
        "haemorrhage": Sighting(
            _LOBES, ("a {size}haemorrhage", "a {size}intracerebral haemorrhage"), ("", "of low signal")
        ),
        "cyst": Sighting(_LOBES, ("a {size}cyst", "a {size}simple cyst"), ("", "of fluid signal")),
    },
}

# finding -> every lower-case wording by which a text names it (captions use some, other models' texts the rest)
SYNONYMS: dict[str, tuple[str, ...]] = {
    "nodule": ("nodule", "nodular opacity", "coin lesion"),
    "consolidation": ("consolidation", "airspace opacity"),
    "pleural effusion": ("pleural effusion", "effusion", "hydrothorax"),
    "pneumothorax": ("pneumothorax",),
    "cardiomegaly": ("cardiomegaly", "enlarged heart", "enlarged cardiac silhouette"),
    "impacted tooth": ("impacted tooth", "impacted third molar", "impacted canine", "impacted molar"),
    "osteolytic lesion": ("osteolytic lesion", "lytic lesion", "osteolysis"),
    "radicular cyst": ("radicular cyst", "periapical cyst"),
    "fracture": ("fracture", "fractured"),
    "sinus opacification": ("sinus opacification", "opacification", "opacified"),
    "cyst": ("cyst",),
    "mass": ("mass", "tumour", "tumor"),
    "calculus": ("calculus", "stone", "calculi"),
    "aortic aneurysm": ("aortic aneurysm", "aneurysm of the aorta", "aneurysm"),
    "infarct": ("infarct", "infarction"),
    "haemorrhage": ("haemorrhage", "hemorrhage", "haematoma", "hematoma"),
}
