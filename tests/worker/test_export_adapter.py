"""A trained adapter leaves radtui as a folder other programs load, with its card; merged, as a whole model."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import safetensors.torch
import torch
from peft import PeftModel
from transformers import AutoModelForImageTextToText, AutoProcessor

from radtui.export import model_card
from radtui.export.adapter import export_adapter
from radtui.jobs.adapter_files import WEIGHTS
from radtui.records import JobState, UserError
from radtui.store import jobs
from radtui.store.database import connect
from radtui.worker.model import adapter_keys
from tests.commands import invoked

from .conftest import fill, new_job, train_settings
from .test_train import run


@pytest.fixture(scope="module")
def trained(tmp_path_factory, mllama):
    from radtui.paths import DataDir

    data = DataDir(tmp_path_factory.mktemp("data")).create()
    fill(data)
    job = new_job(data, train_settings(mllama, max_steps=4, learning_rate=2e-2, watch_images=0))
    run(data, job)
    jobs.end(connect(data), job.id, JobState.DONE)
    return data, job


def test_the_folder_loads_with_peft_and_tells_what_it_is(trained, mllama, tmp_path):
    data, job = trained
    out = tmp_path / "adapter"
    result = invoked(data, "adapter", "export", job.id, "--out", out)
    assert result.exit_code == 0, result.output
    model = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(mllama), out)
    assert any(p.abs().max() > 0 for name, p in model.named_parameters() if "lora_B" in name)
    assert AutoProcessor.from_pretrained(out).chat_template
    card = (out / "README.md").read_text()
    assert card.startswith("---\nbase_model: ") and "library_name: peft" in card
    assert "Model output, not for clinical use." in card
    for words in ("| learning_rate | 0.02 |", "shapes", "Describe what you see.", "| Step | Training | Held-out |",
                  "| torch |", "Trainable parameters"):  # fmt: skip
        assert words in card
    final = jobs.must_get(connect(data), job.id).result
    assert f"| 4 | {final['final_loss']:.4f} | {final['final_eval_loss']:.4f} |" in card


def test_an_adapter_that_peft_alone_misreads_says_so(trained):
    data, job = trained
    job = jobs.must_get(connect(data), job.id)
    assert job.result["plain_peft"] is True and not model_card.peft_caution(job)
    misread = replace(job, result=job.result | {"plain_peft": False})
    sentence = model_card.peft_caution(misread)
    assert "--merged" in sentence
    assert sentence in model_card.card(misread, [], merged=False)
    assert sentence not in model_card.card(misread, [], merged=True)


class _Saves:
    """Stands for a model with an adapter: what of it is saved, and by which names it is read."""

    def __init__(self, matrices):
        self.matrices = matrices

    def save_pretrained(self, folder):
        safetensors.torch.save_file(self.matrices, folder / WEIGHTS)


def test_matrices_are_saved_under_names_that_are_read_as_what_they_are(tmp_path, monkeypatch):
    model = _Saves({"new.a": torch.ones(1), "new.b": torch.zeros(1)})
    names = {"new.a": "old.a", "new.b": "old.b"}
    monkeypatch.setattr(adapter_keys, "read_names", lambda model: names)
    adapter_keys.save_as_read(model).save_pretrained(tmp_path)
    saved = safetensors.torch.load_file(tmp_path / WEIGHTS)
    assert saved == {"old.a": torch.ones(1), "old.b": torch.zeros(1)}


def test_a_folder_of_the_users_is_not_replaced_and_an_export_is(trained, tmp_path):
    data, job = trained
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    db = connect(data)
    with pytest.raises(UserError, match="choose another folder"):
        export_adapter(data, db, job.id, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    out = export_adapter(data, db, job.id, tmp_path / "ours")
    (out / "stale").write_text("x")
    assert not (export_adapter(data, db, job.id, out) / "stale").exists()


def test_merged_is_the_tuned_model_in_16_bits_and_asks_nobody(trained, mllama, tmp_path, guarded):
    data, job = trained
    out = export_adapter(data, connect(data), job.id, tmp_path / "merged", merged=True)
    assert not guarded.exists(), guarded.read_text()
    assert not (out / "adapter_config.json").exists()
    assert "library_name: transformers" in (out / "README.md").read_text()
    merged = AutoModelForImageTextToText.from_pretrained(out)
    assert merged.dtype == torch.bfloat16 and AutoProcessor.from_pretrained(out).chat_template
    base = AutoModelForImageTextToText.from_pretrained(mllama)
    tuned = PeftModel.from_pretrained(base, data.adapter(job.id)).merge_and_unload().state_dict()
    changed = 0
    for name, value in merged.state_dict().items():
        torch.testing.assert_close(value.float(), tuned[name].float(), rtol=2**-7, atol=1e-3)
        changed += not torch.equal(tuned[name], tuned[name].to(torch.bfloat16).float())
    assert changed


def test_what_cannot_be_exported_is_a_sentence(trained, tmp_path):
    data, job = trained
    db = connect(data)
    with pytest.raises(UserError, match="There is no job 99"):
        export_adapter(data, db, 99, tmp_path / "a")
    unfinished = new_job(data, train_settings("m"))
    with pytest.raises(UserError, match="left no adapter"):
        export_adapter(data, db, unfinished.id, tmp_path / "a")
    with pytest.raises(UserError, match=r"/nowhere"):
        export_adapter(data, db, job.id, tmp_path / "a", merged=True, base="/nowhere")
    assert not (tmp_path / "a").exists()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="choose another folder with --out"):
        export_adapter(data, db, job.id, tmp_path / "file" / "deeper" / "a")


@pytest.mark.parametrize("keep", [0, 4, 200, -1])
def test_a_damaged_adapter_is_not_handed_on(trained, tmp_path, keep):
    data, job = trained
    weights = data.adapter(job.id) / "adapter_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:keep])
    try:
        with pytest.raises(UserError, match="damaged or cut short"):
            export_adapter(data, connect(data), job.id, tmp_path / "a")
    finally:
        weights.write_bytes(whole)
    assert not (tmp_path / "a").exists()


def test_the_command_line_imports_no_torch():
    code = "import sys, radtui.cli.adapter, radtui.export.adapter; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
