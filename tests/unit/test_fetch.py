"""`radtui fetch` against a hub on this machine, and what a job finds of it without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from radtui.cluster import fetched
from radtui.cluster.profile import Profile
from radtui.paths import DataDir
from radtui.records import UserError
from radtui.settings import GenerateSettings, TrainSettings
from radtui.store.database import connect
from tests.unit.fake_hub import hub
from tests.unit.source_files import mini_rows, write_parquet

pytest.importorskip("huggingface_hub")
MODEL = {
    "config.json": b"{}", "tokenizer.json": b"{}", "model.safetensors": b"weights" * 100, "README.md": b"about",
    "original/consolidated.pth": b"the same again",
}  # fmt: skip
SMALLER = "acme/rays-unsloth-bnb-4bit"
TABLES = f"""
FLOAT_TO_INT_MAPPER = {{"acme/rays": "{SMALLER}", "acme/other": "acme/Other-bnb-4bit", "{SMALLER}": "acme/better"}}
INT_TO_FLOAT_MAPPER = {{"{SMALLER}": "acme/rays"}}
MAP_TO_UNSLOTH_16bit = {{"elsewhere/rays": "acme/rays"}}
"""
EXCEPTIONS = """
import torch_that_no_login_node_has
BAD_MAPPINGS = {
    "acme/Other-bnb-4bit".lower(): "acme/Whole",  # on the fly
    "acme/broken": "acme/Whole".lower(),
}
"""


@pytest.fixture
def unsloth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an unsloth that cannot be imported, as on a machine without a GPU, with its table of names."""
    package = tmp_path / "site" / "unsloth"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise NotImplementedError('no GPU')\n")
    (package / "models" / "mapper.py").write_text(TABLES)
    (package / "models" / "loader_utils.py").write_text(EXCEPTIONS)
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(package.parent), str(Path(__file__).parents[2])]))
    return package.parent


def radtui_fetch(tmp_path: Path, address: str, *what: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own: the hub's library reads its settings when it is imported."""
    config = tmp_path / "config.toml"
    config.write_text(f'[slurm.gpu]\nhf_home = "{tmp_path}/hf"\n')
    env = {**os.environ, "HF_ENDPOINT": address, "RADTUI_CONFIG": str(config)}
    for variable in ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "HF_HOME"):
        env.pop(variable, None)
    command = [sys.executable, "-m", "radtui.cli", "--data-dir", str(tmp_path / "data"), "fetch", *what]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def names_in(home: Path, repository: str) -> list[str]:
    snapshots = home / "hub" / repository / "snapshots"
    return sorted(path.name for path in next(snapshots.iterdir()).iterdir())


def test_a_model_and_the_one_that_unsloth_reads_for_it_are_fetched(tmp_path: Path, unsloth: Path) -> None:
    gpu = Profile("gpu", hf_home=str(tmp_path / "hf"))
    trains = TrainSettings(model="acme/rays").to_dict()
    with pytest.raises(
        UserError, match=r"config\.json of acme/rays is not in .* run radtui fetch acme/rays here"
    ):
        fetched.check_job(trains, gpu)
    with hub(MODEL, kind="model", names="rays|rays-unsloth-bnb-4bit") as address:
        done = radtui_fetch(tmp_path, address, "acme/rays")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"A job reads acme/rays from {tmp_path}/hf/hub.",
        f"A training job in 4 bits reads {SMALLER} from there, which unsloth takes in its place.",
    ]
    assert "Downloading acme/rays: 0.0 of 0.0 MiB" in done.stderr
    for repository in ("models--acme--rays", f"models--{SMALLER.replace('/', '--')}"):
        assert names_in(tmp_path / "hf", repository) == ["config.json", "model.safetensors", "tokenizer.json"]
    fetched.check_job(trains, gpu)
    again = radtui_fetch(tmp_path, "http://127.0.0.1:9", "acme/rays")  # no hub any more, and none is asked
    assert (again.returncode, again.stdout) == (0, done.stdout)
    snapshots = tmp_path / "hf" / "hub" / "models--acme--rays" / "snapshots"
    next(snapshots.glob("*/tokenizer.json")).unlink()  # as where it was killed before that one
    assert fetched.missing("acme/rays", str(tmp_path / "hf")) == "tokenizer.json"
    fetched.note_wanted("acme/rays", str(tmp_path / "hf"), "of another time", ["more.json"])
    assert not fetched.missing("acme/rays", str(tmp_path / "hf"))


def test_what_a_job_reads_in_4_bits_is_missed_before_it_queues(tmp_path: Path, unsloth: Path) -> None:
    files = tmp_path / "hub" / "models--acme--rays" / "snapshots" / "abc"
    files.mkdir(parents=True)
    (tmp_path / "hub" / "models--acme--rays" / "refs").mkdir()
    (tmp_path / "hub" / "models--acme--rays" / "refs" / "main").write_text("abc")
    (files / "config.json").touch()
    (files / "model.safetensors").touch()
    gpu = Profile("gpu", hf_home=str(tmp_path))
    sentence = rf"config\.json of {SMALLER}, which unsloth reads for acme/rays, is not in .*fetch acme/rays "
    with pytest.raises(UserError, match=sentence):
        fetched.check_job(TrainSettings(model="acme/rays").to_dict(), gpu)
    for other in (
        TrainSettings(model="acme/rays", load_in_4bit=False),  # in 16 bits it is itself
        TrainSettings(model="acme/rays", backend="transformers"),
        TrainSettings(model="acme/rays", objective="dpo", from_job=1),
        GenerateSettings(model="acme/rays"),
    ):
        fetched.check_job(other.to_dict(), gpu)
    fetched.check_job(
        TrainSettings(model="acme/rays").to_dict(), Profile("cpu", gres="", hf_home=str(tmp_path))
    )


