"""A data set of the Hugging Face hub, through `datasets`, with what an earlier download left in the cache."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import islice
from pathlib import Path
from typing import Any

from radtui.plural import many
from radtui.records import NewCase, Problem, UserError
from radtui.sources.base import SplitLimit, limited_total, read_file, split_name
from radtui.sources.choices import SourceChoices
from radtui.sources.hub_download import Download, dataset_files, sizes
from radtui.sources.layouts.draft import as_case
from radtui.sources.layouts.filenames import FileNames
from radtui.sources.layouts.roles import find_roles, role_problems
from radtui.sources.layouts.table_names import TableNames
from radtui.sources.layouts.tabled import TableLayout
from radtui.sources.local import PREVIEW_S, LocalSource, count_cases
from radtui.sources.preview import Preview, TableUse, identity_columns
from radtui.sources.readers.table import NOTHING, SAMPLE_ROWS, Row

TIMEOUT_S = 20.0  # for an answer, not for a whole download
_SHARD = re.compile(r"-\d+-of-(\d+)")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def is_hub_id(text: str) -> bool:
    """Whether a text has the form OWNER/NAME."""
    return bool(_HUB_ID.fullmatch(text)) and ".." not in text


class HubTable:
    """One split of a hub data set."""

    def __init__(self, split: str, rows: Any) -> None:
        self.file, self.part = split, ""
        self.notes: list[Problem] = []
        self.columns = tuple(rows.features)
        self._rows = rows

    def count(self) -> int | None:
        """How many rows it has."""
        return len(self._rows)

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """Every row; an image that is only named by its path in the cache is read."""
        kept = [name for name in self.columns if name not in without]
        rows = self._rows.select_columns(kept) if len(kept) < len(self.columns) else self._rows
        for number, row in enumerate(rows):
            yield Row(number, {name: _with_bytes(cell) for name, cell in row.items()})


class HubSource:
    """A data set by its hub id. Nothing is imported or downloaded before its cases are counted or read."""

    def __init__(self, hub_id: str, choices: SourceChoices) -> None:
        self.location = hub_id
        self._choices = choices
        self._layouts: list[TableLayout] | None = None
        self._snapshot: LocalSource | None = None
        self.download: Download | None = None  # once the hub has said what there is to fetch

    @property
    def problems(self) -> list[Problem]:
        """What is not used, and why."""
        if self._snapshot is not None:
            return self._snapshot.problems
        problems: list[Problem] = []
        for layout in self._layouts or ():
            problems += [*role_problems(layout.table.file, layout.roles), *layout.problems]
        return problems

    def describe(self) -> str:
        """Say what was found, or, before it is downloaded, what will be asked for."""
        if self._snapshot is not None:
            return f"hub {self.location} from the cache, {self._snapshot.describe()}"
        if not self._layouts:
            return f"hub {self.location}, downloaded unless it is in the cache"
        uses = self._layouts[0].roles.summary()
        return f"hub {self.location}: {many(self.total() or 0, 'image')}, {uses}"

    def total(self) -> int | None:
        """Cases of all splits; downloads the data set when needed.

        Raises:
            UserError: it is not there, or neither network nor cache has it.
        """
        self._load()
        if self._snapshot is not None:
            return self._snapshot.total()
        counts: Counter[str] = Counter()
        for layout in self._layouts or ():
            if layout.roles.names_splits or layout.roles.conversation:
                return (
                    None
                    if self._choices.limit
                    else sum(each.table.count() or 0 for each in self._layouts or ())
                )
            counts[self._split(layout.table.file)] += layout.table.count() or 0
        return limited_total(counts, self._choices.limit)

    def splits(self) -> set[str]:
        """The hub's own splits. Raises UserError as `total`."""
        self._load()
        if self._snapshot is not None:
            return self._snapshot.splits()
        return {self._split(layout.table.file) for layout in self._layouts or ()}

    def __iter__(self) -> Iterator[NewCase]:
        return self.cases()

    def cases(self) -> Iterator[NewCase]:
        """Every case of every split. Raises UserError as `total`."""
        self._load()
        if self._snapshot is not None:
            yield from self._snapshot.cases()
            return
        limit = SplitLimit(self._choices.limit)
        for layout in self._layouts or ():
            for draft in layout.drafts():
                if limit.take(draft.split):
                    yield as_case(draft, None)
                elif not layout.roles.names_splits:
                    break

    def preview(self, samples: int = 3, limit_s: float = PREVIEW_S) -> Preview:
        """What an import would bring in; downloads the data set when needed. Raises UserError as `total`."""
        self._load()
        if self._snapshot is not None:
            return self._snapshot.preview(samples, limit_s)
        layouts = self._layouts or []
        counts = count_cases((draft for layout in layouts for draft in layout.drafts(survey=True)), limit_s)
        cases = [as_case(draft, None) for layout in layouts[:1] for draft in islice(layout.drafts(), samples)]
        tables = tuple(
            TableUse(
                layout.table.file, {name: layout.roles.named().get(name, "") for name in layout.table.columns}
            )
            for layout in layouts
        )
        identity = identity_columns(layouts[0].table.columns, ()) if layouts else {}
        return Preview(
            self.location, self.describe(), len(layouts), len(layouts), tables, tuple(cases), counts,
            tuple(self.problems), identity, layouts[0].roles.settings() if layouts else {},
        )  # fmt: skip

    def _split(self, name: str) -> str:
        return split_name(name) or split_name(self._choices.split) or "train"

    def _load(self) -> None:
        if self._layouts is not None or self._snapshot is not None:
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
            self._snapshot = LocalSource(folder, self._choices)
            return
        self._keep(datasets, loaded)

    def _keep(self, datasets: Any, loaded: Any) -> None:
        """Take each split with its images as bytes: decoding and encoding again would change them."""
        layouts = []
        for name, split_rows in loaded.items():
            rows = split_rows
            for column, kind in split_rows.features.items():
                if as_bytes := _undecoded(datasets, kind):
                    rows = rows.cast_column(column, as_bytes)
            table = HubTable(str(name), rows)
            sample = [row.cells for row in islice(table.rows(), SAMPLE_ROWS) if isinstance(row, Row)]
            roles = find_roles(table.columns, sample, self._choices)
            if not roles.images and not roles.conversation:
                raise UserError(
                    f"None of the columns {', '.join(table.columns)} of {self.location} is known to hold the image;"
                    " name it as image_column."
                )
            layouts.append(TableLayout(table, roles, TableNames(FileNames(()), "", ""), self._choices))
        self._layouts = layouts


def _undecoded(datasets: Any, kind: Any) -> Any:
    """The feature of a column with images, or lists of them, as bytes; None for others."""
    if isinstance(kind, datasets.Image):
        return datasets.Image(decode=False)
    if isinstance(kind, (datasets.List, datasets.Sequence)) and isinstance(kind.feature, datasets.Image):
        return datasets.List(datasets.Image(decode=False))
    if isinstance(kind, list) and kind and isinstance(kind[0], datasets.Image):
        return [datasets.Image(decode=False)]
    return None


def _with_bytes(cell: object) -> object:
    """An image's cell with its bytes, where it only names a file of the cache."""
    if isinstance(cell, list):
        return [_with_bytes(each) for each in cell]
    if isinstance(cell, dict) and set(cell) == {"bytes", "path"} and not cell["bytes"] and cell["path"]:
        data, _ = read_file(Path(cell["path"]))
        return {"bytes": data, "path": cell["path"]}
    return cell


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
