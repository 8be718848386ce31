"""What an export was made of and with, beside it as `NAME.manifest.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from radtui import __version__
from radtui.export.files import whole_file
from radtui.measures.text import NORMALISATION
from radtui.records import Job, Study
from radtui.settings import GenerateSettings
from radtui.store.schema_version import SCHEMA_VERSION
from radtui.study.schemes import Survey
from radtui.study.study import Review

MANIFEST_SCHEMA = "radtui-manifest-1"
_CHUNK_BYTES = 1 << 20


def manifest_path(out: Path) -> Path:
    """Where the manifest of an export lies: `comparisons.csv.manifest.json`."""
    return out.with_name(out.name + ".manifest.json")


def write_manifest(
    review: Review,
    out: Path,
    export_schema: str,
    n: int,
    filters: Mapping[str, object],
    seen: Survey,
    **more: object,
) -> Path:
    """Write the manifest of a file or folder that has just been written; returns its path.

    Args:
        review: What was exported.
        out: The file, or the folder.
        export_schema: Name and version of its form.
        n: Rows written.
        filters: What was asked to be in it or left out.
        seen: Survey of the review.
        **more: Further facts, such as what was left out and why.

    Raises:
        UserError: The manifest cannot be written.
    """
    seed, scheme = review.study.seed, review.scheme
    content = {
        "manifest_schema": MANIFEST_SCHEMA,
        "export_schema": export_schema,
        "radtui": __version__,
        "database_schema": SCHEMA_VERSION,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "note": "Model output, not for clinical use.",
        **({"job": _facts(review.job)} if review.job else {"study": _study_facts(review.study)}),
        "seeds": {"order_sides_and_repeats": seed, "sampling": review.settings.get("seed"), "bootstrap": 0},
        "scheme": {"id": scheme.id, "version": scheme.version, "sha256": scheme.sha256},
        "text_shown_as": NORMALISATION,
        "filters": dict(filters),
        "n": n,
        "raters": len(seen.raters),
        **more,
        "files": [_file(path, out) for path in _files(out)],
    }  # fmt: skip
    path = manifest_path(out)
    with whole_file(path) as file:
        file.write(json.dumps(content, indent=2) + "\n")
    return path


def _facts(job: Job) -> dict[str, object]:
    """What was described, by which models, and how they were asked."""
    settings = job.settings
    further = GenerateSettings.from_dict(settings).further_adapters
    third = {f"{arm}_adapter": folder for arm, folder in further.items()}
    return {
        "id": job.id, "name": job.name, "dataset": job.dataset, "split": settings.get("split"),
        "training_job": job.parent_job_id, "base_model": settings.get("model"), "adapter": settings.get("adapter"),
        **third, "instruction": settings.get("instruction"), "message_order": settings.get("message_order"),
    }  # fmt: skip


def _study_facts(study: Study) -> dict[str, object]:
    """What a study made by hand compares."""
    arms = [{"name": arm.name, "kind": arm.kind.value, "job": arm.job_id} for arm in study.arms]
    return {
        "id": study.id,
        "name": study.name,
        "dataset": study.dataset,
        "arms": arms,
        "protocol": study.protocol,
    }


def _files(out: Path) -> Iterable[Path]:
    return sorted(path for path in out.rglob("*") if path.is_file()) if out.is_dir() else [out]


def _file(path: Path, out: Path) -> dict[str, object]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return {
        "path": path.relative_to(out.parent).as_posix(), "bytes": path.stat().st_size, "sha256": digest.hexdigest(),
    }  # fmt: skip
