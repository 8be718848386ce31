"""Fetching a model from the hub so that a job says how far it is, and hears when it is to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from radtui.records import StopRequest
from radtui.sources.hub_download import GIB, Download, model_files, sizes
from radtui.worker.process.reporter import Reporter, Stopped

log = logging.getLogger("radtui.worker")
EVERY_S = 1.0  # between looks
TIMEOUT_S = 15.0  # for the hub's answer, not for a download
T = TypeVar("T")
Say = Callable[[str], None]
"""Takes what a job is doing; raises Stopped when it is to end."""


def saying(reporter: Reporter, step: int, total: int) -> Say:
    """What writes a job's progress line and listens to the app."""

    def say(text: str) -> None:
        if reporter.progress(step, total, text) is not StopRequest.NONE:
            raise Stopped

    return say


def patiently(work: Callable[[], T], tick: Callable[[float], None]) -> T:
    """Run slow work that tells nothing in a thread, and call `tick` meanwhile with the seconds it has taken.

    What `tick` raises ends the waiting. The thread is left behind then; it ends with the process.
    """
    outcome: Future[T] = Future()

    def call() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # whatever it is, it is raised again below
            outcome.set_exception(error)

    thread = threading.Thread(target=call, daemon=True)
    started_s = time.monotonic()
    thread.start()
    thread.join(EVERY_S)
    while thread.is_alive():
        tick(time.monotonic() - started_s)
        thread.join(EVERY_S)
    return outcome.result()


def fetch(name: str, say: Say, trust_remote_code: bool = False) -> None:
    """Bring what loading a model reads into the hub's cache; what is there already stays.

    Args:
        name: Hub id.
        say: Takes the progress.
        trust_remote_code: Whether to bring Python code as well.

    Raises:
        Stopped: As `say`.
        Exception: Whatever the hub library raises.
    """
    from huggingface_hub import HfApi, snapshot_download

    info = HfApi().model_info(name, timeout=TIMEOUT_S, files_metadata=True)
    wanted = model_files([each.rfilename for each in info.siblings or ()], trust_remote_code)
    download = Download(name, "model", sizes(info.siblings, wanted))
    log.info("Fetching %d files of %s, %.2f GiB", len(wanted), name, download.total / GIB)
    say(download.sentence())
    patiently(lambda: snapshot_download(name, allow_patterns=wanted), lambda _: say(download.sentence()))
    say(download.sentence())


def fetch_for_unsloth(name: str, four_bit: bool, say: Say, trust_remote_code: bool = False) -> None:
    """Fetch the repository that unsloth reads for this name, which may be one of its own in 4 bits; as `fetch`."""
    import unsloth  # noqa: F401 - before transformers, which it patches

    from radtui.worker.model.at_hand import at_hand

    try:
        from unsloth.models import loader_utils

        repo = str(loader_utils.get_model_name(name, four_bit))
    except Exception as error:
        # No public function of unsloth: where it has gone, unsloth fetches by itself and says nothing.
        log.info("unsloth fetches %s itself: %s", name, error)
        return
    if not at_hand(repo):
        fetch(repo, say, trust_remote_code)
