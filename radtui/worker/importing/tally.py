"""What an import has done so far, and how it says so."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field

from radtui.plural import many
from radtui.sources.base import split_rank
from radtui.store.cases import KeptCase

NAMED = 3  # cases left out that the last line names
_IN_BRACKETS = re.compile(r" \([^()]*\)")
LISTED = 20  # and that the log and the result list with their reasons


@dataclass
class Tally:
    """What an import has done so far."""

    total: int = 0  # 0 while unknown
    new: int = 0
    known: int = 0
    unreadable: int = 0
    leaked: int = 0
    patients: int = 0  # in more than one split
    missing: int = 0  # kept as an earlier import had them
    referenced: int = 0  # readable cases with a text
    more_images: bool = False  # a case has several: they are counted as cases then
    holds_out: bool = False  # some of a source that has only train are put in test
    left_out: dict[str, str] = field(default_factory=dict)  # the first unreadable cases, and why they are
    splits: Counter[str] = field(default_factory=Counter)  # of readable cases
    started_s: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> int:
        """Cases that have a row, unreadable ones included."""
        return self.new + self.known

    def add(self, kept: KeptCase) -> None:
        """Count one case."""
        case, why = kept.case, kept.error
        if not why:
            self.splits[case.split] += 1
            self.referenced += bool(case.reference.strip())
            self.more_images |= len(case.images) > 1
            return
        self.unreadable += 1
        if len(self.left_out) < LISTED:
            self.left_out[case.source_key] = why

    @property
    def noun(self) -> str:
        """What it counts, in its singular."""
        return "case" if self.more_images else "image"

    def move(self, count: int, before: str, after: str) -> None:
        """Count cases of one split in another."""
        self.splits.update({before: -count, after: count})

    def working(self) -> str:
        """What to show while it runs."""
        rate = self.done / max(time.monotonic() - self.started_s, 1e-3)
        of = f" of {self.total:,}" if self.total else ""
        return f"{self.done:,}{of} {self.noun}s, {rate:,.0f}/s"

    def closing(self) -> str:
        """What to show at the end: "50 images: 46 train, 4 test held out; 1 left out: a.png (not in the folder)"."""
        readable = self.done - self.unreadable
        text = many(readable, self.noun) if readable else f"No {self.noun}s"
        if readable:
            text += f": {self._splits()}"
        if readable and not self.referenced:
            text += "; 0 with a reference"
        if self.unreadable:
            named = [f"{key} ({_short(key, why)})" for key, why in list(self.left_out.items())[:NAMED]]
            text += f"; {self.unreadable:,} left out: {', '.join(named)}{self.more(NAMED)}"
        if self.missing:
            text += f"; {self.missing:,} missing in the source, kept"
        if self.leaked:
            where = "both splits" if len(self.splits) == 2 else "more than one split"
            of = f", of {many(self.patients, 'patient')} there" if self.patients else ""
            text += f"; {self.leaked:,} in {where}{of}"
        return text

    def more(self, named: int) -> str:
        """How many more are left out than are named: " and 4 more", or "" when all are."""
        rest = self.unreadable - named
        return f" and {rest:,} more" if rest > 0 else ""

    def _splits(self) -> str:
        counts = dict(self.splits)
        if self.holds_out:
            counts.setdefault("test", 0)  # so few images that none fell there: to be said
        return ", ".join(
            f"{counts[split]:,} {split}{' held out' * (self.holds_out and split == 'test')}"
            for split in sorted(counts, key=split_rank)
        )


def _short(key: str, why: str) -> str:
    """A reason without the name it stands beside, details and advice: "not in the folder"."""
    text = _IN_BRACKETS.sub("", why.rpartition(" but is ")[2].removeprefix(key).partition(";")[0]).partition(
        " ("
    )[0]
    text = text.strip().removesuffix(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
