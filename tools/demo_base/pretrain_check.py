"""What a base model must do before it may ship: name the examination, name no finding."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from radtui.demo.cases import deal
from radtui.demo.source import case_of
from radtui.measures.truth_scores import TruthCase, score_truth
from radtui.records import NewCase
from tools.demo_base.pretrain_exercises import INSTRUCTION


def describe(
    model: Any, processor: Any, images: list[NewCase], batch: int = 60, limit: int = 80
) -> list[str]:
    """Return the greedy descriptions of some images, asked with the instruction."""
    content = [{"type": "image"}, {"type": "text", "text": INSTRUCTION}]
    prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    texts: list[str] = []
    model.eval()
    for k in range(0, len(images), batch):
        pictures = [[Image.open(BytesIO(i.images[0].data)).convert("RGB")] for i in images[k : k + batch]]
        inputs = processor(
            images=pictures, text=[prompt] * len(pictures), add_special_tokens=False, return_tensors="pt"
        )
        inputs = {name: value.to(model.device) for name, value in inputs.items()}
        with torch.inference_mode():
            written = model.generate(**inputs, max_new_tokens=limit, do_sample=False)
        texts += processor.batch_decode(written[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return [text.strip() for text in texts]


def check(checkpoint: Path, count: int = 120, device: str = "cpu", seed: int = 1) -> dict[str, Any]:
    """Describe phantoms the model has not seen and score the texts."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    processor = AutoProcessor.from_pretrained(checkpoint)
    model = AutoModelForImageTextToText.from_pretrained(checkpoint).to(device)
    images = [case_of(case) for case in deal(seed, "check", count)]
    texts = describe(model, processor, images)
    scores = score_truth(
        TruthCase(image.truth, text, image.examination) for image, text in zip(images, texts, strict=True)
    )
    return {
        "images": count,
        "right_examination": scores.examination.value,
        "finding_f1": scores.f1.value,
        "findings_named": scores.found + scores.invented + scores.outside,
        "dtype": str(model.dtype).removeprefix("torch."),
        "examples": texts[:6],
    }
