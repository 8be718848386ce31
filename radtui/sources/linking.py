"""Which files of a source cannot stay where they are: told before an import that is to copy nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from radtui.imaging.comments import without_comments
from radtui.paths import open_plain
from radtui.plural import many
from radtui.records import NewCase, NewCaseImage, Problem
from radtui.sources.files import read_whole
from radtui.sources.identity import Gate
from radtui.sources.kinds import HEAD_BYTES, FileUse, file_kind
from radtui.store.links import relative

NOT_AS_IT_IS = (
    "It cannot stay where it is, since names, comments or other things that are no pixels have to be taken out of"
    " it; import it without --link, which keeps a cleaned copy."
)
TELLING_PATH = (
    "It cannot stay where it is, since its path holds what looks like a name, a date or a number of a person and would"
    " be written down; rename it, import with --trust-names, or without --link."
)
NO_FILE = (
    "It cannot stay where it is, since it lies in an archive, in a table or on the hub: unpack it, or import it without"
    " --link."
)


def refusals(cases: Iterable[NewCase], location: str, trust_names: bool, limit_s: float) -> list[Problem]:
    """Files that `--link` refuses, by the reason, with the first of each.

    Args:
        cases: Of the source, plain files only named.
        location: The source.
        trust_names: Whether paths are written down whatever they hold.
        limit_s: How long reading files may take, s; that it was too short is the last problem.
    """
    gate, until_s = Gate(b"", trust_names=trust_names), time.monotonic() + limit_s
    refused: dict[str, Problem] = {}
    looked_at = 0
    for case in cases:
        for image in case.images:
            if image.error:
                continue
            reason = _reason(image, gate, location)
            looked_at += 1
            if reason:
                first = refused.get(reason) or Problem(image.name or case.source_key, reason, 0)
                refused[reason] = replace(first, count=first.count + 1)
        if time.monotonic() > until_s:
            reason = (
                f"Only the first {many(looked_at, 'file')} were looked at for what --link refuses; the import names"
                " the others."
            )
            return [*refused.values(), Problem(location, reason)]
    return list(refused.values())


def _reason(image: NewCaseImage, gate: Gate, location: str) -> str:
    """Why a file cannot stay where it is, "" where it can."""
    if not image.path:
        return NO_FILE
    path = relative(image.path, location)
    if gate.name(path) != path:
        return TELLING_PATH
    data, error = read_whole(image.name, partial(open_plain, image.path))
    if error:
        return ""  # said by the import, of whichever kind
    kind = file_kind(Path(image.path).name, data[:HEAD_BYTES])
    as_found = kind.use is FileUse.IMAGE and without_comments(data) is data
    return "" if as_found or kind.use is FileUse.OTHER else NOT_AS_IT_IS
