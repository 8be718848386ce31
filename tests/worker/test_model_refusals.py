"""Odd folders and checkpoints: one sentence that names what is wrong and what to do, before anything is loaded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from radtui.records import UserError
from radtui.worker.memory import model_check
from radtui.worker.model import backend, kinds, model, refusals, weight_names

from . import families
from .conftest import train_settings


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with a whole tiny model."""
    return families.llava(tmp_path_factory.mktemp("whole") / "model")


@pytest.fixture
def folder(whole, tmp_path):
    """A copy to break."""
    return Path(shutil.copytree(whole, tmp_path / "model"))


def write(file: Path, content: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def only(folder: Path, **files: str | bytes) -> None:
    """Leave nothing in a folder but these files; `__` stands for a dot."""
    shutil.rmtree(folder)
    folder.mkdir()
    for name, content in files.items():
        write(folder / name.replace("__", "."), content)


def configured(folder: Path, **changes: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def coded(folder: Path, name: str, **changes: object) -> None:
    """Python code that must not run, and a file that names it."""
    write(folder / "theirs.py", f"open({str(folder / 'it ran')!r}, 'w')")
    file = folder / name
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def parts(folder: Path, *numbers: int, index: bool) -> None:
    """The weights in two parts, of which these are there, with or without what says where each tensor is."""
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    names = {number: f"model-0000{number}-of-00002.safetensors" for number in (1, 2)}
    for number in numbers:
        write(folder / names[number], content)
    if index:
        places = {f"tensor.{number}": name for number, name in names.items()}
        write(folder / "model.safetensors.index.json", json.dumps({"weight_map": places}))


def tensors(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The weights, changed."""
    from safetensors.torch import load_file, save_file

    file = folder / "model.safetensors"
    save_file(change(load_file(file)), file, metadata={"format": "pt"})


def part_of(folder: Path, key: str) -> dict[str, Any]:
    return dict(json.loads((folder / "config.json").read_text())[key])


def without_end(folder: Path) -> None:
    file = folder / "tokenizer_config.json"
    known = json.loads(file.read_text())
    file.write_text(json.dumps({key: known[key] for key in known if key not in ("eos_token", "pad_token")}))


def halved(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def renamed(folder: Path) -> None:
    """As the hub's cache has a model: below a folder of snapshots."""
    inner = folder.parent / "moved"
    shutil.move(folder, inner)
    shutil.move(inner, folder / "snapshots" / "abc")


BASE = json.dumps({"base_model_name_or_path": "google/medgemma-4b-it"})
AWQ = {"quant_method": "awq"}
BROKEN = {
    "nothing in it": (only, "is empty: copy a model into it"),
    "no configuration": (lambda f: (f / "config.json").unlink(), r"has no config\.json, so it is no whole model: copy"),
    "a snapshot below": (renamed, r"holds a model in .*snapshots/abc: name that folder"),
    "an adapter": (lambda f: only(f, adapter_config__json=BASE), "is an adapter, no model: name google/medgemma-4b-it"),
    "GGUF alone": (lambda f: only(f, m__gguf=b"GGUF"), "GGUF weights, .*name the model that they were made from"),
    "GGUF beside a configuration": (
        lambda f: ((f / "model.safetensors").unlink(), write(f / "m.gguf", b"GGUF")), "holds GGUF weights",
    ),
    "Mistral's own files": (lambda f: only(f, params__json="{}"), "name the version made for transformers"),
    "a configuration cut short": (lambda f: write(f / "config.json", "{"), r"config\.json of .* cannot be read"),
    "parts without an index": (lambda f: parts(f, 1, 2, index=False), "in 2 parts and no model.safetensors.index.json"),
    "a part missing": (lambda f: parts(f, 1, index=True), "lacks 1 of 2 files of weights, such as model-00002"),
    "weights cut short": (halved, r"is cut short \([\d,]+ of [\d,]+ bytes\): copy it again"),
    "no weights but noise": (lambda f: write(f / "model.safetensors", b"x" * 64), "is damaged or cut short: copy it"),
    "a pointer": (
        lambda f: write(f / "model.safetensors", "version https://git-lfs.github.com/spec/v1\n"), "run `git lfs pull`",
    ),
    "PEFT's names": (
        lambda f: tensors(f, lambda t: {f"base_model.{k}".replace("q_proj", "q_proj.base_layer"): t[k] for k in t}),
        r"lack 80 of the model's 80 weights, such as lm_head\.weight, but have PEFT's names: merge the adapter",
    ),
    "names of what wrapped it": (
        lambda f: tensors(f, lambda t: {f"module.{k}": t[k] for k in t}),
        r"but have others such as module\.language_model\.lm_head\.weight: save the model itself",
    ),
    "no tower": (
        lambda f: tensors(f, lambda t: {k: t[k] for k in t if "vision" not in k}),
        r"lack 55 of the model's 80 weights, such as model\.vision_tower\.\S+: copy all",
    ),
    "weights of another vocabulary": (
        lambda f: tensors(f, lambda t: {k: t[k][:-1].clone() if "embed_tokens" in k else t[k] for k in t}),
        r"do not fit its config\.json \(\S+embed_tokens\.weight is 359 x 64, not 360 x 64\): put the config\.json",
    ),
    "an adapter beside it": (lambda f: write(f / "adapter_config.json", BASE), "beside a model.*a folder of their own"),
    "no end of a text": (without_end, r"names no token that ends a text \(eos_token in tokenizer_config\.json\)"),
    "only weights of what it was made from": (
        lambda f: ([(f / each).unlink() for each in ("preprocessor_config.json", "processor_config.json")],
                   configured(f, _name_or_path="google/medgemma-4b-it")),
        "copy the tokenizer's and the processor's files of google/medgemma-4b-it, which it was made from",
    ),
    "a configuration that is a list": (lambda f: write(f / "config.json", "[]"), r"config\.json of .* cannot be read"),
    "AWQ of what writes alone": (
        lambda f: configured(f, text_config=part_of(f, "text_config") | {"quantization_config": AWQ}),
        r"few bits \(awq\)",
    ),
    "AWQ": (lambda f: configured(f, quantization_config={"quant_method": "awq"}), r"few bits \(awq\).*16-bit version"),
    "GPTQ": (lambda f: configured(f, quantization_config={"quant_method": "gptq"}), r"few bits \(gptq\)"),
    "FP8": (lambda f: configured(f, quantization_config={"quant_method": "fp8"}), r"few bits \(fp8\)"),
    "mxfp4": (lambda f: configured(f, quantization_config={"quant_method": "mxfp4"}), r"few bits \(mxfp4\)"),
    "no tokenizer": (
        lambda f: [(f / each).unlink() for each in ("tokenizer.json", "tokenizer_config.json")],
        "tokenizer of .* is missing or damaged: copy all",
    ),
    "half a tokenizer": (lambda f: write(f / "tokenizer.json", "{"), "tokenizer of .* is missing or damaged"),
    "no image processor": (
        lambda f: [(f / each).unlink() for each in ("preprocessor_config.json", "processor_config.json")],
        "does not say how its images are prepared",
    ),
    "code of its own": (
        lambda f: coded(f, "config.json", model_type="theirs", auto_map={"AutoConfig": "theirs.Config"}),
        "comes with Python code: turn trust_remote_code on if you trust it",
    ),
    "a processor of its own": (
        lambda f: [coded(f, name, processor_class="Theirs", auto_map={"AutoProcessor": "theirs.Theirs"})
                   for name in ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")],
        "comes with Python code: turn trust_remote_code on if you trust it",
    ),
    "a tower of a package that is not here": (
        lambda f: configured(f, model_type="gemma3n", vision_config={}, text_config={}, audio_config={}),
        "needs timm, which is not installed: pip install timm",
    ),
    "what its kind does not allow": (
        lambda f: configured(f, model_type="fast_vlm", vision_config={}), "that its kind does not allow .*Only 'full'",
    ),
    "a kind not known": (
        lambda f: configured(f, model_type="theirs"), r"of a kind \(theirs\) that transformers .* update transformers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_checking_and_loading_say_the_same_in_one_sentence(folder, tmp_path, capsys, name):
    break_it, sentence = BROKEN[name]
    break_it(folder)
    assert model_check.main(["--data-dir", str(tmp_path / "data"), str(folder)]) == 1
    said = json.loads(capsys.readouterr().out.splitlines()[-1])["error"]
    with pytest.raises(UserError, match=sentence) as raised:
        model.load(str(folder), backend.plan(train_settings(folder)))
    assert said == str(raised.value)
    assert "\n" not in said and said.endswith(".")
    assert not (folder / "it ran").exists()


def test_a_file_is_no_folder(whole):
    with pytest.raises(UserError, match="is a file: name the folder that holds the model"):
        refusals.check_folder(str(whole / "config.json"))


def test_a_folder_without_weights_is_described_but_not_loaded(folder, tmp_path, capsys):
    (folder / "model.safetensors").unlink()
    assert model_check.main(["--data-dir", str(tmp_path / "data"), str(folder)]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])["check"]
    assert answer["weights"] == "none in the folder: training needs them"
    with pytest.raises(UserError, match="has no weights"):
        model.load(str(folder), backend.plan(train_settings(folder)))


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        (("zero_to_fp32.py", "global_step9/mp_rank_00_model_states.pt"), "run `python zero_to_fp32.py . .`"),
        (("pytorch_model_fsdp_0/__0_0.distcp",), "accelerate merge-weights"),
        (("consolidated.safetensors",), r"in consolidated\.safetensors and not in model\.safetensors"),
    ],
)
def test_weights_that_only_other_programs_read_are_named(folder, there, sentence):
    (folder / "model.safetensors").unlink()
    for name in there:
        write(folder / name, b"x")
    with pytest.raises(UserError, match=sentence):
        refusals.check_weights(str(folder))


def test_weights_that_could_run_code_are_not_read(folder):
    import argparse

    import torch

    (folder / "model.safetensors").unlink()
    torch.save({"weight": torch.ones(1), "arguments": argparse.Namespace()}, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"could run code: save them as model\.safetensors"):
        model.load(str(folder), backend.plan(train_settings(folder)))


def test_what_a_hub_s_model_lacks_is_said_and_a_folder_s_refused(folder):
    """Of a model with code of its own the loader's report is all there is."""
    import torch

    network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    report = {"missing_keys": {"0.weight"}, "unexpected_keys": {"model.0.weight"}, "mismatched_keys": set()}
    said = weight_names.judged("someone/vision", network, report)
    assert said.startswith(
        "The files of someone/vision lack 1 of the model's 4 weights, such as 0.weight, which are"
    )
    with pytest.raises(UserError, match=r"but have others such as model\.0\.weight"):
        weight_names.judged(str(folder), network, report)
    assert weight_names.judged(str(folder), network, {**report, "missing_keys": set()}) == ""


def test_a_few_missing_weights_are_said_and_not_refused(folder):
    tensors(folder, lambda t: {key: t[key] for key in t if "post_layernorm" not in key})
    doubt = model.doubt(model.load(str(folder), backend.plan(train_settings(folder)))[0])
    assert doubt.startswith(f"The files of {folder} lack 2 of the model's 80 weights, such as ")
    assert doubt.endswith(", which are random: if that part counts, copy all of the model's files.")


def test_weights_in_torchs_own_format_load(folder):
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert refusals.weights(str(folder)).startswith("1 file, ")
    loaded, _ = model.load(str(folder), backend.plan(train_settings(folder)))
    assert type(loaded).__name__ == "LlavaForConditionalGeneration"


def test_a_text_model_takes_no_images(whole, tmp_path, capsys):
    from transformers import LlamaConfig, LlamaForCausalLM

    words = families.tokenizer([], "</s>", start="<s>")
    folder = tmp_path / "text"
    LlamaForCausalLM(LlamaConfig(**families.text_config(words))).save_pretrained(folder)
    words.save_pretrained(folder)
    assert model_check.main(["--data-dir", str(tmp_path / "data"), str(folder)]) == 1
    said = json.loads(capsys.readouterr().out)["error"]
    assert said.endswith(
        "(llama) takes no images, so radtui can neither train nor ask it: name a vision-language model."
    )


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("florence2", "token by token"), ("t5gemma2", "token by token"), ("diffusion_gemma", "token by token"),
        ("pi0", "token by token"), ("evolla", "no model that writes"), ("mistral4", "takes no images"),
        ("voxtral", "takes no images"), ("qwen3_5_text", "takes no images"), ("clip", "no model that writes"),
        ("bert", "takes no images"),
    ],
)  # fmt: skip
def test_what_a_class_takes_decides_whether_its_kind_is_refused(kind, sentence):
    """No list of families: the inputs of the class that transformers has for a configuration."""
    from transformers import AutoConfig

    with pytest.raises(
        UserError, match=rf"\({kind}\) .*{sentence}.*, so radtui can neither train nor ask it: "
    ):
        refusals.check_config("it", kinds.writer(AutoConfig.for_model(kind)))


def test_a_model_that_also_speaks_is_trained_by_its_part_that_writes():
    from transformers import AutoConfig

    whole = AutoConfig.for_model("qwen2_5_omni")
    whole.quantization_config = {"quant_method": "awq"}
    part = kinds.writer(whole)
    assert part.model_type == "qwen2_5_omni_thinker"
    assert refusals.quantisation(part) == "awq"
    assert kinds.auto_class(part).__name__ == "AutoModelForImageTextToText"
    assert kinds.auto_class(AutoConfig.for_model("phi4_multimodal")).__name__ == "AutoModelForMultimodalLM"


@pytest.mark.parametrize(
    "stored", [None, {"quant_method": "bitsandbytes", "load_in_4bit": True}, {"load_in_8bit": True}]
)
def test_plain_weights_and_those_of_bitsandbytes_may_be_tuned(stored):
    from transformers import AutoConfig

    config = AutoConfig.for_model("llava")
    config.quantization_config = stored
    refusals.check_config("it", config)
