"""A preview in a process of its own: reading a table may need pyarrow, and must not stop the app from answering."""

from __future__ import annotations

import gc
import json
import pickle
import subprocess
import sys
import time
from dataclasses import replace

from radtui.records import UserError
from radtui.settings import ImportSettings
from radtui.sources.preview import Preview
from radtui.sources.source import Source

TIMEOUT_S = 600.0
LIMIT_S = 1.2  # of opening and counting: whoever asked waits for a picture
LEAST_S = 0.2  # for counting, however long opening has taken
LINKED_S = 20.0  # for reading files that are to stay where they are: whether they can is in them
_FAILED = "failed"


def preview_in_process(settings: ImportSettings, samples: int = 3, limit_s: float = LIMIT_S) -> Preview:
    """What an import would bring in, found by another process.

    Args:
        settings: The import's.
        samples: How many cases are read.
        limit_s: How long opening and counting may take together, s; opening is not cut short.

    Raises:
        UserError: The source cannot be opened, or has nothing to import.
    """
    request = json.dumps({"settings": settings.to_dict(), "samples": samples, "limit_s": limit_s})
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "radtui.sources.preview_process"], input=request.encode(),
            capture_output=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"Looking at {settings.source} took more than {TIMEOUT_S:.0f} s; name a part of it."
        ) from error
    if done.returncode != 0 or not done.stdout:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason was given"]
        raise UserError(f"Looking at {settings.source} failed: {lines[-1]}")
    kind, value = pickle.loads(done.stdout)  # what our own process wrote, plain values of our own types
    if kind == _FAILED:
        raise UserError(value)
    assert isinstance(value, Preview)
    return value


def main() -> None:
    """Read a request from the standard input, and write the preview, or why there is none, to the standard output."""
    from radtui.sources import open_source

    gc.disable()  # the process ends soon, and what it holds of a large source are names
    began_s = time.monotonic()
    request = json.loads(sys.stdin.buffer.read())
    answer: tuple[str, object]
    try:
        settings = ImportSettings.from_dict(request["settings"]).check()
        source = open_source(settings)
        # Who waits for the first picture waits for all of it: a large folder takes its time from counting.
        left_s = max(LEAST_S, request["limit_s"] - (time.monotonic() - began_s))
        preview = source.preview(request["samples"], left_s)
        if settings.link:
            preview = _with_refusals(preview, source, settings)
        if set(preview.counts.splits) == {"train"} and preview.counts.exact:
            preview = replace(preview, held_out_percent=settings.hold_out)
        answer = ("preview", preview)
    except UserError as error:
        answer = (_FAILED, str(error))
    sys.stdout.buffer.write(pickle.dumps(answer))


def _with_refusals(preview: Preview, source: Source, settings: ImportSettings) -> Preview:
    """The preview, with the files that cannot stay where they are among what is not used."""
    from radtui.sources.linking import refusals

    unread = getattr(source, "unread", None)
    cases = unread() if unread is not None else iter(source)
    refused = refusals(cases, source.location, settings.trust_names, LINKED_S)
    return replace(preview, unused=(*refused, *preview.unused))


if __name__ == "__main__":
    main()
