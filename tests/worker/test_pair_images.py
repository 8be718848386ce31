"""Rated pairs of cases with several images: all are learnt from where the model takes several, else the first, said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from radtui.worker.model import examples as images_of
from radtui.worker.training import pairs

from .families import FAMILIES

FAMILY = {"qwen2_5_vl": "<|image_pad|>", "gemma3": "<start_of_image>", "internvl": "<IMG_CONTEXT>"}


class Voice:
    """Hears what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.ranks = type("Ranks", (), {"first": True})()

    def event(self, step: int, kind: str, text: str, elapsed_s: float = 0.0) -> None:
        self.said.append(text)


@pytest.fixture
def pair(tmp_path: Path) -> pairs.LearntPair:
    """A pair about two images, a dark and a bright one."""
    files = tuple(tmp_path / name for name in ("frontal.png", "lateral.png"))
    for file, grey in zip(files, (20, 200), strict=True):
        Pillow.new("L", (56, 56), grey).save(file)
    return pairs.LearntPair(files, "Describe both.", "A chest.", "A hand.")


@pytest.mark.parametrize("name", FAMILY)
def test_a_batch_of_pairs_has_all_images_in_order(name: str, pair: pairs.LearntPair, tmp_path: Path) -> None:
    from radtui.worker.model import processors

    processor = processors.load(str(FAMILIES[name](tmp_path / name)))
    voice = Voice()
    shown = pairs.as_shown([pair], processor, voice)  # type: ignore[arg-type]
    assert shown == [pair] and not voice.said
    (item,) = pairs.PairTexts(shown, "image_first", 0)
    assert [picture.getpixel((0, 0))[0] for picture in item["images"]] == [20, 200]
    batch = pairs.PairCollator(processor, 4096)([item])
    (alone,) = pairs.PairTexts([replace(pair, images=pair.images[:1])], "image_first", 0)
    single = pairs.PairCollator(processor, 4096)([alone])
    token = processor.tokenizer.convert_tokens_to_ids(FAMILY[name])
    count = [(each["input_ids"][0] == token).sum().item() for each in (batch, single)]
    assert count[0] == 2 * count[1] > 0 and batch["input_ids"].shape[0] == 2


def test_a_model_of_one_image_sees_the_first_and_that_is_said(
    pair: pairs.LearntPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images_of, "takes_several", lambda processor: False)
    voice = Voice()
    processor: Any = None
    (shown,) = pairs.as_shown([pair], processor, voice)  # type: ignore[arg-type]
    assert shown.images == pair.images[:1] and shown.chosen == pair.chosen
    assert voice.said == [
        "This model takes one image at a time: of 1 case with several images it sees the first alone."
    ]
