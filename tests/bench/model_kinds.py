"""What becomes of every kind of model that transformers has a class of images and text for: a row, or a sentence.

A kind that no row of the matrix is of is written as a folder of its own configuration, a tokenizer and an empty
processor, as it would lie on a disk without a chat template, and checked as `radtui model check` and a job do.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any


def outcomes(rows: dict[str, dict[str, str]]) -> dict[str, str]:
    """What becomes of each kind.

    Args:
        rows: The matrix: by family what was measured, with the `kinds` that it is of.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES as KINDS

    families: dict[str, list[str]] = {}
    for family, line in rows.items():
        for kind in line.get("kinds", "").split():
            families.setdefault(kind, []).append(family)
    return {kind: _outcome(kind, families.get(kind, []), rows) for kind in sorted(KINDS)}


def _outcome(kind: str, families: list[str], rows: dict[str, dict[str, str]]) -> str:
    if families:
        return "row " + ", ".join(_named(each, rows[each]) for each in families)
    with tempfile.TemporaryDirectory() as folder:
        checked, loaded = sentences(bare(kind, Path(folder) / kind))
    return f"refused: {checked}" if checked == loaded else f"check: {checked} | job: {loaded}"


def _named(family: str, line: dict[str, str]) -> str:
    return family if line["loads"] == "yes" else f"{family}, which fails"


def bare(kind: str, folder: Path) -> Path:
    """A folder with a kind's own configuration, a small tokenizer, and the names of its processor's classes."""
    from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES as KINDS

    from tests.worker.families import tokenizer

    _configuration(kind).save_pretrained(folder)
    words = tokenizer(
        ["<row_1_col_1>"], "</s>", start="<s>", image_token="<image>", boi_token="<boi>", eoi_token="<eoi>",
        audio_token="<audio>", boa_token="<boa>", eoa_token="<eoa>", video_token="<video>",
    )  # fmt: skip
    words.save_pretrained(folder)
    values: dict[str, Any] = {"processor_class": re.split("For|Model", KINDS[kind])[0] + "Processor"}
    pictures = IMAGE_PROCESSOR_MAPPING_NAMES.get(kind, {})
    picture = pictures.get("torchvision") or pictures.get("pil")
    (folder / "processor_config.json").write_text(json.dumps(values))
    (folder / "preprocessor_config.json").write_text(json.dumps(values | {"image_processor_type": picture}))
    return folder


def _configuration(kind: str) -> Any:
    from transformers import AutoConfig, BertConfig, ViTConfig

    if kind == "vision-encoder-decoder":
        return AutoConfig.for_model(kind, encoder=ViTConfig().to_dict(), decoder=BertConfig().to_dict())
    return AutoConfig.for_model(kind)


def sentences(folder: Path) -> tuple[str, str]:
    """What `radtui model check` says of a folder, and what a job says before it loads any weights."""
    from radtui.paths import DataDir
    from radtui.worker.memory import model_check
    from radtui.worker.model import backend, model
    from radtui.worker.process import failures
    from tests.worker.conftest import train_settings

    data, said = DataDir(folder.parent / "data"), []
    how = backend.plan(train_settings(folder))
    for ask in (lambda: model_check.check(str(folder), data, ""), lambda: model.load(str(folder), how)):
        try:
            ask()
            said.append("yes")
        except Exception as error:  # as check and a job do, whatever it is
            said.append(failures.sentence(error, data, str(folder)).replace(str(folder), folder.name))
    return said[0], said[1]


def listed(found: dict[str, str]) -> list[str]:
    """The kinds as a table in markdown."""
    return [
        "| kind | outcome |",
        "| --- | --- |",
        *(f"| {kind} | {outcome} |" for kind, outcome in found.items()),
    ]
