"""The other end of a score job: run by the Python of the package's environment, which knows nothing of radtui.

    python package_side.py METRIC REPOSITORY...

Says on its first line of output, as JSON, what it is; then answers every line of input, {"texts": [...],
"references": [...]}, with {"values": {name: [number, ...]}} or, for CheXbert, with labels of both. An error is a line
{"error": ..., "kind": ...}, and the end. Everything that libraries print goes to stderr. The standard library alone is
imported here, and the package.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.metadata
import importlib.util
import json
import math
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

PACKAGE = "radeval"
# By which 2.2.1 still imports parts of itself: RadGraph and RadCliQ are not found without it.
OLD_NAME = "RadEval"
LABELLER = "f1chexbert"  # asked for its labels, since F1 is no property of one text


def main(arguments: list[str]) -> int:
    """Score what comes in until there is no more; returns 0, or 1 after an error."""
    metric, repositories = arguments[0], arguments[1:]
    answers = _own_output()
    if importlib.util.find_spec(OLD_NAME) is None:
        sys.meta_path.insert(0, _OldName())
    try:
        evaluator = _labeller() if metric == LABELLER else _evaluator(metric)
        _say(answers, about(repositories))
        for line in sys.stdin:
            asked = json.loads(line)
            _say(answers, score(evaluator, metric, asked["texts"], asked["references"]))
    except Exception as error:  # whatever a library raises is told, and the job says it in a sentence
        _say(answers, {"error": " ".join(str(error).split())[:500], "kind": _kinds(error)})
        return 1
    return 0


def _evaluator(metric: str) -> Any:
    from radeval import RadEval

    return RadEval(metrics=[metric], per_sample=True, show_progress=False)


def _labeller() -> Any:
    """CheXbert by itself, on a GPU where there is one: asked for by its name, the package wants one (2.2.1)."""
    import torch
    from radeval.metrics.f1chexbert.f1chexbert import F1CheXbert

    return F1CheXbert(device="cuda" if torch.cuda.is_available() else "cpu")


class _OldName(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The package's modules under its old name: the very same ones, so that what one registers another finds."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """Of the old name and what is in it; asked first, else files are run a second time by their other name."""
        if fullname != OLD_NAME and not fullname.startswith(f"{OLD_NAME}."):
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def create_module(self, spec: Any) -> Any:
        """The module under its own name."""
        module = importlib.import_module(PACKAGE + spec.name[len(OLD_NAME) :])
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: Any) -> None:
        """It has run already; its spec stays its own."""
        if module.__spec__ is not None and module.__spec__.loader_state is not None:
            module.__spec__ = module.__spec__.loader_state


def _own_output() -> TextIO:
    """Standard output for answers alone: what libraries print from here on goes to stderr."""
    kept = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(kept, "w", encoding="utf-8")


def _say(answers: TextIO, what: dict[str, Any]) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


def _kinds(error: BaseException) -> list[str]:
    """Names of the error's class and of those it was raised from, with their bases: what it is, whoever wrapped it."""
    kinds: list[str] = []
    current: BaseException | None = error
    while current is not None:
        kinds += [each.__name__ for each in type(current).__mro__ if each.__name__ not in kinds]
        current = current.__cause__ or current.__context__
    return kinds


def score(evaluator: Any, metric: str, texts: list[str], references: list[str]) -> dict[str, Any]:
    """Values of each text, or labels of both; a number that is none is null."""
    if metric == LABELLER:
        labels = {"texts": evaluator.get_labels(texts), "references": evaluator.get_labels(references)}
        return {"labels": {name: _rows(rows) for name, rows in labels.items()}}
    values = evaluator(refs=references, hyps=texts)
    return {"values": {name: [_number(value) for value in own] for name, own in values.items()}}


def _rows(labels: Iterable[Iterable[Any]]) -> list[list[int]]:
    return [[int(label) for label in row] for row in labels]


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def about(repositories: list[str]) -> dict[str, Any]:
    """What computes the score: package, version, licence, and the revisions of the weights it reads."""
    metadata: Any = importlib.metadata.metadata(PACKAGE)
    licence = str(metadata.get("License-Expression") or metadata.get("License") or "not stated")
    folders = {name: _snapshot(name) for name in repositories}
    return {
        "package": PACKAGE,
        "version": metadata["Version"],
        "licence": licence.splitlines()[0][:80],
        "revisions": {name: folder.name for name, folder in folders.items() if folder},
        "weights_licences": {
            name: stated for name, folder in folders.items() if folder and (stated := _licence(folder))
        },
    }


def _snapshot(repository: str) -> Path | None:
    """The folder of a repository's newest snapshot in one of the caches where the package looks; None without."""
    name = "models--" + repository.replace("/", "--")
    short = "models--" + repository.rpartition("/")[2]  # some ask for it without its owner
    for cache in _caches():
        for folder in (cache / name, cache / short):
            head = folder / "refs" / "main"
            if head.is_file():
                return folder / "snapshots" / head.read_text(encoding="utf-8").strip()
    return None


def _caches() -> list[Path]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(os.environ.get("HF_HOME") or cache / "huggingface")
    return [
        Path(os.environ.get("HF_HUB_CACHE") or home / "hub"), cache / "chexbert", *sorted(cache.glob("radgraph/*")),
    ]  # fmt: skip


def _licence(folder: Path) -> str:
    """What a repository's card says of its licence, where the card is in the cache; else ""."""
    card = folder / "README.md"
    lines = card.read_text(encoding="utf-8", errors="replace").splitlines()[:60] if card.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.lower().startswith("license:")), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
