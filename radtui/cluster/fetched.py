"""Whether a machine without a network finds the model that a job reads: in a folder, or in the hub's cache.

unsloth reads a repository of its own in place of many a model: its tables say which, for 4 bits and for 16, and a list
of exceptions says where another one is read after all. That one must be in the cache too.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from radtui.cluster.profile import Profile
from radtui.durable import write_synced
from radtui.paths import expanded
from radtui.records import UserError

CONFIG, INDEX, WEIGHTS = "config.json", "model.safetensors.index.json", "model.safetensors"
WANTED = "radtui-fetch.json"  # beside the snapshots, which hub libraries pass over
TABLES, EXCEPTIONS = Path("models") / "mapper.py", Path("models") / "loader_utils.py"  # of unsloth
# Looked up in turn.
IN_4_BITS, IN_16_BITS = (("FLOAT_TO_INT_MAPPER",), ("INT_TO_FLOAT_MAPPER", "MAP_TO_UNSLOTH_16bit"))
NOT_READ = "BAD_MAPPINGS"  # repositories that unsloth never reads, with those that it reads instead
ALREADY = "-bnb-4bit"
START_S = 60.0  # of another Python, from a cold file system


def cache_of(hf_home: str) -> Path:
    """The hub's cache where HF_HOME is this; where it is "", the one that this shell has."""
    if hf_home:
        return expanded(hf_home) / "hub"
    if named := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return expanded(named)
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return expanded(os.environ.get("HF_HOME") or caches / "huggingface") / "hub"


def missing(model: str, hf_home: str) -> str:
    """The first file of a model that a job would not find; "" where all is there.

    Args:
        model: Hub id or folder.
        hf_home: The profile's; "" for this shell's.
    """
    if Path(model).is_dir():
        return ""
    repository = _repository(model, hf_home)
    try:
        commit = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return CONFIG
    folder = repository / "snapshots" / commit
    if not (folder / CONFIG).exists():
        return CONFIG
    names = [WEIGHTS]
    if (folder / INDEX).exists():
        try:
            names = sorted(
                set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values())
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # cut short: as good as not there
            return INDEX
    elif not (folder / WEIGHTS).exists():
        names = [] if list(folder.glob("pytorch_model*.bin")) else names
    names += _wanted(repository, commit)
    return next((name for name in names if not (folder / name).exists()), "")


def note_wanted(model: str, hf_home: str, commit: str, files: Sequence[str]) -> None:
    """Write down what is going to be fetched of a model: a part of it, after a kill, is not taken for all.

    Raises:
        OSError: The cache cannot be written.
    """
    repository = _repository(model, hf_home)
    repository.mkdir(parents=True, exist_ok=True)
    write_synced(repository / WANTED, json.dumps({"commit": commit, "files": sorted(files)}))


