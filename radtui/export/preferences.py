"""Rated pairs as training data for TRL: an image folder for DPOTrainer (chosen, rejected) or KTOTrainer (good or not).

Both load with `load_dataset("imagefolder", data_dir=...)`; train with `DPOConfig(max_length=None)`, since cutting a
prompt short would cut its image. A data set has the column `images` (DPO: all of a case that can be read, in their
order) or `image` (KTO: the first), which TRL puts before the prompt's text.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

from radtui.export.files import whole_folder
from radtui.imaging.decode import training_image
from radtui.measures.words import left_out_words
from radtui.paths import DataDir
from radtui.records import Case, CaseImage, UserError
from radtui.store.blobs import image_bytes
from radtui.study.preferences import LearnablePairs, Preferred

FORMS = {"dpo": "radtui-dpo-1", "kto": "radtui-kto-1"}
# What every reader of image folders opens as the model saw it; anything else is written as an 8-bit PNG.
_AS_THEY_ARE = {("PNG", "L"): ".png", ("PNG", "RGB"): ".png", ("JPEG", "L"): ".jpg", ("JPEG", "RGB"): ".jpg"}


def write_preferences(data: DataDir, choice: LearnablePairs, out: Path, form: str) -> int:
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
        reasons = left_out_words(choice.left_out)
        raise UserError(
            f"No rated pair can be learnt from ({reasons or 'nothing is rated'}); describe and rate images outside the"
            " test split, as in radtui generate --split train."
        )
    written = 0
    with whole_folder(out, _is_export) as folder:
        (folder / "train" / "images").mkdir(parents=True)
        with (folder / "train" / "metadata.jsonl").open("w", encoding="utf-8", newline="\n") as file:
            for pair in choice.pairs:
                shown = [image for image in pair.case.images if not image.error] or [pair.case.first]
                taken = shown if form == "dpo" else shown[:1]
                names = [_copy_image(data, pair.case, image, folder / "train") for image in taken]
                for row in _rows(pair, names, form):
                    file.write(json.dumps(row) + "\n")
                    written += 1
    return written


def _rows(pair: Preferred, names: list[str], form: str) -> Iterator[dict[str, object]]:
    chosen, rejected = pair.texts
    prompt = [{"role": "user", "content": pair.asked}]
    if form == "dpo":
        yield {
            "images_file_names": names, "prompt": prompt, "chosen": _answer(chosen), "rejected": _answer(rejected),
        }  # fmt: skip
    else:
        for text, good in ((chosen, True), (rejected, False)):
            yield {"file_name": names[0], "prompt": prompt, "completion": _answer(text), "label": good}


def _answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def _copy_image(data: DataDir, case: Case, image: CaseImage, folder: Path) -> str:
    """Put a case's image into the folder once; returns its name there, which is its bytes' own hash."""
    suffix = _AS_THEY_ARE.get((image.format, image.mode))
    name = f"images/{image.sha256}{suffix or '.png'}"
    if (folder / name).exists():
        return name
    try:
        content = image_bytes(data, image.sha256)
    except (OSError, UserError) as error:
        raise UserError(f"Image {case.source_key} cannot be read: {error}") from error
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
