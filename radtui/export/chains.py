"""The links of a study's rows beside an export: what comes before each row, also where the export leaves rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from radtui.records import Rating


@dataclass(frozen=True, slots=True)
class Links:
    """Of one reader's rows in a study. `after` is the link of the last row, exported or not."""

    before: Mapping[int, str]  # row id -> the link before it
    left_out: Mapping[
        int, tuple[str, ...]
    ]  # row id -> links of the rows between it and the exported one before it
    end: tuple[str, ...]  # links of the rows after the last exported one
    last_id: int  # of the last exported row, 0 where there is none


def links_of(rows: Sequence[Rating], exported: Iterable[int]) -> Links:
    """The links of a reader's rows, oldest first, of which those with the ids `exported` go into a file."""
    inside = set(exported)
    before: dict[int, str] = {}
    left_out: dict[int, tuple[str, ...]] = {}
    waiting: list[str] = []
    link, last_id = "", 0
    for row in rows:
        if row.id in inside:
            before[row.id] = link
            if waiting:
                left_out[row.id] = tuple(waiting)
            waiting, last_id = [], row.id
        elif row.chain:
            waiting.append(row.chain)
        link = row.chain
    return Links(before, left_out, tuple(waiting), last_id)


def link_fields(row: Rating, links: Links) -> dict[str, object]:
    """What a row of an export says of its place in the chain; nothing of a row from before there were chains."""
    if not row.chain:
        return {}
    fields: dict[str, object] = {"chain_before": links.before.get(row.id, "")}
    if row.id in links.left_out:
        fields["left_out_before"] = list(links.left_out[row.id])
    if row.id == links.last_id:
        fields["chain_ends"] = True
        if links.end:
            fields["left_out_after"] = list(links.end)
    return fields
