"""How far a download from the hub is, told by what lies in the hub's cache.

The hub library writes each file under the name of its content, `blobs/NAME`, and while it comes under
`blobs/NAME.*.incomplete`; looking there needs none of its inner workings, however the bytes travel.

Source: huggingface_hub, "Understand caching". A blob's name is the file's sha256 on large-file storage, else its
git id.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from radtui.durations import left_text

GIB, MIB = 2**30, 2**20
WINDOW_S = 15.0  # a speed is of this long
MIN_SPAN_S = 2.0  # a shorter one is of the small files that come first
WEIGHTS = ".safetensors"
OLD_WEIGHTS = ".bin"
SMALL = (".json", ".txt", ".model", ".jinja")


class Download:
    """One repository's files on their way into the cache.

    Args:
        repo: Its id, OWNER/NAME.
        kind: `model` or `dataset`.
        sizes: Bytes of each wanted file, by the name of its blob.
        cache: The hub's cache; None for this process's.
    """

    def __init__(self, repo: str, kind: str, sizes: dict[str, int], cache: Path | None = None) -> None:
        from huggingface_hub import constants

        self.repo = repo
        self.sizes = sizes
        self._blobs = (
            (cache or Path(constants.HF_HUB_CACHE)) / "--".join([f"{kind}s", *repo.split("/")]) / "blobs"
        )
        self._seen: deque[tuple[float, int]] = deque()

    @property
    def total(self) -> int:
        """Bytes of all wanted files."""
        return sum(self.sizes.values())

    def done(self) -> int:
        """Bytes that are in the cache."""
        return sum(self._there(name, size) for name, size in self.sizes.items())

    @property
    def complete(self) -> bool:
        """Whether everything is there."""
        return self.done() >= self.total

    def sentence(self, now_s: float | None = None) -> str:
        """How far it is: "Downloading org/name: 1.2 of 20.3 GiB, 85.0 MiB/s, 4 min left".

        Args:
            now_s: Any clock that only goes forward, s.
        """
        now = time.monotonic() if now_s is None else now_s
        done = self.done()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()
        unit, name = (GIB, "GiB") if self.total >= GIB else (MIB, "MiB")
        text = f"Downloading {self.repo}: {done / unit:.1f} of {self.total / unit:.1f} {name}"
        then, before = self._seen[0]
        passed = now - then
        speed = (done - before) / passed if passed >= MIN_SPAN_S else 0.0
        if speed <= 0:
            return text
        left = (self.total - done) / speed
        return f"{text}, {speed / MIB:.1f} MiB/s, {left_text(left)}"

    def _there(self, name: str, size: int) -> int:
        try:
            if (self._blobs / name).exists():
                return size
            parts = [part.stat() for part in self._blobs.glob(f"{name}*.incomplete")]
        except OSError:  # renamed between the look and the question: the next look sees it
            return 0
        # What is written, not what was set aside: parts may come in any order into a file of full length.
        return min(size, max((min(each.st_size, each.st_blocks * 512) for each in parts), default=0))


def sizes(siblings: Iterable[Any] | None, names: Sequence[str]) -> dict[str, int]:
    """Bytes of the named files by blob, from the hub's list of a repository's files with their metadata."""
    by_blob: dict[str, int] = {}
    for each in siblings or ():
        blob = each.lfs.sha256 if each.lfs else each.blob_id
        if each.rfilename in names and blob and each.size:
            by_blob[blob] = each.size
    return by_blob


def model_files(names: Iterable[str], with_code: bool = False) -> list[str]:
    """The files of a repository that loading a model reads: one set of weights, and what describes them.

    Args:
        names: All files, with their folders.
        with_code: Whether Python code that comes with the model is wanted.
    """
    root = [name for name in names if "/" not in name]
    weights = [name for name in root if name.endswith(WEIGHTS) and not name.startswith("consolidated")]
    if not weights:
        weights = [name for name in root if name.startswith("pytorch_model") and name.endswith(OLD_WEIGHTS)]
    small = (*SMALL, ".py") if with_code else SMALL
    return sorted([*weights, *(name for name in root if name.endswith(small))])


def dataset_files(names: Iterable[str]) -> list[str]:
    """The files of a data set that hold its rows."""
    every = list(names)
    return [name for name in every if name.endswith(".parquet")] or every
