"""What a generation job's descriptions are worth against ground truth and references, where a data set has them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from radtui.measures.text_scores import Proxies, TextScores, describe, score_texts
from radtui.measures.truth_scores import TruthCase, TruthScores, score_truth
from radtui.records import Description, Image, Job, Variant
from radtui.store import descriptions, images


@dataclass(frozen=True, slots=True)
class VariantScores:
    """One variant's scores; `truth` is None where nothing is known, `text` where there are no references."""

    images: int
    truth: TruthScores | None
    text: TextScores | None
    proxies: Proxies

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "images": self.images,
            "truth": self.truth.to_dict() if self.truth else None,
            "text": self.text.to_dict() if self.text else None,
            "proxies": self.proxies.to_dict(),
        }


def job_scores(db: sqlite3.Connection, job: Job) -> dict[Variant, VariantScores]:
    """Scores of each variant of a job over the images that all have described.

    Takes seconds for hundreds of descriptions: call it on a thread.
    """
    wanted = set(descriptions.comparison_ids(db, job.id))
    written: dict[Variant, list[Description]] = {variant: [] for variant in descriptions.variants(db, job.id)}
    for description in descriptions.finished(db, job.id):
        if description.image_id in wanted and description.variant in written:
            written[description.variant].append(description)
    known = {image.id: image for image in images.get_many(db, sorted(wanted))}
    findings = {truth.finding for image in known.values() for truth in image.truth}
    return {variant: _score(texts, known, findings) for variant, texts in written.items()}


def _score(texts: list[Description], known: dict[int, Image], findings: set[str]) -> VariantScores:
    seen = [(known[d.image_id], d.text) for d in texts]
    cases = [TruthCase(image.truth, text, image.examination) for image, text in seen]
    pairs = [(text, image.reference) for image, text in seen]
    return VariantScores(
        images=len(seen),
        truth=score_truth(cases, vocabulary=findings) if findings else None,
        text=score_texts(pairs) if any(reference.strip() for _, reference in pairs) else None,
        proxies=describe(pairs),
    )
