"""Rated pairs as training data for TRL: an image folder for DPOTrainer (chosen, rejected) or KTOTrainer (good or not).

Both load with `load_dataset("imagefolder", data_dir=...)`; train with `DPOConfig(max_length=None)`, since cutting a
prompt short would cut its image. A data set has the column `images` (DPO) or `image` (KTO), which TRL puts before the
prompt's text.
"""

from __future__ import annotations

import io
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from radtui.export.comparisons import rated
from radtui.export.files import whole_folder
from radtui.export.study import Review
from radtui.export.words import left_out_words
from radtui.imaging.decode import training_image
from radtui.paths import DataDir
from radtui.records import Comparison, Image, Rating, UserError, Variant
from radtui.review.scheme import parse_error_answer
from radtui.settings import TrainSettings
from radtui.store import jobs

FORMS = {"dpo": "radtui-dpo-1", "kto": "radtui-kto-1"}
TEST_SPLIT = "test"
# What every reader of image folders opens as the model saw it; anything else is written as an 8-bit PNG.
_AS_THEY_ARE = {("PNG", "L"): ".png", ("PNG", "RGB"): ".png", ("JPEG", "L"): ".jpg", ("JPEG", "RGB"): ".jpg"}


@dataclass(frozen=True, slots=True)
class Preferred:
    """One comparison of which raters preferred one text: what it is about, and whose text."""

    image: Image
    pair: Comparison
    chosen: Variant
    rejected: Variant

    @property
    def texts(self) -> tuple[str, str]:
        """The chosen and the rejected text, exactly as the models wrote them."""
        return self.pair.by(self.chosen).text, self.pair.by(self.rejected).text


@dataclass(frozen=True, slots=True)
class Choice:
    """The pairs fit to learn from, and how many are not, by reason."""

    pairs: tuple[Preferred, ...]
    left_out: dict[str, int]


def choose(db: sqlite3.Connection, review: Review, keep_significant_errors: bool = False) -> Choice:
    """Pick the pairs to learn from: one per image and two variants, by the sum of the raters' preferences.

    Left out are, by rating: repeats, calibration pairs, skips, un-blinded ratings and those by another scheme; by
    pair: ties, both bad, images of the test split or with the same bytes as one of another split, pairs of one text,
    and (unless asked) a chosen text in which a rater counted a significant error.
    """
    kept, uncounted = review.counting()
    counts = {id(rating) for rating in kept}
    reasons: Counter[str] = Counter(
        {name: count for name in uncounted.__slots__ if (count := getattr(uncounted, name))}
    )
    held_out = {TEST_SPLIT, _eval_split(db, review)} - {""}
    by_pair: dict[tuple[int, tuple[Variant, Variant]], tuple[Image, Comparison, list[Rating]]] = {}
    for rating, image, pair in rated(db, review):
        if id(rating) in counts:
            by_pair.setdefault((image.id, rating.shown), (image, pair, []))[2].append(rating)
    pairs = []
    for (_, shown), (image, pair, given) in by_pair.items():
        chosen = _chosen(given)
        reason = _reason_against(image, pair, given, chosen, held_out, keep_significant_errors)
        if reason:
            reasons[reason] += 1
        elif chosen is not None:
            pairs.append(Preferred(image, pair, chosen, next(one for one in shown if one is not chosen)))
    return Choice(tuple(pairs), dict(reasons))


def write_preferences(data: DataDir, choice: Choice, out: Path, form: str) -> int:
    """Write `train/metadata.jsonl` and `train/images/`, the whole folder or nothing; returns the number of rows.

    Args:
        data: Where the images lie.
        choice: What `choose` picked.
        out: The folder; an earlier export there is replaced once the new one is whole.
        form: `dpo` (one row per pair) or `kto` (a row for each text).

    Raises:
        UserError: There is no pair to learn from, an image is gone, or the folder cannot be written.
    """
    if not choice.pairs:
        told = left_out_words(choice.left_out)
        raise UserError(
            f"No rated pair can be learnt from ({told or 'nothing is rated'}); describe and rate images outside the"
            " test split, as in radtui generate --split train."
        )
    written = 0
    with whole_folder(out, _is_export) as folder:
        (folder / "train" / "images").mkdir(parents=True)
        with (folder / "train" / "metadata.jsonl").open("w", encoding="utf-8", newline="\n") as file:
            for pair in choice.pairs:
                name = _copy_image(data, pair.image, folder / "train")
                for row in _rows(pair, name, form):
                    file.write(json.dumps(row) + "\n")
                    written += 1
    return written


def _rows(pair: Preferred, name: str, form: str) -> Iterator[dict[str, object]]:
    chosen, rejected = pair.texts
    prompt = [{"role": "user", "content": pair.pair.base.prompt}]
    if form == "dpo":
        yield {
            "images_file_names": [name], "prompt": prompt, "chosen": _answer(chosen), "rejected": _answer(rejected),
        }  # fmt: skip
    else:
        for text, good in ((chosen, True), (rejected, False)):
            yield {"file_name": name, "prompt": prompt, "completion": _answer(text), "label": good}


def _answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def _chosen(given: list[Rating]) -> Variant | None:
    """Which text the raters prefer together, or None when they are even."""
    total = sum(rating.preference or 0 for rating in given)
    earlier, later = given[0].shown
    return None if total == 0 else later if total > 0 else earlier


def _reason_against(
    image: Image,
    pair: Comparison,
    given: list[Rating],
    chosen: Variant | None,
    held_out: set[str],
    keep_significant_errors: bool,
) -> str:
    """Why a pair is not learnt from, or "" when it is."""
    both_bad = sum(rating.both_bad for rating in given)
    reasons = {
        "held_out_split": image.split.casefold() in held_out,
        "same_image_in_another_split": image.leaked,
        "both_bad": both_bad > 0 and both_bad >= len(given) - both_bad,
        "ties": chosen is None,
        "same_text": len({pair.by(one).text.strip() for one in given[0].shown}) == 1,
        "chosen_with_significant_error": not keep_significant_errors
        and any(_has_significant_error(rating, chosen) for rating in given),
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def _has_significant_error(rating: Rating, variant: Variant | None) -> bool:
    for key, count in rating.answers.items():
        parsed = parse_error_answer(key)
        if parsed is not None and parsed[0] is variant and parsed[2] and count:
            return True
    return False


def _eval_split(db: sqlite3.Connection, review: Review) -> str:
    """The split that the training job evaluated on, "" when it is not known."""
    parent = review.job.parent_job_id
    job = jobs.get(db, parent) if parent is not None else None
    return TrainSettings.from_dict(job.settings).eval_split.casefold() if job else ""


def _copy_image(data: DataDir, image: Image, folder: Path) -> str:
    """Put an image into the folder once; returns its name there, which is its bytes' own hash."""
    suffix = _AS_THEY_ARE.get((image.format, image.mode))
    name = f"images/{image.sha256}{suffix or '.png'}"
    if (folder / name).exists():
        return name
    try:
        content = data.blob(image.sha256).read_bytes()
    except OSError as error:
        raise UserError(
            f"The bytes of image {image.source_key} are gone from the data folder; import the data set again."
        ) from error
    if suffix is None:
        png = io.BytesIO()
        training_image(content).save(png, "PNG")
        content = png.getvalue()
    (folder / name).write_bytes(content)
    return name


def _is_export(path: Path) -> bool:
    """Whether a folder holds an earlier export and nothing of the user's."""
    inside = {entry.name for entry in path.iterdir()}
    train = {entry.name for entry in (path / "train").iterdir()} if inside == {"train"} else set()
    return train == {"metadata.jsonl", "images"}
