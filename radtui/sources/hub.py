"""A data set of the Hugging Face hub, through `datasets`, with what an earlier download left in the cache."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from radtui.records import NewCase, UserError
from radtui.settings import ImportSettings
from radtui.sources import columns as cols
from radtui.sources.base import SplitLimit, counted, limited_total, split_name
from radtui.sources.hub_download import Download, dataset_files, sizes
from radtui.sources.parquet import ParquetSource, row_image

TIMEOUT_S = 20.0  # for an answer, not for a whole download
_SHARD = re.compile(r"-\d+-of-(\d+)")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def is_hub_id(text: str) -> bool:
    """Whether a text has the form OWNER/NAME."""
    return bool(_HUB_ID.fullmatch(text)) and ".." not in text


class HubSource:
    """A data set by its hub id. Nothing is imported or downloaded before its images are counted or read."""

    def __init__(self, hub_id: str, settings: ImportSettings) -> None:
        self.location = hub_id
        self._settings = settings
        self._splits: dict[str, Any] | None = None
        self._columns: dict[str, cols.Columns] = {}
        self._snapshot: ParquetSource | None = None
        self.download: Download | None = None  # once the hub has said what there is to fetch

    def describe(self) -> str:
        """Say what was found, or, before it is downloaded, what will be asked for."""
        if self._snapshot is not None:
            return f"hub {self.location} from the cache, {self._snapshot.describe()}"
        if not self._splits:
            return f"hub {self.location}, downloaded unless it is in the cache"
        columns = next(iter(self._columns.values()))
        return f"hub {self.location}: {counted(self.total() or 0, 'image')}, {columns.describe()}"

    def total(self) -> int | None:
        """Images of all splits; downloads the data set when needed.

        Raises:
            UserError: it is not there, or neither network nor cache has it.
        """
        self._load()
        if self._snapshot is not None:
            return self._snapshot.total()
        assert self._splits is not None
        counts: Counter[str] = Counter()
        for name, rows in self._splits.items():
            counts[self._split(name)] += len(rows)
        return limited_total(counts, self._settings.limit)

    def splits(self) -> set[str]:
        """The hub's own splits. Raises UserError as `total`."""
        self._load()
        if self._snapshot is not None:
            return self._snapshot.splits()
        return {self._split(name) for name in self._splits or ()}

    def __iter__(self) -> Iterator[NewCase]:
        """Every image of every split. Raises UserError as `total`."""
        self._load()
        if self._snapshot is not None:
            yield from self._snapshot
            return
        assert self._splits is not None
        limit = SplitLimit(self._settings.limit)
        for name, rows in self._splits.items():
            split, columns = self._split(name), self._columns[name]
            for number, row in enumerate(rows):
                if not limit.take(split):
                    break
                yield row_image(row, columns, split, f"{name}:{number}", None)

    def _split(self, name: str) -> str:
        return split_name(name) or split_name(self._settings.split) or "train"

    def _load(self) -> None:
        if self._splits is not None or self._snapshot is not None:
            return
        # Both are read when the libraries are imported; a user's own values stay.
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("HF_HUB_DOWNLOAD_TIMEOUT", f"{TIMEOUT_S:.0f}")
        os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", f"{TIMEOUT_S:.0f}")
        try:
            import datasets
        except ImportError as error:
            raise UserError(
                "A hub data set needs the package datasets; install it with: pip install 'radtui[train]'."
            ) from error
        why = self._ask_hub()
        if why:
            self._load_cached(datasets, why)
            return
        try:
            loaded = datasets.load_dataset(self.location)
        except Exception as error:  # its downloads, builders and readers raise errors of every kind
            raise UserError(
                f"{self.location} could not be downloaded ({_reason(error)}); import it again to continue."
            ) from error
        self._keep(datasets, loaded)

    def _ask_hub(self) -> str:
        """Ask once whether the data set is there, and what there is to fetch.

        `load_dataset` itself tries for 23 s without a network before it looks at its cache.

        Returns:
            "" when it is there, else why the hub cannot be used.

        Raises:
            UserError: the hub answers that there is no such data set, or that it wants a log-in.
        """
        from huggingface_hub import HfApi, errors

        try:
            info = HfApi().dataset_info(self.location, timeout=TIMEOUT_S, files_metadata=True)
        except errors.GatedRepoError as error:
            raise UserError(
                f"{self.location} asks for consent: accept its terms on its page, then log in with: hf auth login."
            ) from error
        except errors.RepositoryNotFoundError as error:
            raise UserError(
                f"There is no folder {self.location} here and no such data set on the hub; check the name, or log in"
                " with hf auth login if it is private."
            ) from error
        except errors.OfflineModeIsEnabled:
            return "offline mode is set"
        except Exception as error:  # the HTTP library's errors are not part of the hub library's interface
            return f"no network: {_reason(error)}"
        names = dataset_files([each.rfilename for each in info.siblings or ()])
        self.download = Download(self.location, "dataset", sizes(info.siblings, names))
        return ""

    def _load_cached(self, datasets: Any, why: str) -> None:
        """Use what an earlier load prepared, else the parquet files that an earlier download left."""
        _go_offline(datasets)
        try:
            loaded = datasets.load_dataset(self.location)
        except Exception as error:  # not there, or prepared by another version; both leave the files
            folder = _complete_snapshot(self.location)
            if folder is None:
                raise UserError(
                    f"{self.location} cannot be fetched ({why}) and is not in the local cache;"
                    " connect to the network, or import a folder or a parquet file."
                ) from error
            self._snapshot = ParquetSource(folder, self._settings)
            return
        self._keep(datasets, loaded)

    def _keep(self, datasets: Any, loaded: Any) -> None:
        """Take each split with its image column as bytes."""
        self._splits, self._columns = {}, {}
        for name, rows in loaded.items():
            columns = self._find_columns(datasets, rows)
            typed = isinstance(rows.features[columns.image], datasets.Image)
            # The bytes as they are in the file: decoding and encoding again would change them.
            as_bytes = rows.cast_column(columns.image, datasets.Image(decode=False)) if typed else rows
            self._splits[str(name)], self._columns[str(name)] = as_bytes, columns

    def _find_columns(self, datasets: Any, rows: Any) -> cols.Columns:
        features = rows.features
        image_like = [name for name, kind in features.items() if isinstance(kind, datasets.Image)]
        lists = [
            name
            for name, kind in features.items()
            if isinstance(kind, (list, datasets.Sequence, datasets.List))
        ]
        return cols.find_columns(list(features), self._settings, image_like=image_like, lists=lists)


def _complete_snapshot(hub_id: str) -> Path | None:
    """The folder of an earlier download whose parquet files are all there, or None."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(hub_id, repo_type="dataset", local_files_only=True))
    except (OSError, ValueError):  # nothing of that name in the cache
        return None
    there = [file.name for file in folder.rglob("*.parquet")]
    wanted = Counter[str]()
    for name in there:
        if shard := _SHARD.search(name):
            wanted[name[: shard.start()]] = int(shard[1])
    # A download that broke off leaves some shards of a split: half a data set must not pass for the whole.
    complete = all(sum(n.startswith(f"{split}-") for n in there) == count for split, count in wanted.items())
    return folder if there and complete else None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__


def _go_offline(datasets: Any) -> None:
    """Make both libraries look at their caches only; without it every file is asked for six times."""
    import huggingface_hub.constants

    datasets.config.HF_HUB_OFFLINE = True
    huggingface_hub.constants.HF_HUB_OFFLINE = True
