"""Whether a base model's files are still those that an adapter was trained on.

Hashing 20 GB would take a minute of every job. What is hashed instead is each file's name and size, small files as a
whole, and of files with weights their beginning, which in safetensors lists every tensor, and samples spread over the
rest: training it further changes those with near certainty, but a change of a few single numbers would go unnoticed.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from pathlib import Path
from typing import Any

from radtui.store import jobs
from radtui.worker.process.memory import GIB
from radtui.worker.process.reporter import Reporter

log = logging.getLogger("radtui.worker")
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf")
WHOLE = (".json",)  # configuration, and the index that says which file holds which tensor
NOT_OF_THE_MODEL = ("preprocessor", "processor", "tokenizer", "special_tokens", "generation", "chat_template")
WHOLE_BYTES = 2**26
SAMPLES, SAMPLE_BYTES = 64, 4096  # of each file with weights
SHOWN = 12  # hexadecimal digits in sentences


def fingerprint(model: Any, name: str) -> dict[str, object]:
    """What tells a loaded base model's files from others.

    Args:
        model: As loaded; it knows the repository that was read, which unsloth may have chosen otherwise.
        name: What was asked for.

    Returns:
        `source`, `digest` (sha256, hexadecimal), `files` and `gib`; empty where the files cannot be read.
    """
    source = str(getattr(model.config, "_name_or_path", "") or name)
    try:
        folder = _folder(source)
        return {} if folder is None else {"source": source, **of_folder(folder)}
    except OSError as error:  # gone while the job ran; the model is loaded all the same
        log.warning("The files of %s cannot be read again: %s", source, error)
        return {}


def keep(reporter: Reporter, step: int, model: Any, name: str, before: tuple[object, int]) -> str:
    """Keep the fingerprint in the job's result, and say so where the files are not those met before.

    Args:
        reporter: The job's voice.
        step: Where the job is.
        model: As loaded.
        name: What was asked for.
        before: What an earlier job kept, and its number.

    Returns:
        What was said; empty when nothing has changed.
    """
    now = fingerprint(model, name)
    change = changed(before[0], now, f"job {before[1]}")
    if change and reporter.ranks.first:  # every rank has loaded the same files
        reporter.event(step, "warning", change)
    reporter.result(base_files=now)
    return change


def of_folder(folder: Path) -> dict[str, object]:
    """The fingerprint of a folder with a model; raises OSError."""
    whole, size = hashlib.sha256(), 0
    files = sorted(path for path in folder.iterdir() if _counts(path))
    for path in files:
        length = path.stat().st_size
        size += length
        whole.update(f"{path.name}\0{length}\0".encode())
        whole.update(_digest(path, length))
    return {"digest": whole.hexdigest(), "files": len(files), "gib": round(size / GIB, 3)}


def changed(before: object, now: dict[str, object], whose: str) -> str:
    """A sentence where the same base model has other files than before; else empty.

    Args:
        before: From an earlier job's result; None or empty when it kept none.
        now: From `fingerprint`.
        whose: The job that met the files of before: "job 7".
    """
    if not (isinstance(before, dict) and before.get("digest") and now.get("digest")):
        return ""
    if before.get("source") != now["source"] or before["digest"] == now["digest"]:
        return ""  # another repository of the model, such as its 4-bit version, is said elsewhere
    then, new = str(before["digest"])[:SHOWN], str(now["digest"])[:SHOWN]
    return (
        f"The files of {now['source']} have changed since {whose} was trained on them ({then}, now {new}): its adapter "
        "belongs to other weights, so what it writes here says little; restore them, or train anew."
    )


def trained_on(db: sqlite3.Connection, job_id: int) -> object:
    """What a training job kept of its base model's files; None without such a job."""
    job = jobs.get(db, job_id) if job_id else None
    return job.result.get("base_files") if job else None


def _folder(source: str) -> Path | None:
    path = Path(source)
    if path.is_dir():
        return path
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(source, "config.json")
    return Path(cached).parent if isinstance(cached, str) else None


def _counts(path: Path) -> bool:
    return path.is_file() and (
        path.name.endswith(WEIGHTS)
        or (path.name.endswith(WHOLE) and not path.name.startswith(NOT_OF_THE_MODEL))
    )


def _digest(path: Path, length: int) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        if length <= WHOLE_BYTES:
            digest.update(file.read())
            return digest.digest()
        digest.update(file.read(_beginning(path, file.read(8))))
        for number in range(SAMPLES):
            file.seek(number * (length - SAMPLE_BYTES) // (SAMPLES - 1))
            digest.update(file.read(SAMPLE_BYTES))
    return digest.digest()


def _beginning(path: Path, first: bytes) -> int:
    """Bytes of a safetensors file's header, without its length. Source: the safetensors format."""
    return (
        min(int.from_bytes(first, "little"), WHOLE_BYTES) if path.suffix == ".safetensors" else SAMPLE_BYTES
    )