def _wanted(repository: Path, commit: str) -> list[str]:
    """The files of a model that a fetch set out for; none where another program brought it, or a newer one."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        wanted = json.loads((repository / WANTED).read_text(encoding="utf-8"))
        if wanted["commit"] == commit:
            return [str(name) for name in wanted["files"]]
    return []


def _repository(model: str, hf_home: str) -> Path:
    return cache_of(hf_home) / "--".join(["models", *model.split("/")])


def check(model: str, hf_home: str, whole: bool = True) -> None:
    """Raise UserError unless a machine without a network finds a model, or where not `whole` what describes it."""
    name = missing(model, hf_home)
    if name and (whole or name == CONFIG):
        raise _not_there(name, model, model, hf_home, model)


def check_job(settings: Mapping[str, object], profile: Profile) -> None:
    """Raise UserError unless a machine without a network finds all that a job reads of models.

    Args:
        settings: A training or generation job's.
        profile: The cluster's.
    """
    model, home = str(settings["model"]), profile.hf_home
    if "adapter" in settings and missing(model, home):  # with the weights that the adapter learnt on, then
        base = _base_of(str(settings["adapter"]))
        model = base if base and not missing(base, home) else model
    for reads, wanted in _read(settings, model, profile).items():
        check(model, home, whole=reads == model)
        if file := missing(reads, home):
            raise _not_there(file, reads, model, home, wanted)


def _read(settings: Mapping[str, object], model: str, profile: Profile) -> dict[str, str]:
    """The repositories that a job may read for a model, both where its GPU decides, with what `fetch` needs."""
    if not _is_loaded_by_unsloth(settings, profile):
        return {model: model}
    repositories = {}
    if settings.get("load_in_4bit"):
        repositories[read_by_unsloth(model, True, profile.interpreter)] = model
    if not settings.get("load_in_4bit") or settings.get("prefer_16_bit"):
        reads = read_by_unsloth(model, False, profile.interpreter)
        repositories.setdefault(reads, reads)
    return repositories


def read_by_unsloth(model: str, in_4_bits: bool = True, python: str = "") -> str:
    """The repository that unsloth reads in place of a model; the model's own name without unsloth.

    Its tables are files that are read and not imported: unsloth itself starts only where a GPU is, which a login node
    has not.

    Args:
        model: Hub id or folder.
        in_4_bits: Whether its weights are kept in 4 bits, else in 16.
        python: The Python that a job runs with; "" for this one.

    Raises:
        UserError: That Python does not start, or its unsloth has other tables.
    """
    if Path(model).is_dir():
        return model
    if python and python != sys.executable:
        return _asked_of(python, model, in_4_bits)
    package = importlib.util.find_spec("unsloth")
    if package is None or package.origin is None:
        return model
    folder = Path(package.origin).parent
    try:
        return _instead(folder, model, in_4_bits)
    except (OSError, KeyError, SyntaxError, ValueError) as error:
        raise UserError(
            f"What unsloth in {folder} reads for {model} cannot be told ({type(error).__name__}: {error}): update"
            " radtui, or train with --backend transformers."
        ) from error


def _instead(folder: Path, model: str, in_4_bits: bool) -> str:
    """As unsloth's `get_model_name` has it where no network is. Source: unsloth, models/loader_utils.py."""
    import runpy

    tables, name = runpy.run_path(str(folder / TABLES)), model.lower()
    known = [tables[table].get(name) for table in (IN_4_BITS if in_4_bits else IN_16_BITS)]
    named_in_4_bits = in_4_bits and name.endswith(ALREADY)  # that very one is wanted, and no better one
    reads = model if named_in_4_bits else str(next(filter(None, known), model))
    return _exceptions(folder / EXCEPTIONS).get(reads.lower(), reads)


def _exceptions(file: Path) -> dict[str, str]:
    """Unsloth's own list of repositories that it does not read, from a file that cannot be run without a GPU."""
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            if NOT_READ in names:
                pairs = zip(statement.value.keys, statement.value.values, strict=True)
                return {_written(key): _written(value) for key, value in pairs}
    raise KeyError(NOT_READ)


def _written(node: ast.expr | None) -> str:
    """The text that an expression such as "Name".lower() stands for."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "lower":
        return _written(node.func.value).lower()
    text = ast.literal_eval(node) if node is not None else None
    if not isinstance(text, str):
        raise ValueError(f"{NOT_READ} has an entry of another kind")
    return text


def _asked_of(python: str, model: str, in_4_bits: bool) -> str:
    """As `read_by_unsloth` of another Python."""
    code = f"import sys; from radtui.cluster.fetched import read_by_unsloth as r; print(r(sys.argv[1], {in_4_bits}))"
    command = [python, "-P", "-c", code, model]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        last = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
        raise UserError(
            f"{python} does not say what its unsloth reads ({''.join(last)}); name another python in the profile."
        ) from error
    return done.stdout.strip()


def _is_loaded_by_unsloth(settings: Mapping[str, object], profile: Profile) -> bool:
    """Whether a job will load its model by unsloth; as `worker.model.backend` and `base_weights` choose."""
    backend = settings.get("backend")
    if not profile.gres or backend == "transformers":
        return False
    if "adapter" in settings:
        return backend == "unsloth"
    return settings.get("objective", "sft") == "sft" and not settings.get("dora")


def _base_of(adapter: str) -> str:
    """The model that an adapter says it learnt on; "" where it does not say."""
    try:
        values = json.loads((Path(adapter) / "adapter_config.json").read_text(encoding="utf-8"))
        return str(values["base_model_name_or_path"])
    except (OSError, ValueError, KeyError):
        return ""


def _not_there(file: str, reads: str, model: str, hf_home: str, wanted: str) -> UserError:
    instead = f", which unsloth reads for {model}," if reads != model else ""
    return UserError(
        f"{file} of {reads}{instead} is not in {cache_of(hf_home)}, and machines of the cluster have no network: run"
        f" radtui fetch {wanted} here first."
    )
