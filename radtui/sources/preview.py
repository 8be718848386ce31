"""What a source looks like before it is taken: files, tables with their columns, sample cases, counts, what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from radtui.plural import many
from radtui.records import NewCase, Problem
from radtui.sources.base import split_rank

_SHOWN_TEXT_CHARS = 300
_SHOWN_PROBLEMS = 12


@dataclass(frozen=True, slots=True)
class TableUse:
    """A table that is used, with the use of each of its columns ("image", "text", "" for a fact)."""

    name: str
    columns: dict[str, str]


@dataclass(slots=True)
class Counts:
    """How many cases there are; where `exact` is false, rows were left unread and there are more.

    Attributes:
        splits: Cases by split.
        with_text: Cases with a text to learn.
        with_question: Cases with a question of their own.
        unreadable: Cases whose image is not where the source says.
        patients: Different patients, 0 where nothing tells them apart.
        exams: Different exams, 0 where nothing tells them apart.
        images: Images of all cases, each file once.
        across_splits: Patients that are in more than one split.
    """

    splits: Counter[str] = field(default_factory=Counter)
    with_text: int = 0
    with_question: int = 0
    unreadable: int = 0
    patients: int = 0
    exams: int = 0
    images: int = 0
    across_splits: int = 0
    exact: bool = True

    @property
    def cases(self) -> int:
        """All cases."""
        return self.splits.total()

    @property
    def wordless(self) -> bool:
        """Whether all were counted, and none has a text."""
        return self.exact and self.cases > 0 and not self.with_text


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would bring in.

    Attributes:
        location: The source.
        form: In one line, what it is.
        files_seen: Files of the source.
        files_used: Of these, images, tables and texts that are used.
        tables: Tables that are used.
        samples: The first cases, with the bytes of their images.
        counts: How many there are.
        unused: What is not used, and why.
        identity: Columns that look as if they named people, with what they look like: "a person's name".
        recognised: What was found where the import's settings say nothing, by the setting.
        held_out_percent: Share of the cases that the import will hold out as test, which the counts do not show.
    """

    location: str
    form: str
    files_seen: int
    files_used: int
    tables: tuple[TableUse, ...]
    samples: tuple[NewCase, ...]
    counts: Counts
    unused: tuple[Problem, ...]
    identity: dict[str, str]
    recognised: dict[str, str] = field(default_factory=dict)
    held_out_percent: int = 0

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON, without the bytes of images."""
        counts = {name: getattr(self.counts, name) for name in Counts.__slots__}
        counts["splits"] = dict(self.counts.splits)
        return {
            "location": self.location, "form": self.form, "files_seen": self.files_seen,
            "files_used": self.files_used, "tables": [asdict(table) for table in self.tables],
            "samples": [_sample(case) for case in self.samples], "counts": {"cases": self.counts.cases, **counts},
            "unused": [asdict(problem) for problem in self.unused], "identity": self.identity,
            "recognised": self.recognised, "held_out_percent": self.held_out_percent,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """The preview as text for a terminal."""
        lines = [self.form, f"{many(self.files_seen, 'file')} seen, {self.files_used:,} used"]
        for table in self.tables:
            uses = [f"{name} ({use})" for name, use in table.columns.items() if use]
            facts = [name for name, use in table.columns.items() if not use]
            lines.append(f"Table {table.name}: {', '.join(uses) or 'no column is used'}")
            if facts:
                lines.append(f"  kept as facts: {', '.join(facts)}")
        lines += ["", *self.count_lines()]
        for number, case in enumerate(self.samples, start=1):
            lines += ["", f"Case {number}: {case.source_key}, split {case.split}"]
            for image in case.images:
                role = f" ({image.role})" if image.role else ""
                lines.append(f"  image     {image.name}{role}{': ' + image.error if image.error else ''}")
            lines.append(f"  question  {_shown(case.question) or '(the instruction of the job)'}")
            lines.append(f"  text      {_shown(case.reference) or '(none)'}")
        if self.identity:
            names = ", ".join(f"{name} ({kind})" for name, kind in self.identity.items())
            lines += ["", f"These columns tell of people and are kept as hashes or not at all: {names}."]
        if self.unused:
            lines += ["", "Not used:"]
            lines += problem_lines(self.unused)
        return lines

    def count_lines(self) -> list[str]:
        """How many cases, by split, with and without texts, patients and exams, a line each."""
        counts, about = self.counts, "" if self.counts.exact else "at least "
        splits = ", ".join(
            f"{counts.splits[name]:,} {name}" for name in sorted(counts.splits, key=split_rank)
        )
        lines = [f"{about}{many(counts.cases, 'case')}: {splits or 'none'}"]
        if self.held_out_percent:
            unit = "patient" if counts.patients else "exam" if counts.exams else "image"
            lines.append(f"about {self.held_out_percent} % of them, by {unit}, are held out as test then")
        lines.append(f"{about}{counts.with_text:,} with a text, {counts.cases - counts.with_text:,} without")
        if counts.with_question:
            lines.append(f"{about}{counts.with_question:,} with a question of their own")
        if counts.patients or counts.exams:
            lines.append(f"{about}{many(counts.patients, 'patient')}, {many(counts.exams, 'exam')}")
        if counts.across_splits:
            lines.append(f"{many(counts.across_splits, 'patient')} in more than one split")
        if counts.unreadable:
            lines.append(f"{about}{counts.unreadable:,} whose image is not there")
        return lines


def problem_lines(problems: tuple[Problem, ...] | list[Problem], most: int = _SHOWN_PROBLEMS) -> list[str]:
    """Problems as lines, so many at most, and how many more there are."""
    lines = []
    for problem in problems[:most]:
        times = f" ({problem.count:,} times)" if problem.count > 1 else ""
        lines.append(f"  {problem.where}: {problem.reason}{times}")
    if len(problems) > most:
        lines.append(f"  and {len(problems) - most:,} more")
    return lines


def identity_columns(columns: Iterable[str], rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Columns that look as if they named people, by their titles or by most of their cells.

    Args:
        columns: A table's columns.
        rows: Its first rows.

    Returns:
        The columns with what they look like, such as "a person's name" or "a date".
    """
    from radtui.sources.identity import identity_of_column, identity_of_value
    from radtui.sources.identity_columns import Identity, folded
    from radtui.sources.layouts.cells import fact_text

    result: dict[str, str] = {}
    columns = tuple(columns)
    for column in columns:
        kinds = [identity_of_value(text) for row in rows if (text := fact_text(row.get(column)))]
        most = max(set(kinds), key=kinds.count) if kinds else None
        kind = identity_of_column(column) or (most if kinds.count(most) > len(kinds) / 2 else None)
        if kind is not None:
            result[column] = str(kind)
    if _tells_of_a_person(
        result
    ):  # a "name" may be a file's; beside a birthday or a first name it is a surname
        result.update(
            (column, str(Identity.NAME)) for column in columns if folded(column.rpartition(".")[2]) == "name"
        )
    return result


def _tells_of_a_person(kinds: Mapping[str, str]) -> bool:
    """Whether a column is a person's name or birthday, so that other columns are about that person, too."""
    from radtui.sources.identity_columns import BIRTHDAYS, Identity, folded

    return any(
        kind == Identity.NAME or (kind == Identity.DATE and any(word in folded(title) for word in BIRTHDAYS))
        for title, kind in kinds.items()
    )


def _sample(case: NewCase) -> dict[str, object]:
    images = [
        {"name": each.name, "role": each.role, "bytes": len(each.data), "error": each.error}
        for each in case.images
    ]
    return {
        "key": case.source_key, "split": case.split, "question": case.question, "reference": case.reference,
        "facts": case.facts, "images": images, "error": case.error,
    }  # fmt: skip


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_TEXT_CHARS else line[:_SHOWN_TEXT_CHARS] + " ..."
