"""Bringing a repository of the hub into a cache, on a machine that has a network, for machines that have none."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from radtui.cluster.fetched import cache_of, note_wanted
from radtui.records import UserError
from radtui.sources.hub_download import Download, dataset_files, model_files, sizes

EVERY_S = 5.0  # between lines of progress
ANSWER_S = 15.0  # of the hub, not of a download
Say = Callable[[str], object]


def fetch_model(name: str, hf_home: str, say: Say) -> None:
    """Bring what loading a model reads into the cache; what is there already stays.

    Args:
        name: Hub id.
        hf_home: As `cache_of`.
        say: Takes a line of progress now and then.

    Raises:
        UserError: It is not on the hub, or the hub cannot be reached.
    """
    _fetch(name, "model", hf_home, say, model_files)


def fetch_dataset(name: str, hf_home: str, say: Say) -> None:
    """Bring the rows of a data set into the cache; as `fetch_model`."""
    _fetch(name, "dataset", hf_home, say, dataset_files)


def _fetch(name: str, kind: str, hf_home: str, say: Say, choose: Callable[[list[str]], list[str]]) -> None:
    # Read when the library is imported: its bars are drawn over each other, and over the lines that are said here.
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    try:
        from huggingface_hub import HfApi, snapshot_download
    except ModuleNotFoundError as error:
        raise UserError("Fetching needs huggingface_hub: pip install 'radtui[train]'.") from error
    cache = cache_of(hf_home)
    try:
        info: Any = HfApi().repo_info(name, repo_type=kind, timeout=ANSWER_S, files_metadata=True)
        wanted = choose([each.rfilename for each in info.siblings or ()])
        download = Download(name, kind, sizes(info.siblings, wanted), cache)
        if kind == "model":
            note_wanted(name, hf_home, str(info.sha), wanted)
        with _saying(download, say):
            snapshot_download(name, repo_type=kind, allow_patterns=wanted, cache_dir=cache)
    except Exception as error:  # each client of the hub fails in its own words
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise UserError(
            f"{name} could not be fetched ({type(error).__name__}: {reason}): check name and network, and log in"
            " with hf auth login where it is gated."
        ) from error


@contextmanager
def _saying(download: Download, say: Say) -> Iterator[None]:
    """Say how far a download is while it goes on, and once at its end."""
    over = threading.Event()

    def say_on() -> None:
        while not over.wait(EVERY_S):
            say(download.sentence())

    thread = threading.Thread(target=say_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        say(download.sentence())
