"""What an export was made of and with, beside it as `NAME.manifest.json`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from radtui import __version__
from radtui.export.files import lies_at, whole_file
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


@dataclass(frozen=True, slots=True)
class Seal:
    """Whether a file is still as its manifest says that it was written."""

    state: str  # SAME, LINE_ENDS or DIFFERS
    rows: int | None  # as the manifest says

    @property
    def differs(self) -> bool:
        """Whether more than line ends is different."""
        return self.state == DIFFERS

    @property
    def words(self) -> str:
        """One sentence."""
        if self.state == SAME:
            return "Its bytes are those that its manifest names."
        if self.state == LINE_ENDS:
            return "Its line ends were changed since it was exported, as some programs do in saving, and nothing else."
        rows = "" if self.rows is None else f", which says that it had {self.rows:,} rows"
        return f"Its bytes are not those that its manifest names{rows}: something in it was changed."


SAME, LINE_ENDS, DIFFERS = "same", "line ends", "differs"


def seal_of(path: Path) -> Seal | None:
    """A file held against the manifest beside it; None where there is none that can be read."""
    try:
        content = json.loads(manifest_path(path).read_text(encoding="utf-8"))
        digests = [str(file["sha256"]) for file in content["files"]]
        rows = content.get("n")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    known = set(digests)
    with path.open("rb") as file:
        plain, restored = hashlib.sha256(), hashlib.sha256()
        for number, line in enumerate(file):
            plain.update(line)
            own = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
            restored.update(own[:-2] + b"\n" if own.endswith(b"\r\n") else own)
    state = SAME if plain.hexdigest() in known else LINE_ENDS if restored.hexdigest() in known else DIFFERS
    return Seal(state, rows if isinstance(rows, int) else None)


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
    }  # fmt: skip
    path = manifest_path(out)
    with whole_file(path) as file:
        file.write(json.dumps(content | {"files": _files(out)}, indent=2) + "\n")
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


def _files(out: Path) -> list[dict[str, object]]:
    """Each file of an export by its name beside the manifest, which it may not have taken yet."""
    at = lies_at(out)
    if not at.is_dir():
        return [_file(at, out.name)]
    inside = sorted(path for path in at.rglob("*") if path.is_file())
    return [_file(path, (Path(out.name) / path.relative_to(at)).as_posix()) for path in inside]


def _file(path: Path, name: str) -> dict[str, object]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return {"path": name, "bytes": path.stat().st_size, "sha256": digest.hexdigest()}
