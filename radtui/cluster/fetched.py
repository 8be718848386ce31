"""Whether a machine without a network finds the model that a job reads: in a folder, or in the hub's cache.

In 4 bits unsloth reads a repository of its own in place of many a model: its table says which, and that one must be in
the cache too.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from radtui.cluster.profile import Profile
from radtui.paths import expanded
from radtui.records import UserError

CONFIG, INDEX, WEIGHTS = "config.json", "model.safetensors.index.json", "model.safetensors"
TABLE, IN_4_BITS = Path("models") / "mapper.py", "FLOAT_TO_INT_MAPPER"  # of unsloth
ALREADY = "-bnb-4bit"
START_S = 60.0  # of another Python, from a cold file system


def cache_of(hf_home: str) -> Path:
    """The hub's cache where HF_HOME is this; where it is "", the one that this shell has."""
    if hf_home:
        return expanded(hf_home) / "hub"
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named)
    return Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface").expanduser() / "hub"


def missing(model: str, hf_home: str) -> str:
    """The first file of a model that a job would not find; "" where all is there.

    Args:
        model: Hub id or folder.
        hf_home: The profile's; "" for this shell's.
    """
    if Path(model).is_dir():
        return ""
    repository = cache_of(hf_home) / "--".join(["models", *model.split("/")])
    try:
        commit = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return CONFIG
    folder = repository / "snapshots" / commit
    if not (folder / CONFIG).exists():
        return CONFIG
    names = [WEIGHTS]
    if (folder / INDEX).exists():
        names = sorted(set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()))
    elif not (folder / WEIGHTS).exists():
        names = [] if list(folder.glob("pytorch_model*.bin")) else names
    return next((name for name in names if not (folder / name).exists()), "")


def check(model: str, hf_home: str, whole: bool = True) -> None:
    """Raise UserError unless a machine without a network finds a model, or where not `whole` what describes it."""
    name = missing(model, hf_home)
    if name and (whole or name == CONFIG):
        raise _not_there(name, model, model, hf_home)


def check_job(settings: Mapping[str, object], profile: Profile) -> None:
    """Raise UserError unless a machine without a network finds all that a job reads of models.

    Args:
        settings: A training or generation job's.
        profile: The cluster's.
    """
    model, home = str(settings["model"]), profile.hf_home
    if (
        "adapter" in settings
    ):  # it describes: with the weights named, or with those that the adapter learnt on
        if missing(model, home) and (name := _base_of(str(settings["adapter"]))) and not missing(name, home):
            return
        check(model, home)
        return
    reads = read_by_unsloth(model, profile.interpreter) if _trains_with_unsloth(settings, profile) else model
    check(model, home, whole=reads == model)
    if name := missing(reads, home):
        raise _not_there(name, reads, model, home)


def read_by_unsloth(model: str, python: str = "") -> str:
    """The repository that unsloth reads in place of a model in 4 bits; the model's own name without unsloth.

    Its table is a file that imports nothing; unsloth itself starts only where a GPU is, which a login node has not.

    Args:
        model: Hub id or folder.
        python: The Python that a job runs with; "" for this one.
    """
    if Path(model).is_dir():
        return model
    if python and python != sys.executable:
        code = "import sys; from radtui.cluster.fetched import read_by_unsloth as r; print(r(sys.argv[1]))"
        try:
            done = subprocess.run(
                [python, "-P", "-c", code, model], capture_output=True, text=True, timeout=START_S, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise UserError(
                f"{python} does not start: {error}; name another python in the profile."
            ) from error
        return done.stdout.strip()
    package = importlib.util.find_spec("unsloth")
    table = Path(package.origin).parent / TABLE if package and package.origin else None
    if table is None or not table.exists() or model.lower().endswith(ALREADY):
        return model
    import runpy

    in_4_bits = runpy.run_path(str(table)).get(IN_4_BITS, {})
    return str(in_4_bits.get(model.lower(), model))


def _trains_with_unsloth(settings: Mapping[str, object], profile: Profile) -> bool:
    """Whether a training job will load its model by unsloth, in 4 bits; as `worker.model.backend` chooses."""
    without = settings.get("objective", "sft") != "sft" or settings.get("dora") or not profile.gres
    return bool(settings.get("load_in_4bit")) and settings.get("backend") != "transformers" and not without


def _base_of(adapter: str) -> str:
    """The model that an adapter says it learnt on; "" where it does not say."""
    try:
        values = json.loads((Path(adapter) / "adapter_config.json").read_text(encoding="utf-8"))
        return str(values["base_model_name_or_path"])
    except (OSError, ValueError, KeyError):
        return ""


def _not_there(file: str, reads: str, model: str, hf_home: str) -> UserError:
    instead = f", which unsloth reads for {model} in 4 bits," if reads != model else ""
    return UserError(
        f"{file} of {reads}{instead} is not in {cache_of(hf_home)}, and machines of the cluster have no network: run"
        f" radtui fetch {model} here first."
    )
