"""Scores that a package computes with weights of its own: what each is, and what its values of single texts come to.

The values are computed by a job in an environment of the package's own and read from the database; here is what they
mean. CheXbert labels a text with 14 findings; F1 is counted over labels of texts against labels of references.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from radtui.measures.paired import Parts, SummedParts, summed_mean
from radtui.measures.truth_scores import macro_f1_of

if TYPE_CHECKING:
    import numpy as np

PACKAGE = "radeval"
CHEST = "chest X-ray"
CHEXBERT = "chexbert"
CHEXBERT_LABELS = (
    "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema", "Consolidation",
    "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture", "Support Devices",
    "No Finding",
)  # fmt: skip
FIVE = tuple(
    CHEXBERT_LABELS.index(name)
    for name in ("Cardiomegaly", "Edema", "Consolidation", "Atelectasis", "Pleural Effusion")
)


@dataclass(frozen=True, slots=True)
class PackageMetric:
    """One thing that the package can be asked for, and the scores that come of it.

    `outputs` are the keys that its values are kept under, by their names in the package; `weights` the hub's names of
    what it reads.
    """

    name: str
    outputs: dict[str, str]
    weights: tuple[str, ...] = ()
    made_for: str = CHEST


_SCORERS, _BERT = "StanfordAIMI/RRG_scorers", "google-bert/bert-base-uncased"
METRICS = (
    PackageMetric(
        "radgraph",
        {name: name for name in ("radgraph_simple", "radgraph_partial", "radgraph_complete")},
        (_SCORERS,),
    ),
    PackageMetric("radcliq", {"radcliq_v1": "radcliq"}, (_SCORERS, _BERT, "distilbert/distilroberta-base")),
    PackageMetric("f1chexbert", {"labels": CHEXBERT}, (_SCORERS, _BERT)),
    PackageMetric(
        "ratescore",
        {"ratescore": "ratescore"},
        ("Angelakeke/RaTE-NER-Deberta", "FremyCompany/BioLORD-2023-C"),
    ),
    PackageMetric("green", {"green": "green"}, ("StanfordAIMI/GREEN-radllama2-7b",)),
    PackageMetric("bleu", {"bleu": "package_bleu"}, made_for=""),
    PackageMetric("rouge", {"rougeL": "package_rouge_l"}, made_for=""),
)
BY_NAME = {metric.name: metric for metric in METRICS}
USUAL = tuple(metric.name for metric in METRICS if metric.weights)


@dataclass(frozen=True, slots=True)
class Packaged:
    """What packages say of one text: values by the score's key, and CheXbert's labels of it and of its reference."""

    values: Mapping[str, float | None] = field(default_factory=dict)
    labels: tuple[Sequence[int], Sequence[int]] | None = None


NOTHING_PACKAGED = Packaged()


def label_f1(text: Sequence[int], reference: Sequence[int]) -> float | None:
    """F1 of one text's labels against its reference's, None where neither has any."""
    both = sum(t and r for t, r in zip(text, reference, strict=True))
    named = sum(text) + sum(reference)
    return 2 * both / named if named else None


def package_parts(texts: Sequence[Packaged]) -> dict[str, Parts]:
    """What each text adds to each score of a package, by the score's key."""
    import numpy as np

    parts: dict[str, Parts] = {}
    for key in sorted({key for text in texts for key in text.values if key != CHEXBERT}):
        values = np.array([_number(text.values.get(key)) for text in texts])
        there = ~np.isnan(values)
        parts[key] = summed_mean(np.where(there, values, 0.0), there)
    if any(text.labels for text in texts):
        parts |= _label_parts(texts)
    return parts


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _label_parts(texts: Sequence[Packaged]) -> dict[str, Parts]:
    import numpy as np

    table = np.zeros((len(texts), 2 * len(CHEXBERT_LABELS)))
    there = np.array([text.labels is not None for text in texts], dtype=bool)
    for row, text in zip(table, texts, strict=True):
        if text.labels is not None:
            written, known = (np.array(each, dtype=float) for each in text.labels)
            row[0::2] = 2 * written * known
            row[1::2] = written + known
    five = np.array([(2 * at, 2 * at + 1) for at in FIVE]).ravel()
    parts: dict[str, Parts] = {}
    for number, columns in ((14, table), (5, table[:, five])):
        parts[f"chexbert_{number}_micro"] = SummedParts(columns, _micro_f1_of, there)
        parts[f"chexbert_{number}_macro"] = SummedParts(columns, macro_f1_of, there)
    return parts


def _micro_f1_of(sums: np.ndarray) -> np.ndarray:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        result: np.ndarray = sums[:, 0::2].sum(axis=1) / sums[:, 1::2].sum(axis=1)
        return result