def test_describing_takes_the_weights_that_the_adapter_learnt_on(tmp_path: Path) -> None:
    files = tmp_path / "hub" / "models--acme--small" / "snapshots" / "abc"
    files.mkdir(parents=True)
    (files.parents[1] / "refs").mkdir()
    (files.parents[1] / "refs" / "main").write_text("abc")
    (files / "config.json").touch()
    (files / "model.safetensors").touch()
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    gpu, asked = (
        Profile("gpu", hf_home=str(tmp_path)),
        GenerateSettings(model="acme/rays", adapter=str(adapter)),
    )
    with pytest.raises(UserError, match="run radtui fetch acme/rays here first"):
        fetched.check_job(asked.to_dict(), gpu)
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "acme/small"}))
    fetched.check_job(asked.to_dict(), gpu)


def test_another_python_says_what_its_unsloth_reads(tmp_path: Path, unsloth: Path) -> None:
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    assert fetched.read_by_unsloth("acme/rays", True, str(other)) == SMALLER
    assert fetched.read_by_unsloth("elsewhere/rays", False, str(other)) == "acme/rays"
    with pytest.raises(UserError, match=r"does not say what .*name another python in the profile"):
        fetched.read_by_unsloth("acme/rays", True, str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("model", "in_4_bits", "in_16_bits"),
    [
        ("acme/Rays", SMALLER, "acme/Rays"),
        (SMALLER, SMALLER, "acme/rays"),  # a name in 4 bits is taken at its word
        ("Elsewhere/Rays", "Elsewhere/Rays", "acme/rays"),
        ("acme/other", "acme/Whole", "acme/other"),  # the table's answer is never read
        ("acme/Other-bnb-4bit", "acme/Whole", "acme/Whole"),  # nor is the name itself
        ("acme/broken", "acme/whole", "acme/whole"),
        ("acme/unknown", "acme/unknown", "acme/unknown"),
    ],
)
def test_exceptions_to_unsloths_tables_count(
    unsloth: Path, model: str, in_4_bits: str, in_16_bits: str
) -> None:
    assert (fetched.read_by_unsloth(model), fetched.read_by_unsloth(model, False)) == (in_4_bits, in_16_bits)


@pytest.mark.parametrize("text", ["", "BAD_MAPPINGS = {1: 2}\n", "BAD_MAPPINGS = {\n"])
def test_other_tables_of_unsloths_are_not_guessed_at(unsloth: Path, text: str) -> None:
    (unsloth / "unsloth" / "models" / "loader_utils.py").write_text(text)
    with pytest.raises(UserError, match=r"acme/rays cannot be told .*or train with --backend transformers"):
        fetched.read_by_unsloth("acme/rays")


def in_cache(home: Path, name: str) -> None:
    """A model in the hub's cache under a home."""
    repository = home / "hub" / "--".join(["models", *name.split("/")])
    (repository / "snapshots" / "abc").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    for file in ("config.json", "model.safetensors"):
        (repository / "snapshots" / "abc" / file).touch()


def test_what_unsloth_reads_in_16_bits_is_missed_too(tmp_path: Path, unsloth: Path) -> None:
    gpu = Profile("gpu", hf_home=str(tmp_path))
    in_cache(tmp_path, "elsewhere/rays")
    wide = TrainSettings(model="elsewhere/rays", load_in_4bit=False).to_dict()
    with pytest.raises(
        UserError, match=r"config\.json of acme/rays, which unsloth reads for elsewhere/rays, is not"
    ):
        fetched.check_job(wide, gpu)
    fetched.check_job(TrainSettings(model="elsewhere/rays").to_dict(), gpu)
    # Its GPU decides on the bits.
    asked = GenerateSettings(model="elsewhere/rays", backend="unsloth").to_dict()
    with pytest.raises(UserError, match="run radtui fetch acme/rays here first"):
        fetched.check_job(asked, gpu)
    in_cache(tmp_path, "acme/rays")
    fetched.check_job(wide, gpu)
    fetched.check_job(asked, gpu)


def test_a_data_set_is_fetched_or_travels_with_its_jobs(tmp_path: Path) -> None:
    connect(DataDir(tmp_path / "data").create()).close()
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").touch()
    rows = {
        "data/train-0.parquet": write_parquet(tmp_path / "a", mini_rows(3)).read_bytes(),
        "README.md": b"about",
    }
    with hub(rows) as address:
        done = radtui_fetch(tmp_path, address, str(model), "acme/rays")
        unknown = radtui_fetch(tmp_path, address, str(model), "acme/other")
    assert done.returncode == 0, done.stderr
    assert "acme/rays is in" in done.stdout and "radtui import acme/rays makes it a data set" in done.stdout
    assert names_in(tmp_path / "hf", "datasets--acme--rays") == ["data"]
    assert unknown.returncode == 1 and unknown.stderr.startswith("radtui: acme/other could not be fetched")
