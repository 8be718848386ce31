"""Preference folders load with `datasets`, and TRL's own trainers build batches and take a step on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from radtui.export.formats import Options, write_export
from radtui.paths import DataDir
from radtui.records import JobKind
from radtui.settings import GenerateSettings
from radtui.store import cases, jobs, ratings, texts
from radtui.store.database import connect
from radtui.study.scheme_file import default_scheme
from radtui.study.study import read_review
from tests.conftest import give_arms, new_text
from tests.unit.test_store import rating, study_of

pytestmark = pytest.mark.slow

INSTRUCTION = "Describe what you see."
TUNED = ["A bright disc.", "No finding.\nالرئة", "\x1b[1m=1+1\0", "[bold]", "- mild edema", "x" * 300]


@pytest.fixture
def exported(data: DataDir, tmp_path: Path) -> dict[str, Path]:
    """Six rated pairs of training images, as a DPO and as a KTO folder."""
    db = connect(data)
    ids = cases.find(db, cases.CaseQuery("shapes", "train"))[: len(TUNED)]
    job = jobs.create(db, JobKind.GENERATE, "shapes", "shapes", GenerateSettings(dataset="shapes").to_dict())
    arm = give_arms(db, job, "base", "tuned", instruction=INSTRUCTION)
    study = study_of(db, job)
    for n, (case_id, text) in enumerate(zip(ids, TUNED, strict=True)):
        both = {"base": "An image.", "tuned": text}
        texts.add(
            db,
            job.id,
            [
                new_text(case_id, arm[name], words, 3, prompt=f"<|image|>{INSTRUCTION}")
                for name, words in both.items()
            ],
        )
        ratings.add(db, rating(study.id, case_id, -1 if n == 2 else 2))
    review = read_review(db, study, default_scheme())
    found = {}
    for form in ("dpo", "kto"):
        found[form] = write_export(data, db, review, form, tmp_path / form, Options()).path
    db.close()
    return found


def load(folder: Path, tmp_path: Path) -> Any:
    """The train split as TRL's examples load it."""
    from datasets import load_dataset

    return load_dataset("imagefolder", data_dir=str(folder), split="train", cache_dir=str(tmp_path / "cache"))


def model_of(folder: Path) -> tuple[Any, Any]:
    """The tiny model and its processor."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    return AutoModelForImageTextToText.from_pretrained(folder), AutoProcessor.from_pretrained(folder)


def whole_cross_mask(collator: Any) -> Any:
    """TRL's collator, with Mllama's cross-attention mask drawn out over the answers.

    The processor makes it for the prompt alone, and TRL 1.8 does not know of it: without this the model's forward
    pass raises. Prompts here are of one length, so nothing has to be shifted.
    """
    import torch

    def collate(examples: list[dict[str, Any]]) -> dict[str, Any]:
        batch = collator(examples)
        mask = batch["cross_attention_mask"]
        missing = batch["input_ids"].shape[1] - mask.shape[1]
        batch["cross_attention_mask"] = torch.cat([mask, mask[:, -1:].expand(-1, missing, -1, -1)], dim=1)
        return batch

    return collate


def test_the_dpo_folder_trains_with_trl(exported: dict[str, Path], mllama: Path, tmp_path: Path) -> None:
    from trl import DPOConfig, DPOTrainer

    rows = load(exported["dpo"], tmp_path)
    assert set(rows.column_names) == {"images", "prompt", "chosen", "rejected"} and len(rows) == len(TUNED)
    texts = [row["rejected" if n == 2 else "chosen"][0]["content"] for n, row in enumerate(rows)]
    assert texts == TUNED
    assert all(row["images"][0].mode in ("L", "RGB") and min(row["images"][0].size) >= 60 for row in rows)
    model, processor = model_of(mllama)
    trainer = DPOTrainer(
        model=model,
        args=DPOConfig(
            output_dir=str(tmp_path / "out"), max_length=None, per_device_train_batch_size=2, max_steps=1,
            report_to="none", use_cpu=True, save_strategy="no", gradient_checkpointing=False, bf16=False,
        ),
        train_dataset=rows, processing_class=processor,
    )  # fmt: skip
    batch = next(iter(trainer.get_train_dataloader()))
    assert batch["input_ids"].shape[0] == 4  # two pairs: chosen, then rejected
    assert batch["pixel_values"].shape[0] == 4
    image_token = model.config.image_token_index
    assert ((batch["input_ids"] == image_token).sum(dim=1) == 1).all()
    assert (batch["completion_mask"].sum(dim=1) > 0).all()
    trainer.data_collator = whole_cross_mask(trainer.data_collator)
    loss = trainer.train().training_loss
    assert loss == pytest.approx(0.6931, abs=0.01)  # -log sigmoid(0): policy and reference are still the same


def test_the_kto_folder_makes_trl_batches(exported: dict[str, Path], mllama: Path, tmp_path: Path) -> None:
    from trl.trainer.kto_trainer import DataCollatorForVisionUnpairedPreference

    rows = load(exported["kto"], tmp_path)
    assert set(rows.column_names) == {"image", "prompt", "completion", "label"}
    assert rows["label"] == [True, False] * len(TUNED)
    _, processor = model_of(mllama)
    batch = DataCollatorForVisionUnpairedPreference(processor=processor)([rows[0], rows[1]])
    assert batch["pixel_values"].shape[0] == 2 and len(batch["input_ids"]) == 2
